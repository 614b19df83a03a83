import { expect } from "chai";
import fc from "fast-check";
import { checkOnChain, checkWellFormed, MAX_ASSETS, parseAddress, ZERO_ADDRESS, ZERO_HASH } from "../../protocol";
import type { AssetState, ChannelState } from "../../protocol";
import * as arbitrary from "./arbitraries";
import { channelState, expectError, ledger, row, THREAD_ROOT, TOKEN, USER, zeroRow } from "./fixtures";

const AMOUNTS = [
  "balanceHub",
  "balanceUser",
  "locked",
  "depositedHub",
  "depositedUser",
  "withdrawnHub",
  "withdrawnUser",
] as const;

function rows(count: number): AssetState[] {
  return Array.from({ length: count }, (_, i) => zeroRow(parseAddress(`0x${i.toString(16).padStart(40, "0")}`)));
}

function unlocked(overrides: Partial<ChannelState> = {}): ChannelState {
  return channelState({ assets: [row({ balanceHub: 50n, locked: 0n })], threadRoot: ZERO_HASH, ...overrides });
}

function unsigned(overrides: Partial<ChannelState> = {}): ChannelState {
  return channelState({ nonce: 0n, assets: [zeroRow()], threadRoot: ZERO_HASH, ...overrides });
}

describe("balance rules: a state by itself", () => {
  it("N-4: refuses nine assets, and takes eight", () => {
    expectError(checkWellFormed(unlocked({ assets: rows(9) })), "TooManyAssets", { count: 9n, limit: 8n });
    expect(checkWellFormed(unlocked({ assets: rows(MAX_ASSETS) }))).to.equal(undefined);
  });

  it("refuses assets that do not ascend", () => {
    const wrong = unlocked({ assets: [zeroRow(TOKEN), zeroRow(ZERO_ADDRESS)] });
    expectError(checkWellFormed(wrong), "AssetsNotAscending", { previous: TOKEN, next: ZERO_ADDRESS });
    const twice = unlocked({ assets: [zeroRow(), zeroRow(TOKEN), zeroRow(TOKEN)] });
    expectError(checkWellFormed(twice), "AssetsNotAscending", { previous: TOKEN, next: TOKEN });
  });

  for (const name of AMOUNTS) {
    it(`A-4: refuses one unit too many or too few of ${name}`, () => {
      for (const difference of [-1n, 1n]) {
        const second = row({ asset: TOKEN, [name]: row()[name] + difference });
        expectError(checkWellFormed(channelState({ assets: [row(), second] })), "NotConserved", { asset: TOKEN });
      }
    });
  }

  it("A-9: refuses a thread root without locked money, and locked money without a thread root", () => {
    expectError(checkWellFormed(unlocked({ threadRoot: THREAD_ROOT })), "ThreadRootMismatch", {
      threadRoot: THREAD_ROOT,
    });
    expectError(checkWellFormed(channelState({ threadRoot: ZERO_HASH })), "ThreadRootMismatch", {
      threadRoot: ZERO_HASH,
    });
  });

  it("refuses amounts, a root or a recipient at nonce 0", () => {
    expectError(checkWellFormed(unlocked({ nonce: 0n })), "UnsignedStateNotZero");
    expectError(checkWellFormed(channelState({ nonce: 0n })), "UnsignedStateNotZero");
    expectError(checkWellFormed(unsigned({ recipient: USER.address })), "UnsignedStateNotZero");
    expectError(checkWellFormed(unsigned({ threadRoot: THREAD_ROOT })), "ThreadRootMismatch");
    const both = { ...zeroRow(), depositedHub: 1n, depositedUser: 1n, balanceHub: 1n, balanceUser: 1n };
    expectError(checkWellFormed(unsigned({ assets: [both] })), "UnsignedStateNotZero");
    const withdrawn = { ...zeroRow(), depositedUser: 1n, withdrawnUser: 1n };
    expectError(checkWellFormed(unsigned({ assets: [withdrawn] })), "UnsignedStateNotZero");
  });

  it("accepts zero rows at nonce 0, and above", () => {
    expect(checkWellFormed(unsigned())).to.equal(undefined);
    expect(checkWellFormed(unsigned({ assets: [] }))).to.equal(undefined);
    expect(checkWellFormed(unsigned({ nonce: 1n, recipient: USER.address }))).to.equal(undefined);
  });

  it("accepts locked money in any one row", () => {
    const [first, second] = [row({ balanceHub: 50n, locked: 0n }), row({ asset: TOKEN })];
    expect(checkWellFormed(channelState({ assets: [first, second] }))).to.equal(undefined);
  });

  it("accepts sums above 128 bits, as the contract does", () => {
    const half = 2n ** 127n;
    const full = { ...zeroRow(), depositedHub: 2n ** 128n - 1n, depositedUser: 2n ** 128n - 1n };
    const wide = { ...full, balanceHub: 2n ** 128n - 1n, balanceUser: half, withdrawnUser: half - 1n };
    expect(checkWellFormed(unlocked({ assets: [wide] }))).to.equal(undefined);
  });

  it("A-4: accepts every backed state, and none with any amount changed", () => {
    const amount = fc.constantFrom(...AMOUNTS);
    fc.assert(
      fc.property(arbitrary.backedState, amount, fc.bigInt(1n, 10n ** 30n), (backed, name, difference) => {
        expect(checkWellFormed(backed.state)).to.equal(undefined);
        const [first, ...others] = backed.state.assets;
        if (first === undefined) return;
        const changed = { ...first, [name]: first[name] + difference };
        expectError(checkWellFormed({ ...backed.state, assets: [changed, ...others] }), "NotConserved", {
          asset: first.asset,
        });
      }),
    );
  });
});

describe("balance rules: a row against the chain", () => {
  for (const name of ["depositedHub", "depositedUser"] as const) {
    it(`A-2: refuses ${name} above the chain's`, () => {
      const onChain = ledger({ [name]: ledger()[name] - 1n });
      const details = { asset: TOKEN, onChainHub: onChain.depositedHub, onChainUser: onChain.depositedUser };
      expectError(checkOnChain(row({ asset: TOKEN }), onChain), "NotBacked", details);
      expect(checkOnChain(row(), ledger({ [name]: ledger()[name] + 1n }))).to.equal(undefined);
    });
  }

  for (const name of ["withdrawnHub", "withdrawnUser"] as const) {
    it(`O-3: refuses ${name} below the chain's`, () => {
      const onChain = ledger({ [name]: ledger()[name] + 1n });
      const details = { asset: TOKEN, onChainHub: onChain.withdrawnHub, onChainUser: onChain.withdrawnUser };
      expectError(checkOnChain(row({ asset: TOKEN }), onChain), "NotFresh", details);
      expect(checkOnChain(row(), ledger({ [name]: ledger()[name] - 1n }))).to.equal(undefined);
    });
  }

  it("names missing deposits before forgotten withdrawals", () => {
    expectError(checkOnChain(row(), ledger({ depositedHub: 0n, withdrawnHub: 99n })), "NotBacked");
  });

  it("accepts a row that accounts for the chain exactly", () => {
    expect(checkOnChain(row(), ledger())).to.equal(undefined);
  });
});
