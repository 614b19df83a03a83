import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import hre, { ethers } from "hardhat";
import { BrowserProvider, type JsonRpcError, type Provider } from "ethers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { ChainClient } from "../../client/chain";
import { ConnextClient } from "../../client/connext-client";
import { Engine } from "../../client/engine/engine";
import { Events } from "../../client/engine/events";
import { clientError, errorFromWire, hasCode } from "../../client/errors";
import type { HubFacts } from "../../client/get-connext-client";
import type { HubConnection, HubListener } from "../../client/hub-connection";
import { memoryStore } from "../../client/memory-store";
import { onIdleTimer } from "../../client/schedule";
import { openSigner, type ClientSigner } from "../../client/signer";
import type { ClientStore } from "../../client/store";
import { threadClient } from "../../client/threads/thread-client";
import { openThreadWorks } from "../../client/threads/thread-works";
import { acceptsGains } from "../../client/threads/update-rules";
import type { Clock } from "../../hub/clock";
import { completeConfig, type HubConfig } from "../../hub/config";
import { createHub, type Hub } from "../../hub/create-hub";
import { silentLog, type Log } from "../../hub/log";
import { inProcessMessaging, type Messaging } from "../../hub/messaging/messaging";
import { allHandlers } from "../../hub/routes/all-handlers";
import { ChannelFeed } from "../../hub/routes/channel-feed";
import { answerFor, dispatcher, type Dispatch } from "../../hub/routes/dispatch";
import { SignerRecord, type Signing } from "../../hub/signer/signer-record";
import { openSqliteStore } from "../../hub/store/sqlite/open-store";
import type { Store } from "../../hub/store/store";
import {
  channelManagerDomain,
  hashState,
  hexToBytes,
  OPERATIONS,
  parseAddress,
  socketPushSchema,
  validate,
  ZERO_ADDRESS,
  ZERO_HASH,
  type Address,
  type Domain,
  type Operation,
  type OperationName,
  type SocketPush,
} from "../../protocol";
import { developmentKey, EXCHANGE_RATE, testAssets } from "../support/hub";
import { freshWorld, PERIOD, type World } from "../support/world";
import { Crash, Life, Signatures, type Cut, type Party } from "./seams";

export type User = Exclude<Party, "hub">;

export const USERS: readonly User[] = ["alice", "bob"];

const ALL_USERS: readonly User[] = ["alice", "bob", "dave", "twin"];

const ACCOUNTS: Readonly<Record<User, number>> = { alice: 3, bob: 4, dave: 6, twin: 3 };

/** What the device number of each comes from. */
const DEVICES: Readonly<Record<User, number>> = { alice: 0.28, bob: 0.29, twin: 0.3, dave: 0.31 };

/** Something between hub and users that may lose, double, hold back or reorder what they say. */
export interface Wire {
  /** @param deliver Hands the request to the hub, as often as it is called. */
  request(user: User, name: OperationName, deliver: () => Promise<string>): Promise<string>;
  push(user: User, deliver: () => void): void;
}

/** The longest time of the platform's timers: in these runs nothing is driven by one. */
const NEVER_MS = 2 ** 31 - 1;

const DATABASE = "hub.sqlite";

const ETHER = 10n ** 18n;

/** The hub's half, in one incarnation. */
interface HubProcess {
  readonly life: Life;
  readonly hub: Hub;
  readonly store: Store;
  readonly dispatch: Dispatch;
  readonly messaging: Messaging;
}

interface UserProcess {
  readonly life: Life;
  readonly client: ConnextClient;
  readonly engine: Engine;
  readonly connection: InProcessConnection;
}

/** Everything durable of a moment: the chain, the hub's two files, the clients' entries. */
export interface Moment {
  /** The chain's snapshot: going to it uses it up, and makes another. */
  chain: string;
  readonly files: string;
  readonly entries: ReadonlyMap<User, ReadonlyMap<string, string>>;
  readonly nowMs: number;
}

export interface ChaosOptions {
  readonly config?: Partial<HubConfig>;
  /** Whether clients settle exits and threads by themselves when they look at the chain. */
  readonly settles?: boolean;
  /** How long a client waits for the other party of a thread, ms of real time. Default 300. */
  readonly answerMs?: number;
  /** How many times faster than it thinks a client waits. Default 1. */
  readonly haste?: number;
}

/** A hub and two users in one process, on real files and a real chain, each of which can die and come back. */
export class ChaosWorld {
  readonly world: World;
  readonly token: Address;
  readonly config: HubConfig;
  readonly domain: Domain;
  readonly signatures = new Signatures();
  cut: Cut | undefined;
  wire: Wire | undefined;
  /** The hub's process is no more: nobody starts it, and no client reaches it. */
  hubIsGone = false;
  readonly log: Log;
  readonly #root: string;
  readonly #folder: string;
  readonly #entries = new Map<User, Map<string, string>>(ALL_USERS.map((user) => [user, new Map()]));
  readonly #users = new Map<User, UserProcess>();
  #hub: HubProcess | undefined;
  #starting: Promise<HubProcess> | undefined;
  #facts: HubFacts | undefined;
  #options: ChaosOptions = {};
  #nowMs = 0;
  #moments = 0;

  private constructor(world: World, token: Address, config: HubConfig, log: Log) {
    [this.world, this.token, this.config, this.log] = [world, token, config, log];
    this.domain = channelManagerDomain(BigInt(config.chainId), config.channelManager);
    this.#root = mkdtempSync(join(tmpdir(), "chaos-"));
    this.#folder = join(this.#root, "hub");
  }

  static async open(log: Log = silentLog, options: ChaosOptions = {}): Promise<ChaosWorld> {
    const world = await freshWorld();
    const token = parseAddress(await world.token.getAddress());
    await world.manager.connect(world.hub).fundReserve(ZERO_ADDRESS, 1_000n * ETHER, { value: 1_000n * ETHER });
    await world.manager.connect(world.hub).fundReserve(token, 100_000n * ETHER);
    const config = completeConfig({
      chainId: Number((await ethers.provider.getNetwork()).chainId),
      channelManager: parseAddress(world.address),
      assets: testAssets(token),
      confirmations: 1,
      pollIntervalMs: NEVER_MS,
      collateralBatchMs: NEVER_MS,
      optimisticSeconds: 3_600,
      linkSeconds: 3_600,
      threadMeetingMs: 300,
      apps: {
        hashlock: parseAddress(await world.hashlock.getAddress()),
        signed: parseAddress(await world.signedApp.getAddress()),
      },
      prices: [
        { sellAsset: ZERO_ADDRESS, buyAsset: token, rate: EXCHANGE_RATE },
        { sellAsset: token, buyAsset: ZERO_ADDRESS, rate: 10n ** 36n / EXCHANGE_RATE },
      ],
      ...options.config,
    });
    const chaos = new ChaosWorld(world, token, config, log);
    chaos.#options = options;
    mkdirSync(chaos.#folder);
    await chaos.#setClock();
    return chaos;
  }

  /** Each look takes a millisecond, so that time goes on without anybody waiting. */
  readonly clock: Clock = { now: () => ++this.#nowMs };

  pass(ms: number): void {
    this.#nowMs += ms;
  }

  async #setClock(): Promise<void> {
    const head = await ethers.provider.getBlock("latest");
    this.#nowMs = Math.max(this.#nowMs, (head?.timestamp ?? 0) * 1000);
  }

  // ------------------------------------------------------------------------------------------------- the two sides

  /** The hub, started again if it is dead. */
  async hub(): Promise<HubProcess> {
    if (this.#hub !== undefined && !this.#hub.life.isDead) return this.#hub;
    if (this.hubIsGone) throw clientError("HubUnreachable", { url: "in-process", reason: "it is gone" });
    this.#starting ??= this.#restartHub().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  async #restartHub(): Promise<HubProcess> {
    const dead = this.#hub;
    this.#hub = undefined;
    await dead?.hub.close();
    for (;;) {
      const life = new Life("hub", () => this.cut);
      try {
        const started = await this.#startHub(life);
        this.#hub = started;
        for (const { connection } of this.#users.values()) connection.attach(started);
        return started;
      } catch (error) {
        if (!life.isDead) throw error;
      }
    }
  }

  get hubNow(): HubProcess | undefined {
    return this.#hub;
  }

  async store(): Promise<Store> {
    return (await this.hub()).store;
  }

  /** A user's client, started again if it is dead. */
  async user(user: User): Promise<UserProcess> {
    const known = this.#users.get(user);
    if (known !== undefined && !known.life.isDead) return known;
    if (known !== undefined) await known.client.stop().catch(() => undefined);
    this.#users.delete(user);
    for (;;) {
      const life = new Life(user, () => this.cut);
      try {
        const started = await this.#startUser(user, life);
        this.#users.set(user, started);
        return started;
      } catch (error) {
        if (!life.isDead) throw error;
      }
    }
  }

  address(user: User): Address {
    return parseAddress(this.signerOf(user).address);
  }

  /** A user's account on chain, with its money. */
  signerOf(user: User): HardhatEthersSigner {
    const [dave] = this.world.others;
    if (user === "dave" && dave !== undefined) return dave;
    return user === "bob" ? this.world.bob : this.world.alice;
  }

  /** Ends a user's client in good order. */
  async leave(user: User): Promise<void> {
    const known = this.#users.get(user);
    this.#users.delete(user);
    await known?.client.stop().catch(() => undefined);
    known?.life.end();
  }

  entriesOf(user: User): Map<string, string> {
    return this.#entries.get(user) ?? new Map<string, string>();
  }

  /** One round of everything that happens by itself: whoever is dead starts, the hub sees the chain and sends. */
  async pump(): Promise<void> {
    if (this.hubIsGone) return;
    const { hub, life } = await this.hub();
    const steps = [() => hub.watcher.poll(), () => hub.tick(), () => hub.sender.step(), () => hub.watcher.poll()];
    for (const step of steps) {
      if (life.isDead) return;
      await step().catch((error: unknown) => this.log.warn(`a round of the hub failed: ${String(error)}`));
    }
  }

  async #startHub(life: Life): Promise<HubProcess> {
    const inner = openSqliteStore(join(this.#folder, DATABASE));
    const { database } = inner;
    const store: Store = {
      ...inner,
      database: {
        write: (build) =>
          life.seam("a write of the hub's database", () =>
            database.write((tx) => {
              life.requireAlive();
              build(tx);
            }),
          ),
        get sequence() {
          return database.sequence;
        },
        close: () => database.close(),
      },
    };
    const messaging = inProcessMessaging();
    const signerRecord = new WatchedRecord(join(this.#folder, "signer.sqlite"), life, this.signatures);
    const provider = this.#provider(life);
    try {
      const hub = await createHub({
        ...{ config: this.config, store, signerRecord, provider, clock: this.clock, randomBytes, messaging },
        hubKey: hexToBytes(developmentKey(1)),
        node: { send: () => Promise.reject(new Error("nobody asks the hub for the chain here")) },
        log: this.#logOf(life),
      });
      await hub.services.rates.refresh();
      await hub.watcher.poll().catch((error: unknown) => {
        if (life.isDead) throw error;
      });
      const { services } = hub;
      const handlers = allHandlers(services);
      return { life, hub, store, messaging, dispatch: dispatcher(handlers) };
    } catch (error) {
      await signerRecord.close();
      await database.close();
      throw error;
    }
  }

  /** What dies takes its voice with it. */
  #logOf(life: Life): Log {
    return {
      info: (line) => life.isDead || this.log.info(line),
      warn: (line) => life.isDead || this.log.warn(line),
      error: (line, cause) => life.isDead || this.log.error(line, cause),
    };
  }

  async #startUser(user: User, life: Life): Promise<UserProcess> {
    const running = this.hubIsGone ? undefined : await this.hub();
    const store = seamedStore(memoryStore(this.#entries.get(user)), life);
    await store.lock();
    const signer = await this.#signerOf(user, life);
    const connection = new InProcessConnection(this, life, signer.address);
    const provider = this.#provider(life);
    this.#facts ??= (await (running ?? (await this.hub())).dispatch("getConfig", {}, { isAdmin: false })) as HubFacts;
    const { channelManager } = this.config;
    const { confirmations } = this.config;
    const { settles = false, answerMs = 300, haste = 1 } = this.#options;
    const chain = new ChainClient({ providers: [provider], channelManager, signer, confirmations });
    const log = (line: string): void => {
      if (!life.isDead) this.log.info(`${user}: ${line}`);
    };
    const now = (): number => this.clock.now();
    const sleep = async (ms: number): Promise<void> => {
      life.requireAlive();
      this.pass(ms * haste);
      await this.pump();
      life.requireAlive();
    };
    const events = new Events(log);
    const hubAddress = parseAddress(this.world.hub.address);
    const assets = [ZERO_ADDRESS, this.token];
    try {
      const { domain } = this;
      const works = await openThreadWorks({
        ...{ store, signer, domain, events, hub: connection, chain, log, answerMs, schedule: onIdleTimer },
        ...{ apps: this.config.apps, challengePeriodSeconds: PERIOD, policy: acceptsGains },
      });
      const engine = await Engine.open({
        ...{ store, signer, hubAddress, chain, events, now, sleep, log, domain },
        ...{ hub: connection, assets: new Set(assets), random: () => DEVICES[user] },
        ...{ challengePeriodSeconds: Number(PERIOD), patienceMs: 30_000, threads: works.judge },
      });
      const threads = threadClient({
        ...{ works, engine, hub: connection, now, sleep, log, answerMs, schedule: onIdleTimer, policy: () => true },
        ...{ defends: true, settles, randomBytes: (count: number) => randomBytes(count) },
      });
      const client = new ConnextClient({
        ...{
          engine,
          threads,
          hub: connection,
          chain,
          events,
          signer,
          store,
          channelManager,
          hubAddress,
          assets,
          now,
          sleep,
          log,
        },
        ...{
          config: this.#facts,
          confirmations,
          maxSlippage: 0.01,
          pollIntervalMs: NEVER_MS,
          autoSettle: settles,
        },
      });
      await client.start();
      life.requireAlive();
      return { life, client, engine, connection };
    } catch (error) {
      await connection.close();
      await store.close();
      throw error;
    }
  }

  async #signerOf(user: User, life: Life): Promise<ClientSigner> {
    const signer = await openSigner({ privateKey: developmentKey(ACCOUNTS[user]) });
    return {
      ...signer,
      signState: async (state, domain) => {
        life.requireAlive();
        const signature = await signer.signState(state, domain);
        this.signatures.made(signature, signer.address, state.user, state.nonce, hashState(state));
        return signature;
      },
    };
  }

  /** The chain as one process reaches it. */
  #provider(life: Life): Provider {
    const chain = hre.network.provider;
    const request = ({ method, params }: { method: string; params?: unknown[] }): Promise<unknown> => {
      if (method === "eth_sendRawTransaction") {
        return life.seam(`${life.party} sends a transaction`, () => chain.send(method, params ?? []));
      }
      life.requireAlive();
      return chain.send(method, params ?? []);
    };
    return new DirectProvider(request, this.config.chainId);
  }

  // ------------------------------------------------------------------------------------------------------- moments

  /** Stops everybody in good order and keeps what is durable. */
  async keep(): Promise<Moment> {
    await this.stop();
    const files = join(this.#root, `moment-${++this.#moments}`);
    cpSync(this.#folder, files, { recursive: true });
    const entries = new Map(ALL_USERS.map((user) => [user, new Map(this.#entries.get(user))]));
    const chain = (await hre.network.provider.send("evm_snapshot", [])) as string;
    return { chain, files, entries, nowMs: this.#nowMs };
  }

  /** Stops everybody and goes back, as often as one likes. */
  async goTo(moment: Moment): Promise<void> {
    await this.stop();
    const isBack: unknown = await hre.network.provider.send("evm_revert", [moment.chain]);
    if (isBack !== true) throw new Error("the chain did not go back");
    moment.chain = (await hre.network.provider.send("evm_snapshot", [])) as string;
    this.putBack(moment.files);
    for (const user of ALL_USERS) {
      const own = this.entriesOf(user);
      own.clear();
      for (const [key, value] of moment.entries.get(user) ?? []) own.set(key, value);
    }
    this.#nowMs = moment.nowMs;
    this.hubIsGone = false;
    this.signatures.forget();
  }

  /** Puts the hub's files as they were: all, or the database alone. The hub must be down. */
  putBack(files: string, which: "all" | "database" = "all"): void {
    const isMeant = (name: string): boolean => which === "all" || name.startsWith(DATABASE);
    for (const name of readdirSync(this.#folder).filter(isMeant)) rmSync(join(this.#folder, name));
    for (const name of readdirSync(files).filter(isMeant)) cpSync(join(files, name), join(this.#folder, name));
  }

  /** Ends the hub in good order: its files are whole. */
  async stopHub(): Promise<void> {
    const running = this.#hub;
    this.#hub = undefined;
    await running?.hub.close();
    running?.life.end();
  }

  async stop(): Promise<void> {
    this.cut = undefined;
    for (const user of ALL_USERS) await this.leave(user);
    await this.stopHub();
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }
}

type Ask = (question: { method: string; params?: unknown[] }) => Promise<unknown>;

/** Asks the chain at once instead of collecting questions for a moment: thousands of histories wait for nothing. */
class DirectProvider extends BrowserProvider {
  readonly #ask: Ask;

  constructor(ask: Ask, chainId: number) {
    const wallet = {
      request: ({ method, params }: { method: string; params?: unknown }) =>
        ask({ method, params: params as unknown[] }),
    };
    super(wallet, chainId, { staticNetwork: true, cacheTimeout: -1 });
    this.#ask = ask;
    this.pollingInterval = 5;
  }

  override send(method: string, params: unknown[]): Promise<unknown> {
    return this.#ask({ method, params }).catch((error: unknown) => {
      if (error instanceof Crash) throw error;
      throw this.getRpcError({ id: 0, method, params, jsonrpc: "2.0" }, { id: 0, error: errorOf(error) });
    });
  }
}

/** As a node over HTTP says it. */
function errorOf(error: unknown): JsonRpcError["error"] {
  const { code, message, data } = error as { code?: number; message?: string; data?: unknown };
  return { code: code ?? -32_000, message: message ?? String(error), ...(data === undefined ? {} : { data }) };
}

/** The signer's record with its seams; what it lets be signed is noted. */
class WatchedRecord extends SignerRecord {
  readonly #life: Life;
  readonly #signatures: Signatures;

  constructor(file: string, life: Life, signatures: Signatures) {
    super(file);
    this.#life = life;
    this.#signatures = signatures;
  }

  override see(sequence: bigint): Promise<void> {
    return this.#life.seam("a note in the signer's record", () => super.see(sequence));
  }

  override async record(signings: readonly Signing[], sequence: bigint): Promise<void> {
    await this.#life.seam("a write of the signer's record", () => super.record(signings, sequence));
    for (const { user, nonce, hash } of signings) {
      if (hash !== ZERO_HASH) this.#signatures.add("hub", user, nonce, hash);
    }
  }
}

function seamedStore(store: ClientStore, life: Life): ClientStore {
  return { ...store, write: (changes) => life.seam(`a write of ${life.party}'s store`, () => store.write(changes)) };
}

/** The wire between a user and whichever incarnation of the hub is there, as texts. */
export class InProcessConnection implements HubConnection {
  readonly #world: ChaosWorld;
  readonly #life: Life;
  readonly #user: Address;
  #listener: HubListener | undefined;
  #cursor = 0n;
  #detach: () => void = () => undefined;
  #isClosed = false;

  constructor(world: ChaosWorld, life: Life, user: Address) {
    [this.#world, this.#life, this.#user] = [world, life, user];
  }

  async call(name: OperationName, input: object): Promise<never> {
    const { party } = this.#life;
    const text = JSON.stringify(input);
    const answer = await this.#life.seam(`${party} asks ${name}`, () =>
      this.#world.wire === undefined
        ? this.#ask(name, text)
        : this.#world.wire.request(party as User, name, () => this.#ask(name, text)),
    );
    const operation: Operation = OPERATIONS[name];
    const read = JSON.parse(answer) as { output?: unknown; error?: Parameters<typeof errorFromWire>[0] };
    if (read.error !== undefined) throw errorFromWire(read.error);
    return validate(operation.response, read.output, name) as never;
  }

  async #ask(name: OperationName, text: string): Promise<string> {
    const running = this.#world.hubNow;
    if (running === undefined || running.life.isDead) {
      throw clientError("HubUnreachable", { url: "in-process", reason: "it is down" });
    }
    const { life, dispatch } = running;
    this.#world.signatures.shown(text);
    try {
      const answer = dispatch(name, JSON.parse(text) as object, { address: this.#user, isAdmin: false }).then(
        (output) => JSON.stringify({ output }),
        (error: unknown) => {
          life.requireAlive();
          return JSON.stringify({ error: answerFor(error, this.#world.log).error });
        },
      );
      const died = life.died.then((): never => {
        throw new Crash("the hub died");
      });
      const ready = await Promise.race([answer, died]);
      let delivered: string | undefined;
      try {
        return await life.seam(`the hub answers ${name}`, () => Promise.resolve((delivered = ready)));
      } catch (error) {
        if (delivered === undefined) throw error;
        return delivered; // it was on its way when the hub died
      }
    } catch (error) {
      if (error instanceof Crash) throw clientError("AnswerUnknown", { operation: name, reason: "the hub died" });
      throw error;
    }
  }

  subscribe(listener: HubListener): void {
    this.#listener = listener;
    if (this.#world.hubNow !== undefined) this.attach(this.#world.hubNow, false);
  }

  /** Goes on with another incarnation of the hub, from its cursor. */
  attach({ life, store, messaging }: HubProcess, isAgain = true): void {
    this.#detach();
    if (this.#isClosed || this.#listener === undefined) return;
    const push = (frame: string): Promise<void> => {
      this.#pushed(frame);
      return Promise.resolve();
    };
    const send = (frame: string): Promise<void> =>
      life.seam(`the hub pushes to ${this.#life.party}`, () => push(frame)).catch(() => undefined);
    const feed = new ChannelFeed(this.#user, this.#cursor, store.outbox, send, silentLog);
    const unsubscribe = messaging.subscribe({
      user: this.#user,
      ofUser: (message) => (message.kind === "push" ? void send(feed.frameOf(message.event)) : feed.wake()),
      ofTopic: () => undefined,
    });
    this.#detach = () => {
      unsubscribe();
      feed.close();
    };
    feed.wake();
    if (isAgain) this.#listener.connected();
  }

  #pushed(frame: string): void {
    const { wire } = this.#world;
    if (wire === undefined) this.#receive(frame);
    else wire.push(this.#life.party as User, () => this.#receive(frame));
  }

  #receive(frame: string): void {
    if (this.#life.isDead || this.#isClosed) return;
    const push: SocketPush = validate(socketPushSchema, JSON.parse(frame) as unknown, "push");
    this.#listener?.push(push);
    if (push.topic === "channel" && BigInt(push.cursor) > this.#cursor) this.#cursor = BigInt(push.cursor);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#detach();
    return Promise.resolve();
  }
}

/** Whether something failed because somebody died, and is to be tried again. */
export function isInterrupted(error: unknown): boolean {
  return error instanceof Crash || hasCode(error, "AnswerUnknown", "HubUnreachable", "ChainUnreachable", "Stopped");
}
