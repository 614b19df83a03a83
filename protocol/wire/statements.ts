import type { ChannelState } from "../channel-state";
import {
  channelStateType,
  resolutionType,
  threadPaymentType,
  threadType,
  threadUpdateType,
} from "../eip712/statements";
import type { Resolution, Thread, ThreadPayment, ThreadUpdate } from "../thread";
import { formatStruct, type Json } from "./json";
import { parseStruct } from "./parse";

// The signed types on the wire: `parse*` from unknown (throws InvalidValue naming the field), `format*` to JSON.

export function parseState(given: unknown, path = "state"): ChannelState {
  return parseStruct(channelStateType, given, path);
}

const formatted = new WeakMap<ChannelState, Json<ChannelState>>();

/** Remembered with the state, which never changes: one step writes it several times, to disk and to the other side. */
export function formatState(state: ChannelState): Json<ChannelState> {
  const known = formatted.get(state);
  if (known !== undefined) return known;
  const json = formatStruct(channelStateType, state);
  formatted.set(state, json);
  return json;
}

export function parseThread(given: unknown, path = "thread"): Thread {
  return parseStruct(threadType, given, path);
}

export function formatThread(thread: Thread): Json<Thread> {
  return formatStruct(threadType, thread);
}

export function parseThreadPayment(given: unknown, path = "payment"): ThreadPayment {
  return parseStruct(threadPaymentType, given, path);
}

export function formatThreadPayment(payment: ThreadPayment): Json<ThreadPayment> {
  return formatStruct(threadPaymentType, payment);
}

export function parseThreadUpdate(given: unknown, path = "update"): ThreadUpdate {
  return parseStruct(threadUpdateType, given, path);
}

export function formatThreadUpdate(update: ThreadUpdate): Json<ThreadUpdate> {
  return formatStruct(threadUpdateType, update);
}

export function parseResolution(given: unknown, path = "resolution"): Resolution {
  return parseStruct(resolutionType, given, path);
}

export function formatResolution(resolution: Resolution): Json<Resolution> {
  return formatStruct(resolutionType, resolution);
}
