import { expect } from "chai";
import {
  channelManagerDomain,
  parseAddress,
  unsignedState,
  ZERO_ADDRESS,
  ZERO_HASH,
  zeroAsset,
  type ChannelState,
  type SignedState,
  type Thread,
} from "../../../protocol";
import { forecastExit, forecastThread, type DisputedThread, type OpenExit } from "../../../protocol/dispute";

const USER = parseAddress(`0x${"2".repeat(40)}`);
const OTHER = parseAddress(`0x${"3".repeat(40)}`);
const DEADLINE = 1_000n;

const ledger = { depositedHub: 50n, depositedUser: 100n, withdrawnHub: 0n, withdrawnUser: 0n };
const stateOf = (nonce: bigint, balanceUser: bigint, session = 0n): ChannelState => ({
  ...unsignedState(USER, session, []),
  nonce,
  assets: [
    { ...zeroAsset(ZERO_ADDRESS), depositedHub: 50n, depositedUser: 100n, balanceUser, balanceHub: 150n - balanceUser },
  ],
});
const signed = (state: ChannelState): SignedState => ({ state, sigHub: "0x", sigUser: "0x" });
const exitAt = (standing: ChannelState): OpenExit => ({
  ...{ user: USER, session: 0n, nonce: standing.nonce, stateHash: ZERO_HASH, deadline: DEADLINE },
  ledgers: new Map([[ZERO_ADDRESS, ledger]]),
  standing: signed(standing),
});

describe("the forecast of an exit", () => {
  const cases = [
    { title: "waits where nothing newer is at hand", held: undefined, now: 10n, move: "wait", who: ["anybody"] },
    { title: "waits where it stands at the newest", held: stateOf(5n, 60n), now: 10n, move: "wait", who: ["anybody"] },
    {
      title: "calls the user where a newer state pays the user more",
      held: stateOf(6n, 61n),
      now: 10n,
      move: "challenge",
      who: ["user"],
    },
    {
      title: "calls the hub where a newer state pays the hub more",
      held: stateOf(6n, 59n),
      now: 10n,
      move: "challenge",
      who: ["hub"],
    },
    {
      title: "leaves a newer state that pays the same to anybody",
      held: stateOf(6n, 60n),
      now: 10n,
      move: "challenge",
      who: ["anybody"],
    },
    {
      title: "ignores a state of another session",
      held: stateOf(6n, 61n, 1n),
      now: 10n,
      move: "wait",
      who: ["anybody"],
    },
    {
      title: "can still be challenged in the last second",
      held: stateOf(6n, 61n),
      now: 999n,
      move: "challenge",
      who: ["user"],
    },
    {
      title: "is overdue from the deadline on, whatever is at hand",
      held: stateOf(6n, 61n),
      now: 1_000n,
      move: "settle",
      who: ["anybody"],
    },
  ];
  for (const { title, held, now, move, who } of cases) {
    it(title, () => {
      const { action, phase } = forecastExit(exitAt(stateOf(5n, 60n)), held && signed(held), now);
      expect(action).to.deep.include({ move, who });
      expect(phase).to.equal(now < DEADLINE ? "open" : "overdue");
    });
  }

  it("says who gets what, as it stands and with the evidence", () => {
    const forecast = forecastExit(exitAt(stateOf(5n, 60n)), signed(stateOf(6n, 61n)), 10n);
    expect(forecast.asItStands).to.deep.equal([{ asset: ZERO_ADDRESS, amountUser: 60n, amountHub: 90n, locked: 0n }]);
    expect(forecast.withEvidence).to.deep.equal([{ asset: ZERO_ADDRESS, amountUser: 61n, amountHub: 89n, locked: 0n }]);
    expect(forecast.changes).to.deep.equal([{ asset: ZERO_ADDRESS, user: 1n, hub: -1n }]);
  });

  it("pays everybody's own deposits back by the unsigned state", () => {
    const { asItStands } = forecastExit(exitAt(unsignedState(USER, 0n, [ZERO_ADDRESS])), undefined, 10n);
    expect(asItStands).to.deep.equal([{ asset: ZERO_ADDRESS, amountUser: 100n, amountHub: 50n, locked: 0n }]);
  });
});

describe("the forecast of a thread", () => {
  const thread: Thread = {
    ...{
      salt: ZERO_HASH,
      sender: USER,
      receiver: OTHER,
      asset: ZERO_ADDRESS,
      balanceSender: 100n,
      balanceReceiver: 0n,
    },
    ...{ updatable: false, expiry: 0n, app: ZERO_ADDRESS, appStateHash: ZERO_HASH },
  };
  const record = {
    balanceReceiver: 10n,
    nonce: 0n,
    deadline: DEADLINE,
    resolved: false,
    senderPaid: false,
    receiverPaid: false,
  };
  const legs = [{ user: USER, session: 0n }];
  const disputed: DisputedThread = { hash: ZERO_HASH, sender: USER, receiver: OTHER, thread, record, legs };
  const evidence = (balanceReceiver: bigint) => ({
    ...{ thread, sigSender: "0x" as const, sigReceiver: "0x" as const },
    payment: { payment: { threadHash: ZERO_HASH, balanceReceiver }, sigSender: "0x" as const },
  });
  const at = (nowSeconds: bigint) => ({
    domain: channelManagerDomain(1n, OTHER),
    apps: {},
    challengePeriodSeconds: 100n,
    nowSeconds,
  });

  it("calls the receiver where a payment at hand is higher", () => {
    const { action, withEvidence } = forecastThread(disputed, evidence(30n), at(10n));
    expect(action).to.deep.include({
      move: "showThread",
      who: ["receiver"],
      by: 999n,
      transaction: "challengeThreadWithPayment",
    });
    expect(withEvidence).to.deep.equal({ asset: ZERO_ADDRESS, sender: 70n, receiver: 30n });
  });

  it("waits where a payment at hand is not higher", () => {
    const { action, asItStands } = forecastThread(disputed, evidence(10n), at(10n));
    expect(action).to.deep.include({ move: "wait", from: DEADLINE });
    expect(asItStands).to.deep.equal({ asset: ZERO_ADDRESS, sender: 90n, receiver: 10n });
  });

  it("is paid out once it is final, and done when nothing waits", () => {
    expect(forecastThread(disputed, evidence(30n), at(1_000n)).action).to.deep.include({ move: "settleThread" });
    const paid = { ...disputed, record: { ...record, balanceReceiver: 100n } };
    expect(forecastThread(paid, undefined, at(10n)).phase).to.equal("overdue");
    expect(forecastThread({ ...disputed, legs: [] }, undefined, at(1_000n)).phase).to.equal("done");
  });

  it("asks for the terms at least where nobody has shown it", () => {
    const unshown: DisputedThread = { hash: ZERO_HASH, sender: USER, receiver: OTHER, thread, legs };
    expect(forecastThread(unshown, undefined, at(10n))).to.deep.include({ phase: "unshown" });
    expect(forecastThread(unshown, undefined, at(10n)).action).to.deep.include({
      move: "showThread",
      transaction: "challengeThread",
    });
  });
});
