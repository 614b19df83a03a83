import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { JsonRpcProvider } from "ethers";
import { developmentAccounts } from "../../tasks/development-accounts";
import { type Anvil, startAnvil } from "../support/anvil";
import { hardhat, type CliResult } from "../support/hardhat-cli";

/** The first development key, and a key without money. */
const RICH_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const POOR_KEY = `0x${"42".repeat(32)}`;
const [DEPLOYER = ""] = developmentAccounts();

describe("bad input on the command line", function () {
  this.timeout(300_000);
  let anvil: Anvil;
  let provider: JsonRpcProvider;
  let directory: string;
  before(async () => {
    anvil = await startAnvil(4);
    provider = new JsonRpcProvider(anvil.url, undefined, { cacheTimeout: -1 });
    directory = mkdtempSync(join(tmpdir(), "bad-input-"));
  });
  after(async () => {
    provider.destroy();
    await anvil.stop();
    rmSync(directory, { recursive: true });
  });

  const deploy = (args: readonly string[], env: Record<string, string>, folder = directory): Promise<CliResult> =>
    hardhat(["deploy", "--directory", folder, ...args], env);

  /** Exit code 1, the sentence on stderr, no stack, nothing on stdout, and nothing sent. */
  async function refused(run: Promise<CliResult>, code: string, ...words: string[]): Promise<void> {
    const before = await provider.getTransactionCount(DEPLOYER);
    const { exitCode, stdout, stderr } = await run;
    expect(exitCode, stderr).to.equal(1);
    expect(stderr).to.contain(`Error ${code}: `).and.contain("Why: ").and.contain("What to do: ");
    for (const word of words) expect(stderr).to.contain(word);
    expect(stderr)
      .not.to.contain("secret")
      .and.not.to.match(/^ +at /m);
    expect(stdout).to.equal("");
    expect(await provider.getTransactionCount(DEPLOYER)).to.equal(before);
  }

  interface BadInput {
    readonly what: string;
    readonly args: readonly string[];
    readonly env: (url: string) => Record<string, string>;
    readonly code: string;
    readonly words: readonly string[];
  }

  const cases: readonly BadInput[] = [
    {
      what: "a network whose URL is not set, and names the variable",
      args: ["--network", "sepolia"],
      env: () => ({}),
      code: "RpcUrlMissing",
      words: ["npx hardhat vars set SEPOLIA_RPC_URL"],
    },
    {
      what: "any network by RPC_URL without RPC_URL",
      args: ["--network", "custom"],
      env: () => ({}),
      code: "RpcUrlMissing",
      words: ["RPC_URL="],
    },
    {
      what: "a node that does not answer, without showing the path of its URL, which may be a key",
      args: ["--network", "custom"],
      env: () => ({ RPC_URL: "http://127.0.0.1:9/secret" }),
      code: "NodeUnreachable",
      words: ["127.0.0.1:9"],
    },
    {
      what: "a chain other than the network's",
      args: ["--network", "sepolia"],
      env: (url) => ({ HARDHAT_VAR_SEPOLIA_RPC_URL: url, HARDHAT_VAR_DEPLOYER_PRIVATE_KEY: RICH_KEY }),
      code: "WrongNetwork",
      words: ["chain 4, not 11155111"],
    },
    {
      what: "a missing key, and names it",
      args: ["--network", "rinkeby"],
      env: (url) => ({ HARDHAT_VAR_RINKEBY_RPC_URL: url }),
      code: "DeployerKeyMissing",
      words: ["npx hardhat vars set DEPLOYER_PRIVATE_KEY"],
    },
    {
      what: "an account that cannot pay",
      args: ["--network", "rinkeby"],
      env: (url) => ({ HARDHAT_VAR_RINKEBY_RPC_URL: url, HARDHAT_VAR_DEPLOYER_PRIVATE_KEY: POOR_KEY }),
      code: "Underfunded",
      words: ["has only 0 ETH", "send ether to 0x"],
    },
    {
      what: "parameters that are not usable",
      args: ["--network", "custom", "--hub", "0x12"],
      env: (url) => ({ RPC_URL: url }),
      code: "ParametersMalformed",
      words: ["hub must be"],
    },
    {
      what: "to verify the sources on a local chain",
      args: ["--network", "custom", "--verify"],
      env: (url) => ({ RPC_URL: url }),
      code: "NothingToVerify",
      words: ["leave --verify out"],
    },
  ];

  describe("refuses", () => {
    // Each is a process that sends nothing, so two run at a time.
    const runs: Promise<CliResult>[] = [];
    before(() => {
      for (const [i, { args, env }] of cases.entries()) {
        const turn: Promise<unknown> = runs[i - 2] ?? Promise.resolve();
        runs.push(turn.then(() => deploy(args, env(anvil.url), join(directory, "empty"))));
      }
    });
    for (const [i, { what, code, words }] of cases.entries()) {
      it(what, () => refused(runs[i]!, code, ...words));
    }
  });

  it("refuses an address book entry whose code differs", async () => {
    const env = { RPC_URL: anvil.url };
    expect((await deploy(["--network", "custom"], env)).exitCode).to.equal(0);
    const file = join(directory, "local", "chain-4.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/"codeHash": "0x..../, '"codeHash": "0xdead'));
    await refused(deploy(["--network", "custom"], env), "ContractDiffers", "0xdead", "--redeploy");
    const status = hardhat(["reserve", "status", "--network", "custom", "--directory", directory], env);
    await refused(status, "ContractDiffers", "do not send money there");
    writeFileSync(file, text);
  });

  it("prints a failure as one JSON document when asked for JSON", async () => {
    const { exitCode, stdout } = await deploy(["--network", "custom", "--json"], {});
    expect(exitCode).to.equal(1);
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string; details: object } };
    expect(error.code).to.equal("RpcUrlMissing");
    expect(error.message).to.contain("What to do: ");
    expect(error.details).to.deep.equal({ network: "custom", variable: "RPC_URL" });
  });

  it("shows the stack when asked for it", async () => {
    const { stderr } = await deploy(["--network", "custom", "--show-stack-traces"], {});
    expect(stderr)
      .to.contain("RpcUrlMissing")
      .and.match(/^ +at /m);
  });
});
