import { UINT256_MAX, ZERO_ADDRESS, type Address, type Hash } from "../../../../protocol";
import { dora, treasury } from "../actors";
import { Table, type Change } from "./books";
import { Manner, Trick, type ManagerCall, type Refusal } from "../calls";
import type { World } from "../world";

/** Makes the call that a token or a payee makes when money passes. */
type CallBack = (from: Address, call: ManagerCall) => readonly Refusal[];

/**
 * Whether a payment got through, and if not, with what reason the whole would revert. A token may say no and have moved
 * the money all the same; only if it reverted is nothing left of the attempt.
 */
type Payment = "paid" | { readonly failed: Refusal; readonly leavesTraces: boolean };

const NO_REASON: Refusal = { name: "", args: [] };
const UINT256_RANGE = UINT256_MAX + 1n;

type Holdings = Table<readonly [holder: Address], bigint>;

/** Ether, tokens and payees as they are outside the ChannelManager: who has what, and how they behave. */
export class Bank {
  readonly ether: Holdings;
  readonly dollars: Holdings;
  readonly silents: Holdings;
  readonly rogues: Holdings;
  readonly dollarAllowance: Table<readonly [owner: Address, spender: Address], bigint>;
  readonly silentAllowance: Table<readonly [owner: Address, spender: Address], bigint>;
  readonly permitNonce: Table<readonly [owner: Address], bigint>;
  readonly authorizationUsed: Table<readonly [authorizer: Address, nonce: Hash], boolean>;
  readonly #world: World;
  readonly #callBack: CallBack;
  /** Contracts without a way to receive ether. */
  readonly #deafContracts: ReadonlySet<Address>;
  readonly #manners = new Map<Address, { readonly manner: Manner; readonly nested: ManagerCall | undefined }>();
  #trick: { readonly trick: Trick; readonly nested: ManagerCall | undefined } = {
    trick: Trick.None,
    nested: undefined,
  };

  constructor(world: World, journal: Change[], callBack: CallBack) {
    this.#world = world;
    this.#callBack = callBack;
    this.#deafContracts = new Set([world.multicall, world.dollar, world.silent, world.rogue]);
    this.ether = new Table(world.receiver, "etherOf(address)", 0n, journal);
    this.dollars = new Table(world.dollar, "balanceOf(address)", 0n, journal);
    this.silents = new Table(world.silent, "balanceOf(address)", 0n, journal);
    this.rogues = new Table(world.rogue, "balanceOf(address)", 0n, journal);
    this.dollarAllowance = new Table(world.dollar, "allowance(address,address)", 0n, journal);
    this.silentAllowance = new Table(world.silent, "allowance(address,address)", 0n, journal);
    this.permitNonce = new Table(world.dollar, "nonces(address)", 0n, journal);
    this.authorizationUsed = new Table(world.dollar, "authorizationState(address,bytes32)", false, journal);
    for (const payee of [world.receiver, dora.address, treasury.address]) this.setManner(payee, Manner.Accept);
  }

  setTrick(trick: Trick, nested?: ManagerCall): void {
    this.#trick = { trick, nested };
  }

  setManner(payee: Address, manner: Manner, nested?: ManagerCall): void {
    this.#manners.set(payee, { manner, nested });
  }

  hasCode(asset: Address): boolean {
    return asset === this.#world.dollar || asset === this.#world.silent || asset === this.#world.rogue;
  }

  /** What `holder` has of an asset that exists. */
  balance(asset: Address, holder: Address): bigint {
    return this.#holdings(asset).get(holder);
  }

  moveEther(from: Address, to: Address, amount: bigint): void {
    shift(this.ether, from, to, amount);
  }

  /** The ChannelManager asks a token for money of `from`. Answers with the reason if the token refuses. */
  pull(asset: Address, from: Address, amount: bigint): Refusal | undefined {
    if (asset === this.#world.dollar) return this.#pullDollars(from, amount);
    if (asset === this.#world.silent) return this.#pullSilents(from, amount);
    const { manager, rogue } = this.#world;
    return this.#moveRogues(from, manager, amount) ?? (this.#rogueSaysYes() ? undefined : notPaid(rogue));
  }

  /** `from` authorised the token itself (EIP-3009), so no allowance counts. */
  moveDollars(from: Address, to: Address, amount: bigint): Refusal | undefined {
    const balance = this.dollars.get(from);
    if (balance < amount) return { name: "ERC20InsufficientBalance", args: [from, balance, amount] };
    shift(this.dollars, from, to, amount);
    return undefined;
  }

  /** The ChannelManager pays. `capped` is the little gas of a payout; otherwise the payee may use all there is. */
  pay(asset: Address, to: Address, amount: bigint, capped: boolean): Payment {
    const { manager, dollar, silent, rogue } = this.#world;
    if (asset === ZERO_ADDRESS) return this.#payEther(to, amount, capped);
    if (asset === dollar) return paymentOf(this.moveDollars(manager, to, amount));
    if (asset === silent) return paymentOf(moveSilents(this.silents, manager, to, amount));
    if (asset !== rogue) return { failed: notPaid(asset), leavesTraces: false };
    const refusal = this.#moveRogues(manager, to, amount);
    if (refusal !== undefined || this.#rogueSaysYes()) return paymentOf(refusal);
    return { failed: notPaid(rogue), leavesTraces: true };
  }

  #holdings(asset: Address): Holdings {
    if (asset === ZERO_ADDRESS) return this.ether;
    if (asset === this.#world.dollar) return this.dollars;
    return asset === this.#world.silent ? this.silents : this.rogues;
  }

  #pullDollars(from: Address, amount: bigint): Refusal | undefined {
    const { manager } = this.#world;
    const allowed = this.dollarAllowance.get(from, manager);
    if (allowed < amount) return { name: "ERC20InsufficientAllowance", args: [manager, allowed, amount] };
    if (allowed !== UINT256_MAX) this.dollarAllowance.set(allowed - amount, from, manager);
    return this.moveDollars(from, manager, amount);
  }

  #pullSilents(from: Address, amount: bigint): Refusal | undefined {
    const { manager } = this.#world;
    const allowed = this.silentAllowance.get(from, manager);
    if (allowed < amount) return underflow;
    this.silentAllowance.set(allowed - amount, from, manager);
    return moveSilents(this.silents, from, manager, amount);
  }

  #moveRogues(from: Address, to: Address, amount: bigint): Refusal | undefined {
    const { trick, nested } = this.#trick;
    if (trick === Trick.Refuse) return { name: "WalkTokenRefuses", args: [] };
    if (trick === Trick.BurnGas) return NO_REASON;
    const [refusal] = nested === undefined ? [] : this.#callBack(this.#world.rogue, nested);
    if (trick === Trick.CallBackOrRefuse && refusal !== undefined) return refusal;
    if (trick === Trick.AnswerFalse || trick === Trick.MoveNothing) return undefined;
    if (trick !== Trick.Conjure) {
      if (this.rogues.get(from) < amount) return { name: "WalkTokenRefuses", args: [] };
      this.rogues.set(this.rogues.get(from) - amount, from);
    }
    const fee = trick === Trick.KeepFee && amount > 0n ? 1n : 0n;
    this.rogues.set((this.rogues.get(to) + amount - fee) % UINT256_RANGE, to);
    return undefined;
  }

  #rogueSaysYes(): boolean {
    return this.#trick.trick !== Trick.AnswerFalse && this.#trick.trick !== Trick.AnswerTwo;
  }

  #payEther(to: Address, amount: bigint, capped: boolean): Payment {
    const refusal = this.#refusalOf(to, capped);
    if (refusal !== undefined) return paymentOf(refusal);
    this.moveEther(this.#world.manager, to, amount);
    const behaviour = this.#manners.get(to);
    if (behaviour?.manner === Manner.CallBack && behaviour.nested) this.#callBack(to, behaviour.nested);
    return "paid";
  }

  #refusalOf(payee: Address, capped: boolean): Refusal | undefined {
    if (this.#deafContracts.has(payee)) return { name: "FailedCall", args: [] };
    const manner = this.#manners.get(payee)?.manner;
    if (manner === Manner.BurnGas) return { name: "FailedCall", args: [] };
    const refuses = manner === Manner.Refuse || (manner === Manner.WantMuchGas && capped);
    return refuses ? { name: "WalkReceiverRefuses", args: [] } : undefined;
  }
}

const underflow: Refusal = { name: "Panic", args: [0x11n] };

const notPaid = (asset: Address): Refusal => ({ name: "SafeERC20FailedOperation", args: [asset] });

function paymentOf(refusal: Refusal | undefined): Payment {
  return refusal === undefined ? "paid" : { failed: refusal, leavesTraces: false };
}

function moveSilents(holdings: Holdings, from: Address, to: Address, amount: bigint): Refusal | undefined {
  if (holdings.get(from) < amount) return underflow;
  shift(holdings, from, to, amount);
  return undefined;
}

function shift(holdings: Holdings, from: Address, to: Address, amount: bigint): void {
  holdings.set(holdings.get(from) - amount, from);
  holdings.set(holdings.get(to) + amount, to);
}
