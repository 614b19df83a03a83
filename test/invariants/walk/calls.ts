import type { Address, ChannelState, Hash, Hex, Thread } from "../../../protocol";

// Everything that happens in the walk is one of these calls. Arguments bear the names of the ABI.

export interface SignedState {
  readonly state: ChannelState;
  readonly sigHub: Hex;
  readonly sigUser: Hex;
}

export interface SignedThread {
  readonly thread: Thread;
  readonly sigSender: Hex;
  readonly sigReceiver: Hex;
}

export interface SignedUpdate {
  readonly nonce: bigint;
  readonly balanceReceiver: bigint;
  readonly appStateHash: Hash;
  readonly sigSender: Hex;
  readonly sigReceiver: Hex;
}

export interface Collateral {
  readonly user: Address;
  readonly asset: Address;
  readonly amount: bigint;
}

interface VRS {
  readonly v: bigint;
  readonly r: Hash;
  readonly s: Hash;
}

export interface Deposit {
  readonly user: Address;
  readonly asset: Address;
  readonly amount: bigint;
  readonly forHub: boolean;
}

export interface AuthorizedDeposit extends VRS {
  readonly from: Address;
  readonly asset: Address;
  readonly amount: bigint;
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly authorizationNonce: Hash;
}

/** All functions of the ChannelManager that change anything. */
export interface ManagerCalls {
  deposit: Deposit;
  depositWithPermit: Deposit & { readonly permitDeadline: bigint } & VRS;
  depositWithAuthorization: AuthorizedDeposit;
  fundReserve: { readonly asset: Address; readonly amount: bigint };
  collateralize: { readonly batch: readonly Collateral[] };
  recallReserve: { readonly asset: Address; readonly amount: bigint };
  withdraw: SignedState;
  claim: { readonly asset: Address; readonly to: Address };
  startExit: SignedState;
  challenge: SignedState;
  settle: SignedState;
  reclaim: { readonly user: Address; readonly session: bigint; readonly asset: Address };
  challengeThread: { readonly signed: SignedThread };
  challengeThreadWithPayment: {
    readonly signed: SignedThread;
    readonly balanceReceiver: bigint;
    readonly sigPayment: Hex;
  };
  challengeThreadWithUpdate: { readonly signed: SignedThread; readonly update: SignedUpdate };
  resolveThread: { readonly signed: SignedThread; readonly appState: Hex; readonly resolver: Hex };
  resolveThreadWithUpdate: {
    readonly signed: SignedThread;
    readonly update: SignedUpdate;
    readonly appState: Hex;
    readonly resolver: Hex;
  };
  settleThread: {
    readonly user: Address;
    readonly session: bigint;
    readonly thread: Thread;
    readonly proof: readonly Hash[];
  };
}

/** What a `WalkToken` does when it is asked to move money; the numbers are the contract's. */
export enum Trick {
  None,
  Refuse,
  BurnGas,
  AnswerFalse,
  AnswerTwo,
  AnswerNothing,
  AnswerMuch,
  MoveNothing,
  KeepFee,
  Conjure,
  CallBack,
  CallBackOrRefuse,
}

/** How a `WalkReceiver` takes ether; the numbers are the contract's. */
export enum Manner {
  Accept,
  Refuse,
  BurnGas,
  WantMuchGas,
  AnswerMuch,
  CallBack,
}

/** What happens around the ChannelManager. */
export interface OutsideCalls {
  /** The constructor, always with arguments it must refuse. */
  deploy: { readonly hub: Address; readonly treasury: Address; readonly challengePeriodSeconds: bigint };
  plainEther: object;
  forceEther: object;
  donateToken: { readonly asset: Address; readonly amount: bigint };
  approve: { readonly asset: Address; readonly amount: bigint };
  /** Whoever sees a permit in the mempool may submit it first. */
  permit: { readonly owner: Address; readonly amount: bigint; readonly deadline: bigint } & VRS;
  setTrick: { readonly trick: Trick; readonly nested: ManagerCall | undefined };
  setBalance: { readonly holder: Address; readonly amount: bigint };
  setManner: { readonly receiver: Address; readonly manner: Manner; readonly nested: ManagerCall | undefined };
  /** Multicall3. */
  batch: { readonly calls: readonly { readonly call: ManagerCall; readonly allowFailure: boolean }[] };
}

export type Calls = ManagerCalls & OutsideCalls;
export type CallName = keyof Calls;

type Tagged<T, F extends keyof T = keyof T> = { [K in F]: { readonly fn: K; readonly args: T[K] } }[F];
export type ManagerCall = Tagged<ManagerCalls>;
export type Call = Tagged<Calls>;

/** One transaction of the walk: it holds all that is needed to send it again on a fresh chain. */
export interface Step {
  /** Block time, Unix seconds. */
  readonly at: bigint;
  readonly from: Address;
  readonly value: bigint;
  /** Undefined: as much as anybody could want. */
  readonly gas: bigint | undefined;
  readonly call: Call;
}

/** Why a call was refused. The name is empty where the chain gave no reason. */
export interface Refusal {
  readonly name: string;
  /** "any" where the model cannot know them, as with whom a wrong signature recovers to. */
  readonly args: readonly unknown[] | "any";
}

export interface LoggedEvent {
  readonly name: string;
  readonly args: readonly unknown[];
}

export type Outcome =
  | { readonly ok: true; readonly events: readonly LoggedEvent[] }
  /** Of the model: every rule that the call breaks. Of the chain: the one that it named. */
  | { readonly ok: false; readonly reasons: readonly Refusal[] };
