import { expect } from "chai";
import { ledgerOf, remaining, ZERO_ADDRESS, ZERO_LEDGER } from "../../protocol";
import { ledger, TOKEN } from "./fixtures";

describe("ledger", () => {
  it("is zero for an asset that was never deposited", () => {
    expect(ledgerOf(new Map([[TOKEN, ledger()]]), ZERO_ADDRESS)).to.equal(ZERO_LEDGER);
    expect(Object.values(ZERO_LEDGER)).to.deep.equal([0n, 0n, 0n, 0n]);
    expect(ledgerOf(new Map([[TOKEN, ledger()]]), TOKEN)).to.deep.equal(ledger());
  });

  it("holds deposits minus withdrawals, never less than nothing", () => {
    expect(remaining(ledger())).to.equal(100n);
    expect(remaining(ledger({ withdrawnHub: 119n }))).to.equal(1n);
    expect(remaining(ledger({ withdrawnHub: 120n }))).to.equal(0n);
    expect(remaining(ledger({ withdrawnHub: 121n }))).to.equal(0n);
    expect(remaining(ZERO_LEDGER)).to.equal(0n);
  });
});
