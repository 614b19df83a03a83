import {
  checkThread,
  type Address,
  type Domain,
  type ProtocolError,
  type PureApps,
  type Thread,
  type ThreadEvidenceContext,
} from "../../protocol";
import type { ChainClient } from "../chain";
import type { Events } from "../engine/events";
import type { HubConnection } from "../hub-connection";
import type { Schedule } from "../schedule";
import type { ClientSigner } from "../signer";
import type { ClientStore } from "../store";
import { Intake } from "./intake";
import { Judge } from "./judge";
import { Outbox, type Mailbox } from "./outbox";
import { formatPeerEvidence, formatProposal } from "./peer-message";
import { Resolutions } from "./resolutions";
import { Streaming, type ThreadParts } from "./streaming";
import { ThreadBook } from "./thread-book";
import { ThreadChain } from "./thread-chain";
import { Turns } from "./turns";
import type { UpdatePolicy } from "./update-rules";
import { Updates } from "./updates";

export interface WorksDeps {
  readonly store: ClientStore;
  readonly signer: ClientSigner;
  readonly domain: Domain;
  readonly events: Events;
  readonly hub: Pick<HubConnection, "call">;
  readonly chain: ChainClient;
  readonly apps: PureApps;
  readonly challengePeriodSeconds: bigint;
  readonly policy: UpdatePolicy;
  readonly schedule: Schedule;
  readonly answerMs: number;
  readonly log: (line: string) => void;
}

/** Everything about threads that needs no channel: the book, what is signed on threads, and what the contract says. */
export interface ThreadWorks extends ThreadParts {
  readonly user: Address;
  readonly streaming: Streaming;
  readonly updates: Updates;
  readonly resolutions: Resolutions;
  readonly intake: Intake;
  readonly judge: Judge;
  readonly chain: ThreadChain;
  readonly context: ThreadEvidenceContext;
  /** What is wrong with terms. */
  check(thread: Thread): ProtocolError | undefined;
}

export async function openThreadWorks(deps: WorksDeps): Promise<ThreadWorks> {
  const { store, signer, domain, events, hub, apps, challengePeriodSeconds, log } = deps;
  const user = signer.address;
  const book = await ThreadBook.open(store, domain.verifyingContract, user);
  const parts = { book, signer, domain, events, turns: new Turns<never>(), outbox: new Outbox(mailboxOf(hub)) };
  const chain = new ThreadChain(deps.chain);
  const context = { domain, challengePeriodSeconds, apps };
  const streaming = new Streaming(parts);
  const { policy, schedule, answerMs } = deps;
  const updates = new Updates({ ...parts, policy, schedule, answerMs, log });
  const resolutions = new Resolutions({ ...parts, apps, chain });
  const intake = new Intake({ ...parts, streaming, updates, resolutions, context, log });
  const judge = new Judge({ book, intake, hub, chain, user, log });
  const check = (thread: Thread): ProtocolError | undefined => checkThread(thread, context);
  return { ...parts, user, streaming, updates, resolutions, intake, judge, chain, context, check };
}

/** The hub keeps the newest evidence of each kind, and passes proposals on. */
function mailboxOf(hub: Pick<HubConnection, "call">): Mailbox {
  return {
    post: async ({ threadHash: hash, proposal, ...evidence }) => {
      const body = formatPeerEvidence(evidence);
      if (Object.keys(body).length > 0) await hub.call("showThreadEvidence", { params: { hash }, body });
      if (proposal === undefined) return;
      await hub.call("proposeThreadUpdate", { params: { hash }, body: formatProposal(proposal) });
    },
  };
}
