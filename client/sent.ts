import type { TransactionResponse } from "ethers";
import { refusalOf } from "../protocol/chain/contract-error";
import type { Hash } from "../protocol";
import type { CodedError } from "../protocol/coded-error";
import { clientError } from "./errors";

/** A transaction on its way. */
export interface Sent {
  readonly transactionHash: Hash;
  /** Resolves when it is as deep as asked. @throws the contract's error, TransactionFailed, TimedOut */
  wait(confirmations?: number): Promise<void>;
}

const WAIT_MS = 180_000;

export function sentOf(response: TransactionResponse): Sent {
  return {
    transactionHash: response.hash.toLowerCase() as Hash,
    wait: async (confirmations = 1) => {
      try {
        await response.wait(confirmations, WAIT_MS);
      } catch (error) {
        if (!isRepriced(error)) throw await failureOf(error, response);
      }
    },
  };
}

/** What a transaction that was not even sent ran into: the contract's own error under its name, or a client's. */
export function sendFailure(error: unknown): CodedError {
  const { error: named, reason } = refusalOf(error);
  if (named !== undefined) return named;
  if (codeOf(error) === "ACTION_REJECTED") return clientError("SignatureRefused", { reason: "it was declined" }, error);
  return clientError("TransactionFailed", { reason }, error);
}

async function failureOf(error: unknown, response: TransactionResponse): Promise<CodedError> {
  if (codeOf(error) === "TIMEOUT") {
    const what = `transaction ${response.hash}`;
    return clientError("TimedOut", { what, seconds: WAIT_MS / 1000 }, error);
  }
  const { receipt } = error as { receipt?: { readonly blockNumber: number } };
  if (codeOf(error) !== "CALL_EXCEPTION" || !receipt) return sendFailure(error);
  return sendFailure(await revertOf(response, receipt.blockNumber).catch(() => error));
}

/** A receipt does not say why: the same call where it was mined mostly does. */
async function revertOf({ provider, to, from, data, value }: TransactionResponse, blockTag: number): Promise<unknown> {
  try {
    await provider.call({ to, from, data, value, blockTag });
  } catch (error) {
    return error;
  }
  throw new Error("it would go through now");
}

/** The same transaction with another fee, which has its own hash. */
function isRepriced(error: unknown): boolean {
  const { reason, receipt } = error as { reason?: unknown; receipt?: { status?: unknown } };
  return codeOf(error) === "TRANSACTION_REPLACED" && reason === "repriced" && receipt?.status === 1;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code;
}
