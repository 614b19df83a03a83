import { Interface, type ErrorDescription } from "ethers";
import { ChannelManager__factory } from "../../typechain-types";
import { CodedError } from "../coded-error";
import { ERRORS, protocolError, type ErrorCode, type ErrorDetails } from "../errors";

/** OpenZeppelin's token errors, which most tokens revert with. */
const TOKEN_ERRORS = new Interface([
  "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
  "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
]);

const SELECTOR_LENGTH = "0x12345678".length;

/** What a failed call or transaction said, in words: a named error, or the library's message. */
export interface Refusal {
  /** The error that the contract named, with its values; undefined for failures that have no name of ours. */
  readonly error: CodedError | undefined;
  readonly reason: string;
}

/** Turns whatever a failed call or transaction threw into what the contract said. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof CodedError) return { error, reason: error.message };
  const named = parseRevert(revertDataOf(error) ?? "0x");
  if (named !== undefined && named.name in ERRORS) {
    const coded = asProtocolError(named, error);
    return { error: coded, reason: coded.message };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    error: undefined,
    reason: named === undefined ? message : `${named.name}(${named.args.map(String).join(", ")})`,
  };
}

/** Whether the node executed the call and the contract refused, rather than the node or the way to it. */
export function isRevert(error: unknown): boolean {
  if (revertDataOf(error) !== undefined) return true;
  return typeof error === "object" && error !== null && "code" in error && error.code === "CALL_EXCEPTION";
}

function parseRevert(data: string): ErrorDescription | undefined {
  if (data.length < SELECTOR_LENGTH) return undefined;
  return ChannelManager__factory.createInterface().parseError(data) ?? TOKEN_ERRORS.parseError(data) ?? undefined;
}

/** The ABI's argument names are the names of the details. */
function asProtocolError({ name, fragment, args }: ErrorDescription, cause: unknown): CodedError {
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
