import Table from "cli-table3";
import { formatUnits } from "ethers";
import { parseAddress, type OutputOf } from "../../protocol";
import { openSqliteStore } from "../../hub/store/sqlite/open-store";
import { parseAmount, type Asset } from "../amount";
import { connect } from "../chain/connect";
import { addressOf } from "../chain/keys";
import type { Command, Outcome } from "../command";
import { operationError } from "../errors";
import { adminOf, type Admin } from "./admin";
import { databaseCommand } from "./database";
import { filesOf } from "./files";
import { startHub } from "./start";

export interface StartArgs {
  json: boolean;
  host: string;
  port: number;
  operatorPort: number;
  directory?: string;
}

export interface HubArgs {
  json: boolean;
  hub: string;
}

export interface CollateralizeArgs extends HubArgs {
  user: string;
  amount: string;
}

export interface ExitArgs extends HubArgs {
  user: string;
}

export interface ListArgs extends HubArgs {
  limit: number;
}

export interface TransactionsArgs extends ListArgs {
  action: string;
  id?: string;
}

export interface DbArgs {
  json: boolean;
  action: string;
  file?: string;
  sql?: string;
}

export interface ReplayArgs {
  json: boolean;
  fromBlock: number;
}

export const startCommand: Command<StartArgs> = async (args, hre, terminal) => {
  const { host, port, operatorPort, directory } = args;
  const { hub, url, operatorUrl, chain } = await startHub(hre, { host, port, operatorPort, directory });
  terminal.progress(`Hub ${hub.services.signer.address} on ${chain.network}: ${url} (API: ${url}/api/hub/docs)`);
  terminal.progress(`Health and metrics: ${operatorUrl}/health/ready, ${operatorUrl}/metrics. Ctrl-C stops it.`);
  await new Promise<void>((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
  await hub.close();
  return { json: { stopped: true }, text: "The hub has stopped; its files are in data/.\nNext: npx hardhat hub start" };
};

export const statusCommand: Command<HubArgs> = async (args, hre) => {
  const admin = await adminOf(hre, args.hub);
  const [status, assets] = [await admin.call("getStatus", {}), await assetsOf(admin)];
  const table = new Table({
    style: { head: [], border: [] },
    head: ["asset", "reserve", "wallet", "custodial", "reserved"],
  });
  for (const asset of assets) {
    const of = (amounts: readonly { asset: string; amount: string }[]): string => amountOf(amounts, asset);
    table.push([asset.symbol, of(status.reserve), of(status.wallet), of(status.custodial), of(status.reserved)]);
  }
  const lines = [
    `${status.channels} channels, ${status.exiting} exiting, ${status.payments} payments, ${status.incidents} incidents`,
    `chain: head ${status.head}, read up to ${status.processed}; ${status.openTransactions} transactions open`,
    `memory ${(status.memoryBytes / 2 ** 20).toFixed(0)} MiB, up since ${new Date(status.startedAtMs).toISOString()}`,
    table.toString(),
    `Next: npx hardhat hub accounts --network ${admin.chain.network}`,
  ];
  return { json: status, text: lines.join("\n") };
};

export const collateralizeCommand: Command<CollateralizeArgs> = async (args, hre) => {
  const admin = await adminOf(hre, args.hub);
  const user = addressOf(admin.chain, args.user);
  const { asset, units } = parseAmount(args.amount, await assetsOf(admin));
  const body = { user, asset: parseAddress(asset.address), amount: units.toString() };
  const granted = await admin.call("adminCollateralize", { body });
  const text = [
    `${user} can receive ${show(asset, granted.available)} now; ${show(asset, granted.requested)} more are on their way.`,
    `Next: npx hardhat hub transactions --network ${admin.chain.network}`,
  ];
  return { json: granted, text: text.join("\n") };
};

export const exitCommand: Command<ExitArgs> = async (args, hre) => {
  const admin = await adminOf(hre, args.hub);
  const user = addressOf(admin.chain, args.user);
  const { transaction } = await admin.call("adminExit", { body: { user } });
  const text = [
    `The hub exits the channel of ${user}: transaction ${transaction} is on its way.`,
    `Next: npx hardhat hub transactions --network ${admin.chain.network}`,
  ];
  return { json: { transaction }, text: text.join("\n") };
};

export const accountsCommand: Command<ListArgs> = async (args, hre) => {
  const admin = await adminOf(hre, args.hub);
  const [{ accounts }, assets] = [
    await admin.call("listAccounts", { query: { limit: args.limit } }),
    await assetsOf(admin),
  ];
  const table = new Table({
    style: { head: [], border: [] },
    head: ["user", "session", "nonce", "waiting", "user has", "hub has"],
  });
  for (const { user, session, nonce, uncountersigned, balances } of accounts) {
    const of = (side: "user" | "hub"): string =>
      balances.map((row) => show(assetFor(assets, row.asset), row[side])).join("\n");
    table.push([user, session, nonce, uncountersigned, of("user"), of("hub")]);
  }
  const next = `Next: npx hardhat channel history --user ADDRESS --network ${admin.chain.network}`;
  return { json: accounts, text: [accounts.length === 0 ? "No channels yet." : table.toString(), next].join("\n") };
};

export const transactionsCommand: Command<TransactionsArgs> = async (args, hre) => {
  const admin = await adminOf(hre, args.hub);
  if (args.action === "bump") return bump(admin, args.id);
  if (args.action !== "list") throw operationError("ActionUnknown", { given: args.action, known: ["list", "bump"] });
  const { transactions } = await admin.call("listTransactions", { query: { limit: args.limit } });
  const table = new Table({ style: { head: [], border: [] }, head: ["id", "status", "nonce", "transaction", "error"] });
  for (const { id, status, nonce, transactionHash, error } of transactions) {
    table.push([id, status, nonce ?? "", transactionHash ?? "", error ?? ""]);
  }
  const next = `Next: npx hardhat hub transactions bump --id ID --network ${admin.chain.network}`;
  return {
    json: transactions,
    text: [transactions.length === 0 ? "No transactions yet." : table.toString(), next].join("\n"),
  };
};

export const dbCommand: Command<DbArgs> = async (args, hre) => {
  return databaseCommand(filesOf(hre, await connect(hre)), args);
};

export const replayCommand: Command<ReplayArgs> = async (args, hre) => {
  const files = filesOf(hre, await connect(hre));
  const store = openSqliteStore(files.database);
  await store.database.write((tx) => store.chain.forgetFrom(tx, args.fromBlock));
  await store.database.close();
  const text = `The chain is read again from block ${args.fromBlock} at the hub's next look.\nNext: npx hardhat hub status`;
  return { json: { fromBlock: args.fromBlock }, text };
};

async function bump(admin: Admin, id: string | undefined): Promise<Outcome> {
  if (id === undefined) throw operationError("ActionUnknown", { given: "bump without --id", known: ["bump --id ID"] });
  const { bumped } = await admin.call("bumpTransaction", { params: { id } });
  const what = bumped
    ? `Transaction ${id} was sent again with a higher fee.`
    : `Transaction ${id} does not wait any more.`;
  return { json: { id, bumped }, text: `${what}\nNext: npx hardhat hub transactions` };
}

async function assetsOf(admin: Admin): Promise<readonly Asset[]> {
  const { assets } = await admin.call("getConfig", {});
  return assets.map(toAsset);
}

function toAsset({ asset, symbol, decimals }: OutputOf<"getConfig">["assets"][number]): Asset {
  return { address: asset, symbol, decimals };
}

function assetFor(assets: readonly Asset[], address: string): Asset {
  return assets.find((asset) => asset.address === address) ?? { address, symbol: address, decimals: 0 };
}

function amountOf(amounts: readonly { asset: string; amount: string }[], asset: Asset): string {
  return show(asset, amounts.find((each) => each.asset === asset.address)?.amount ?? "0");
}

function show({ symbol, decimals }: Asset, units: string): string {
  return `${formatUnits(units, decimals).replace(/\.0$/, "")} ${symbol}`;
}
