import { expect } from "chai";
import { parseConfig } from "../../hub/config";
import { parseTowerConfig } from "../../watchtower/config";
import { expectCoded } from "../support/expect-coded";

const ADDRESS = "0x00000000000000000000000000000000000000aa";
const KEY = `0x${"11".repeat(32)}`;

const TOWER = {
  WATCHTOWER_ETH_URL: "http://127.0.0.1:8545",
  WATCHTOWER_PRIVATE_KEY: KEY,
  WATCHTOWER_CHAIN_ID: "31337",
  WATCHTOWER_CHANNEL_MANAGER: ADDRESS,
};

const HUB = {
  HUB_ETH_URL: "http://127.0.0.1:8545",
  HUB_PRIVATE_KEY: `0x${"22".repeat(32)}`,
  HUB_CHAIN_ID: "31337",
  HUB_CHANNEL_MANAGER: ADDRESS,
  HUB_ASSETS: JSON.stringify([
    {
      ...{ asset: `0x${"00".repeat(20)}`, symbol: "ETH", decimals: 18 },
      ...{ minimumPayment: "1", collateralCeiling: "10", collateralFloor: "1" },
    },
  ]),
};

describe("a watchtower's configuration", () => {
  it("comes from the environment, with defaults for all but node, key, chain and contract", () => {
    const { tower, databaseFile } = parseTowerConfig(TOWER);
    expect(tower).to.include({ chainId: 31_337, channelManager: ADDRESS, port: 3002, confirmations: 1 });
    expect(tower.fee).to.equal(undefined);
    expect(databaseFile).to.equal("watchtower.sqlite");
  });

  it("names everything that is wrong at once, and shows no value", async () => {
    const wrong = { ...TOWER, WATCHTOWER_PRIVATE_KEY: "0xsecret", WATCHTOWER_PROT: "1", WATCHTOWER_FEE_AMOUNT: "5" };
    const { message } = await expectCoded(() => parseTowerConfig(wrong), "ConfigInvalid");
    expect(message).to.contain("WATCHTOWER_PRIVATE_KEY").and.contain("WATCHTOWER_PROT").and.contain("FEE_PAYEE");
    expect(message).to.not.contain("secret");
  });

  it("takes a fee", () => {
    const given = { ...TOWER, WATCHTOWER_FEE_PAYEE: ADDRESS, WATCHTOWER_FEE_AMOUNT: "5", WATCHTOWER_FEE_DAYS: "7" };
    expect(parseTowerConfig(given).tower.fee).to.include({ payee: ADDRESS, amount: 5n, days: 7 });
  });

  it("of a hub has none unless it says so; then the hub's own node, chain and contract are the defaults", () => {
    expect(parseConfig(HUB).watchtower).to.equal(undefined);
    const { watchtower } = parseConfig({ ...HUB, HUB_WATCHTOWER: "on", WATCHTOWER_PRIVATE_KEY: KEY });
    expect(watchtower?.tower).to.include({ chainId: 31_337, channelManager: ADDRESS });
    expect(Object.keys(watchtower ?? {})).to.not.include("privateKey"); // not in what is printed or listed
  });
});
