import { Type, type Static } from "typebox";
import {
  formatSignedThreadPayment,
  formatSignedThreadUpdate,
  formatThreadResolution,
  formatThreadUpdate,
  hashSchema,
  hexSchema,
  parseSignedThreadPayment,
  parseSignedThreadUpdate,
  parseThreadResolution,
  parseThreadUpdate,
  protocolError,
  signatureSchema,
  signedThreadPaymentSchema,
  signedThreadUpdateSchema,
  threadResolutionSchema,
  threadUpdateSchema,
  validate,
  type Hash,
  type Hex,
  type Signature,
  type SignedThreadPayment,
  type SignedThreadUpdate,
  type ThreadResolution,
  type ThreadUpdate,
} from "../../protocol";

/** An update that its author alone has signed, with the app state that it names. */
export interface Proposal {
  readonly update: ThreadUpdate;
  readonly signature: Signature;
  readonly appState?: Hex;
}

/** What one party of a thread tells the other: evidence, or an update to agree to. */
export interface PeerMessage {
  readonly threadHash: Hash;
  readonly payment?: SignedThreadPayment;
  readonly update?: SignedThreadUpdate;
  readonly resolution?: ThreadResolution;
  readonly proposal?: Proposal;
}

const closedObject = { additionalProperties: false } as const;

const proposalSchema = Type.Object(
  { update: threadUpdateSchema, signature: signatureSchema, appState: Type.Optional(hexSchema) },
  closedObject,
);

const messageSchema = Type.Object(
  {
    threadHash: hashSchema,
    payment: Type.Optional(signedThreadPaymentSchema),
    update: Type.Optional(signedThreadUpdateSchema),
    resolution: Type.Optional(threadResolutionSchema),
    proposal: Type.Optional(proposalSchema),
  },
  closedObject,
);

export type WireProposal = Static<typeof proposalSchema>;
type WireEvidence = Omit<Static<typeof messageSchema>, "threadHash" | "proposal">;

/** @throws InvalidValue */
export function parsePeerMessage(text: string): PeerMessage {
  const { threadHash, proposal, ...evidence } = validate(messageSchema, jsonOf(text), "message");
  return {
    threadHash: threadHash.toLowerCase() as Hash,
    ...parsePeerEvidence(evidence),
    ...(proposal === undefined ? {} : { proposal: parseProposal(proposal) }),
  };
}

export function formatPeerMessage({ threadHash, proposal, ...evidence }: PeerMessage): string {
  const offer = proposal === undefined ? {} : { proposal: formatProposal(proposal) };
  return JSON.stringify({ threadHash, ...formatPeerEvidence(evidence), ...offer });
}

/** The parts of a message that prove something; as the hub's mailbox keeps them. @throws InvalidValue */
export function parsePeerEvidence(wire: WireEvidence): Omit<PeerMessage, "threadHash" | "proposal"> {
  const { payment, update, resolution } = wire;
  return {
    ...(payment === undefined ? {} : { payment: parseSignedThreadPayment(payment) }),
    ...(update === undefined ? {} : { update: parseSignedThreadUpdate(update) }),
    ...(resolution === undefined ? {} : { resolution: parseThreadResolution(resolution) }),
  };
}

export function formatPeerEvidence({
  payment,
  update,
  resolution,
}: Omit<PeerMessage, "threadHash" | "proposal">): WireEvidence {
  return {
    ...(payment === undefined ? {} : { payment: formatSignedThreadPayment(payment) }),
    ...(update === undefined ? {} : { update: formatSignedThreadUpdate(update) }),
    ...(resolution === undefined ? {} : { resolution: formatThreadResolution(resolution) }),
  };
}

/** @throws InvalidValue */
export function parseProposal({ update, signature, appState }: WireProposal): Proposal {
  return {
    update: parseThreadUpdate(update, "proposal"),
    signature: signature.toLowerCase() as Signature,
    ...(appState === undefined ? {} : { appState: appState.toLowerCase() as Hex }),
  };
}

export function formatProposal({ update, signature, appState }: Proposal): WireProposal {
  const state = appState === undefined ? {} : { appState };
  return { update: formatThreadUpdate(update), signature, ...state };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw protocolError("InvalidValue", { path: "message", expected: "JSON", given: text.slice(0, 80) }, error);
  }
}
