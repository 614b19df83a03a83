import type { Address } from "../address";
import { unsignedState, zeroAsset, type AssetState, type ChannelState } from "../channel-state";
import { protocolError } from "../errors";
import type {
  AssetWithdrawal,
  DepositArgs,
  ExchangeArgs,
  PaymentArgs,
  SettledArgs,
  Side,
  Update,
  WithdrawalArgs,
} from "./update";

/**
 * The state that an update leads to. Computes only what the update says; whether anybody may accept it, `check` says.
 * A row once present stays, whatever is in it.
 * @throws BalanceTooLow CounterLowered SessionMismatch: there is no such state.
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
