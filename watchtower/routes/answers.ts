import { randomUUID } from "node:crypto";
import { hubError, MAX_REQUEST_BYTES, statusOf, toWire, type WireError } from "../../protocol";
import { CodedError } from "../../protocol/coded-error";
import type { Log } from "../log";

/** How an error is told: its code and sentence, or, where it is ours alone, the id under which the log has the rest. */
export function answerFor(given: unknown, log: Log): { readonly status: number; readonly error: WireError } {
  const error = asKnown(given);
  const coded = codedOf(error);
  const status = coded === undefined ? undefined : statusOf(coded.code);
  if (coded !== undefined && status !== undefined) {
    return { status, error: { code: coded.code, message: coded.message, details: detailsOf(coded.details) } };
  }
  const requestId = randomUUID();
  log.error(`request ${requestId} failed`, error);
  const { code, message } = hubError("InternalError", {});
  return { status: 500, error: { code, message, details: { requestId } } };
}

function codedOf(error: unknown): CodedError | undefined {
  return error instanceof CodedError ? error : undefined;
}

/** What the server itself refuses is the sender's doing: no JSON, too large, a wrong content type. */
function asKnown(error: unknown): unknown {
  const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string };
  if (error instanceof CodedError || statusCode === undefined) return error;
  if (statusCode === 413) return hubError("RequestTooLarge", { limitBytes: MAX_REQUEST_BYTES });
  if (statusCode >= 400 && statusCode < 500) {
    return hubError("MalformedRequest", { reason: (message ?? code ?? "it is not HTTP").slice(0, 200) });
  }
  return error;
}

/** What was given comes from outside, in any size. */
function detailsOf(details: object): unknown {
  if (!("given" in details)) return toWire(details);
  const { given, ...rest } = details;
  const shown =
    typeof given === "string" ? given.slice(0, 200) : typeof given === "object" ? "an object" : toWire(given);
  return { ...(toWire(rest) as object), given: shown };
}
