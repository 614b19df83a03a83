import Table from "cli-table3";
import { addressOf } from "../chain/keys";
import { withClient, type Opened, type UserArgs } from "../channel/open-client";
import type { Command, Outcome } from "../command";
import { balanceOf, findThread, kindOf, otherParty } from "./find-thread";
import { withPeer } from "./with-peer";

export interface OpenArgs extends UserArgs {
  to: string;
  amount: string;
  stake?: string;
  updatable: boolean;
  hours: number;
  dryRun: boolean;
}

export interface PayArgs extends UserArgs {
  thread?: string;
  amount: string;
  dryRun: boolean;
}

export interface CloseArgs extends UserArgs {
  thread?: string;
  dryRun: boolean;
}

export const openCommand: Command<OpenArgs> = (args, hre, terminal) =>
  withPeer(
    args,
    hre,
    terminal,
    () => (args.dryRun ? undefined : args.to),
    async (opened) => {
      const { client, chain, show } = opened;
      const to = addressOf(chain, args.to);
      const { asset, units } = opened.amount(args.amount);
      const stake = args.stake === undefined ? 0n : opened.amount(args.stake).units;
      const what = `a thread of ${show(asset.address, units)} to ${to}, who stakes ${show(asset.address, stake)}`;
      if (args.dryRun) return dry(`open ${what}`);
      terminal.progress(`Opening ${what}: signed by both and the hub …`);
      const own = await client.openThread({
        ...{ to, amount: { asset: asset.address, amount: units }, balanceReceiver: stake, updatable: args.updatable },
        expiry: BigInt(Math.floor(Date.now() / 1000) + args.hours * 3600),
      });
      const lines = [
        `Opened thread ${own.hash}: ${what}`,
        `Next: npx hardhat thread pay --user ${args.user} --thread ${own.hash} --amount 0.01eth --network ${chain.network}`,
      ];
      return { json: { threadHash: own.hash, thread: own.thread }, text: lines.join("\n") };
    },
  );

export const payCommand: Command<PayArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async (opened) => {
    const { client, chain, show } = opened;
    const own = findThread(opened, args.thread);
    const { units } = opened.amount(args.amount);
    const { asset, receiver } = own.thread;
    if (args.dryRun) return dry(`pay ${show(asset, units)} more to ${receiver} through thread ${own.hash}`);
    const { payment } = await client.payThread(own.hash, units);
    const lines = [
      `Paid ${show(asset, units)} through thread ${own.hash}; ${receiver} has ${show(asset, payment.balanceReceiver)} of it`,
      `Next: npx hardhat thread close --user ${args.user} --thread ${own.hash} --network ${chain.network}`,
    ];
    return { json: { threadHash: own.hash, balanceReceiver: payment.balanceReceiver }, text: lines.join("\n") };
  });

export const closeCommand: Command<CloseArgs> = (args, hre, terminal) =>
  withPeer(
    args,
    hre,
    terminal,
    (opened) => (args.dryRun ? undefined : otherParty(findThread(opened, args.thread), opened.client.address)),
    async (opened) => {
      const { client, chain, show } = opened;
      const { hash, thread, leg } = findThread(opened, args.thread);
      if (args.dryRun) return dry(`close thread ${hash} at ${show(thread.asset, balanceOf(client.getThread(hash)))}`);
      const own = await client.closeThread(hash);
      const outcome = balanceOf(own);
      const lines = [
        leg === "open"
          ? `Closed thread ${hash}: ${show(thread.asset, outcome)} are ${thread.receiver}'s`
          : `Thread ${hash} is ${leg} already`,
        `Next: npx hardhat channel show --user ${args.user} --network ${chain.network}`,
      ];
      return { json: { threadHash: hash, leg: own.leg, balanceReceiver: outcome }, text: lines.join("\n") };
    },
  );

export const listCommand: Command<UserArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async (opened) => {
    const threads = opened.client.listThreads();
    const next = `Next: npx hardhat thread open --user ${args.user} --to ${args.user === "4" ? "3" : "4"} --amount 0.1eth --network ${opened.chain.network}`;
    const text = [threads.length === 0 ? "No threads yet." : threadTable(opened), next].join("\n");
    return Promise.resolve({ json: threads, text });
  });

function threadTable({ client, show }: Opened): string {
  const table = new Table({
    style: { head: [], border: [] },
    head: ["thread", "", "with", "the receiver's", "of", "kind", "leg", "expires"],
  });
  for (const own of client.listThreads()) {
    const { hash, thread, leg } = own;
    const sum = thread.balanceSender + thread.balanceReceiver;
    const way = thread.sender === client.address ? "to" : "from";
    const balance = show(thread.asset, balanceOf(own));
    const expires = new Date(Number(thread.expiry) * 1000).toISOString();
    table.push([
      hash,
      way,
      otherParty(own, client.address),
      balance,
      show(thread.asset, sum),
      kindOf(own),
      leg,
      expires,
    ]);
  }
  return table.toString();
}

function dry(what: string): Outcome {
  return { json: { dryRun: true, what }, text: `Would ${what}.\nNext: the same without --dry-run` };
}
