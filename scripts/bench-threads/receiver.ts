// The receiving process of `bench-threads.ts`: a WebSocket server that gives what comes to a client's threads.
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { newOwnThread } from "../../client/threads/own-thread";
import { webSocketLink } from "../../client/threads/web-socket-link";
import { parseThreadEvidence, type WireThreadEvidence } from "../../protocol";
import { benchPerson } from "./person";

export type ToReceiver =
  { readonly kind: "thread"; readonly evidence: WireThreadEvidence } | { readonly kind: "report" };

export type FromReceiver =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "ready" }
  | {
      readonly kind: "report";
      /** Verified and on disk. */
      readonly payments: number;
      readonly keptBalance: string;
      readonly cpuMicros: number;
    };

async function main(): Promise<void> {
  const person = await benchPerson("receiver");
  const { works, events } = person;
  let [payments, kept] = [0, 0n];
  events.on("threadPayment", ({ balanceReceiver }) => {
    payments++;
    if (balanceReceiver > kept) kept = balanceReceiver;
  });
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (socket) => {
    webSocketLink(socket).onMessage((text) => void works.intake.text(text));
  });
  const tell = (message: FromReceiver): void => void process.send?.(message);
  server.on("listening", () => tell({ kind: "listening", port: (server.address() as AddressInfo).port }));
  process.on("message", (message: ToReceiver) => {
    if (message.kind === "report") {
      const { user, system } = process.cpuUsage();
      tell({ kind: "report", payments, keptBalance: kept.toString(), cpuMicros: user + system });
      return;
    }
    const { thread, sigSender, sigReceiver } = parseThreadEvidence(message.evidence);
    const own = { ...newOwnThread(thread), leg: "open", session: 0n, sigSender, sigReceiver } as const;
    void works.book.save(own).then(() => tell({ kind: "ready" }));
  });
  process.once("SIGTERM", () => {
    server.close();
    void person.close().finally(() => process.exit());
  });
}

void main();
