import { ethers } from "hardhat";
import { ChainClient } from "../../../client/chain";
import { Events } from "../../../client/engine/events";
import { memoryStore } from "../../../client/memory-store";
import { onIdleTimer } from "../../../client/schedule";
import { openSigner } from "../../../client/signer";
import type { ClientStore } from "../../../client/store";
import { newOwnThread, type OwnThread } from "../../../client/threads/own-thread";
import type { PeerLink } from "../../../client/threads/peer-link";
import { openThreadWorks, type ThreadWorks, type WorksDeps } from "../../../client/threads/thread-works";
import { acceptsGains } from "../../../client/threads/update-rules";
import {
  channelManagerDomain,
  hashAppState,
  parseAddress,
  threadType,
  ZERO_ADDRESS,
  ZERO_HASH,
  type Address,
  type Hex,
  type Thread,
} from "../../../protocol";
import { developmentKey } from "../../support/hub";
import { freshWorld, PERIOD, type World } from "../../support/world";

/** One of two people who have a thread and a link, and no hub. */
export interface Person {
  readonly works: ThreadWorks;
  readonly chain: ChainClient;
  /** What was sent from this side and not delivered yet, oldest first. */
  readonly sent: string[];
  readonly log: string[];
}

/** Two people on a real chain, between whom a test delivers what it likes, when it likes. */
export interface Pair {
  readonly world: World;
  readonly alice: Person;
  readonly bob: Person;
  /** Alice and Bob agree on a thread whose legs are open. */
  agree(overrides?: Partial<Thread>, appState?: Hex): Promise<OwnThread>;
  /** Delivers everything until nothing is left. */
  settle(): Promise<void>;
  /** Delivers the oldest of what one has sent. */
  deliver(from: Person): Promise<boolean>;
}

export interface PairOptions {
  readonly alice?: Partial<WorksDeps>;
  readonly bob?: Partial<WorksDeps>;
}

export async function pair(options: PairOptions = {}): Promise<Pair> {
  const world = await freshWorld();
  const alice = await person(world, 3, options.alice);
  const bob = await person(world, 4, options.bob);
  attach(alice, bob);
  attach(bob, alice);
  const deliver = async (from: Person): Promise<boolean> => {
    const text = from.sent.shift();
    if (text === undefined) return false;
    await (from === alice ? bob : alice).works.intake.text(text);
    return true;
  };
  return {
    ...{ world, alice, bob, deliver },
    settle: async () => {
      while ((await deliver(alice)) || (await deliver(bob)));
    },
    agree: async (overrides = {}, appState) => {
      const thread = { ...terms(alice, bob), ...overrides };
      const own = newOwnThread(
        appState === undefined ? thread : { ...thread, appStateHash: hashAppState(appState) },
        appState,
      );
      const [sigSender, sigReceiver] = await Promise.all(
        [alice, bob].map(({ works }) => works.signer.signStatement(threadType, own.thread, works.domain)),
      );
      for (const { works } of [alice, bob]) {
        await works.book.save({ ...own, leg: "open", session: 0n, sigSender: sigSender!, sigReceiver: sigReceiver! });
      }
      return alice.works.book.get(own.hash);
    },
  };
}

let salts = 0n;

function terms(alice: Person, bob: Person): Thread {
  return {
    salt: `0x${(++salts).toString(16).padStart(64, "0")}`,
    sender: alice.works.user,
    receiver: bob.works.user,
    asset: ZERO_ADDRESS,
    balanceSender: 1_000n,
    balanceReceiver: 0n,
    updatable: false,
    expiry: 10_000_000_000n,
    app: ZERO_ADDRESS,
    appStateHash: ZERO_HASH,
  };
}

async function person(world: World, index: number, overrides: Partial<WorksDeps> = {}): Promise<Person> {
  const log: string[] = [];
  const signer = await openSigner({ privateKey: developmentKey(index) });
  const channelManager = parseAddress(world.address);
  const { chainId } = await ethers.provider.getNetwork();
  const chain = new ChainClient({ providers: [ethers.provider], channelManager, signer, confirmations: 1 });
  const note = (line: string): void => void log.push(line);
  const store: ClientStore = memoryStore();
  const works = await openThreadWorks({
    ...{ store, signer, chain, log: note, events: new Events(note), policy: acceptsGains, schedule: onIdleTimer },
    ...{ domain: channelManagerDomain(chainId, channelManager), challengePeriodSeconds: PERIOD, answerMs: 5_000 },
    apps: await appsOf(world),
    hub: { call: () => Promise.reject(new Error("there is no hub here")) },
    ...overrides,
  });
  return { works, chain, log, sent: [] };
}

async function appsOf({ hashlock, signedApp }: World): Promise<{ hashlock: Address; signed: Address }> {
  return {
    hashlock: parseAddress(await hashlock.getAddress()),
    signed: parseAddress(await signedApp.getAddress()),
  };
}

function attach(from: Person, to: Person): void {
  const link: PeerLink = {
    send: (text) => void from.sent.push(text),
    onMessage: () => undefined,
    close: () => undefined,
  };
  from.works.outbox.attach(to.works.user, link);
}
