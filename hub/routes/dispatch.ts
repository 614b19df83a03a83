import { randomUUID } from "node:crypto";
import {
  hubError,
  OPERATIONS,
  statusOf,
  toWire,
  validate,
  type Operation,
  type OperationName,
  type WireError,
} from "../../protocol";
import { CodedError } from "../../protocol/coded-error";
import type { Log } from "../log";
import type { Caller, Handlers } from "./handlers";

/** What an operation is given, from wherever it came; not looked at yet. */
export interface RawInput {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
}

/** Runs operations for HTTP and for the socket alike: form, then access, then the handler. */
export type Dispatch = (name: OperationName, raw: RawInput, caller: Caller) => Promise<unknown>;

export function dispatcher(handlers: Handlers): Dispatch {
  return async (name, raw, caller) => {
    const operation: Operation = OPERATIONS[name];
    const params = operation.params && validate(operation.params, raw.params ?? {}, "params");
    requireAccess(operation, params, caller);
    const query = operation.query && validate(operation.query, raw.query ?? {}, "query");
    const body = operation.body && validate(operation.body, raw.body, "body");
    const handler = handlers[name] as (input: object, caller: Caller) => Promise<unknown>;
    return handler({ params, query, body }, caller);
  };
}

/** @throws NotAdmin, NotSignedIn, NotYours */
function requireAccess({ access }: Operation, params: unknown, caller: Caller): void {
  if (access === "public") return;
  if (access === "admin") {
    if (!caller.isAdmin) throw hubError("NotAdmin", {});
    return;
  }
  if (caller.address === undefined) throw hubError("NotSignedIn", {});
  if (access === "signedIn") return;
  const user = String((params as { user?: unknown }).user).toLowerCase();
  if (user !== caller.address) throw hubError("NotYours", { user });
}

export interface Answer {
  readonly status: number;
  readonly error: WireError;
}

/**
 * How an error is told to a client: its code and sentence, or, where it is ours alone, that it is, and the id under which
 * the log has everything else.
 */
export function answerFor(error: unknown, log: Log): Answer {
  const coded = codedOf(error);
  const status = coded === undefined ? undefined : statusOf(coded.code);
  if (coded !== undefined && status !== undefined) {
    return { status, error: { code: coded.code, message: coded.message, details: wireDetails(coded.details) } };
  }
  const requestId = randomUUID();
  log.error(`request ${requestId} failed`, error);
  const internal = hubError("InternalError", {});
  return { status: 500, error: { code: internal.code, message: internal.message, details: { requestId } } };
}

function codedOf(error: unknown): CodedError | undefined {
  return error instanceof CodedError ? error : undefined;
}

/** What was given comes from outside, in any size and depth: it goes back as far as it helps. */
function wireDetails(details: object): unknown {
  if (!("given" in details)) return toWire(details);
  const { given, ...rest } = details;
  return { ...(toWire(rest) as object), given: shown(given) };
}

const SHOWN_LENGTH = 200;

function shown(given: unknown): unknown {
  if (typeof given === "string") return given.slice(0, SHOWN_LENGTH);
  if (Array.isArray(given)) return `a list of ${given.length}`;
  if (typeof given === "object" && given !== null) return "an object";
  return toWire(given);
}
