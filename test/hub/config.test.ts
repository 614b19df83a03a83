import { inspect } from "node:util";
import { expect } from "chai";
import { completeConfig, describeConfig, ETHER_ASSET, parseConfig } from "../../hub/config";
import { ZERO_ADDRESS } from "../../protocol";
import { party } from "../protocol/fixtures";
import { expectCoded } from "../support/expect-coded";

const KEY = `0x${"a5".repeat(32)}`;
const ADMIN_KEY = "0123456789abcdef01234567";
const ASSET = {
  asset: ZERO_ADDRESS,
  symbol: "ETH",
  decimals: 18,
  minimumPayment: "1000",
  collateralCeiling: "1000000",
  collateralFloor: "5000",
};
const GOOD = {
  HUB_ETH_URL: "https://user:pass@node.example/v3/a-secret-project",
  HUB_PRIVATE_KEY: KEY,
  HUB_CHAIN_ID: "31337",
  HUB_CHANNEL_MANAGER: party(0x11).address,
  HUB_ASSETS: JSON.stringify([ASSET]),
};

describe("configuration", () => {
  const problemsOf = async (environment: Record<string, string | undefined>): Promise<readonly string[]> => {
    const { details } = await expectCoded(() => parseConfig(environment), "ConfigInvalid");
    return (details as { problems: readonly string[] }).problems;
  };

  describe("refuses", () => {
    const wrong: [string, Record<string, string>, RegExp][] = [
      ["a port above 65535", { HUB_PORT: "65536" }, /^HUB_PORT /],
      ["a port with a sign", { HUB_OPERATOR_PORT: "+1" }, /^HUB_OPERATOR_PORT /],
      ["a key of 31 bytes", { HUB_PRIVATE_KEY: KEY.slice(0, -2) }, /^HUB_PRIVATE_KEY /],
      [
        "a key of no account",
        { HUB_PRIVATE_KEY: `0x${"00".repeat(32)}` },
        /^HUB_PRIVATE_KEY is the key of no account$/,
      ],
      [
        "an address with a wrong checksum",
        { HUB_CHANNEL_MANAGER: `0xAb${"0".repeat(38)}` },
        /^HUB_CHANNEL_MANAGER .*checksum/,
      ],
      ["assets that are no JSON", { HUB_ASSETS: "ETH" }, /^HUB_ASSETS must be JSON$/],
      ["no assets", { HUB_ASSETS: "[]" }, /^HUB_ASSETS\//],
      [
        "an asset with an unknown field",
        { HUB_ASSETS: JSON.stringify([{ ...ASSET, floor: "1" }]) },
        /^HUB_ASSETS\/.*floor/,
      ],
      ["an asset twice", { HUB_ASSETS: JSON.stringify([ASSET, ASSET]) }, /^HUB_ASSETS has an asset twice$/],
      [
        "an amount as a number",
        { HUB_ASSETS: JSON.stringify([{ ...ASSET, minimumPayment: 1 }]) },
        /^HUB_ASSETS\/0\/minimumPayment /,
      ],
      [
        "an amount above 128 bits",
        { HUB_ASSETS: JSON.stringify([{ ...ASSET, minimumPayment: "9".repeat(39) }]) },
        /2\^128 - 1$/,
      ],
      ["prices of another form", { HUB_PRICES: '[{"rate":"1"}]' }, /^HUB_PRICES\//],
      ["an origin with a path", { HUB_CORS_ORIGINS: "https://a.example/x" }, /^HUB_CORS_ORIGINS /],
      ["a short admin key", { HUB_ADMIN_KEY: "foo" }, /^HUB_ADMIN_KEY /],
      ["a setting that does not exist", { HUB_PROT: "3000" }, /^HUB_PROT is unknown$/],
      ["a node that is no URL", { HUB_ETH_URL: "localhost:8545" }, /^HUB_ETH_URL /],
    ];
    for (const [what, change, problem] of wrong) {
      it(what, async () => {
        const problems = await problemsOf({ ...GOOD, ...change });
        expect(
          problems.some((each) => problem.test(each)),
          problems.join("\n"),
        ).to.be.true;
      });
    }

    it("everything that is wrong at once, values of secrets not shown", async () => {
      const problems = await problemsOf({ HUB_PRIVATE_KEY: "0xdeadbeef", HUB_PORT: "many", HUB_ADMIN_KEY: "hunter2" });
      for (const name of ["ETH_URL", "CHAIN_ID", "CHANNEL_MANAGER", "ASSETS", "PRIVATE_KEY", "PORT", "ADMIN_KEY"]) {
        expect(problems.join("\n")).to.include(`HUB_${name}`);
      }
      expect(problems.join("\n")).to.not.match(/deadbeef|hunter2/);
    });
  });

  it("reads what is set and takes defaults for the rest, frozen", () => {
    const { hub, ...server } = parseConfig({
      ...GOOD,
      HUB_PORT: "0",
      HUB_CORS_ORIGINS: "https://a.example,http://b:1",
      PATH: "x",
    });
    expect(hub).to.be.frozen;
    expect(hub).to.deep.include({ host: "127.0.0.1", port: 0, operatorPort: 3001, chainId: 31337, adminKey: "" });
    expect(hub.corsOrigins).to.deep.equal(["https://a.example", "http://b:1"]);
    expect(hub.assets[0]).to.deep.equal({
      ...ETHER_ASSET,
      minimumPayment: 1000n,
      collateralCeiling: 1000000n,
      collateralFloor: 5000n,
    });
    expect(server).to.deep.equal({
      ethUrl: GOOD.HUB_ETH_URL,
      databaseFile: "hub.sqlite",
      signerFile: "hub-signer.sqlite",
    });
    expect(parseConfig(GOOD).hub.port).to.equal(3000);
  });

  it("waits for twelve confirmations, and on a local chain for one", () => {
    expect(parseConfig(GOOD).hub.confirmations).to.equal(1);
    expect(parseConfig({ ...GOOD, HUB_CHAIN_ID: "1" }).hub.confirmations).to.equal(12);
    expect(parseConfig({ ...GOOD, HUB_CONFIRMATIONS: "3" }).hub.confirmations).to.equal(3);
  });

  it("takes an empty variable for one that is not set", () => {
    expect(parseConfig({ ...GOOD, HUB_ADMIN_KEY: "", HUB_PORT: "" }).hub).to.include({ adminKey: "", port: 3000 });
  });

  it("H-4: has no operator and no other origins by default", () => {
    const { adminKey, corsOrigins } = completeConfig({ chainId: 1, channelManager: ZERO_ADDRESS, assets: [] });
    expect([adminKey, corsOrigins]).to.deep.equal(["", []]);
  });

  it("holds the key, and shows no secret when it is described or printed", () => {
    const config = parseConfig({
      ...GOOD,
      HUB_ADMIN_KEY: ADMIN_KEY,
      HUB_PRICE_URL: "https://prices.example/?key=secret",
    });
    expect(Buffer.from(config.hubKey).toString("hex")).to.equal(KEY.slice(2));
    const text = describeConfig(config);
    expect(text).to.include("hubKey: set, not shown").and.include("adminKey: set, not shown").and.include("ETH 0x");
    expect(text).to.not.match(/a5a5|pass|secret|01234567/);
    expect(inspect(config, { depth: 5 })).to.not.match(/hubKey|165, 165/);
  });
});
