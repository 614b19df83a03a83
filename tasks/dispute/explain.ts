import { ZERO_ADDRESS, ZERO_HASH, type Address } from "../../protocol";
import type { ChainEvent } from "../../protocol/chain/events";
import { nameOf, timeOf, type Show } from "./words";

export interface Explained {
  readonly hub: Address;
  readonly user: Address;
  readonly show: Show;
}

type Named<Name extends ChainEvent["name"]> = Extract<ChainEvent, { readonly name: Name }>;
type Sentences = { readonly [Name in ChainEvent["name"]]: (event: Named<Name>, by: Explained) => string };

/** What an event of the contract means, in a plain sentence. */
export function explain(event: ChainEvent, by: Explained): string {
  return (SENTENCES[event.name] as (event: ChainEvent, by: Explained) => string)(event, by);
}

const SENTENCES: Sentences = {
  Deposited: ({ payer, asset, amount, forHub, user, session }, by) =>
    `${cap(who(payer, by))} paid ${by.show(asset, amount)} into ${channel(user, by)}${forHub ? ", on the hub's side" : ""} (session ${session}).`,
  Collateralized: ({ asset, amount, user }, by) =>
    `The hub moved ${by.show(asset, amount)} from its reserve into ${channel(user, by)}, so that it can receive payments.`,
  Withdrawn: ({ recipient, asset, amountUser, amountHub, nonce }, by) =>
    `A withdrawal that both signed (state ${nonce}) was carried out: ${by.show(asset, amountUser)} went to ${recipient === ZERO_ADDRESS ? "the user" : who(recipient, by)}, ${by.show(asset, amountHub)} back to the hub's reserve.`,
  ExitStarted: ({ caller, nonce, deadline, session }, by) =>
    `${cap(who(caller, by))} started to leave session ${session} with state ${nonce}${nonce === 0n ? ", the one before anything was signed" : ""}. Until ${timeOf(deadline)} anybody may show a newer state.`,
  ExitChallenged: ({ caller, nonce, deadline }, by) =>
    `${cap(who(caller, by))} showed a newer state, ${nonce}: it replaces the one before. The deadline stays ${timeOf(deadline)}.`,
  Settled: ({ session, nonce, threadRoot }) =>
    `The window was over, and session ${session} was settled by state ${nonce}. ${threadRoot === ZERO_HASH ? "It had no threads." : "Its threads are still to be decided; their stakes stay locked."} The channel goes on in session ${session + 1n}.`,
  AssetSettled: ({ asset, amountUser, amountHub, locked }, by) =>
    `Settlement of one asset: the user got ${by.show(asset, amountUser)}, the hub's reserve ${by.show(asset, amountHub)}${locked === 0n ? "" : `, and ${by.show(asset, locked)} stay locked for threads`}.`,
  Reclaimed: ({ asset, amountUser, amountHub, session }, by) =>
    `What session ${session} held of an asset that its last state did not name was paid out: ${by.show(asset, amountUser)} to the user, ${by.show(asset, amountHub)} to the hub's reserve.`,
  PayoutFailed: ({ to, asset, amount }, by) =>
    `A payout of ${by.show(asset, amount)} to ${who(to, by)} did not go through. Nothing is lost: the user can claim it.`,
  Claimed: ({ account, to, asset, amount }, by) =>
    `${cap(who(account, by))} claimed ${by.show(asset, amount)} that an earlier payout had left, to ${who(to, by)}.`,
  ReserveFunded: ({ payer, asset, amount }, by) =>
    `${cap(who(payer, by))} put ${by.show(asset, amount)} into the hub's reserve.`,
  ReserveRecalled: ({ caller, asset, amount }, by) =>
    `${cap(who(caller, by))} paid ${by.show(asset, amount)} of the reserve to the treasury.`,
  ThreadChallenged: ({ threadHash, sender, receiver, nonce, deadline }, by) =>
    `Evidence of thread ${threadHash} (from ${who(sender, by)} to ${who(receiver, by)}) was shown${nonce === 0n ? "" : ` with update ${nonce}`}. Better evidence counts until ${timeOf(deadline)}.`,
  ThreadResolved: ({ threadHash, nonce, deadline }) =>
    `The app of thread ${threadHash} decided${nonce === 0n ? "" : ` about update ${nonce}`}: its answer stands unless better evidence comes until ${timeOf(deadline)}.`,
  ThreadSettled: ({ threadHash, user, asset, amountUser, amountHub, session }, by) =>
    `The leg of thread ${threadHash} in session ${session} of ${who(user, by)} was paid: ${by.show(asset, amountUser)} to that user, ${by.show(asset, amountHub)} to the hub's reserve.`,
};

/** The receiver's balance where the asset is known. */
export function balanceNote(event: ChainEvent, asset: Address | undefined, { show }: Explained): string {
  if (event.name !== "ThreadChallenged" && event.name !== "ThreadResolved") return "";
  return asset === undefined ? "" : ` The receiver's share is now ${show(asset, event.balanceReceiver)}.`;
}

function who(address: Address, { hub, user }: Explained): string {
  return nameOf({ hub }, address, user);
}

function cap(text: string): string {
  return text.startsWith("0x") ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

function channel(user: Address, by: Explained): string {
  return user === by.user ? "this channel" : `the channel of ${user}`;
}
