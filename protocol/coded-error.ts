/**
 * The one error class of the toolkit. Everything that can go wrong in an expected way is one of these, so that the
 * command line, the API and the pages say the same words for the same failure.
 */
export class CodedError<Code extends string = string, Details extends object = object> extends Error {
  override readonly name = "CodedError";
  /** Stable, for programs. Listed with why and what to do in `docs/errors.md`. */
  readonly code: Code;
  /** The values the message speaks of; amounts are `bigint`. Never a secret. */
  readonly details: Details;

  constructor(code: Code, message: string, details: Details, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}
