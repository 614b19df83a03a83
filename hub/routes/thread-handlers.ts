import {
  hubError,
  parseHash,
  parseSignedThreadPayment,
  parseSignedThreadUpdate,
  parseThread,
  parseThreadResolution,
  parseAddress,
  parseUpdate,
  type Address,
  type Hash,
  type Signature,
  type WireThreadNote,
} from "../../protocol";
import type { Services } from "../services/services";
import { wireThread } from "../services/threads/view";
import type { ThreadNote } from "../store/thread-store";
import type { Caller, Handlers } from "./handlers";

type ThreadOperation =
  | "proposeThread"
  | "acceptThread"
  | "declineThread"
  | "openThread"
  | "showThreadEvidence"
  | "proposeThreadUpdate"
  | "requestThreadClose"
  | "closeThread"
  | "getThread"
  | "listThreads";

const DEFAULT_ROWS = 50;

/** Threads. The caller is the party that signed in; the service refuses whoever is none. */
export function threadHandlers({ threads }: Services): Pick<Handlers, ThreadOperation> {
  return {
    proposeThread: async ({ body }, caller) => {
      const thread = parseThread(body.thread, "body.thread");
      return { thread: wireThread(await threads.propose(partyOf(caller), thread, lower(body.sigSender))) };
    },
    acceptThread: async ({ params, body }, caller) => {
      return { thread: wireThread(await threads.accept(partyOf(caller), hashOf(params), lower(body.sigReceiver))) };
    },
    declineThread: async ({ params }, caller) => {
      return { thread: wireThread(await threads.decline(partyOf(caller), hashOf(params))) };
    },
    openThread: ({ params, body }, caller) =>
      threads.open(partyOf(caller), hashOf(params), parseUpdate(body.update, "body.update")),
    showThreadEvidence: async ({ params, body }, caller) => {
      return { thread: wireThread(await threads.show(partyOf(caller), hashOf(params), evidenceIn(body))) };
    },
    proposeThreadUpdate: async ({ params, body }, caller) => {
      return { thread: wireThread(await threads.pass(partyOf(caller), hashOf(params), body)) };
    },
    requestThreadClose: async ({ params }, caller) => {
      return { thread: wireThread(await threads.requestClose(partyOf(caller), hashOf(params))) };
    },
    closeThread: ({ params, body }, caller) =>
      threads.close(
        partyOf(caller),
        hashOf(params),
        parseUpdate(body.update, "body.update"),
        evidenceIn(body.evidence ?? {}),
      ),
    getThread: async ({ params }, caller) => {
      return { thread: wireThread(await threads.find(hashOf(params), partyOf(caller))) };
    },
    listThreads: async ({ params, query }) => {
      const rows = await threads.list(parseAddress(params.user, "params.user"), query.limit ?? DEFAULT_ROWS);
      return { threads: rows.map(wireThread) };
    },
  };
}

/** The adapter lets nobody without a session through to these. */
function partyOf({ address }: Caller): Address {
  if (address === undefined) throw hubError("NotSignedIn", {});
  return address;
}

function hashOf({ hash }: { readonly hash: string }): Hash {
  return parseHash(hash, "params.hash");
}

function lower(signature: string): Signature {
  return signature.toLowerCase() as Signature;
}

function evidenceIn({ payment, update, resolution }: WireThreadNote): ThreadNote {
  return {
    ...(payment === undefined ? {} : { payment: parseSignedThreadPayment(payment, "body.payment") }),
    ...(update === undefined ? {} : { update: parseSignedThreadUpdate(update, "body.update") }),
    ...(resolution === undefined ? {} : { resolution: parseThreadResolution(resolution) }),
  };
}
