import { parseAddress, parseUint, protocolError, UINT128_MAX, ZERO_ADDRESS, type Address } from "../protocol";

/** An amount of one asset in base units; integers or decimal strings. */
export type AmountInput =
  | { readonly asset: string; readonly amount: bigint | string }
  | { readonly amountWei?: bigint | string; readonly amountToken?: bigint | string };

export interface Amount {
  readonly asset: Address;
  readonly amount: bigint;
}

/**
 * Reads an amount as callers write it; exactly one asset. An unknown shape is refused, never read as zero (W-5).
 * @param token What `amountToken` is of.
 * @throws InvalidValue
 */
export function parseAmount(given: unknown, token: Address | undefined, path: string): Amount {
  const amounts = parseAmounts(given, token, path);
  const [only, second] = amounts;
  if (only !== undefined && second === undefined) return only;
  throw protocolError("InvalidValue", { path, expected: "an amount above zero of exactly one asset", given });
}

/** The same for one or two assets. @throws InvalidValue */
export function parseAmounts(given: unknown, token: Address | undefined, path: string): readonly Amount[] {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw protocolError("InvalidValue", { path, expected: "{ asset, amount } or { amountWei, amountToken }", given });
  }
  const keys = Object.keys(given);
  const record = given as Readonly<Record<string, unknown>>;
  if (keys.length === 2 && "asset" in record && "amount" in record) {
    const asset = parseAddress(record.asset, `${path}.asset`);
    return [{ asset, amount: amountOf(record.amount, `${path}.amount`) }].filter(({ amount }) => amount > 0n);
  }
  const unknown = keys.find((key) => key !== "amountWei" && key !== "amountToken");
  if (unknown !== undefined || keys.length === 0) {
    throw protocolError("InvalidValue", { path, expected: "{ asset, amount } or { amountWei, amountToken }", given });
  }
  return [...weiOf(record, path), ...tokenOf(record, token, path)];
}

/** A `bigint` or a decimal string; numbers lose digits and are refused. @throws InvalidValue */
export function amountOf(given: unknown, path: string): bigint {
  return parseUint(typeof given === "bigint" ? given.toString() : given, UINT128_MAX, path);
}

function weiOf({ amountWei }: Readonly<Record<string, unknown>>, path: string): readonly Amount[] {
  if (amountWei === undefined) return [];
  const amount = amountOf(amountWei, `${path}.amountWei`);
  return amount === 0n ? [] : [{ asset: ZERO_ADDRESS, amount }];
}

function tokenOf(
  { amountToken }: Readonly<Record<string, unknown>>,
  token: Address | undefined,
  path: string,
): readonly Amount[] {
  if (amountToken === undefined) return [];
  const amount = amountOf(amountToken, `${path}.amountToken`);
  if (amount === 0n) return [];
  if (token === undefined) {
    throw protocolError("InvalidValue", {
      path: `${path}.amountToken`,
      expected: "absent: the hub serves no token",
      given: amountToken,
    });
  }
  return [{ asset: token, amount }];
}
