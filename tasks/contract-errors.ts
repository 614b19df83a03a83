import { Interface, type ErrorDescription } from "ethers";
import { CodedError } from "../protocol/coded-error";
import { ERRORS, protocolError, type ErrorCode, type ErrorDetails } from "../protocol/errors";
import { ChannelManager__factory } from "../typechain-types";
import { operationError } from "./errors";

/** OpenZeppelin's token errors, which most tokens revert with. */
const TOKEN_ERRORS = new Interface([
  "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
  "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
]);

const SELECTOR_LENGTH = "0x12345678".length;

/**
 * Turns whatever a failed call or transaction threw into the error that the contract named, with its values.
 * @param what The transaction in words, for failures that have no name.
 */
export function decodeContractError(error: unknown, what: string): Error {
  if (error instanceof CodedError) return error;
  const named = parseRevert(revertDataOf(error) ?? "0x");
  if (named !== undefined && named.name in ERRORS) return asProtocolError(named, error);
  const message = error instanceof Error ? error.message : String(error);
  const reason = named === undefined ? message : `${named.name}(${named.args.map(String).join(", ")})`;
  return operationError("TransactionFailed", { what, reason }, error);
}

function parseRevert(data: string): ErrorDescription | undefined {
  if (data.length < SELECTOR_LENGTH) return undefined;
  return ChannelManager__factory.createInterface().parseError(data) ?? TOKEN_ERRORS.parseError(data) ?? undefined;
}

/** The ABI's argument names are the names of the details. */
function asProtocolError({ name, fragment, args }: ErrorDescription, cause: unknown): Error {
  const values = fragment.inputs.map((input, i): [string, unknown] => {
    const value: unknown = args[i];
    return [input.name, input.type === "address" ? String(value).toLowerCase() : value];
  });
  const code = name as ErrorCode;
  return protocolError(code, Object.fromEntries(values) as ErrorDetails<typeof code>, cause);
}

/** Nodes and libraries put the revert data in different places. */
function revertDataOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { data, error: inner, info, cause } = error as Record<string, unknown>;
  if (typeof data === "string" && data.startsWith("0x")) return data;
  for (const next of [data, inner, info, cause]) {
    const found = revertDataOf(next);
    if (found !== undefined) return found;
  }
  return undefined;
}
