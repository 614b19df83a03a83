import { Type, type Static } from "typebox";
import { parseAddress, type Address } from "./address";
import { closed } from "./api/closed";
import { parseUpdate } from "./api/convert";
import { signedStateSchema, signedUpdateSchema } from "./api/schemas";
import { validate } from "./api/validate";
import type { ChannelState } from "./channel-state";
import { protocolError } from "./errors";
import type { Signature } from "./signature";
import { MAX_THREADS } from "./thread";
import { parseThreadEvidence, threadEvidenceSchema, type ThreadEvidence } from "./thread-evidence";
import { UINT64_MAX } from "./uint";
import type { SignedUpdate } from "./update/update";
import { parseUint } from "./wire/parse";
import { addressSchema, uint64Schema } from "./wire/schemas";
import { parseState } from "./wire/statements";

/**
 * Everything that proves a channel to the contract, in one file that needs nothing else. Published as
 * `docs/evidence.schema.json`; amounts are decimal strings of base units.
 */
export const evidenceSchema = closed(
  {
    kind: Type.Literal("channel-evidence"),
    version: Type.Literal(1),
    chainId: Type.Integer({ minimum: 1 }),
    channelManager: addressSchema,
    hub: addressSchema,
    user: addressSchema,
    session: uint64Schema,
    /** The newest state that both signed: what an exit or a challenge uses. */
    doubleSigned: Type.Optional(signedStateSchema),
    /** What the hub signed on top, one built on another: the user can complete the last at any time. */
    hubSigned: Type.Array(signedUpdateSchema),
    /** What the user signed on top: the hub could complete it. */
    userSigned: Type.Array(signedUpdateSchema),
    /** Of the threads that are open in `doubleSigned`. */
    threads: Type.Array(threadEvidenceSchema, { maxItems: MAX_THREADS }),
  },
  "evidence of a payment channel: states and threads with the signatures that prove them to the ChannelManager",
);

export type Evidence = Static<typeof evidenceSchema>;

/** Both sides' names under a state. */
export interface SignedState {
  readonly state: ChannelState;
  readonly sigHub: Signature;
  readonly sigUser: Signature;
}

/** Evidence in the toolkit's own types. */
export interface ParsedEvidence {
  readonly chainId: bigint;
  readonly channelManager: Address;
  readonly hub: Address;
  readonly user: Address;
  readonly session: bigint;
  readonly doubleSigned?: SignedState;
  readonly hubSigned: readonly SignedUpdate[];
  readonly userSigned: readonly SignedUpdate[];
  readonly threads: readonly ThreadEvidence[];
}

/** From a file's text. @throws InvalidValue for what is no JSON or not of the published form */
export function readEvidence(text: string): Evidence {
  return validate(evidenceSchema, jsonOf(text), "evidence");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw protocolError(
      "InvalidValue",
      { path: "evidence", expected: "a JSON document", given: text.slice(0, 40) },
      error,
    );
  }
}

/** From what the schema accepts. @throws InvalidValue for ranges and checksums */
export function parseEvidence(evidence: Evidence): ParsedEvidence {
  const { doubleSigned, hubSigned, userSigned, threads } = evidence;
  return {
    chainId: BigInt(evidence.chainId),
    channelManager: parseAddress(evidence.channelManager, "evidence.channelManager"),
    hub: parseAddress(evidence.hub, "evidence.hub"),
    user: parseAddress(evidence.user, "evidence.user"),
    session: parseUint(evidence.session, UINT64_MAX, "evidence.session"),
    ...(doubleSigned === undefined ? {} : { doubleSigned: parseSignedState(doubleSigned) }),
    hubSigned: hubSigned.map((update, i) => parseUpdate(update, `evidence.hubSigned.${i}`)),
    userSigned: userSigned.map((update, i) => parseUpdate(update, `evidence.userSigned.${i}`)),
    threads: threads.map((thread, i) => parseThreadEvidence(thread, `evidence.threads.${i}`)),
  };
}

function parseSignedState({ state, sigHub, sigUser }: NonNullable<Evidence["doubleSigned"]>): SignedState {
  const lower = (signature: string): Signature => signature.toLowerCase() as Signature;
  return { state: parseState(state, "evidence.doubleSigned.state"), sigHub: lower(sigHub), sigUser: lower(sigUser) };
}
