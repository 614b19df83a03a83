import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { WebSocket, WebSocketServer } from "ws";
import { memoryStore } from "../../../client";
import { sqliteStore } from "../../../client/node";
import { GroupedWriter } from "../../../client/threads/grouped-writer";
import { Outbox } from "../../../client/threads/outbox";
import { formatOwnThread, parseOwnThread, type OwnThread } from "../../../client/threads/own-thread";
import type { PeerMessage } from "../../../client/threads/peer-message";
import { ThreadBook } from "../../../client/threads/thread-book";
import { threadsOfRoot } from "../../../client/threads/thread-set";
import { webSocketLink } from "../../../client/threads/web-socket-link";
import { parseAddress, threadPaymentType, threadRoot, ZERO_HASH, type Hash } from "../../../protocol";
import { codeOf, expectCoded } from "../../support/expect-coded";
import { until } from "../../support/hub";
import { pair, type Pair, type Person } from "./pair";

const hashAt = (i: number): Hash => `0x${(i + 1).toString(16).padStart(64, "0")}`;

describe("a stream of payments", () => {
  let two: Pair;
  let alice: Person;
  let bob: Person;
  let own: OwnThread;
  before(async () => {
    two = await pair();
    ({ alice, bob } = two);
  });
  beforeEach(async () => {
    own = await two.agree();
    alice.sent.length = 0;
  });

  const at = ({ works }: Person): bigint | undefined => works.book.get(own.hash).payment?.payment.balanceReceiver;
  const sign = async (by: Person, balanceReceiver: bigint, threadHash = own.hash) => {
    const payment = { threadHash, balanceReceiver };
    return { payment, sigSender: await by.works.signer.signStatement(threadPaymentType, payment, by.works.domain) };
  };

  it("A-1, N-7: only rises, whatever comes late, twice or not at all", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ amount: fc.bigInt(1n, 40n), lost: fc.boolean() }), { maxLength: 20 }),
        async (steps) => {
          own = await two.agree();
          alice.sent.length = 0;
          let delivered = 0n;
          let sum = 0n;
          for (const { amount, lost } of steps) {
            sum += amount;
            await alice.works.streaming.pay(own.hash, amount);
            if (lost) alice.sent.pop();
            else delivered = sum;
          }
          const texts = [...alice.sent];
          for (const text of [...texts].reverse().concat(texts)) await bob.works.intake.text(text);
          expect(at(bob) ?? 0n).to.equal(delivered);
          expect(at(alice) ?? 0n).to.equal(sum);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("takes no payment that somebody else signed, of another thread, above the sum, or that is no payment", async () => {
    const tries = [
      ["InvalidSignature", await sign(bob, 5n)],
      ["ThreadHashMismatch", await sign(alice, 5n, ZERO_HASH)],
      ["BalanceAboveSum", await sign(alice, 1_001n)],
    ] as const;
    for (const [code, payment] of tries) {
      expect(await codeOf(bob.works.streaming.receive(bob.works.book.get(own.hash), payment)), code).to.equal(code);
    }
    for (const text of ["", "{}", "[]", "not json", JSON.stringify({ threadHash: own.hash, more: 1 })]) {
      await bob.works.intake.text(text);
    }
    expect(at(bob)).to.equal(undefined);
  });

  it("many at once are signed one on another", async () => {
    const signed = await Promise.all(Array.from({ length: 100 }, () => alice.works.streaming.pay(own.hash, 1n)));
    expect(signed.map(({ payment }) => payment.balanceReceiver)).to.deep.equal(signed.map((_, i) => BigInt(i + 1)));
  });

  it("tells nobody of a payment that comes while the leg is closing: it may be worth nothing", async () => {
    const heard: bigint[] = [];
    bob.works.events.on("threadPayment", ({ balanceReceiver }) => heard.push(balanceReceiver));
    await bob.works.book.note(own.hash, { isEnding: true });
    await bob.works.streaming.receive(bob.works.book.get(own.hash), await sign(alice, 5n));
    expect(heard).to.deep.equal([]);
    expect(at(bob)).to.equal(5n); // evidence all the same
    await bob.works.book.note(own.hash, { leg: "closed" });
    await bob.works.streaming.receive(bob.works.book.get(own.hash), await sign(alice, 6n));
    expect(at(bob)).to.equal(5n);
    await bob.works.book.note(own.hash, { leg: "none", isEnding: false });
    await bob.works.streaming.receive(bob.works.book.get(own.hash), await sign(alice, 7n));
    bob.works.streaming.opened(bob.works.book.get(own.hash));
    expect(heard).to.deep.equal([7n]);
  });

  it("is not signed on where the thread is closing, closed or at the contract", async () => {
    const record = {
      balanceReceiver: 0n,
      nonce: 0n,
      deadline: 1n,
      resolved: false,
      senderPaid: false,
      receiverPaid: false,
    };
    await alice.works.book.note(own.hash, { isEnding: true });
    await expectCoded(alice.works.streaming.pay(own.hash, 1n), "ThreadNotOpen");
    await alice.works.book.note(own.hash, { isEnding: false, onChain: record });
    await expectCoded(alice.works.streaming.pay(own.hash, 1n), "ThreadDisputed");
  });

  it("is handed over only once it is on disk", async () => {
    const { book } = alice.works;
    const note = book.note.bind(book);
    book.note = () => Promise.reject(new Error("the disk is full"));
    await alice.works.streaming.pay(own.hash, 1n).then(
      () => expect.fail("it must not be paid"),
      (error: unknown) => expect((error as Error).message).to.equal("the disk is full"),
    );
    book.note = note;
    expect(alice.sent).to.deep.equal([]);
  });

  it("goes over a WebSocket", async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    sockets.on("connection", (socket) => {
      webSocketLink(socket).onMessage((text) => void bob.works.intake.text(text));
    });
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await once(socket, "open");
    const detach = alice.works.outbox.attach(bob.works.user, webSocketLink(socket));
    await Promise.all(Array.from({ length: 200 }, () => alice.works.streaming.pay(own.hash, 2n)));
    await until("all have come", () => at(bob) === 400n);
    detach();
    socket.close();
    sockets.close();
    server.close();
  });
});

describe("what a client keeps of its threads", () => {
  it("is read as it was written, from a file too", async () => {
    const two = await pair();
    const own = await two.agree({ updatable: true }, "0x1234");
    const full: OwnThread = {
      ...own,
      payment: { payment: { threadHash: own.hash, balanceReceiver: 5n }, sigSender: "0x01" },
      resolution: { appState: "0x1234", resolver: "0x", nonce: 0n },
      ...{ resolved: 7n, outcome: 9n, session: 3n, isEnding: true },
      onChain: { balanceReceiver: 1n, nonce: 2n, deadline: 3n, resolved: true, senderPaid: false, receiverPaid: true },
    };
    expect(parseOwnThread(formatOwnThread(full))).to.deep.equal(full);
    const folder = mkdtempSync(join(tmpdir(), "threads-"));
    const contract = two.alice.works.domain.verifyingContract;
    const store = sqliteStore(join(folder, "client.sqlite"));
    const book = await ThreadBook.open(store, contract, two.alice.works.user);
    await book.save(full);
    await book.keep("purchase:a", "text");
    const again = await ThreadBook.open(store, contract, two.alice.works.user);
    expect(again.all()).to.deep.equal([full]);
    expect([await again.kept("purchase:a"), await again.kept("purchase:b")]).to.deep.equal(["text", undefined]);
    expect([...(await again.keptUnder("purchase:"))]).to.deep.equal([["a", "text"]]);
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it("is written together, in order, and fails for everybody who waits", async () => {
    const written: string[] = [];
    let isFull = false;
    const store = {
      ...memoryStore(),
      write: (changes: Readonly<Record<string, string | undefined>>): Promise<void> => {
        if (isFull) return Promise.reject(new Error("full"));
        written.push(JSON.stringify(changes));
        return Promise.resolve();
      },
    };
    const writer = new GroupedWriter(store);
    await Promise.all([writer.write("a", () => "1"), writer.write("a", () => "2"), writer.write("b", () => undefined)]);
    expect(written).to.deep.equal(['{"a":"2"}']);
    isFull = true;
    const failing = [writer.write("a", () => "3"), writer.write("b", () => "4")];
    expect((await Promise.allSettled(failing)).map(({ status }) => status)).to.deep.equal(["rejected", "rejected"]);
    isFull = false;
    await writer.write("c", () => "5");
    await writer.idle();
    expect(written.at(-1)).to.equal('{"c":"5"}');
  });

  it("follows the channel: legs open, close, and stay the chain's after an exit", async () => {
    const book = await ThreadBook.open(
      memoryStore(),
      parseAddress(`0x${"c0".repeat(20)}`),
      parseAddress(`0x${"aa".repeat(20)}`),
    );
    const two = await pair();
    const [a, b] = [await two.agree(), await two.agree()];
    for (const own of [a, b]) await book.save({ ...own, leg: "none" });
    await book.align(4n, [a.hash, b.hash]);
    expect(book.openHashes(4n)).to.have.members([a.hash, b.hash]);
    await book.align(4n, [b.hash]);
    expect(book.get(a.hash).leg).to.equal("closed");
    await book.align(5n, []);
    expect([book.openHashes(5n), book.leftIn(5n).map(({ hash }) => hash)]).to.deep.equal([[], [b.hash]]);
  });
});

describe("the way to the other party", () => {
  const message = (balanceReceiver: bigint): PeerMessage => {
    return { threadHash: ZERO_HASH, payment: { payment: { threadHash: ZERO_HASH, balanceReceiver }, sigSender: "0x" } };
  };
  const peer = parseAddress(`0x${"bb".repeat(20)}`);

  it("without a link leads to the hub's mailbox, one payment at a time, and skips those that a newer one includes", async () => {
    const posted: bigint[] = [];
    let go: () => void = () => undefined;
    const outbox = new Outbox({
      post: async ({ payment }) => {
        await new Promise<void>((resolve) => (go = resolve));
        posted.push(payment?.payment.balanceReceiver ?? 0n);
      },
    });
    const all = [1n, 2n, 3n, 4n].map((balance) => outbox.deliver(peer, message(balance)));
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      go();
    }
    await Promise.all(all);
    expect(posted.at(-1)).to.equal(4n);
    expect(posted.length).to.be.lessThan(4);
  });
});

describe("the threads that a root is made of", () => {
  it("are found where a thread or two joined or left since", () => {
    const all = Array.from({ length: 9 }, (_, i) => hashAt(i));
    const [likely, others] = [all.slice(0, 6), all.slice(6)];
    for (const actual of [
      likely,
      all.slice(0, 5),
      all.slice(0, 7),
      all.slice(1, 7),
      all.slice(0, 8),
      all.slice(2, 6),
    ]) {
      const found = threadsOfRoot(threadRoot(actual), likely, others);
      expect(found && threadRoot(found)).to.equal(threadRoot(actual));
    }
    expect(threadsOfRoot(threadRoot([hashAt(99)]), likely, others)).to.equal(undefined);
  });
});
