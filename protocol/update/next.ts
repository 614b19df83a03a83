import type { Address } from "../address";
import { unsignedState, zeroAsset, type AssetState, type ChannelState } from "../channel-state";
import { hashThread } from "../eip712/hash";
import { protocolError } from "../errors";
import type { Hash } from "../hex";
import { threadRoot } from "../merkle";
import { threadSum, type Thread } from "../thread";
import type {
  AssetWithdrawal,
  CloseThreadArgs,
  DepositArgs,
  ExchangeArgs,
  OpenThreadArgs,
  PaymentArgs,
  SettledArgs,
  Side,
  Update,
  WithdrawalArgs,
} from "./update";

/**
 * The state that an update leads to. Computes only what the update says; whether anybody may accept it, `check` says.
 * A row once present stays, whatever is in it.
 * @throws BalanceTooLow CounterLowered SessionMismatch NotThreadParty ThreadNotInRoot LockedTooLow BalanceAboveSum
 * TooManyThreads DuplicateThread: there is no such state.
 */
export function next(state: ChannelState, update: Update): ChannelState {
  if (update.reason === "Settled") return afterSettlement(state, update.args);
  return { ...apply(state, update), nonce: update.nonce };
}

/** The state of the next session, before anything is signed in it. Nonces go on: the next one signed is above all. */
function afterSettlement(state: ChannelState, { session }: SettledArgs): ChannelState {
  if (session < state.session) throw protocolError("SessionMismatch", { current: state.session, given: session });
  return unsignedState(state.user, session + 1n, []);
}

function apply(state: ChannelState, update: Exclude<Update, { reason: "Settled" }>): ChannelState {
  switch (update.reason) {
    case "Deposit":
      return deposit(state, update.args);
    case "Payment":
      return pay(state, update.args);
    case "Exchange":
      return exchange(state, update.args);
    case "Withdrawal":
      return withdraw(state, update.args);
    case "OpenThread":
      return openThread(state, update.args);
    case "CloseThread":
      return closeThread(state, update.args);
  }
}

function deposit(state: ChannelState, { asset, depositedHub, depositedUser }: DepositArgs): ChannelState {
  return changeRow(state, asset, (row) => ({
    ...row,
    depositedHub,
    depositedUser,
    balanceHub: row.balanceHub + rise(asset, "depositedHub", row.depositedHub, depositedHub),
    balanceUser: row.balanceUser + rise(asset, "depositedUser", row.depositedUser, depositedUser),
  }));
}

function rise(asset: Address, counter: "depositedHub" | "depositedUser", standing: bigint, given: bigint): bigint {
  if (given < standing) throw protocolError("CounterLowered", { asset, counter, standing, given });
  return given - standing;
}

function pay(state: ChannelState, { recipient, asset, amount }: PaymentArgs): ChannelState {
  return changeRow(state, asset, (row) => move(row, recipient, amount));
}

function exchange(
  state: ChannelState,
  {
    sellAsset,
    sellAmount,
    buyAsset,
    buyAmount,
  }: Pick<ExchangeArgs, "sellAsset" | "sellAmount" | "buyAsset" | "buyAmount">,
): ChannelState {
  const sold = changeRow(state, sellAsset, (row) => move(row, "hub", sellAmount));
  return changeRow(sold, buyAsset, (row) => move(row, "user", buyAmount));
}

function withdraw(state: ChannelState, { recipient, assets, exchange: first }: WithdrawalArgs): ChannelState {
  const exchanged = first === undefined ? state : exchange(state, first);
  return { ...assets.reduce(withdrawAsset, exchanged), recipient };
}

function withdrawAsset(state: ChannelState, { asset, user, hub }: AssetWithdrawal): ChannelState {
  return changeRow(state, asset, (row) => ({
    ...row,
    balanceUser: take(row, "user", user),
    balanceHub: take(row, "hub", hub),
    withdrawnUser: row.withdrawnUser + user,
    withdrawnHub: row.withdrawnHub + hub,
  }));
}

function openThread(state: ChannelState, { thread, others }: OpenThreadArgs): ChannelState {
  const threadHash = hashThread(thread);
  requireRoot(state, others, threadHash);
  const stakes = stakesIn(state, thread);
  const opened = changeRow(state, thread.asset, (row) => ({
    ...row,
    balanceUser: take(row, "user", stakes.user),
    balanceHub: take(row, "hub", stakes.hub),
    locked: row.locked + threadSum(thread),
  }));
  return { ...opened, threadRoot: threadRoot([...others, threadHash]) };
}

function closeThread(state: ChannelState, { thread, balanceReceiver, others }: CloseThreadArgs): ChannelState {
  const threadHash = hashThread(thread);
  const sum = threadSum(thread);
  requireRoot(state, [...others, threadHash], threadHash);
  if (balanceReceiver > sum) throw protocolError("BalanceAboveSum", { sum, given: balanceReceiver });
  const outcome = stakesIn(state, { ...thread, balanceSender: sum - balanceReceiver, balanceReceiver });
  const closed = changeRow(state, thread.asset, (row) => {
    if (row.locked < sum) throw protocolError("LockedTooLow", { asset: row.asset, locked: row.locked, needed: sum });
    return {
      ...row,
      balanceUser: row.balanceUser + outcome.user,
      balanceHub: row.balanceHub + outcome.hub,
      locked: row.locked - sum,
    };
  });
  return { ...closed, threadRoot: threadRoot(others) };
}

/** The state holds a root and no list: who names another list than the one that was signed gets no further. */
function requireRoot(state: ChannelState, open: readonly Hash[], threadHash: Hash): void {
  if (threadRoot(open) === state.threadRoot) return;
  throw protocolError("ThreadNotInRoot", { threadHash, threadRoot: state.threadRoot });
}

/** In the channel of each party the hub stands in for the other one. */
function stakesIn({ user }: ChannelState, thread: Thread): { readonly user: bigint; readonly hub: bigint } {
  const { sender, receiver, balanceSender, balanceReceiver } = thread;
  if (user === sender) return { user: balanceSender, hub: balanceReceiver };
  if (user === receiver) return { user: balanceReceiver, hub: balanceSender };
  throw protocolError("NotThreadParty", { user });
}

function move(row: AssetState, recipient: Side, amount: bigint): AssetState {
  return recipient === "hub"
    ? { ...row, balanceUser: take(row, "user", amount), balanceHub: row.balanceHub + amount }
    : { ...row, balanceHub: take(row, "hub", amount), balanceUser: row.balanceUser + amount };
}

function take(row: AssetState, side: Side, needed: bigint): bigint {
  const balance = side === "hub" ? row.balanceHub : row.balanceUser;
  if (balance < needed) throw protocolError("BalanceTooLow", { side, asset: row.asset, balance, needed });
  return balance - needed;
}

/** Replaces the row of an asset, or puts one in its place in the order of addresses. */
function changeRow(state: ChannelState, asset: Address, change: (row: AssetState) => AssetState): ChannelState {
  const at = state.assets.findIndex((row) => row.asset >= asset);
  const found = state.assets[at];
  if (found?.asset === asset) return { ...state, assets: state.assets.with(at, change(found)) };
  return { ...state, assets: state.assets.toSpliced(at < 0 ? state.assets.length : at, 0, change(zeroAsset(asset))) };
}

/** The row of an asset, or the zero row. */
export function rowOf(state: ChannelState, asset: Address): AssetState {
  return state.assets.find((row) => row.asset === asset) ?? zeroAsset(asset);
}
