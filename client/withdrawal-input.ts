import { parseAddress, protocolError, type Address } from "../protocol";
import { amountOf, parseAmounts, type Amount } from "./amounts";

export interface WithdrawOptions {
  /** Default: the user itself. */
  readonly recipient?: string;
  readonly amountWei?: bigint | string;
  readonly amountToken?: bigint | string;
  /** The same as `amountWei`, by its old name. */
  readonly withdrawalWeiUser?: bigint | string;
  readonly assets?: readonly { readonly asset: string; readonly amount: bigint | string }[];
  /** Tokens to sell for ETH in the same step; the ETH goes out with the rest. */
  readonly tokensToSell?: bigint | string;
  /** Wei for 10^18 base units of the token that the caller expects at least, before `maxSlippage`. */
  readonly exchangeRate?: bigint | string;
}

const KNOWN_FIELDS = new Set([
  ...["recipient", "amountWei", "amountToken", "withdrawalWeiUser", "assets", "tokensToSell", "exchangeRate"],
]);

/** What leaves the channel besides the proceeds of a sale. Unknown or doubled fields are refused (W-5). @throws InvalidValue */
export function readWithdrawal(options: WithdrawOptions, token: Address | undefined): readonly Amount[] {
  const unknown = Object.keys(options).find((key) => !KNOWN_FIELDS.has(key));
  if (unknown !== undefined) throw protocolError("InvalidValue", { path: unknown, expected: "absent", given: unknown });
  const { amountWei, withdrawalWeiUser, amountToken, assets } = options;
  if (amountWei !== undefined && withdrawalWeiUser !== undefined) throw oneOnly("withdrawalWeiUser", withdrawalWeiUser);
  const wei = amountWei ?? withdrawalWeiUser;
  if (assets !== undefined) {
    if (wei !== undefined || amountToken !== undefined) throw oneOnly("assets", assets);
    return readAssets(assets);
  }
  const given = {
    ...(wei === undefined ? {} : { amountWei: wei }),
    ...(amountToken === undefined ? {} : { amountToken }),
  };
  return Object.keys(given).length === 0 ? [] : parseAmounts(given, token, "withdraw");
}

/** Tokens to sell on the way out, if any. @throws InvalidValue */
export function readSale(
  { tokensToSell, exchangeRate }: WithdrawOptions,
  token: Address | undefined,
): { readonly token: Address; readonly amount: bigint; readonly expectedRate?: bigint } | undefined {
  const amount = tokensToSell === undefined ? 0n : amountOf(tokensToSell, "tokensToSell");
  if (amount === 0n) return undefined;
  if (token === undefined) {
    const expected = "absent: the hub serves no token";
    throw protocolError("InvalidValue", { path: "tokensToSell", expected, given: tokensToSell });
  }
  return exchangeRate === undefined
    ? { token, amount }
    : { token, amount, expectedRate: amountOf(exchangeRate, "exchangeRate") };
}

function readAssets(assets: NonNullable<WithdrawOptions["assets"]>): readonly Amount[] {
  const amounts = assets.map(({ asset, amount }, i) => ({
    asset: parseAddress(asset, `assets.${i}.asset`),
    amount: amountOf(amount, `assets.${i}.amount`),
  }));
  if (new Set(amounts.map(({ asset }) => asset)).size < amounts.length) {
    throw protocolError("InvalidValue", { path: "assets", expected: "each asset once", given: assets });
  }
  return amounts.filter(({ amount }) => amount > 0n);
}

function oneOnly(path: string, given: unknown): Error {
  return protocolError("InvalidValue", { path, expected: "absent beside the other amounts", given });
}
