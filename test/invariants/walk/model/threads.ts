import { keccak256 } from "ethers";
import {
  ZERO_ADDRESS,
  ZERO_HASH,
  digestOf,
  hashThreadPayment,
  verifyProof,
  type Hash,
  type Hex,
  type Thread,
} from "../../../../protocol";
import type { Refusal } from "../calls";
import { threadHashOf } from "../signatures";
import { askApp } from "./apps";
import type { ThreadRecord } from "./books";
import { broken, type Model, type Rules } from "./model";
import {
  brokenByRaise,
  brokenBySum,
  brokenByUpdate,
  brokenIfClosed,
  brokenIfFinal,
  isFinalRecord,
  openRecord,
  sumOf,
  superseded,
} from "./thread-evidence";

type Threads = Pick<
  Rules,
  | "challengeThread"
  | "challengeThreadWithPayment"
  | "challengeThreadWithUpdate"
  | "resolveThread"
  | "resolveThreadWithUpdate"
  | "settleThread"
>;

export const threads: Threads = {
  challengeThread: (model, { signed }) => {
    const { hash, isOpen, record, reasons } = openRecord(model, signed);
    const all = [...broken(isOpen, "ThreadAlreadyOpen", hash), ...reasons];
    return all.length > 0 ? all : store(model, "ThreadChallenged", hash, signed.thread, record);
  },

  challengeThreadWithPayment: (model, { signed, balanceReceiver, sigPayment }) => {
    const { thread } = signed;
    const { hash, record, reasons } = openRecord(model, signed);
    const digest = digestOf(model.world.domain, hashThreadPayment({ threadHash: hash, balanceReceiver }));
    const isSigned = model.signatures.isValid(sigPayment, thread.sender, digest);
    const all = [
      ...reasons,
      ...brokenIfFinal(model, thread, record),
      ...broken(thread.updatable || thread.app !== ZERO_ADDRESS, "PaymentNotAllowed", hash),
      ...broken(!isSigned, "InvalidSignature", thread.sender),
      ...brokenByRaise(thread, record, balanceReceiver),
    ];
    return all.length > 0 ? all : store(model, "ThreadChallenged", hash, thread, { ...record, balanceReceiver });
  },

  challengeThreadWithUpdate: (model, { signed, update }) => {
    const { thread } = signed;
    const { hash, record, reasons } = openRecord(model, signed);
    const all = [
      ...reasons,
      ...brokenIfFinal(model, thread, record),
      ...broken(update.nonce <= record.nonce, "NonceNotHigher", record.nonce, update.nonce),
      ...brokenByUpdate(model, hash, thread, update),
      ...brokenIfClosed(model, hash, thread, record),
    ];
    return all.length > 0 ? all : store(model, "ThreadChallenged", hash, thread, superseded(record, update));
  },

  resolveThread: (model, { signed, appState, resolver }) => {
    const { record, reasons } = openRecord(model, signed);
    const all = [
      ...reasons,
      ...brokenIfFinal(model, signed.thread, record),
      ...broken(record.nonce !== 0n, "NonceNotHigher", record.nonce, 0n),
    ];
    const { thread } = signed;
    return resolve(model, { thread, record, appStateHash: thread.appStateHash, appState, resolver }, all);
  },

  resolveThreadWithUpdate: (model, { signed, update, appState, resolver }) => {
    const { thread } = signed;
    const { hash, record: old, reasons } = openRecord(model, signed);
    const isNewer = update.nonce > old.nonce;
    const record = isNewer ? superseded(old, update) : old;
    const all = [
      ...reasons,
      ...brokenIfFinal(model, thread, old),
      ...broken(update.nonce < old.nonce, "NonceNotHigher", old.nonce, update.nonce),
      ...brokenByUpdate(model, hash, thread, update),
      ...brokenIfFinal(model, thread, record),
      ...(isNewer ? brokenIfClosed(model, hash, thread, old) : []),
    ];
    return resolve(model, { thread, record, appStateHash: update.appStateHash, appState, resolver }, all);
  },

  settleThread: (model, { user, session, thread, proof }) => {
    const { asset } = thread;
    const hash = threadHashOf(thread);
    const record = model.books.record.get(hash);
    const root = model.books.root.get(user, session);
    const locked = model.books.locked.get(user, session, asset);
    const sum = sumOf(thread);
    const isSender = user === thread.sender;
    const isPaid = isSender ? record.senderPaid : user === thread.receiver && record.receiverPaid;
    const isFinal = record.deadline !== 0n && isFinalRecord(model, thread, record);
    const all = [
      ...broken(root === ZERO_HASH || !verifyProof(root, hash, proof), "ThreadNotInRoot", hash, root),
      ...broken(!isFinal, "ThreadNotFinal", hash, record.deadline),
      ...broken(!isSender && user !== thread.receiver, "NotThreadParty", user),
      ...broken(isPaid, "LegAlreadyPaid", hash, user),
      ...broken(locked < sum, "LockedTooLow", asset, locked, sum),
    ];
    if (all.length > 0) return all;
    const amountUser = isSender ? sum - record.balanceReceiver : record.balanceReceiver;
    model.books.record.set({ ...record, [isSender ? "senderPaid" : "receiverPaid"]: true }, hash);
    model.books.locked.set(locked - sum, user, session, asset);
    model.addReserve(asset, sum - amountUser);
    model.log("ThreadSettled", hash, user, asset, session, amountUser, sum - amountUser);
    model.payOut(user, user, asset, amountUser);
    return [];
  },
};

interface Question {
  readonly thread: Thread;
  readonly record: ThreadRecord;
  readonly appStateHash: Hash;
  readonly appState: Hex;
  readonly resolver: Hex;
}

function resolve(model: Model, question: Question, reasons: readonly Refusal[]): readonly Refusal[] {
  const { thread, record, appStateHash, appState } = question;
  const hash = threadHashOf(thread);
  const given = keccak256(appState);
  const all = [
    ...reasons,
    ...broken(thread.app === ZERO_ADDRESS, "ThreadHasNoApp", hash),
    ...broken(given !== appStateHash, "AppStateMismatch", appStateHash, given),
    ...broken(thread.updatable && record.resolved, "AlreadyResolved", hash, record.nonce),
    ...brokenByAnswer(model, question),
  ];
  if (all.length > 0) return all;
  const balanceReceiver = askApp(model, thread, appState, question.resolver)!;
  return store(
    model,
    "ThreadResolved",
    hash,
    thread,
    { ...record, balanceReceiver, resolved: true },
    question.resolver,
  );
}

function brokenByAnswer(model: Model, { thread, record, appState, resolver }: Question): readonly Refusal[] {
  const answer = askApp(model, thread, appState, resolver);
  if (answer === undefined) return broken(true, "AppFailed", thread.app);
  return thread.updatable ? brokenBySum(thread, answer) : brokenByRaise(thread, record, answer);
}

function store(
  model: Model,
  event: string,
  hash: Hash,
  thread: Thread,
  record: ThreadRecord,
  ...more: readonly Hex[]
): readonly Refusal[] {
  model.books.record.set(record, hash);
  const { nonce, balanceReceiver, deadline } = record;
  model.log(event, hash, thread.sender, thread.receiver, nonce, balanceReceiver, deadline, ...more);
  return [];
}
