import type { Address } from "./address";
import type { Domain } from "./eip712/domain";
import { digestOf } from "./eip712/hash";
import { isProtocolError, protocolError, type ProtocolError } from "./errors";
import type { Hash } from "./hex";
import { recoverAddress, type Signature } from "./signature";

/**
 * Whether `expected` signed the statement of this struct hash in this domain. The only place that knows what a party's
 * signature is, as `_requireSigner` is in the contract.
 * @returns InvalidSignature, with MalformedSignature as cause where nothing could be recovered; or nothing.
 */
export function checkSignature(
  expected: Address,
  structHash: Hash,
  signature: Signature,
  domain: Domain,
): ProtocolError | undefined {
  try {
    const recovered = recoverAddress(digestOf(domain, structHash), signature);
    return recovered === expected ? undefined : protocolError("InvalidSignature", { expected, recovered });
  } catch (cause) {
    if (!isProtocolError(cause, "MalformedSignature")) throw cause;
    return protocolError("InvalidSignature", { expected }, cause);
  }
}

/** Runs a check; a value that does not fit its type is an answer like any other. Everything else is a bug and passes. */
export function answer(check: () => ProtocolError | undefined): ProtocolError | undefined {
  try {
    return check();
  } catch (error) {
    if (isProtocolError(error)) return error;
    throw error;
  }
}
