import type { ChannelState } from "./channel-state";
import { unsignedState } from "./channel-state";
import { channelManagerDomain, type Domain } from "./eip712/domain";
import { hashState, hashThread } from "./eip712/hash";
import { protocolError, type ProtocolError } from "./errors";
import { CodedError } from "./coded-error";
import { parseEvidence, type Evidence, type ParsedEvidence } from "./evidence";
import type { Hash } from "./hex";
import type { Ledgers } from "./ledger";
import { threadRoot } from "./merkle";
import { verifyThreadEvidence, type PureApps, type ThreadEvidence } from "./thread-evidence";
import { next } from "./update/next";
import type { SignedUpdate } from "./update/update";
import { answer, checkSignature } from "./verify-signature";
import { checkState, verifyState } from "./verify-state";
import { verifyThread } from "./verify-thread";
import type { Address } from "./address";

/** Something about evidence that its holder should know. */
export interface Finding {
  /** `error`: this part proves nothing. `note`: it holds, but there is more to know. */
  readonly level: "error" | "note";
  /** Which part: `doubleSigned`, `hubSigned.0`, `threads.2`. */
  readonly part: string;
  /** Of docs/errors.md for errors. */
  readonly code: string;
  readonly message: string;
}

/** What the chain says about the channel, as one block has it. */
export interface EvidenceChainView {
  readonly chainId: bigint;
  readonly hub: Address;
  readonly session: bigint;
  /** Counters of that session. */
  readonly ledgers: Ledgers;
  /** Of a running exit; 0 without one. */
  readonly exitNonce: bigint;
  /** Unix seconds; 0 while open. */
  readonly exitDeadline: bigint;
}

export interface EvidenceContext {
  /** The prebuilt apps of the chain, whose resolutions can be checked. */
  readonly apps?: PureApps;
  readonly challengePeriodSeconds?: bigint;
  /** Without it, backing, freshness and session cannot be checked. */
  readonly chain?: EvidenceChainView;
}

/**
 * Everything that is wrong with evidence, or worth knowing. Without errors, the contract takes each of its parts; without a
 * chain view, as far as that can be said from the file alone: signatures, conservation, the chain of updates, and whether
 * the threads are those of the state.
 */
export function verifyEvidence(evidence: Evidence, context: EvidenceContext = {}): readonly Finding[] {
  try {
    return verifyParsed(parseEvidence(evidence), context);
  } catch (error) {
    if (error instanceof CodedError) return [errorIn("evidence", error as CodedError)];
    throw error;
  }
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === "error");
}

function verifyParsed(evidence: ParsedEvidence, context: EvidenceContext): readonly Finding[] {
  const domain = channelManagerDomain(evidence.chainId, evidence.channelManager);
  return [
    ...verifyPlace(evidence, context),
    ...verifyDoubleSigned(evidence, domain, context),
    ...verifyUpdates(evidence, domain, context),
    ...verifyThreads(evidence, domain, context),
    ...notesOn(evidence, context),
  ];
}

/** Whether it is of this chain and hub at all. */
function verifyPlace({ chainId, hub, session }: ParsedEvidence, { chain }: EvidenceContext): readonly Finding[] {
  if (chain === undefined) return [];
  const differs = (part: string, expected: unknown, given: unknown): readonly Finding[] =>
    expected === given ? [] : [errorIn(part, invalid(part, `${String(expected)}, as the chain says`, given))];
  const ofSession =
    session === chain.session
      ? []
      : [errorIn("session", protocolError("SessionMismatch", { current: chain.session, given: session }))];
  return [...differs("chainId", chain.chainId, chainId), ...differs("hub", chain.hub, hub), ...ofSession];
}

function verifyDoubleSigned(evidence: ParsedEvidence, domain: Domain, { chain }: EvidenceContext): readonly Finding[] {
  const { doubleSigned, user, session, hub } = evidence;
  if (doubleSigned === undefined) return [];
  const { state, sigHub, sigUser } = doubleSigned;
  const part = "doubleSigned";
  if (state.user !== user) return [errorIn(part, invalid("doubleSigned.state.user", user, state.user))];
  if (state.session !== session)
    return [errorIn(part, protocolError("SessionMismatch", { current: session, given: state.session }))];
  if (state.nonce === 0n) return [errorIn(part, invalid("doubleSigned.state.nonce", "above 0", 0n))];
  const ledgers = chain?.session === session ? chain.ledgers : ownLedgers(state);
  return findings(part, verifyState(state, sigHub, sigUser, { domain, hub, session, ledgers }));
}

interface Step {
  readonly part: string;
  readonly update: SignedUpdate;
}

/** Each builds on a state of this file; the last of the hub's, and every one with a signature, is signed. */
function verifyUpdates(evidence: ParsedEvidence, domain: Domain, context: EvidenceContext): readonly Finding[] {
  const base = baseOf(evidence);
  const known = new Map<Hash, ChannelState>([[hashState(base), base]]);
  const hubs = evidence.hubSigned.map((update, i): Step => ({ part: `hubSigned.${i}`, update }));
  const users = evidence.userSigned.map((update, i): Step => ({ part: `userSigned.${i}`, update }));
  const verify = (step: Step, signer: "hub" | "user", isSigned: boolean): readonly Finding[] =>
    findings(
      step.part,
      answer(() => verifyStep(step, known, { evidence, domain, context, signer, isSigned })),
    );
  return [
    ...hubs.flatMap((step, i) => verify(step, "hub", i === hubs.length - 1)),
    ...users.flatMap((step) => verify(step, "user", true)),
  ];
}

interface StepContext {
  readonly evidence: ParsedEvidence;
  readonly domain: Domain;
  readonly context: EvidenceContext;
  readonly signer: "hub" | "user";
  readonly isSigned: boolean;
}

function verifyStep(
  { part, update }: Step,
  known: Map<Hash, ChannelState>,
  { evidence, domain, context, signer, isSigned }: StepContext,
): ProtocolError | undefined {
  const { hub, user, session } = evidence;
  const previous = known.get(update.previous);
  if (previous === undefined) return invalid(`${part}.previous`, "the hash of a state in this file", update.previous);
  if (update.reason === "Settled") return invalid(`${part}.reason`, "an update that a side signs", update.reason);
  if (update.nonce <= previous.nonce)
    return protocolError("NonceNotHigher", { standing: previous.nonce, given: update.nonce });
  const state = next(previous, update);
  known.set(hashState(state), state);
  const signatures = [
    [hub, update.sigHub, signer === "hub" && isSigned],
    [user, update.sigUser, signer === "user"],
  ] as const;
  for (const [party, signature, isNeeded] of signatures) {
    if (signature === undefined && !isNeeded) continue;
    const wrong = checkSignature(party, hashState(state), signature ?? "0x", domain);
    if (wrong !== undefined) return wrong;
  }
  return (
    checkState(state, { domain, hub, session, ledgers: ownLedgers(state) }) ?? verifyTerms(update, domain, context)
  );
}

/** The state holds the terms, but not the signatures under them. */
function verifyTerms(update: SignedUpdate, domain: Domain, context: EvidenceContext): ProtocolError | undefined {
  if (update.reason !== "OpenThread") return undefined;
  const { thread, sigSender, sigReceiver } = update.args;
  return verifyThread(thread, sigSender, sigReceiver, { domain, challengePeriodSeconds: periodOf(context) });
}

function verifyThreads(evidence: ParsedEvidence, domain: Domain, context: EvidenceContext): readonly Finding[] {
  const { threads, user } = evidence;
  const { threadRoot: root } = baseOf(evidence);
  const challengePeriodSeconds = periodOf(context);
  const hashes = threads.map(({ thread }) => hashThread(thread));
  const actual = answerOf(() => threadRoot(hashes));
  return [
    ...threads.flatMap((each, i) => [
      ...findings(
        `threads.${i}`,
        verifyThreadEvidence(each, { domain, challengePeriodSeconds, apps: context.apps ?? {} }),
      ),
      ...findings(`threads.${i}`, verifyPlaceOf(each, user)),
    ]),
    ...(actual === root ? [] : [errorIn("threads", protocolError("ThreadRootMismatch", { threadRoot: root }))]),
  ];
}

/** What the contract would only see later: whose thread it is, and which update a resolution answers. */
function verifyPlaceOf({ thread, update, resolution }: ThreadEvidence, user: Address): ProtocolError | undefined {
  if (thread.sender !== user && thread.receiver !== user) return protocolError("NotThreadParty", { user });
  const expected = update?.update.nonce ?? 0n;
  if (resolution === undefined || resolution.nonce === expected) return undefined;
  return invalid("resolution.nonce", expected.toString(), resolution.nonce);
}

function notesOn(evidence: ParsedEvidence, { chain, apps = {} }: EvidenceContext): readonly Finding[] {
  const { doubleSigned, hubSigned, userSigned, threads } = evidence;
  const nonce = doubleSigned?.state.nonce ?? 0n;
  const unchecked = threads.filter(
    ({ thread, resolution }) => resolution !== undefined && thread.app !== apps.hashlock && thread.app !== apps.signed,
  );
  const standing = chain?.exitNonce ?? 0n;
  const isExiting = chain !== undefined && chain.exitDeadline !== 0n;
  return [
    note(
      doubleSigned === undefined,
      "doubleSigned",
      "NothingSigned",
      "no state is signed by both: only the unsigned zero state can be used",
    ),
    note(
      hubSigned.length > 0,
      "hubSigned",
      "Completable",
      "the hub has signed more than both have: the user's signature completes it",
    ),
    note(
      userSigned.length > 0,
      "userSigned",
      "AtTheHub",
      "the user has signed more than both have: the hub may complete it",
    ),
    note(
      chain === undefined,
      "evidence",
      "ChainNotAsked",
      "backing, freshness and session were not checked: no chain was asked",
    ),
    note(
      isExiting && nonce > standing,
      "doubleSigned",
      "NewerThanExit",
      `the running exit stands at nonce ${standing}: this state, ${nonce}, beats it`,
    ),
    note(
      isExiting && nonce < standing,
      "doubleSigned",
      "OlderThanExit",
      `the running exit stands at nonce ${standing}, above this state, ${nonce}`,
    ),
    note(unchecked.length > 0, "threads", "ResolverNotChecked", "what an app says to a resolver, only the chain knows"),
  ].flat();
}

function note(isSo: boolean, part: string, code: string, message: string): readonly Finding[] {
  return isSo ? [{ level: "note", part, code, message }] : [];
}

/** The state that everything else builds on. */
export function baseOf({
  doubleSigned,
  user,
  session,
}: Pick<ParsedEvidence, "doubleSigned" | "user" | "session">): ChannelState {
  return doubleSigned?.state ?? unsignedState(user, session, []);
}

/** Counters as the state itself accounts for them: with these, every check but backing and freshness is left. */
function ownLedgers({ assets }: ChannelState): Ledgers {
  return new Map(
    assets.map(({ asset, depositedHub, depositedUser, withdrawnHub, withdrawnUser }) => [
      asset,
      { depositedHub, depositedUser, withdrawnHub, withdrawnUser },
    ]),
  );
}

function periodOf({ challengePeriodSeconds }: EvidenceContext): bigint {
  return challengePeriodSeconds ?? 0n;
}

function invalid(path: string, expected: string, given: unknown): ProtocolError {
  return protocolError("InvalidValue", { path, expected, given });
}

function findings(part: string, error: ProtocolError | undefined): readonly Finding[] {
  return error === undefined ? [] : [errorIn(part, error)];
}

function errorIn(part: string, { code, message }: CodedError): Finding {
  return { level: "error", part, code, message };
}

/** The value, or nothing where there is none. */
function answerOf<Value>(compute: () => Value): Value | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}
