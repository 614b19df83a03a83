import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Chain } from "../../../tasks/chain/identify-chain";
import { completeParameters, readParameters } from "../../../tasks/deploy/parameters";
import { developmentAccounts } from "../../../tasks/development-accounts";
import { expectCoded } from "../../support/expect-coded";

const HUB = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";
const TREASURY = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB";

const chain = (isLocal: boolean): Chain => ({
  network: "sepolia",
  chainId: 11155111,
  genesisHash: `0x${"00".repeat(32)}`,
  isLocal,
  isInProcess: false,
  rpc: { send: () => Promise.reject(new Error("nobody asks")) },
});

describe("deploy parameters", () => {
  let folder = "";
  const file = (content: string): string => {
    const path = join(folder, "parameters.json");
    writeFileSync(path, content);
    return path;
  };
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "parameters-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const malformed: [what: string, content: string, problem: RegExp][] = [
    ["text that is not JSON", "{", /JSON/],
    ["a parameter nobody knows", `{ "sepolia": { "hubb": "${HUB}" } }`, /hubb/],
    ["a period below an hour", `{ "sepolia": { "challengePeriodSeconds": 60 } }`, /challengePeriodSeconds.*3600/],
    [
      "a period above 30 days",
      `{ "sepolia": { "challengePeriodSeconds": 2592001 } }`,
      /challengePeriodSeconds.*2592000/,
    ],
    ["a hub that is no address", `{ "sepolia": { "hub": "0x12" } }`, /hub must be/],
    ["a wrong checksum", `{ "sepolia": { "hub": "${HUB.replace("fB", "Fb")}" } }`, /checksum/],
    ["the zero address", `{ "sepolia": { "treasury": "0x${"00".repeat(20)}" } }`, /treasury is the zero address/],
  ];
  for (const [what, content, problem] of malformed) {
    it(`refuses ${what}`, async () => {
      const error = await expectCoded(() => readParameters("sepolia", file(content), {}), "ParametersMalformed");
      expect(error.message).to.match(problem);
    });
  }

  it("refuses a period out of bounds on the command line", () =>
    expectCoded(() => readParameters("sepolia", "absent", { challengePeriodSeconds: 3599 }), "ParametersMalformed"));

  it("reads its network's part, and lets the command line win", () => {
    const path = file(
      `{ "sepolia": { "hub": "${HUB.toLowerCase()}", "challengePeriodSeconds": 90000 }, "mainnet": {} }`,
    );
    const given = readParameters("sepolia", path, { challengePeriodSeconds: 100_000, treasury: TREASURY });
    expect(given).to.deep.equal({ hub: HUB, treasury: TREASURY, challengePeriodSeconds: 100_000 });
    expect(readParameters("mainnet", path, {})).to.deep.equal({});
    expect(readParameters("sepolia", join(folder, "absent.json"), {})).to.deep.equal({});
  });

  it("names what a live chain lacks, and where to write it", async () => {
    const none = await expectCoded(() => completeParameters(chain(false), {}, "f.json", false), "ParametersMissing");
    expect(none.details).to.deep.equal({ network: "sepolia", names: ["hub", "treasury"], file: "f.json" });
    expect(none.message).to.contain("--hub 0x… --treasury 0x…").and.contain("f.json");
    const one = await expectCoded(
      () => completeParameters(chain(false), { hub: HUB }, "f.json", false),
      "ParametersMissing",
    );
    expect(one.details).to.deep.include({ names: ["treasury"] });
  });

  it("refuses development accounts on a live chain, in either role", async () => {
    for (const account of developmentAccounts()) {
      const asHub = { hub: account, treasury: TREASURY };
      await expectCoded(() => completeParameters(chain(false), asHub, "", true), "DevelopmentAccount");
      const asTreasury = { hub: HUB, treasury: account };
      await expectCoded(() => completeParameters(chain(false), asTreasury, "", true), "DevelopmentAccount");
    }
  });

  it("refuses a short challenge period on a live chain unless forced", async () => {
    const given = { hub: HUB, treasury: TREASURY, challengePeriodSeconds: 86_399 };
    const error = await expectCoded(
      () => completeParameters(chain(false), given, "", false),
      "ChallengePeriodTooShort",
    );
    expect(error.details).to.deep.equal({ seconds: 86_399, minimum: 86_400 });
    expect(completeParameters(chain(false), given, "", true)).to.deep.equal(given);
    expect(completeParameters(chain(true), given, "", false)).to.deep.equal(given);
  });

  it("takes a day on a live chain, and development accounts on a local one", () => {
    const parties = { hub: HUB, treasury: TREASURY };
    expect(completeParameters(chain(false), parties, "", false)).to.deep.equal({
      ...parties,
      challengePeriodSeconds: 86_400,
    });
    const [, hub, treasury] = developmentAccounts();
    expect(completeParameters(chain(true), {}, "", false)).to.deep.include({ hub, treasury });
    expect(hub).to.equal("0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
  });
});
