import {
  formatSignedThreadPayment,
  formatSignedThreadUpdate,
  formatThread,
  formatThreadResolution,
  type Address,
  type ThreadEvidence,
  type WireThread,
} from "../../../protocol";
import type { Leg, ThreadOnChain, ThreadRow } from "../../store/thread-store";

/** A thread on the wire. */
export function wireThread(row: ThreadRow): WireThread {
  const { sigReceiver, payment, update, resolution, record, outcome } = row;
  return {
    ...{ hash: row.hash, thread: formatThread(row.thread), sigSender: row.sigSender, status: row.status },
    ...{ senderLeg: row.senderLeg, receiverLeg: row.receiverLeg, createdAtMs: row.createdAtMs },
    ...(sigReceiver === undefined ? {} : { sigReceiver }),
    ...(payment === undefined ? {} : { payment: formatSignedThreadPayment(payment) }),
    ...(update === undefined ? {} : { update: formatSignedThreadUpdate(update) }),
    ...(resolution === undefined ? {} : { resolution: formatThreadResolution(resolution) }),
    ...(record === undefined ? {} : { record: wireRecord(record) }),
    ...(outcome === undefined ? {} : { outcome: outcome.toString() }),
  };
}

function wireRecord({ balanceReceiver, nonce, deadline, resolved }: ThreadOnChain): NonNullable<WireThread["record"]> {
  return {
    balanceReceiver: balanceReceiver.toString(),
    nonce: nonce.toString(),
    deadline: deadline.toString(),
    resolved,
  };
}

/** Everything that the hub could prove of a thread. @throws Error before the receiver has signed */
export function evidenceOf({
  thread,
  sigSender,
  sigReceiver,
  payment,
  update,
  resolution,
}: Omit<ThreadRow, "hash">): ThreadEvidence {
  if (sigReceiver === undefined) throw new Error("a thread that its receiver has not signed proves nothing");
  return {
    ...{ thread, sigSender, sigReceiver },
    ...(payment === undefined ? {} : { payment }),
    ...(update === undefined ? {} : { update }),
    ...(resolution === undefined ? {} : { resolution }),
  };
}

export function legOf({ thread, senderLeg, receiverLeg }: ThreadRow, user: Address): Leg {
  return user === thread.sender ? senderLeg : receiverLeg;
}

export function otherParty({ thread }: ThreadRow, user: Address): Address {
  return user === thread.sender ? thread.receiver : thread.sender;
}
