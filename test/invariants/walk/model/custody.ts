import { UINT128_MAX, ZERO_ADDRESS, type Address, type AssetState } from "../../../../protocol";
import { hub, treasury } from "../actors";
import type { AuthorizedDeposit, Collateral, Deposit, ManagerCalls, Refusal } from "../calls";
import type { Ledger } from "./books";
import { broken, type Caller, type Model, type Rules } from "./model";
import { brokenByState } from "./state";
import { useAuthorization, usePermit } from "./token-signatures";

type Custody = Pick<
  Rules,
  | "deposit"
  | "depositWithPermit"
  | "depositWithAuthorization"
  | "fundReserve"
  | "collateralize"
  | "recallReserve"
  | "withdraw"
  | "claim"
>;

export const custody: Custody = {
  deposit: addDeposit,

  depositWithPermit: (model, args, { from }) => {
    const { asset, amount, permitDeadline: deadline } = args;
    const reasons = broken(!model.bank.hasCode(asset), "TokenWithoutCode", asset);
    if (reasons.length > 0) return reasons;
    // A permit that fails is no reason: it may have been used already, and the allowance is there.
    if (asset === model.world.dollar) usePermit(model, { ...args, owner: from, amount, deadline });
    return addDeposit(model, args, { from, value: 0n });
  },

  depositWithAuthorization: (model, args) => {
    const { from, asset, amount } = args;
    const reasons = [
      ...broken(!model.hasChannel(from), "InvalidUser", from),
      ...broken(amount === 0n, "ZeroAmount"),
      ...broken(!model.bank.hasCode(asset), "TokenWithoutCode", asset),
    ];
    if (reasons.length > 0) return reasons;
    const refused = takeAuthorized(model, args);
    return refused.length > 0 ? refused : credit(model, { user: from, asset, amount, forHub: false }, from);
  },

  fundReserve: (model, { asset, amount }, { from, value }) => {
    const reasons = [...broken(amount === 0n, "ZeroAmount"), ...brokenByEther(model, asset, amount, value)];
    if (reasons.length > 0) return reasons;
    const refused = take(model, asset, from, amount);
    if (refused.length > 0) return refused;
    model.addReserve(asset, amount);
    model.log("ReserveFunded", asset, from, amount);
    return [];
  },

  collateralize: (model, { batch }, { from }) => {
    if (from !== hub.address) return broken(true, "NotHub", from);
    for (const run of runsOf(batch)) {
      const reasons = addCollateral(model, run);
      if (reasons.length > 0) return reasons;
    }
    return [];
  },

  recallReserve: (model, { asset, amount }, { from }) => {
    const reserve = model.books.reserve.get(asset);
    const reasons = [
      ...broken(from !== hub.address && from !== treasury.address, "NotHubOrTreasury", from),
      ...broken(amount === 0n, "ZeroAmount"),
      ...broken(reserve < amount, "ReserveTooLow", asset, reserve, amount),
    ];
    if (reasons.length > 0) return reasons;
    model.addReserve(asset, -amount);
    model.log("ReserveRecalled", asset, from, amount);
    return model.send(asset, treasury.address, amount);
  },

  withdraw: (model, signed) => {
    const { state } = signed;
    const { exitDeadline } = model.books.channel.get(state.user);
    const reasons = [...broken(exitDeadline !== 0n, "ChannelExiting", exitDeadline), ...brokenByState(model, signed)];
    if (reasons.length > 0) return reasons;
    const recipient = state.recipient === ZERO_ADDRESS ? state.user : state.recipient;
    const payouts = state.assets.map((row) => executeWithdrawal(model, signed, row, recipient));
    for (const [i, { asset }] of state.assets.entries()) model.payOut(state.user, recipient, asset, payouts[i]!);
    return [];
  },

  claim: (model, { asset, to }, { from }) => {
    const amount = model.books.claimable.get(from, asset);
    const reasons = [
      ...broken(to === ZERO_ADDRESS || to === model.world.manager, "InvalidRecipient", to),
      ...broken(amount === 0n, "NothingToClaim", from, asset),
    ];
    if (reasons.length > 0) return reasons;
    model.books.claimable.set(0n, from, asset);
    model.log("Claimed", from, asset, to, amount);
    return model.send(asset, to, amount);
  },
};

function addDeposit(model: Model, args: Deposit, { from, value }: Caller): readonly Refusal[] {
  const { user, asset, amount } = args;
  const reasons = [
    ...broken(!model.hasChannel(user), "InvalidUser", user),
    ...broken(amount === 0n, "ZeroAmount"),
    ...brokenByEther(model, asset, amount, value),
  ];
  if (reasons.length > 0) return reasons;
  const refused = take(model, asset, from, amount);
  return refused.length > 0 ? refused : credit(model, args, from);
}

/** Ether comes along, tokens are pulled from contracts. */
function brokenByEther(model: Model, asset: Address, amount: bigint, value: bigint): readonly Refusal[] {
  const expected = asset === ZERO_ADDRESS ? amount : 0n;
  return [
    ...broken(value !== expected, "WrongEtherValue", expected, value),
    ...broken(asset !== ZERO_ADDRESS && !model.bank.hasCode(asset), "TokenWithoutCode", asset),
  ];
}

function take(model: Model, asset: Address, from: Address, amount: bigint): readonly Refusal[] {
  if (asset === ZERO_ADDRESS) return []; // came with the call
  return received(model, asset, amount, () => model.bank.pull(asset, from, amount));
}

function takeAuthorized(model: Model, args: AuthorizedDeposit): readonly Refusal[] {
  const { asset, amount } = args;
  if (asset !== model.world.dollar) return [{ name: "", args: [] }]; // such a token does not know the function
  return received(model, asset, amount, () => useAuthorization(model, args));
}

/** Exactly the amount must have arrived, whatever the token says. */
function received(model: Model, asset: Address, amount: bigint, move: () => Refusal | undefined): readonly Refusal[] {
  const before = model.bank.balance(asset, model.world.manager);
  const refusal = move();
  if (refusal !== undefined) return [refusal];
  const after = model.bank.balance(asset, model.world.manager);
  return broken(after - before !== amount, "ReceivedAmountDiffers", asset, amount, before, after);
}

function credit(model: Model, { user, asset, amount, forHub }: Deposit, payer: Address): readonly Refusal[] {
  const { session } = model.books.channel.get(user);
  const reasons = raise(model, user, asset, forHub ? "depositedHub" : "depositedUser", amount);
  if (reasons.length === 0) model.log("Deposited", user, asset, payer, session, forHub, amount);
  return reasons;
}

/** Lines of one asset that follow each other are taken from the reserve together. */
function runsOf(batch: readonly Collateral[]): readonly (readonly Collateral[])[] {
  const runs: Collateral[][] = [];
  for (const line of batch) {
    const last = runs.at(-1);
    if (last?.[0]?.asset === line.asset) last.push(line);
    else runs.push([line]);
  }
  return runs;
}

function addCollateral(model: Model, run: readonly Collateral[]): readonly Refusal[] {
  const { asset } = run[0]!;
  const reserve = model.books.reserve.get(asset);
  const needed = run.reduce((sum, { amount }) => sum + amount, 0n);
  const reasons = [
    ...run.flatMap(({ user }) => broken(!model.hasChannel(user), "InvalidUser", user)),
    ...broken(reserve < needed, "ReserveTooLow", asset, reserve, needed),
  ];
  model.addReserve(asset, -needed);
  for (const { user, amount } of run) {
    reasons.push(...raise(model, user, asset, "depositedHub", amount));
    model.log("Collateralized", user, asset, amount);
  }
  return reasons;
}

/** Raises a counter of the current session; it has 128 bits. */
function raise(
  model: Model,
  user: Address,
  asset: Address,
  counter: "depositedHub" | "depositedUser",
  amount: bigint,
): readonly Refusal[] {
  const { channel, ledger } = model.books;
  const { session } = channel.get(user);
  const old = ledger.get(user, session, asset);
  const raised = old[counter] + amount;
  if (raised > UINT128_MAX) return broken(true, "SafeCastOverflowedUintDowncast", 128n, raised);
  ledger.set({ ...old, [counter]: raised }, user, session, asset);
  return [];
}

/** Books the difference between what the state withdraws and the counters. Answers with the user's part. */
function executeWithdrawal(
  model: Model,
  { state }: ManagerCalls["withdraw"],
  { asset, withdrawnHub, withdrawnUser }: AssetState,
  recipient: Address,
): bigint {
  const { ledger } = model.books;
  const old: Ledger = ledger.get(state.user, state.session, asset);
  const amountHub = withdrawnHub - old.withdrawnHub;
  const amountUser = withdrawnUser - old.withdrawnUser;
  if (amountHub === 0n && amountUser === 0n) return 0n;
  ledger.set({ ...old, withdrawnHub, withdrawnUser }, state.user, state.session, asset);
  model.addReserve(asset, amountHub);
  model.log("Withdrawn", state.user, asset, recipient, state.session, state.nonce, amountUser, amountHub);
  return amountUser;
}
