import { isUtf8 } from "node:buffer";
import { hubError } from "../../protocol";

/**
 * Reads JSON from outside: UTF-8, and without the keys that would reach an object's prototype in careless hands.
 * @throws MalformedRequest
 */
export function parseJson(given: string | Buffer): unknown {
  if (typeof given !== "string" && !isUtf8(given)) throw malformed("it is not UTF-8");
  const text = given.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed("it is not JSON", error);
  }
  // An escaped key is the same key; texts with neither, nearly all, are not looked through.
  if ((text.includes("__proto__") || text.includes("\\u")) && hasPrototypeKey(value)) {
    throw malformed("it has a key __proto__");
  }
  return value;
}

/** By a list of what is still to look at: depth is the sender's choice, and the stack is not. */
function hasPrototypeKey(value: unknown): boolean {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const each = open.pop();
    if (typeof each !== "object" || each === null) continue;
    if (Object.hasOwn(each, "__proto__")) return true;
    for (const inner of Object.values(each)) open.push(inner);
  }
  return false;
}

function malformed(reason: string, cause?: unknown): Error {
  return hubError("MalformedRequest", { reason }, cause);
}
