import { expect } from "chai";
import {
  channelManagerDomain,
  checkThread,
  FINAL_NONCE,
  hashResolution,
  hashThread,
  hashThreadPayment,
  hashThreadUpdate,
  signedAppDomain,
  UINT128_MAX,
  verifyResolution,
  verifyThread,
  verifyThreadPayment,
  verifyThreadUpdate,
  type ProtocolError,
  type Resolution,
  type Thread,
  type ThreadPayment,
  type ThreadUpdate,
} from "../../protocol";
import {
  APP,
  CONTRACT,
  DOMAIN,
  expectError,
  HUB,
  PAYEE,
  signHash,
  signThread,
  STRANGER,
  thread,
  USER,
} from "./fixtures";

const PERIOD = 86_400n;
const CONTEXT = { domain: DOMAIN, challengePeriodSeconds: PERIOD };
const LAST_EXPIRY = 2n ** 40n - 1n - PERIOD;

describe("verify thread", () => {
  const invalid: [string, Partial<Thread>, RegExp][] = [
    ["one party on both sides", { receiver: USER.address }, /the same/],
    ["a sum of zero", { balanceSender: 0n, balanceReceiver: 0n }, /zero/],
    ["a sum above 128 bits", { balanceSender: UINT128_MAX, balanceReceiver: 1n }, /above/],
    ["an expiry whose window does not fit 40 bits", { expiry: LAST_EXPIRY + 1n }, /too late/],
    ["the same in an updatable thread", { expiry: LAST_EXPIRY + 1n, updatable: true }, /too late/],
    ["the same with an app", { expiry: LAST_EXPIRY + 1n, app: APP }, /too late/],
    [
      "an expiry whose two windows do not fit, in an updatable thread with an app",
      { expiry: LAST_EXPIRY - PERIOD + 1n, updatable: true, app: APP },
      /too late/,
    ],
  ];
  for (const [what, overrides, reason] of invalid) {
    it(`refuses ${what}`, () => {
      const terms = thread(overrides);
      const error = verifyThread(terms, signThread(terms, USER), signThread(terms, PAYEE), CONTEXT);
      expectError(error, "InvalidThread", { threadHash: hashThread(terms) });
      expect(error?.message).to.match(reason);
      expectError(checkThread(terms, CONTEXT), "InvalidThread");
    });
  }

  it("answers, and does not throw, for terms that could not even be sent", () => {
    expectError(checkThread(thread({ balanceSender: -1n }), CONTEXT), "InvalidValue", { path: "Thread.balanceSender" });
    expectError(verifyThread(thread({ expiry: 2n ** 64n }), "0x", "0x", CONTEXT), "InvalidValue");
  });

  it("sig: refuses missing, swapped and foreign signatures", () => {
    const terms = thread();
    const [sender, receiver] = [signThread(terms, USER), signThread(terms, PAYEE)];
    expectError(verifyThread(terms, "0x", receiver, CONTEXT), "InvalidSignature", { expected: USER.address });
    expectError(verifyThread(terms, sender, "0x", CONTEXT), "InvalidSignature", { expected: PAYEE.address });
    expectError(verifyThread(terms, receiver, sender, CONTEXT), "InvalidSignature", { expected: USER.address });
    expectError(verifyThread(terms, sender, sender, CONTEXT), "InvalidSignature", { recovered: USER.address });
    const elsewhere = { ...CONTEXT, domain: channelManagerDomain(1n, CONTRACT) };
    expectError(verifyThread(terms, sender, receiver, elsewhere), "InvalidSignature", { expected: USER.address });
  });

  it("A-10, N-8: signatures for one thread are none for another with the same salt", () => {
    const terms = thread();
    const [sender, receiver] = [signThread(terms, USER), signThread(terms, PAYEE)];
    const richer = { ...terms, balanceSender: 0n, balanceReceiver: 100n };
    expectError(verifyThread(richer, sender, receiver, CONTEXT), "InvalidSignature", { expected: USER.address });
  });

  it("accepts terms that both signed, up to the limits", () => {
    const full = { balanceSender: UINT128_MAX - 1n, balanceReceiver: 1n, expiry: LAST_EXPIRY };
    const twoWindows = { expiry: LAST_EXPIRY - PERIOD, updatable: true, app: APP };
    const kinds = [{}, full, { ...full, updatable: true }, { ...full, app: APP }, twoWindows];
    for (const terms of kinds.map(thread)) {
      expect(verifyThread(terms, signThread(terms, USER), signThread(terms, PAYEE), CONTEXT)).to.equal(undefined);
      expect(checkThread(terms, CONTEXT)).to.equal(undefined);
    }
  });

  it("accepts the hub as either party", () => {
    const [out, back] = [thread({ sender: HUB.address }), thread({ receiver: HUB.address })];
    expect(verifyThread(out, signThread(out, HUB), signThread(out, PAYEE), CONTEXT)).to.equal(undefined);
    expect(verifyThread(back, signThread(back, USER), signThread(back, HUB), CONTEXT)).to.equal(undefined);
  });
});

describe("verify thread payment", () => {
  function payment(terms: Thread, balanceReceiver: bigint): ThreadPayment {
    return { threadHash: hashThread(terms), balanceReceiver };
  }

  function verify(terms: Thread, paid: ThreadPayment, signer = USER, standing?: bigint): ProtocolError | undefined {
    return verifyThreadPayment(terms, paid, signHash(hashThreadPayment(paid), signer), DOMAIN, standing);
  }

  it("refuses payments in updatable threads and in apps", () => {
    for (const terms of [thread({ updatable: true }), thread({ app: APP })]) {
      expectError(verify(terms, payment(terms, 11n)), "PaymentNotAllowed", { threadHash: hashThread(terms) });
    }
  });

  it("A-11, N-8: refuses a payment of another thread", () => {
    const [terms, other] = [thread(), thread({ salt: `0x${"01".repeat(32)}` })];
    const details = { expected: hashThread(terms), given: hashThread(other) };
    expectError(verify(terms, payment(other, 11n)), "ThreadHashMismatch", details);
  });

  it("sig: refuses anybody's signature but the sender's", () => {
    for (const signer of [PAYEE, HUB, STRANGER]) {
      const details = { expected: USER.address, recovered: signer.address };
      expectError(verify(thread(), payment(thread(), 11n), signer), "InvalidSignature", details);
    }
  });

  it("A-1, N-7: refuses what does not raise the receiver's balance", () => {
    for (const given of [0n, 9n, 10n]) {
      expectError(verify(thread(), payment(thread(), given)), "BalanceNotHigher", { standing: 10n, given });
    }
    expectError(verify(thread(), payment(thread(), 50n), USER, 50n), "BalanceNotHigher", { standing: 50n, given: 50n });
  });

  it("refuses more than the thread holds", () => {
    expectError(verify(thread(), payment(thread(), 101n)), "BalanceAboveSum", { sum: 100n, given: 101n });
  });

  it("answers for what does not fit its type", () => {
    const tooMuch = { threadHash: hashThread(thread()), balanceReceiver: 2n ** 128n };
    expectError(verifyThreadPayment(thread(), tooMuch, "0x", DOMAIN), "InvalidValue");
  });

  it("accepts a higher balance, up to everything", () => {
    for (const given of [11n, 100n]) expect(verify(thread(), payment(thread(), given))).to.equal(undefined);
    expect(verify(thread(), payment(thread(), 51n), USER, 50n)).to.equal(undefined);
  });
});

describe("verify thread update", () => {
  const TERMS = thread({ updatable: true });

  function update(overrides: Partial<ThreadUpdate> = {}): ThreadUpdate {
    const defaults = { nonce: 1n, balanceReceiver: 0n, appStateHash: TERMS.appStateHash };
    return { threadHash: hashThread(TERMS), ...defaults, ...overrides };
  }

  function verify(terms: Thread, given: ThreadUpdate, standing?: bigint): ProtocolError | undefined {
    const hash = hashThreadUpdate(given);
    return verifyThreadUpdate(terms, given, signHash(hash, USER), signHash(hash, PAYEE), DOMAIN, standing);
  }

  it("refuses nonce 0, and nonces that are not above the standing one", () => {
    expectError(verify(TERMS, update({ nonce: 0n })), "NonceNotHigher", { standing: 0n, given: 0n });
    expectError(verify(TERMS, update({ nonce: 5n }), 5n), "NonceNotHigher", { standing: 5n, given: 5n });
    expectError(verify(TERMS, update({ nonce: FINAL_NONCE }), FINAL_NONCE), "NonceNotHigher");
  });

  it("refuses updates of threads that are not updatable", () => {
    const terms = thread();
    const details = { threadHash: hashThread(terms) };
    expectError(verify(terms, update({ threadHash: hashThread(terms) })), "UpdateNotAllowed", details);
  });

  it("A-11, N-8: refuses an update of another thread", () => {
    const given = hashThread(thread());
    expectError(verify(TERMS, update({ threadHash: given })), "ThreadHashMismatch", { given });
  });

  it("refuses more than the thread holds", () => {
    expectError(verify(TERMS, update({ balanceReceiver: 101n })), "BalanceAboveSum", { sum: 100n, given: 101n });
  });

  it("A-1, sig: refuses an update that one side alone signed", () => {
    const given = update();
    const [sender, receiver] = [USER, PAYEE].map((party) => signHash(hashThreadUpdate(given), party));
    const verifyWith = (a = sender, b = receiver): ProtocolError | undefined =>
      verifyThreadUpdate(TERMS, given, a!, b!, DOMAIN);
    expectError(verifyWith(sender, sender), "InvalidSignature", { expected: PAYEE.address });
    expectError(verifyWith(receiver, receiver), "InvalidSignature", { expected: USER.address });
    expectError(verifyWith("0x"), "InvalidSignature", { expected: USER.address });
    expectError(verifyWith(sender, "0x"), "InvalidSignature", { expected: PAYEE.address });
  });

  it("accepts higher nonces with any balance, up to the final one", () => {
    expect(verify(TERMS, update())).to.equal(undefined);
    expect(verify(TERMS, update({ nonce: 6n, balanceReceiver: 100n }), 5n)).to.equal(undefined);
    expect(verify(TERMS, update({ nonce: FINAL_NONCE }), FINAL_NONCE - 1n)).to.equal(undefined);
  });
});

describe("verify resolution", () => {
  const TERMS = thread({ app: APP });
  const APP_DOMAIN = signedAppDomain(31337n, APP);
  const RESOLUTION: Resolution = { channelManager: CONTRACT, threadHash: hashThread(TERMS), balanceReceiver: 60n };

  function verify(given: Resolution, signer = STRANGER, domain = APP_DOMAIN): ProtocolError | undefined {
    const signature = signHash(hashResolution(given), signer, domain);
    return verifyResolution(TERMS, given, signature, STRANGER.address, APP_DOMAIN);
  }

  it("refuses another thread, more than the sum, another signer, and another app's or the contract's domain", () => {
    expectError(verify({ ...RESOLUTION, threadHash: hashThread(thread()) }), "ThreadHashMismatch");
    expectError(verify({ ...RESOLUTION, balanceReceiver: 101n }), "BalanceAboveSum", { sum: 100n, given: 101n });
    expectError(verify(RESOLUTION, USER), "InvalidSignature", { expected: STRANGER.address });
    expectError(verify(RESOLUTION, STRANGER, DOMAIN), "InvalidSignature", { expected: STRANGER.address });
    expectError(verify(RESOLUTION, STRANGER, signedAppDomain(31337n, CONTRACT)), "InvalidSignature");
  });

  it("accepts the arbiter's statement", () => {
    expect(verify(RESOLUTION)).to.equal(undefined);
  });
});
