import { ZERO_ADDRESS, type Address } from "../../../protocol";
import type { LoggedEvent, Step } from "./calls";
import type { Difference } from "./compare";
import type { Change, Channel, Ledger, ThreadRecord, Value } from "./model/books";
import type { Model } from "./model/model";
import { stateHashOf } from "./signatures";

/**
 * What must hold whatever the model thinks: sums over what was read from the chain, and the events that the chain
 * logged. It knows neither the contract's nor the model's functions.
 */
export class Invariants {
  readonly #donations = new Map<Address, bigint>();
  readonly #accepted = new Map<
    Address,
    { readonly stateHash: string; readonly deadline: bigint; readonly signatures: string }
  >();
  readonly #legs = new Map<string, Map<Address, { readonly amountUser: bigint; readonly amountHub: bigint }>>();

  donated(asset: Address, amount: bigint): void {
    this.#donations.set(asset, (this.#donations.get(asset) ?? 0n) + amount);
  }

  /** After a step: the entries it changed and the events it logged. */
  checkStep(model: Model, events: readonly LoggedEvent[]): Difference | undefined {
    const before = firstValues(model.journal);
    for (const [change, value] of before) {
      const now = change.table.get(...change.key);
      const fault = faultOf(model, change, value, now);
      if (fault !== undefined) return violation(fault, change.key.join(), JSON.stringify([value, now], bigintText));
    }
    this.#noteExits(events);
    return checkSettlements(model, events) ?? this.#checkLegs(events);
  }

  /** Every state that an exit accepted settles from its deadline on, whatever happened in between. */
  checkRefusal({ at, call, gas }: Step): Difference | undefined {
    if (call.fn !== "settle" || gas !== undefined) return undefined;
    const { state, sigHub, sigUser } = call.args;
    const accepted = this.#accepted.get(state.user);
    if (accepted === undefined || at < accepted.deadline) return undefined;
    const isIt = accepted.stateHash === stateHashOf(state) && accepted.signatures === sigHub + sigUser;
    return isIt ? violation("an accepted state settles", accepted.stateHash, "refused") : undefined;
  }

  /** Holdings = donations + reserve + claimable + unsettled ledgers + locked, for what behaves. */
  checkEquation(model: Model): Difference | undefined {
    const { books, bank, world } = model;
    for (const asset of [ZERO_ADDRESS, world.dollar, world.silent]) {
      const owed =
        (this.#donations.get(asset) ?? 0n) +
        books.reserve.get(asset) +
        sum(
          books.claimable
            .entries()
            .filter(({ key }) => key[1] === asset)
            .map(({ value }) => value),
        ) +
        sum(
          books.ledger
            .entries()
            .filter(({ key }) => key[2] === asset)
            .map(({ value }) => restOf(value)),
        ) +
        sum(
          books.locked
            .entries()
            .filter(({ key }) => key[2] === asset)
            .map(({ value }) => value),
        );
      const held = bank.balance(asset, world.manager);
      if (owed !== held) return violation(`the equation of ${asset}`, `owed ${owed}`, `held ${held}`);
    }
    return undefined;
  }

  #noteExits(events: readonly LoggedEvent[]): void {
    for (const { name, args } of events) {
      const user = args[0] as Address;
      if (name === "Settled") this.#accepted.delete(user);
      if (name !== "ExitStarted" && name !== "ExitChallenged") continue;
      const [, , , , stateHash, deadline, sigHub, sigUser] = args as ExitArguments;
      this.#accepted.set(user, { stateHash, deadline, signatures: sigHub + sigUser });
    }
  }

  /** Each leg once; both together share the sum, and the hub gets from them what it gives. */
  #checkLegs(events: readonly LoggedEvent[]): Difference | undefined {
    for (const { args } of events.filter(({ name }) => name === "ThreadSettled")) {
      const [threadHash, user, , , amountUser, amountHub] = args as [string, string, string, bigint, bigint, bigint];
      const legs = this.#legs.get(threadHash) ?? new Map<Address, { amountUser: bigint; amountHub: bigint }>();
      const payee = user.toLowerCase() as Address;
      if (legs.has(payee)) return violation("each leg is paid once", threadHash, user);
      this.#legs.set(threadHash, legs.set(payee, { amountUser, amountHub }));
      const [one, other] = [...legs.values()];
      if (one === undefined || other === undefined) continue;
      const stake = one.amountUser + one.amountHub;
      const isNeutral = one.amountHub + other.amountHub === stake && one.amountUser + other.amountUser === stake;
      if (!isNeutral)
        return violation(
          "over both legs the hub's net is zero",
          String(stake),
          JSON.stringify([one, other], bigintText),
        );
    }
    return undefined;
  }
}

type ExitArguments = [
  string,
  string,
  bigint,
  bigint,
  stateHash: string,
  deadline: bigint,
  sigHub: string,
  sigUser: string,
];

const violation = (what: string, model: string, chain: string): Difference => ({
  what: `invariant: ${what}`,
  model,
  chain,
});

const bigintText = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);

const sum = (values: readonly bigint[]): bigint => values.reduce((a, b) => a + b, 0n);

function restOf(ledger: Ledger): bigint {
  return ledger.depositedHub + ledger.depositedUser - ledger.withdrawnHub - ledger.withdrawnUser;
}

/** The value of each changed entry before the step. */
function firstValues(journal: readonly Change[]): readonly (readonly [Change, Value])[] {
  const first = new Map<string, readonly [Change, Value]>();
  for (const change of journal) {
    const name = `${change.table.target} ${change.table.view} ${change.key.join()}`;
    if (!first.has(name)) first.set(name, [change, change.before]);
  }
  return [...first.values()];
}

function faultOf({ books }: Model, { table, key }: Change, before: Value, now: Value): string | undefined {
  const isOf = (other: object): boolean => (table as object) === other;
  if (isOf(books.channel)) return faultOfChannel(before as Channel, now as Channel);
  if (isOf(books.record)) return faultOfRecord(before as ThreadRecord, now as ThreadRecord);
  if (isOf(books.ledger)) {
    const isEnded = books.channel.get(key[0] as Address).session > (key[1] as bigint);
    return faultOfLedger(before as Ledger, now as Ledger, isEnded);
  }
  return typeof now === "bigint" && now < 0n ? "no balance is negative" : undefined;
}

function faultOfChannel(before: Channel, now: Channel): string | undefined {
  if (now.session < before.session) return "sessions never fall";
  if (now.session > before.session) return now.session === before.session + 1n ? undefined : "sessions rise one by one";
  if (before.exitDeadline === 0n) return undefined;
  if (now.exitDeadline !== before.exitDeadline) return "the clock of an exit never moves";
  return now.exitNonce > before.exitNonce ? undefined : "the standing nonce rises";
}

function faultOfLedger(before: Ledger, now: Ledger, isEnded: boolean): string | undefined {
  const hasFallen = Object.keys(before).some((counter) => now[counter]! < before[counter]!);
  if (hasFallen && !isEnded) return "counters never fall within a session";
  if (restOf(now) < 0n) return "withdrawals never exceed deposits";
  return hasFallen && restOf(now) !== 0n ? "an ended ledger is paid as a whole" : undefined;
}

function faultOfRecord(before: ThreadRecord, now: ThreadRecord): string | undefined {
  if (before.deadline === 0n) return undefined;
  if (now.deadline !== before.deadline) return "the clock of a thread never moves";
  if (now.nonce < before.nonce) return "the nonce of a thread never falls";
  if ((before.senderPaid && !now.senderPaid) || (before.receiverPaid && !now.receiverPaid)) return "paid stays paid";
  const mayFall = now.nonce > 0n || now.resolved; // a thread with updates or, if it is updatable, a resolution
  return now.balanceReceiver < before.balanceReceiver && !mayFall ? "the receiver's balance never falls" : undefined;
}

/** Settlement and reclaim pay exactly deposited minus withdrawn. */
function checkSettlements(model: Model, events: readonly LoggedEvent[]): Difference | undefined {
  const before = new Map<string, Ledger>();
  for (const { table, key, before: value } of model.journal) {
    // The last entry is the one that paid it; a batch may have paid in before.
    if ((table as object) === model.books.ledger) before.set(key.join(), value as Ledger);
  }
  for (const { name, args } of events) {
    if (name !== "AssetSettled" && name !== "Reclaimed") continue;
    const [user, asset, session, amountUser, amountHub, locked = 0n] = args as [
      string,
      string,
      bigint,
      bigint,
      bigint,
      bigint?,
    ];
    const ledger = before.get([user.toLowerCase(), session, asset.toLowerCase()].join());
    const due = ledger === undefined ? 0n : restOf(ledger);
    if (amountUser + amountHub + locked !== due) {
      return violation(`${name} pays deposited minus withdrawn`, String(due), String(amountUser + amountHub + locked));
    }
  }
  return undefined;
}
