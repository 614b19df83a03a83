import { ask } from "../../client/backup/http-tower";
import { parseAddress, parseUint, UINT128_MAX, type Address, type WireTowerStatus } from "../../protocol";
import { verifyReceipts } from "../../scripts/verify-receipt";
import { withClient, type UserArgs } from "../channel/open-client";
import { connect } from "../chain/connect";
import { addressOf } from "../chain/keys";
import type { Command } from "../command";
import { operationError } from "../errors";
import { startTower } from "./start";

export interface StartArgs {
  json: boolean;
  host: string;
  port: number;
  fee?: string;
  days: number;
  payee?: string;
  directory?: string;
}

export interface TowerArgs {
  json: boolean;
  tower: string;
  user: string;
}

export interface RegisterArgs extends UserArgs {
  tower: string;
  payUpTo: string;
  key?: string;
}

const TIMEOUT_MS = 15_000;

export const startCommand: Command<StartArgs> = async (args, hre, terminal) => {
  const { host, port, fee, days, payee, directory } = args;
  const { tower, url, chain } = await startTower(hre, { host, port, fee, days, payee, directory });
  terminal.progress(`Watchtower ${tower.address} on ${chain.network}: ${url}. Ctrl-C stops it.`);
  await new Promise<void>((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
  await tower.close();
  const text = "The tower has stopped and guards nobody now.\nNext: npx hardhat watchtower start";
  return { json: { stopped: true }, text };
};

export const registerCommand: Command<RegisterArgs> = async (args, hre, terminal) => {
  const { tower: url, key, payUpTo } = args;
  const limit = parseUint(payUpTo, UINT128_MAX, "payUpTo");
  return withClient(args, hre, terminal, async ({ client, chain }) => {
    const guard = await client.registerWithTower({ url, payUpTo: limit, ...(key === undefined ? {} : { tower: key }) });
    const next = `Next: npx hardhat watchtower status --user ${client.address} --network ${chain.network}`;
    const { receipts } = guard;
    if (receipts === undefined) {
      return { json: null, text: `${client.address} has no state to guard yet: deposit first.\n${next}` };
    }
    const { tower, session, nonce } = receipts.receipt;
    const text = [
      `Tower ${tower} guards nonce ${nonce} of session ${session} of ${client.address}; its receipt is good.`,
      `${receipts.threads.length} threads are guarded with it.`,
      next,
    ];
    return { json: receipts.wire, text: text.join("\n") };
  });
};

export const statusCommand: Command<TowerArgs> = async (args, hre) => {
  const chain = await connect(hre);
  const user = addressOf(chain, args.user);
  const status = await statusOf(args.tower, user);
  const { guarded, isActive, paidUntil, alarms } = status;
  const receipt = guarded?.receipt;
  const lines = [
    receipt === undefined
      ? `Nothing of ${user} is guarded.`
      : `${user}: nonce ${receipt.nonce} of session ${receipt.session} is guarded since ${dateOf(Number(receipt.receivedAt))}.`,
    isActive ? "The tower follows a dispute of this user." : "No dispute.",
    ...(paidUntil === undefined ? [] : [`Paid until ${dateOf(paidUntil)}.`]),
    ...alarms.map(({ at, text }) => `${dateOf(at)}  ${text}`),
    `Next: npx hardhat watchtower ${receipt === undefined ? "register" : "receipts"} --user ${args.user} --network ${chain.network}`,
  ];
  return { json: status, text: lines.join("\n") };
};

export const receiptsCommand: Command<TowerArgs> = async (args, hre) => {
  const chain = await connect(hre);
  const user = addressOf(chain, args.user);
  const { guarded } = await statusOf(args.tower, user);
  if (guarded === undefined) throw operationError("NothingGuarded", { user, url: args.tower });
  const lines = verifyReceipts(guarded);
  const next = "Next: save this with --json, and verify it with `npx ts-node scripts/verify-receipt.ts FILE`";
  return { json: guarded, text: [...lines, next].join("\n") };
};

async function statusOf(tower: string, user: Address): Promise<WireTowerStatus> {
  const way = { url: tower.replace(/\/+$/, ""), timeoutMs: TIMEOUT_MS };
  return ask(way, "getStatus", parseAddress(user), {});
}

function dateOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
