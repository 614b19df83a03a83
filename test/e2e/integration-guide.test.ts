import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ethers } from "hardhat";
import { developmentKey, hubWorld, until, type HubWorld } from "../support/hub";

const ROOT = join(__dirname, "..", "..");
const ETHER = 10n ** 18n;

/** The first program of the guide, as it stands there. */
function programOf(guide: string): string {
  const program = /```ts\n([\s\S]*?)```/.exec(guide)?.[1];
  if (program === undefined) throw new Error("the guide has no program");
  return program;
}

describe("the integration guide", () => {
  let world: HubWorld;
  const file = join(ROOT, `guide-${process.pid}.ts`);
  beforeEach(async () => {
    world = await hubWorld();
    writeFileSync(file, programOf(readFileSync(join(ROOT, "docs", "integration-guide.md"), "utf8")));
  });
  afterEach(async () => {
    rmSync(file, { force: true });
    await world.close();
  });

  it("runs as written and ends with the right balances on chain", async () => {
    const third = ethers.Wallet.createRandom().address;
    const child = spawn(process.execPath, ["-r", "ts-node/register/transpile-only", file], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH ?? "",
        HUB_URL: world.hubUrl,
        ETH_URL: world.ethUrl,
        KEY: developmentKey(3),
        FILE: join(world.folder, "guide.sqlite"),
        SHOP: world.bob.address,
        THIRD: third,
      },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => void (output += text));
    }
    const [code] = (await once(child, "close")) as [number];
    expect(code, output).to.equal(0);
    expect(output.trim()).to.equal("0n 0n");
    expect(await ethers.provider.getBalance(third)).to.equal(ETHER / 10n + (90n * ETHER) / 2_000n);
    const bob = await world.client(4);
    await until("the payment to reach Bob", () => bob.balanceOf(world.tokenAddress) === 10n * ETHER);
    await bob.withdraw({ amountToken: 10n * ETHER });
    expect(await world.token.balanceOf(world.bob)).to.equal(10n ** 30n + 10n * ETHER);
  });
});
