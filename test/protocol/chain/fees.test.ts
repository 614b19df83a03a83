import { expect } from "chai";
import { bumped, canReplace, capped, ladderOf, type Fees } from "../../../protocol/chain/fees";

const fees = (maxFeePerGas: bigint, maxPriorityFeePerGas: bigint): Fees => ({ maxFeePerGas, maxPriorityFeePerGas });

describe("fees", () => {
  const CAP = 10_000n;

  it("rise by an eighth at least, in both fields, so that nodes take the replacement", () => {
    const [last, low] = [fees(1_000n, 80n), fees(1n, 1n)];
    const next = bumped(last, low, CAP);
    expect(next).to.deep.equal(fees(1_126n, 91n));
    expect(canReplace(last, next)).to.equal(true);
    expect(bumped(last, low, CAP, 5n), "a smaller rise than nodes want is none").to.deep.equal(next);
  });

  it("rise by more for what is urgent", () => {
    expect(bumped(fees(1_000n, 80n), fees(1n, 1n), CAP, 50n)).to.deep.equal(fees(1_501n, 121n));
  });

  it("are at least what is usual now", () => {
    expect(bumped(fees(1_000n, 80n), fees(5_000n, 200n), CAP)).to.deep.equal(fees(5_000n, 200n));
  });

  it("never exceed the cap, and a tip never the whole offer", () => {
    expect(bumped(fees(9_900n, 9_800n), fees(1n, 1n), CAP)).to.deep.equal(fees(CAP, CAP));
    expect(capped(fees(20_000n, 15_000n), CAP)).to.deep.equal(fees(CAP, CAP));
    expect(capped(fees(9n, 8n), CAP)).to.deep.equal(fees(9n, 8n));
  });

  it("cannot replace an offer that nodes would call too close", () => {
    expect(canReplace(fees(9_900n, 10n), fees(CAP, 20n))).to.equal(false);
    expect(canReplace(fees(1_000n, 100n), fees(1_100n, 109n))).to.equal(false);
    expect(canReplace(fees(1_000n, 100n), fees(1_100n, 110n))).to.equal(true);
    expect(canReplace(fees(1_000n, 0n), fees(1_100n, 0n))).to.equal(false);
  });

  it("climb faster for disputes, and fastest near their deadline", () => {
    const calm = ladderOf(60_000, undefined);
    const dispute = ladderOf(60_000, 86_400);
    const urgent = ladderOf(60_000, 3_599);
    expect(dispute.patienceMs).to.be.lessThan(calm.patienceMs);
    expect(urgent.patienceMs).to.be.lessThan(dispute.patienceMs);
    expect(urgent.risePercent > dispute.risePercent && dispute.risePercent > calm.risePercent).to.equal(true);
    expect(ladderOf(60_000, -5), "past it too: others wait behind it").to.deep.equal(urgent);
  });
});
