import Table from "cli-table3";
import { rowOf, ZERO_ADDRESS, type PaymentType, PAYMENT_TYPES } from "../../protocol";
import { addressOf } from "../chain/keys";
import type { Command, Outcome } from "../command";
import { operationError } from "../errors";
import { withClient, type Opened, type UserArgs } from "./open-client";

export type { UserArgs } from "./open-client";

export interface AmountArgs extends UserArgs {
  amount: string;
  dryRun: boolean;
}

export interface PayArgs extends AmountArgs {
  to: string;
  type?: string;
  id?: string;
}

export interface ExchangeArgs extends AmountArgs {
  for?: string;
}

export interface WithdrawArgs extends UserArgs {
  amount?: string;
  to?: string;
  sell?: string;
  dryRun: boolean;
}

export interface HistoryArgs extends UserArgs {
  limit: number;
}

export const showCommand: Command<UserArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async (opened) => {
    const { client, chain } = opened;
    const { state, isDoubleSigned, isExiting } = client.getState();
    const custodial = [...(await client.getCustodialBalance())];
    const lines = [
      `Channel of ${client.address}, session ${state.session}, nonce ${state.nonce}${isExiting ? ", EXITING" : ""}`,
      isDoubleSigned ? "Both have signed the newest state." : "The hub has signed more than you have countersigned.",
      balanceTable(opened),
      ...custodial.map(([asset, amount]) => `The hub owes you ${opened.show(asset, amount)} outside of the channel.`),
      `Next: npx hardhat channel pay --user ${args.user} --to ${otherThan(args.user)} --amount 0.1eth --network ${chain.network}`,
    ];
    const json = { user: client.address, state, isDoubleSigned, isExiting, custodial: Object.fromEntries(custodial) };
    return { json, text: lines.join("\n") };
  });

export const depositCommand: Command<AmountArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async (opened) => {
    const { client, chain } = opened;
    const { asset, units } = opened.amount(args.amount);
    if (args.dryRun) return dry(`deposit ${opened.show(asset.address, units)} into the channel of ${client.address}`);
    terminal.progress(`Depositing ${opened.show(asset.address, units)}: on chain, then signed by both …`);
    const { transactionHashes, state } = await client.deposit({ asset: asset.address, amount: units });
    const lines = [
      `Deposited ${opened.show(asset.address, units)} in ${transactionHashes.join(", ")}`,
      balanceTable(opened),
      `Next: npx hardhat channel pay --user ${args.user} --to ${otherThan(args.user)} --amount 0.1eth --network ${chain.network}`,
    ];
    return { json: { transactionHashes, state }, text: lines.join("\n") };
  });

export const payCommand: Command<PayArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async (opened) => {
    const { client, chain } = opened;
    const recipient = addressOf(chain, args.to);
    const { asset, units } = opened.amount(args.amount);
    const amount = { asset: asset.address, amount: units };
    const missing = await client.recipientNeedsCollateral(recipient, amount);
    if (args.dryRun) {
      const how = missing === 0n ? "at once" : `after ${opened.show(asset.address, missing)} of collateral`;
      return dry(`pay ${opened.show(asset.address, units)} to ${recipient}, who can receive it ${how}`);
    }
    const type = args.type === undefined ? {} : { type: paymentType(args.type) };
    const purchaseId = args.id === undefined ? {} : { id: args.id };
    if (missing > 0n) terminal.progress("The hub is bringing collateral to the payee …");
    const { id, payments } = await client.buy({ ...purchaseId, payments: [{ recipient, amount, ...type }] });
    const status = payments[0]?.status ?? "unknown";
    const lines = [
      `Paid ${opened.show(asset.address, units)} to ${recipient}: ${status} (purchase ${id})`,
      balanceTable(opened),
      `Next: npx hardhat channel show --user ${args.to} --network ${chain.network}`,
    ];
    return { json: { id, payments }, text: lines.join("\n") };
  });

export const exchangeCommand: Command<ExchangeArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async (opened) => {
    const { client, chain } = opened;
    const { asset, units } = opened.amount(args.amount);
    const to = args.for === undefined ? undefined : assetNamed(opened, args.for);
    if (args.dryRun) return dry(`sell ${opened.show(asset.address, units)} at the hub's rate`);
    const { bought } = await client.exchange(units, asset.address, to);
    const buyAsset = to ?? opened.assets.find(({ address }) => address !== asset.address)?.address ?? ZERO_ADDRESS;
    const lines = [
      `Sold ${opened.show(asset.address, units)} for ${opened.show(buyAsset, bought)}`,
      balanceTable(opened),
      `Next: npx hardhat channel withdraw --user ${args.user} --amount 0.1eth --network ${chain.network}`,
    ];
    return { json: { sold: units, bought, sellAsset: asset.address, buyAsset }, text: lines.join("\n") };
  });

export const withdrawCommand: Command<WithdrawArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async (opened) => {
    const { client, chain } = opened;
    const recipient = args.to === undefined ? client.address : addressOf(chain, args.to);
    const wanted = args.amount === undefined ? [] : [opened.amount(args.amount)];
    const sold = args.sell === undefined ? undefined : opened.amount(args.sell);
    const what = wanted.map(({ asset, units }) => opened.show(asset.address, units)).join(", ");
    const sale = sold === undefined ? "" : ` and what ${opened.show(sold.asset.address, sold.units)} sell for`;
    if (args.dryRun) return dry(`withdraw ${what}${sale} to ${recipient}`);
    terminal.progress(`Withdrawing ${what}${sale} to ${recipient}: signed by both, then on chain …`);
    const { transactionHash, state } = await client.withdraw({
      recipient,
      assets: wanted.map(({ asset, units }) => ({ asset: asset.address, amount: units })),
      ...(sold === undefined ? {} : { tokensToSell: sold.units }),
    });
    const lines = [
      `Withdrew ${what}${sale} to ${recipient} in ${transactionHash ?? "a transaction of somebody else"}`,
      balanceTable(opened),
      `Next: npx hardhat channel show --user ${args.user} --network ${chain.network}`,
    ];
    return { json: { transactionHash, recipient, state }, text: lines.join("\n") };
  });

export const collateralCommand: Command<AmountArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async (opened) => {
    const { asset, units } = opened.amount(args.amount);
    const granted = await opened.client.requestCollateral({ asset: asset.address, amount: units });
    const lines = [
      `You can receive ${opened.show(asset.address, granted.available)}; ${opened.show(asset.address, granted.requested)} more are on their way.`,
      `Next: npx hardhat channel show --user ${args.user} --network ${opened.chain.network}`,
    ];
    return { json: granted, text: lines.join("\n") };
  });

export const historyCommand: Command<HistoryArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async (opened) => {
    const { client, chain } = opened;
    const payments = await client.getPaymentHistory(args.limit);
    const table = new Table({
      style: { head: [], border: [] },
      head: ["when", "", "amount", "with", "type", "status", "purchase"],
    });
    for (const { createdAtMs, payer, payee, link, asset, amount, type, status, purchaseId } of payments) {
      const isOut = payer === client.address;
      const other = isOut ? (payee ?? `link ${link ?? ""}`) : payer;
      const when = new Date(createdAtMs).toISOString();
      table.push([when, isOut ? "out" : "in", opened.show(asset, amount), other, type, status, purchaseId]);
    }
    const next = `Next: npx hardhat channel show --user ${args.user} --network ${chain.network}`;
    return { json: payments, text: [payments.length === 0 ? "No payments yet." : table.toString(), next].join("\n") };
  });

function balanceTable({ client, assets, show }: Opened): string {
  const { state } = client.getState();
  const table = new Table({
    style: { head: [], border: [] },
    head: ["asset", "yours", "the hub's (you can receive it)", "address"],
  });
  for (const { address, symbol } of assets) {
    const row = rowOf(state, address as typeof ZERO_ADDRESS);
    table.push([symbol, show(address, row.balanceUser), show(address, row.balanceHub), address]);
  }
  return table.toString();
}

/** Somebody to pay in a suggestion. */
function otherThan(user: string): string {
  return user === "4" ? "3" : "4";
}

function assetNamed({ assets }: Opened, given: string): string {
  const found = assets.find(
    ({ symbol, address }) => symbol.toLowerCase() === given.toLowerCase() || address === given.toLowerCase(),
  );
  if (found !== undefined) return found.address;
  throw operationError("UnitUnknown", { unit: given, known: assets.map(({ symbol }) => symbol) });
}

function paymentType(given: string): PaymentType {
  const found = PAYMENT_TYPES.find((type) => type === given.toUpperCase());
  if (found === undefined) throw operationError("ActionUnknown", { given, known: PAYMENT_TYPES });
  return found;
}

function dry(what: string): Outcome {
  return { json: { dryRun: true, what }, text: `Would ${what}.\nNext: the same without --dry-run` };
}
