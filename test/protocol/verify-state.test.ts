import { expect } from "chai";
import fc from "fast-check";
import {
  channelManagerDomain,
  checkState,
  checkWellFormed,
  digestOf,
  hashThreadPayment,
  parseAddress,
  signDigest,
  toCompactSignature,
  unsignedState,
  verifyState,
  ZERO_ADDRESS,
  ZERO_HASH,
  type ChannelContext,
  type ChannelState,
  type ErrorCode,
  type ErrorDetails,
  type ProtocolError,
} from "../../protocol";
import * as arbitrary from "./arbitraries";
import {
  channelState,
  context,
  CONTRACT,
  DOMAIN,
  expectError,
  HUB,
  ledger,
  row,
  signState,
  STRANGER,
  TOKEN,
  USER,
  zeroRow,
} from "./fixtures";

/** Both parties sign whatever the state says. */
function verifySigned(state: ChannelState, given: ChannelContext = context()): ProtocolError | undefined {
  return verifyState(state, signState(state, HUB), signState(state, USER), given);
}

describe("verify state", () => {
  type Refusal = { [Code in ErrorCode]: [string, ChannelState, Code, Partial<ErrorDetails<Code>>] }[ErrorCode];
  const refusals: Refusal[] = [
    ["the zero address as user", channelState({ user: ZERO_ADDRESS }), "InvalidUser", { user: ZERO_ADDRESS }],
    ["the hub as user", channelState({ user: HUB.address }), "InvalidUser", { user: HUB.address }],
    ["the contract as user", channelState({ user: CONTRACT }), "InvalidUser", { user: CONTRACT }],
    ["B-7: an earlier session", channelState({ session: 2n }), "SessionMismatch", { current: 3n, given: 2n }],
    ["a later session", channelState({ session: 4n }), "SessionMismatch", { current: 3n, given: 4n }],
    [
      "A-4: an unconserved row",
      channelState({ assets: [row({ locked: 9n })] }),
      "NotConserved",
      { asset: ZERO_ADDRESS },
    ],
    [
      "A-2: deposits that are not on chain",
      channelState({ assets: [row({ depositedHub: 101n, balanceHub: 41n })] }),
      "NotBacked",
      { asset: ZERO_ADDRESS, onChainHub: 100n, onChainUser: 30n },
    ],
    [
      "O-3: a state older than a withdrawal, in its second row",
      channelState({ assets: [row(), row({ asset: TOKEN, withdrawnUser: 9n, balanceUser: 51n })] }),
      "NotFresh",
      { asset: TOKEN, onChainHub: 20n, onChainUser: 10n },
    ],
  ];
  for (const [what, state, code, details] of refusals) {
    it(`refuses ${what}`, () => {
      expectError(verifySigned(state), code, details);
      expectError(checkState(state, context()), code, details);
    });
  }

  it("names the first row that is wrong, as the contract does: a row's chain before the next row's sum", () => {
    const assets = [row({ withdrawnUser: 9n, balanceUser: 51n }), row({ asset: TOKEN, locked: 0n })];
    expectError(verifySigned(channelState({ assets })), "NotFresh", { asset: ZERO_ADDRESS });
    expectError(checkWellFormed(channelState({ assets })), "NotConserved", { asset: TOKEN });
    const forgotten = channelState({ assets: assets.slice(0, 1), threadRoot: ZERO_HASH });
    expectError(verifySigned(forgotten), "NotFresh", { asset: ZERO_ADDRESS });
  });

  it("refuses an asset that the chain does not know", () => {
    const state = channelState({ assets: [row({ asset: parseAddress(`0x${"7f".repeat(20)}`) })] });
    expectError(verifySigned(state), "NotBacked", { onChainHub: 0n, onChainUser: 0n });
  });

  it("answers, and does not throw, for what could not even be sent to the contract", () => {
    const negative = channelState({ nonce: 0n, assets: [{ ...zeroRow(), balanceHub: -1n, balanceUser: 1n }] });
    expectError(checkState(negative, context()), "InvalidValue", { path: "AssetState.balanceHub" });
    expectError(verifyState(negative, "0x", "0x", context()), "InvalidValue");
    const upperCase = channelState({ user: USER.address.toUpperCase().replace("X", "x") as typeof USER.address });
    expectError(checkState(upperCase, context()), "InvalidValue", { path: "ChannelState.user" });
  });

  it("passes on what is a bug and no answer", () => {
    expect(() => checkState(channelState(), { ...context(), ledgers: undefined as never })).to.throw(TypeError);
  });

  describe("sig: refuses", () => {
    const state = channelState();
    const [sigHub, sigUser] = [signState(state, HUB), signState(state, USER)];

    it("the two signatures in each other's place", () => {
      expectError(verifyState(state, sigUser, sigHub, context()), "InvalidSignature", {
        expected: HUB.address,
        recovered: USER.address,
      });
    });

    it("one signature given twice", () => {
      expectError(verifyState(state, sigHub, sigHub, context()), "InvalidSignature", { expected: USER.address });
      expectError(verifyState(state, sigUser, sigUser, context()), "InvalidSignature", { expected: HUB.address });
    });

    it("a stranger's signature", () => {
      const strange = signState(state, STRANGER);
      const recovered = STRANGER.address;
      expectError(verifyState(state, strange, sigUser, context()), "InvalidSignature", { recovered });
      expectError(verifyState(state, sigHub, strange, context()), "InvalidSignature", { recovered });
    });

    it("a missing signature, and says why it is none", () => {
      const error = verifyState(state, sigHub, "0x", context());
      expectError(error, "InvalidSignature", { expected: USER.address });
      expectError(error?.cause, "MalformedSignature");
      expect(error?.details).not.to.have.property("recovered");
    });

    const changes: [string, Partial<ChannelState>][] = [
      ["nonce", { nonce: 8n }],
      ["recipient", { recipient: STRANGER.address }],
      ["thread root", { threadRoot: `0x${"5f".repeat(32)}` }],
      ["rows", { assets: [row({ balanceHub: 39n, balanceUser: 51n })] }],
    ];
    for (const [what, change] of changes) {
      it(`signatures of a state with another ${what}`, () => {
        expectError(verifyState({ ...state, ...change }, sigHub, sigUser, context()), "InvalidSignature");
      });
    }

    it("signatures for another user's channel", () => {
      const stranger = signState(state, STRANGER);
      const other = { ...state, user: STRANGER.address };
      expectError(verifyState(other, sigHub, stranger, context()), "InvalidSignature", { expected: HUB.address });
    });

    it("signatures for another session, once that session is current", () => {
      const later = { ...state, session: 4n };
      expectError(verifyState(later, sigHub, sigUser, context({ session: 4n })), "InvalidSignature");
    });

    for (const [what, domain] of [
      ["chain", channelManagerDomain(1n, CONTRACT)],
      ["contract", channelManagerDomain(31337n, TOKEN)],
    ] as const) {
      it(`signatures for another ${what}`, () => {
        const given = context({ domain });
        expectError(verifyState(state, sigHub, sigUser, given), "InvalidSignature", { expected: HUB.address });
        const [theirHub, theirUser] = [signState(state, HUB, domain), signState(state, USER, domain)];
        expect(verifyState(state, theirHub, theirUser, given)).to.equal(undefined);
        expectError(verifyState(state, theirHub, theirUser, context()), "InvalidSignature");
      });
    }

    it("a signature of another kind of statement", () => {
      const payment = { threadHash: `0x${"01".repeat(32)}`, balanceReceiver: 1n } as const;
      const other = signDigest(digestOf(DOMAIN, hashThreadPayment(payment)), USER.key);
      expectError(verifyState(state, sigHub, other, context()), "InvalidSignature", { expected: USER.address });
    });
  });

  it("accepts a state that both signed, with 65 or 64 bytes", () => {
    const state = channelState();
    expect(verifySigned(state)).to.equal(undefined);
    const [sigHub, sigUser] = [signState(state, HUB), signState(state, USER)].map(toCompactSignature);
    expect(verifyState(state, sigHub!, sigUser!, context())).to.equal(undefined);
  });

  it("accepts the unsigned state without signatures, until something was withdrawn", () => {
    const state = unsignedState(USER.address, 3n, [TOKEN]);
    const fresh = context({ ledgers: new Map([[TOKEN, ledger({ withdrawnHub: 0n, withdrawnUser: 0n })]]) });
    expect(verifyState(state, "0x", "0x", fresh)).to.equal(undefined);
    expectError(verifyState(state, "0x", "0x", context()), "NotFresh", { asset: TOKEN });
  });

  it("accepts every backed state, and none once the chain forgets a deposit or executes a further withdrawal", () => {
    fc.assert(
      fc.property(arbitrary.backedState, ({ state: random, ledgers }) => {
        const state = { ...random, user: USER.address };
        const given = context({ session: state.session, ledgers });
        expect(verifySigned(state, given)).to.equal(undefined);
        for (const { asset, depositedUser, withdrawnHub } of state.assets) {
          const onChain = ledgers.get(asset)!;
          const forgotten = new Map(ledgers).set(asset, { ...onChain, depositedUser: depositedUser - 1n });
          expectError(checkState(state, { ...given, ledgers: forgotten }), "NotBacked", { asset });
          const executed = new Map(ledgers).set(asset, { ...onChain, withdrawnHub: withdrawnHub + 1n });
          expectError(checkState(state, { ...given, ledgers: executed }), "NotFresh", { asset });
        }
      }),
      { numRuns: 40 },
    );
  });
});
