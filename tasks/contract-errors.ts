import { refusalOf } from "../protocol/chain/contract-error";
import { operationError } from "./errors";

/**
 * Turns whatever a failed call or transaction threw into the error that the contract named, with its values.
 * @param what The transaction in words, for failures that have no name.
 */
export function decodeContractError(error: unknown, what: string): Error {
  const { error: named, reason } = refusalOf(error);
  return named ?? operationError("TransactionFailed", { what, reason }, error);
}
