import { parseAddress, parseHash } from "../address";
import type { ExchangeQuote } from "../payment";
import type { ExchangeArgs, SignedUpdate, Update, WithdrawalArgs } from "../update/update";
import { parseUint } from "../wire/parse";
import { parseThread } from "../wire/statements";
import { UINT128_MAX, UINT64_MAX } from "../uint";
import type { Signature } from "../signature";
import type { WireUpdate } from "./schemas";

// Between the wire (validated by its schema) and the toolkit's own types. `parse*` throws InvalidValue for what a schema
// cannot say: ranges of integers and the checksum of addresses.

type ArgsOf<Reason extends WireUpdate["reason"]> = Extract<WireUpdate, { reason: Reason }>["args"];

export function parseUpdate(wire: WireUpdate, path = "update"): SignedUpdate {
  const update = {
    reason: wire.reason,
    args: parseArgs(wire, `${path}.args`),
    nonce: uint64(wire.nonce, `${path}.nonce`),
    previous: parseHash(wire.previous, `${path}.previous`),
  } as Update;
  return { ...update, ...signaturesOf(wire) };
}

const formatted = new WeakMap<SignedUpdate, WireUpdate>();

/** Remembered with the update, which never changes. */
export function formatUpdate(update: SignedUpdate): WireUpdate {
  const known = formatted.get(update);
  if (known !== undefined) return known;
  const { reason, args, nonce, previous } = update;
  const wire = { reason, args: toWire(args), nonce: nonce.toString(), previous, ...signaturesOf(update) } as WireUpdate;
  formatted.set(update, wire);
  return wire;
}

export function parseExchangeArgs(wire: ArgsOf<"Exchange">, path = "exchange"): ExchangeArgs {
  return {
    sellAsset: parseAddress(wire.sellAsset, `${path}.sellAsset`),
    sellAmount: uint128(wire.sellAmount, `${path}.sellAmount`),
    buyAsset: parseAddress(wire.buyAsset, `${path}.buyAsset`),
    buyAmount: uint128(wire.buyAmount, `${path}.buyAmount`),
    rate: uint128(wire.rate, `${path}.rate`),
    quoteId: parseHash(wire.quoteId, `${path}.quoteId`),
    expiresAt: uint64(wire.expiresAt, `${path}.expiresAt`),
  };
}

export function parseQuote(wire: ArgsOf<"Exchange"> & { readonly user: string }, path = "quote"): ExchangeQuote {
  return { user: parseAddress(wire.user, `${path}.user`), ...parseExchangeArgs(wire, path) };
}

/** Integers as decimal strings, everything else as it is. */
export function toWire(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toWire(item)]));
}

function parseArgs(wire: WireUpdate, path: string): Update["args"] {
  switch (wire.reason) {
    case "Deposit":
      return {
        asset: parseAddress(wire.args.asset, `${path}.asset`),
        depositedHub: uint128(wire.args.depositedHub, `${path}.depositedHub`),
        depositedUser: uint128(wire.args.depositedUser, `${path}.depositedUser`),
      };
    case "Payment":
      return {
        recipient: wire.args.recipient,
        asset: parseAddress(wire.args.asset, `${path}.asset`),
        amount: uint128(wire.args.amount, `${path}.amount`),
        payments: wire.args.payments.map((id, i) => parseHash(id, `${path}.payments.${i}`)),
      };
    case "Exchange":
      return parseExchangeArgs(wire.args, path);
    case "Withdrawal":
      return parseWithdrawalArgs(wire.args, path);
    case "OpenThread":
      return {
        thread: parseThread(wire.args.thread, `${path}.thread`),
        sigSender: wire.args.sigSender.toLowerCase() as Signature,
        sigReceiver: wire.args.sigReceiver.toLowerCase() as Signature,
        others: wire.args.others.map((hash, i) => parseHash(hash, `${path}.others.${i}`)),
      };
    case "CloseThread":
      return {
        thread: parseThread(wire.args.thread, `${path}.thread`),
        balanceReceiver: uint128(wire.args.balanceReceiver, `${path}.balanceReceiver`),
        others: wire.args.others.map((hash, i) => parseHash(hash, `${path}.others.${i}`)),
      };
    case "Settled":
      return {
        session: uint64(wire.args.session, `${path}.session`),
        transactionHash: parseHash(wire.args.transactionHash, `${path}.transactionHash`),
      };
  }
}

function parseWithdrawalArgs(wire: ArgsOf<"Withdrawal">, path: string): WithdrawalArgs {
  return {
    recipient: parseAddress(wire.recipient, `${path}.recipient`),
    assets: wire.assets.map(({ asset, user, hub }, i) => ({
      asset: parseAddress(asset, `${path}.assets.${i}.asset`),
      user: uint128(user, `${path}.assets.${i}.user`),
      hub: uint128(hub, `${path}.assets.${i}.hub`),
    })),
    ...(wire.exchange === undefined ? {} : { exchange: parseExchangeArgs(wire.exchange, `${path}.exchange`) }),
  };
}

interface Signatures {
  readonly sigHub?: Signature;
  readonly sigUser?: Signature;
}

function signaturesOf({ sigHub, sigUser }: { readonly sigHub?: string; readonly sigUser?: string }): Signatures {
  return {
    ...(sigHub === undefined ? {} : { sigHub: sigHub.toLowerCase() as Signature }),
    ...(sigUser === undefined ? {} : { sigUser: sigUser.toLowerCase() as Signature }),
  };
}

function uint64(given: string, path: string): bigint {
  return parseUint(given, UINT64_MAX, path);
}

function uint128(given: string, path: string): bigint {
  return parseUint(given, UINT128_MAX, path);
}
