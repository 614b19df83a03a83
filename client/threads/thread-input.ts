import { parseAddress, protocolError, type Address, type Hex } from "../../protocol";
import { amountOf, parseAmount, type AmountInput } from "../amounts";
import type { ThreadWish } from "./terms";

/** What a caller says of a thread to open. */
export interface OpenThreadInput {
  /** The receiver's address. */
  readonly to: string;
  /** What this side can pay through it at most: its stake. */
  readonly amount: AmountInput;
  /** The receiver's stake, in base units of the same asset; default 0. */
  readonly balanceReceiver?: bigint | string;
  /** Both sign every step, and money may go either way. Default: this side alone pays, and only more. */
  readonly updatable?: boolean;
  /** Unix seconds; default a day from now. */
  readonly expiry?: bigint;
  /** A contract that decides, with what it decides about. */
  readonly app?: { readonly address: string; readonly appState: Hex };
}

const KNOWN_FIELDS = new Set(["to", "amount", "balanceReceiver", "updatable", "expiry", "app"]);

/** @param token What `amountToken` is of. @throws InvalidValue naming the field; an unknown one too (W-5) */
export function readThreadWish(input: OpenThreadInput, token: Address | undefined): ThreadWish {
  const unknown = Object.keys(input).find((key) => !KNOWN_FIELDS.has(key));
  if (unknown !== undefined) throw protocolError("InvalidValue", { path: unknown, expected: "absent", given: unknown });
  const { asset, amount } = parseAmount(input.amount, token, "amount");
  const { balanceReceiver, updatable, expiry, app } = input;
  return {
    ...{ to: parseAddress(input.to, "to"), asset, amount },
    ...(balanceReceiver === undefined ? {} : { balanceReceiver: amountOf(balanceReceiver, "balanceReceiver") }),
    ...(updatable === undefined ? {} : { updatable }),
    ...(expiry === undefined ? {} : { expiry }),
    ...(app === undefined ? {} : { app: { ...app, address: parseAddress(app.address, "app.address") } }),
  };
}
