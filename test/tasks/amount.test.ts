import { expect } from "chai";
import { ETHER, formatAmount, parseAmount, type Asset } from "../../tasks/amount";
import { expectCoded } from "../support/expect-coded";

const LUSD: Asset = { address: "0x00000000000000000000000000000000000000aa", symbol: "LUSD", decimals: 18 };
const USDC: Asset = { address: "0x00000000000000000000000000000000000000bb", symbol: "USDC", decimals: 6 };
const FAKE_ETH: Asset = { address: "0x00000000000000000000000000000000000000cc", symbol: "ETH", decimals: 2 };

describe("parseAmount", () => {
  for (const text of [
    "",
    "eth",
    "-1eth",
    "1,5eth",
    "1..5eth",
    ".5eth",
    "5.",
    "0",
    "0eth",
    "0.000eth",
    "1 2",
    "1e18 eth",
  ]) {
    it(`refuses "${text}"`, () => expectCoded(() => parseAmount(text, [LUSD]), "AmountMalformed"));
  }

  it("refuses a unit that nobody knows, and lists those it knows", async () => {
    const { details } = await expectCoded(() => parseAmount("5dai", [LUSD, USDC]), "UnitUnknown");
    expect(details).to.deep.equal({ unit: "dai", known: ["eth", "ether", "gwei", "wei", "LUSD", "USDC"] });
  });

  it("does not take 1e18 or 0x10 for a number", async () => {
    await expectCoded(() => parseAmount("1e18", []), "UnitUnknown");
    await expectCoded(() => parseAmount("0x10", []), "UnitUnknown");
  });

  it("refuses more decimals than the asset has", async () => {
    const { details } = await expectCoded(() => parseAmount("1.0000001usdc", [USDC]), "AmountTooPrecise");
    expect(details).to.deep.equal({ given: "1.0000001", unit: "USDC", decimals: 6 });
    await expectCoded(() => parseAmount("1.5", []), "AmountTooPrecise");
    await expectCoded(() => parseAmount("0.5wei", []), "AmountTooPrecise");
  });

  it("refuses what the contract has no room for", async () => {
    expect(parseAmount(String(2n ** 128n - 1n), []).units).to.equal(2n ** 128n - 1n);
    await expectCoded(() => parseAmount(String(2n ** 128n), []), "AmountTooLarge");
  });

  it("refuses a symbol that two tokens have", async () => {
    const twin = { ...LUSD, address: USDC.address };
    const { details } = await expectCoded(() => parseAmount("1lusd", [LUSD, twin]), "SymbolAmbiguous");
    expect(details).to.deep.equal({ symbol: "lusd", addresses: [LUSD.address, twin.address] });
  });

  it("does not let a token pass for ether", async () => {
    expect(parseAmount("1eth", [FAKE_ETH])).to.deep.equal({ asset: ETHER, units: 10n ** 18n });
    await expectCoded(() => parseAmount("1eth", [FAKE_ETH], FAKE_ETH), "SymbolAmbiguous");
    expect(parseAmount("100", [FAKE_ETH], FAKE_ETH)).to.deep.equal({ asset: FAKE_ETH, units: 100n });
  });

  it("refuses the symbol of another asset than the one named", () =>
    expectCoded(() => parseAmount("1eth", [LUSD], LUSD), "UnitUnknown"));

  const read: [text: string, asset: Asset, units: bigint][] = [
    ["3.14eth", ETHER, 3_140_000_000_000_000_000n],
    ["1 ETHER", ETHER, 10n ** 18n],
    ["20gwei", ETHER, 20_000_000_000n],
    ["7 wei", ETHER, 7n],
    ["1500000000000000000", ETHER, 1_500_000_000_000_000_000n],
    ["1000 lusd", LUSD, 1000n * 10n ** 18n],
    ["0.000001USDC", USDC, 1n],
    ["12345678901234567890.000000000000000001eth", ETHER, 12345678901234567890_000000000000000001n],
  ];
  for (const [text, asset, units] of read) {
    it(`reads "${text}" as ${units} base units of ${asset.symbol}`, () =>
      expect(parseAmount(text, [LUSD, USDC])).to.deep.equal({ asset, units }));
  }

  it("reads base units of the asset that was named", () =>
    expect(parseAmount("42", [], USDC)).to.deep.equal({ asset: USDC, units: 42n }));

  it("writes what it reads", () => {
    for (const [text, asset, units] of read) {
      const written = formatAmount({ asset, units });
      expect(parseAmount(written, [LUSD, USDC]), `${text} as ${written}`).to.deep.equal({ asset, units });
    }
    expect(formatAmount({ asset: USDC, units: 1_500_000n })).to.equal("1.5 USDC");
    expect(formatAmount({ asset: ETHER, units: 10n ** 18n })).to.equal("1 ETH");
  });
});
