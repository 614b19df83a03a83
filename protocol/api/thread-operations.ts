import { Type, type Static } from "typebox";
import {
  addressSchema,
  hashSchema,
  signatureSchema,
  threadSchema,
  threadUpdateSchema,
  uint128Schema,
  uint64Schema,
} from "../wire/schemas";
import {
  hexSchema,
  signedThreadPaymentSchema,
  signedThreadUpdateSchema,
  threadResolutionSchema,
} from "../thread-evidence";
import { closed } from "./closed";
import { oneOf, signedUpdateSchema, syncSchema } from "./schemas";

const LEGS = ["none", "open", "closed", "settled"] as const;

export const threadStatusSchema = oneOf(
  ["proposed", "accepted", "open", "receiverClosed", "closed", "void"] as const,
  "proposed: signed by the sender; accepted: by both; open: in both channels; receiverClosed: the sender's leg closes " +
    "next; closed: in neither; void: never opened, and never will be",
);

const evidenceFields = {
  payment: Type.Optional(signedThreadPaymentSchema),
  update: Type.Optional(signedThreadUpdateSchema),
  resolution: Type.Optional(threadResolutionSchema),
};

export const threadNoteSchema = closed(evidenceFields, "newer evidence of one kind or another");

export type WireThreadNote = Static<typeof threadNoteSchema>;

/** A thread as the hub knows it. */
export const threadViewSchema = closed({
  hash: hashSchema,
  thread: threadSchema,
  sigSender: signatureSchema,
  sigReceiver: Type.Optional(signatureSchema),
  status: threadStatusSchema,
  senderLeg: oneOf(LEGS),
  receiverLeg: oneOf(LEGS),
  ...evidenceFields,
  /** Its adjudication on chain, as last seen. */
  record: Type.Optional(
    closed({ balanceReceiver: uint128Schema, nonce: uint64Schema, deadline: uint64Schema, resolved: Type.Boolean() }),
  ),
  /** What the receiver got by the closing. */
  outcome: Type.Optional(uint128Schema),
  createdAtMs: Type.Integer(),
});

export type WireThread = Static<typeof threadViewSchema>;

/** An update that one party has signed, on its way to the other. The hub passes it on and keeps nothing of it. */
export const threadProposalSchema = closed({
  update: threadUpdateSchema,
  signature: signatureSchema,
  appState: Type.Optional(hexSchema),
});

export type WireThreadProposal = Static<typeof threadProposalSchema>;

/** What a party is told of a thread. `wants`: the other party waits for this one's leg. */
export const threadEventSchema = closed({
  kind: Type.Literal("thread"),
  thread: threadViewSchema,
  wants: Type.Optional(oneOf(["open", "close"] as const)),
  proposal: Type.Optional(threadProposalSchema),
});

const hashParams = closed({ hash: hashSchema });
const answer = closed({ thread: threadViewSchema });

/** Threads between two users of one hub. Source: docs/protocol.md "Threads". */
export const THREAD_OPERATIONS = {
  proposeThread: {
    method: "POST",
    path: "/thread/propose",
    access: "signedIn",
    summary: "The sender offers terms that it has signed; the receiver is told. Binds nobody yet",
    body: closed({ thread: threadSchema, sigSender: signatureSchema }),
    response: answer,
  },
  acceptThread: {
    method: "POST",
    path: "/thread/:hash/accept",
    access: "signedIn",
    summary: "The receiver signs the terms; the sender is told. Binds nobody before a channel has the leaf",
    params: hashParams,
    body: closed({ sigReceiver: signatureSchema }),
    response: answer,
  },
  declineThread: {
    method: "POST",
    path: "/thread/:hash/decline",
    access: "signedIn",
    summary: "Either party gives up a thread that was not opened, for ever",
    params: hashParams,
    response: answer,
  },
  openThread: {
    method: "POST",
    path: "/thread/:hash/open",
    access: "signedIn",
    summary: "A party's signed OpenThread; answered once the other's is here and both channels have the leaf",
    params: hashParams,
    body: closed({ update: signedUpdateSchema }),
    response: syncSchema,
  },
  showThreadEvidence: {
    method: "POST",
    path: "/thread/:hash/evidence",
    access: "signedIn",
    summary: "A newer payment, update or resolution, for the other party and for the hub to defend the thread with",
    params: hashParams,
    body: threadNoteSchema,
    response: answer,
  },
  proposeThreadUpdate: {
    method: "POST",
    path: "/thread/:hash/proposal",
    access: "signedIn",
    summary: "An update that one party has signed, passed on to the other",
    params: hashParams,
    body: threadProposalSchema,
    response: answer,
  },
  requestThreadClose: {
    method: "POST",
    path: "/thread/:hash/close-request",
    access: "signedIn",
    summary: "Asks the other party to close its leg",
    params: hashParams,
    response: answer,
  },
  closeThread: {
    method: "POST",
    path: "/thread/:hash/close",
    access: "signedIn",
    summary:
      "A party's signed CloseThread: the receiver's on evidence; of an updatable thread answered once both are here",
    params: hashParams,
    body: closed({ update: signedUpdateSchema, evidence: Type.Optional(threadNoteSchema) }),
    response: syncSchema,
  },
  getThread: {
    method: "GET",
    path: "/thread/:hash",
    access: "signedIn",
    summary: "A thread, for its two parties",
    params: hashParams,
    response: answer,
  },
  listThreads: {
    method: "GET",
    path: "/thread/list/:user",
    access: "owner",
    summary: "Threads of the user, newest first",
    params: closed({ user: addressSchema }),
    query: closed({
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: "rows, default 50" })),
    }),
    response: closed({ threads: Type.Array(threadViewSchema) }),
  },
} as const;
