import type { Hex } from "../../protocol";
import { parseAddress, protocolError, type Address } from "../../protocol";
import { addressOf } from "../chain/keys";
import { withClient, type Opened, type UserArgs } from "../channel/open-client";
import type { Command, Outcome } from "../command";
import { balanceOf, findThread, otherParty } from "../thread/find-thread";
import { withPeer } from "../thread/with-peer";

export interface InstallArgs extends UserArgs {
  to: string;
  app: string;
  state: string;
  amount: string;
  stake?: string;
  updatable: boolean;
  dryRun: boolean;
}

interface OfThread extends UserArgs {
  thread?: string;
}

export interface UpdateArgs extends OfThread {
  state: string;
  balance?: string;
}

export interface ResolveArgs extends OfThread {
  resolver: string;
  state?: string;
}

export interface UninstallArgs extends OfThread {
  dryRun: boolean;
}

export const installCommand: Command<InstallArgs> = (args, hre, terminal) =>
  withPeer(
    args,
    hre,
    terminal,
    () => (args.dryRun ? undefined : args.to),
    async (opened) => {
      const { client, chain, show } = opened;
      const [to, address] = [addressOf(chain, args.to), appAddress(opened, args.app)];
      const { asset, units } = opened.amount(args.amount);
      const balanceReceiver = args.stake === undefined ? 0n : opened.amount(args.stake).units;
      const what = `app ${address} with ${to} on a thread of ${show(asset.address, units + balanceReceiver)}`;
      if (args.dryRun) return dry(`install ${what}`);
      terminal.progress(`Installing ${what}: signed by both and the hub …`);
      const app = { address, appState: hex(args.state, "state") };
      const { hash } = await client.openThread({
        ...{ to, amount: { asset: asset.address, amount: units }, balanceReceiver, updatable: args.updatable, app },
      });
      const next = `Next: npx hardhat app resolve --user ${args.to} --thread ${hash} --resolver 0x… --network ${chain.network}`;
      return { json: { threadHash: hash, app: address }, text: `Installed ${what}: thread ${hash}\n${next}` };
    },
  );

export const updateCommand: Command<UpdateArgs> = (args, hre, terminal) =>
  withPeer(args, hre, terminal, peerOf(args), async (opened) => {
    const { hash, thread } = findThread(opened, args.thread);
    const balance = args.balance === undefined ? undefined : opened.amount(args.balance).units;
    const own = await opened.client.apps.update(hash, hex(args.state, "state"), balance);
    const nonce = own.update?.update.nonce ?? 0n;
    const lines = [
      `Both have signed update ${nonce} of thread ${hash}; ${opened.show(thread.asset, balanceOf(own))} are the receiver's`,
      `Next: npx hardhat app resolve --user ${args.user} --thread ${hash} --resolver 0x… --network ${opened.chain.network}`,
    ];
    return { json: { threadHash: hash, nonce, balanceReceiver: balanceOf(own) }, text: lines.join("\n") };
  });

export const resolveCommand: Command<ResolveArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async (opened) => {
    const { client, chain, show } = opened;
    const { hash, thread } = findThread(opened, args.thread);
    const state = args.state === undefined ? undefined : hex(args.state, "state");
    const balanceReceiver = await client.apps.resolve(hash, hex(args.resolver, "resolver"), state);
    const lines = [
      `The app of thread ${hash} says: ${show(thread.asset, balanceReceiver)} for ${thread.receiver}`,
      `Next: npx hardhat app uninstall --user ${args.user} --thread ${hash} --network ${chain.network}`,
    ];
    return { json: { threadHash: hash, balanceReceiver }, text: lines.join("\n") };
  });

export const uninstallCommand: Command<UninstallArgs> = (args, hre, terminal) =>
  withPeer(args, hre, terminal, args.dryRun ? () => undefined : peerOf(args), async (opened) => {
    const { client, chain, show } = opened;
    const { hash, thread } = findThread(opened, args.thread);
    const before = balanceOf(client.getThread(hash));
    if (args.dryRun) return dry(`end the app of thread ${hash} at ${show(thread.asset, before)}`);
    const own = await client.apps.uninstall(hash);
    const lines = [
      `Ended the app of thread ${hash}: ${show(thread.asset, balanceOf(own))} are ${thread.receiver}'s`,
      `Next: npx hardhat channel show --user ${args.user} --network ${chain.network}`,
    ];
    return { json: { threadHash: hash, leg: own.leg, balanceReceiver: balanceOf(own) }, text: lines.join("\n") };
  });

function peerOf({ thread }: OfThread): (opened: Opened) => string {
  return (opened) => otherParty(findThread(opened, thread), opened.client.address);
}

/** A prebuilt app by its name, any other by its address. @throws InvalidValue */
function appAddress({ client }: Opened, given: string): Address {
  const { hashlock, signed } = client.config.apps;
  const named = { hashlock, signed }[given.toLowerCase()];
  return parseAddress(named ?? given, "app");
}

function hex(given: string, path: string): Hex {
  if (/^0x(?:[0-9a-f]{2})*$/i.test(given)) return given.toLowerCase() as Hex;
  throw protocolError("InvalidValue", { path, expected: "bytes in hex", given });
}

function dry(what: string): Outcome {
  return { json: { dryRun: true, what }, text: `Would ${what}.\nNext: the same without --dry-run` };
}
