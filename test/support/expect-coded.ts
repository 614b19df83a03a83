import { expect } from "chai";
import { CodedError } from "../../protocol/coded-error";

/** Expects a failure with this code; returns the error for a look at its details and its sentence. */
export async function expectCoded(run: Promise<unknown> | (() => unknown), code: string): Promise<CodedError> {
  const error = await caught(run);
  expect(error, `expected ${code}, not ${String(error)}`).to.be.instanceOf(CodedError);
  const coded = error as CodedError;
  expect(coded.code, coded.message).to.equal(code);
  expect(coded.message).to.match(/\. Why: .+\. What to do: .+\.$/s);
  return coded;
}

/** The code that something fails with; nothing if it does not. */
export async function codeOf(run: Promise<unknown>): Promise<string | undefined> {
  const error = await caught(run);
  if (error !== undefined) expect(error).to.be.instanceOf(CodedError);
  return (error as { code?: string } | undefined)?.code;
}

async function caught(run: Promise<unknown> | (() => unknown)): Promise<unknown> {
  try {
    await (typeof run === "function" ? run() : run);
  } catch (error) {
    return error;
  }
  return undefined;
}
