import type { Provider } from "ethers";
import type { Address, Hash } from "../../protocol";
import { isRevert, refusalOf } from "../../protocol/chain/contract-error";
import type { TransactionRow } from "../store/transaction-store";

/** What would become of a transaction now: it can be sent, the chain would refuse it, or the hub cannot pay for it. */
export type Verdict = { readonly gasLimit: bigint } | { readonly refusal: string } | { readonly wait: string };

type Call = Pick<TransactionRow, "to" | "data" | "valueWei" | "kind" | "wantedGas">;

/** Above the estimate: a quarter, and what a payout's fixed allowance may want on top. */
const GAS_MARGIN = 30_000n;

/** For a dispute that cannot be estimated: more than a state with all its assets takes. */
const DISPUTE_GAS = 2_000_000n;

const MAX_REASON = 300;

/**
 * Tries a transaction. Only the newest block decides that it would fail: nodes estimate on what is pending, and what others
 * have merely offered must not stop a dispute.
 * @param spendableWei What the account has and has not offered elsewhere.
 * @throws whatever the node throws if it cannot be asked at all
 */
export async function preflight(
  provider: Provider,
  from: Address,
  call: Call,
  maxFeePerGas: bigint,
  spendableWei: bigint,
): Promise<Verdict> {
  const { to, data, valueWei, kind, wantedGas } = call;
  if (spendableWei < valueWei) return tooPoor(spendableWei, valueWei);
  if (wantedGas !== undefined) return withGas(provider, from, call, wantedGas, maxFeePerGas, spendableWei);
  let gasLimit: bigint;
  try {
    const estimate = await provider.estimateGas({ from, to, data, value: valueWei });
    gasLimit = (estimate * 5n) / 4n + GAS_MARGIN;
  } catch (error) {
    const refusal = await refusalOfCall(provider, from, call, "latest");
    if (refusal !== undefined) return { refusal };
    if (!isRevert(error)) {
      // Neither data nor a code says whose fault it is. If the node can do this for something harmless, it is not its own.
      await provider.estimateGas({ from, to: from, value: 0n });
      return { refusal: reasonOf(error) };
    }
    if (kind === "normal") return { wait: "what is pending would make it fail" };
    gasLimit = DISPUTE_GAS;
  }
  const neededWei = valueWei + gasLimit * maxFeePerGas;
  return spendableWei < neededWei ? tooPoor(spendableWei, neededWei) : { gasLimit };
}

/** Whoever wants it sent knows how much gas it takes: there is nothing to estimate. */
async function withGas(
  provider: Provider,
  from: Address,
  call: Call,
  gasLimit: bigint,
  maxFeePerGas: bigint,
  spendableWei: bigint,
): Promise<Verdict> {
  const refusal = await refusalOfCall(provider, from, call, "latest");
  if (refusal !== undefined) return { refusal };
  const neededWei = call.valueWei + gasLimit * maxFeePerGas;
  return spendableWei < neededWei ? tooPoor(spendableWei, neededWei) : { gasLimit };
}

function tooPoor(spendableWei: bigint, neededWei: bigint): Verdict {
  return { wait: `the hub's account has ${spendableWei} wei left, and this needs ${neededWei}` };
}

/** Why a transaction that was mined had no effect, as far as the block's final state tells. */
export async function reasonOfRevert(provider: Provider, from: Address, call: Call, block: number): Promise<string> {
  return (await refusalOfCall(provider, from, call, block)) ?? "reverted on chain";
}

/** What the contract says to a call at a block; nothing if it would go through, or the node does not say. */
async function refusalOfCall(
  provider: Provider,
  from: Address,
  { to, data, valueWei }: Call,
  blockTag: number | "latest",
): Promise<string | undefined> {
  try {
    await provider.call({ from, to, data, value: valueWei, blockTag });
    return undefined;
  } catch (error) {
    return isRevert(error) ? reasonOf(error) : undefined;
  }
}

/**
 * Which transaction of an account used a nonce: proof that none of ours did, where a missing receipt proves nothing.
 * @param low A block in which the nonce was free.
 * @param high A block in which it was used.
 * @returns Nothing if the node does not have the state of those blocks any more, or no transaction used it.
 */
export async function userOfNonce(
  provider: Provider,
  account: Address,
  nonce: number,
  low: number,
  high: number,
): Promise<Hash | undefined> {
  let [free, used] = [low, high];
  while (used - free > 1) {
    const middle = free + Math.floor((used - free) / 2);
    if ((await provider.getTransactionCount(account, middle)) > nonce) used = middle;
    else free = middle;
  }
  const block = await provider.getBlock(used, true);
  const found = block?.prefetchedTransactions.find((each) => {
    return each.nonce === nonce && each.from.toLowerCase() === account;
  });
  return found === undefined ? undefined : (found.hash.toLowerCase() as Hash);
}

/** The name of the contract's error where it has one. */
function reasonOf(error: unknown): string {
  const { error: named, reason } = refusalOf(error);
  return named?.code ?? reason.slice(0, MAX_REASON);
}
