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

/** JSON-RPC codes that say "executed, and reverted": geth and those after it, and Parity's line. */
const REVERT_CODES: readonly unknown[] = [3, -32015];

/**
 * Whether the node executed the call and the contract refused, rather than the node or the way to it. By the revert data
 * or the node's code, never by words (H-9): ethers says `CALL_EXCEPTION` also where a node was merely too busy to answer.
 */
export function isRevert(error: unknown): boolean {
  return revertDataOf(error) !== undefined || chainOf(error).some(({ code }) => REVERT_CODES.includes(code));
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
  return chainOf(error)
    .map(({ data }) => data)
    .find((data): data is string => typeof data === "string" && data.startsWith("0x"));
}

/** Deep enough for any library, and an end for an error that is its own cause. */
const MAX_DEPTH = 8;

/** An error and what it wraps, outside in. */
function chainOf(error: unknown, depth = 0): readonly Readonly<Record<string, unknown>>[] {
  if (typeof error !== "object" || error === null || depth === MAX_DEPTH) return [];
  const { data, error: inner, info, cause } = error as Record<string, unknown>;
  return [error as Record<string, unknown>, ...[data, inner, info, cause].flatMap((next) => chainOf(next, depth + 1))];
}
