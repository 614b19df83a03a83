import { ethers, network } from "hardhat";
import { toQuantity, Wallet } from "ethers";
import { mine, time } from "@nomicfoundation/hardhat-network-helpers";
import type { Clock } from "../../hub/clock";
import { allHandlers } from "../../hub/routes/all-handlers";
import { dispatcher } from "../../hub/routes/dispatch";
import { balancesOf, newestOf } from "../../hub/services/channel";
import type { Services } from "../../hub/services/services";
import {
  digestOf,
  formatUpdate,
  hashRedeemLink,
  hashState,
  hexToBytes,
  next,
  parseAddress,
  parseState,
  paymentIdOf,
  signDigest,
  unsignedState,
  ZERO_ADDRESS,
  type Address,
  type ChannelState,
  type InputOf,
  type OperationName,
  type OutputOf,
  type Signature,
  type SignedUpdate,
  type Update,
  type WirePaymentRequest,
  type WirePurchase,
  type WirePurchaseRequest,
  type WireSync,
} from "../../protocol";
import { parseUpdate } from "../../protocol";
import type { ChannelManager } from "../../typechain-types";
import type { Step } from "../../client/engine/engine";
import { hubWorld, until, type HubWorld, type HubWorldOptions } from "./hub";
import type { SignedState } from "./world";

/** The hub's clock in tests: the real one, moved on by `HubScene.pass`. */
export class MovedClock implements Clock {
  movedMs = 0;

  now(): number {
    return Date.now() + this.movedMs;
  }
}

/** A real hub on a real chain, with users that sign whatever a test says. */
export interface HubScene {
  readonly world: HubWorld;
  readonly clock: MovedClock;
  readonly services: Services;
  readonly token: Address;
  /** A user with a key of its own and nothing else. */
  user(): HubUser;
  /** A user with deposits that both have signed. */
  funded(amounts: Funding): Promise<HubUser>;
  /** Moves the hub's clock and the chain's on together. */
  pass(seconds: number): Promise<void>;
  /** What went against the rules, newest first. */
  incidents(): Promise<readonly string[]>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** In base units of an asset, default ETH: the user's part, and the hub's. */
export interface Funding {
  readonly user?: bigint;
  readonly hub?: bigint;
  readonly asset?: Address;
}

export async function hubScene(options: Omit<HubWorldOptions, "clock"> = {}): Promise<HubScene> {
  const clock = new MovedClock();
  // A hub never waits longer than this for what moves on a timer: tests call `tick` themselves.
  const config = { collateralBatchMs: 3_600_000, ...options.config };
  let world = await hubWorld({ ...options, config, clock });
  const head = await ethers.provider.getBlock("latest");
  clock.movedMs = Math.max(0, (head?.timestamp ?? 0) * 1000 - Date.now());
  await world.hubServer.services.rates.refresh(); // prices of before the move are old
  const scene: HubScene = {
    ...{ clock, token: world.tokenAddress },
    get world() {
      return world;
    },
    get services() {
      return world.hubServer.services;
    },
    user: () => new HubUser(scene, Wallet.createRandom().privateKey),
    funded: async (amounts) => {
      const user = scene.user();
      await user.fund(amounts);
      return user;
    },
    pass: async (seconds) => {
      const now = Math.max(Math.ceil(clock.now() / 1000), await time.latest()); // each block takes the chain a second on
      await time.increaseTo(now + seconds);
      clock.movedMs = (now + seconds) * 1000 - Date.now();
      await until("the new block to be seen", () => world.hubServer.watcher.ageSeconds() < 60);
      await world.hubServer.services.rates.refresh();
    },
    incidents: async () => (await scene.services.store.operation.audit(100)).map(({ kind }) => kind),
    restart: async () => {
      world = await world.restartHub();
    },
    close: () => world.close(),
  };
  return scene;
}

/** A user without a client: it asks the hub's operations as itself and signs what a test wants it to. */
export class HubUser {
  readonly address: Address;
  readonly #privateKey: string;
  readonly #key: Uint8Array;
  readonly #scene: HubScene;

  constructor(scene: HubScene, privateKey: string) {
    this.#scene = scene;
    this.#privateKey = privateKey;
    this.#key = hexToBytes(privateKey.toLowerCase());
    this.address = parseAddress(new Wallet(privateKey).address);
  }

  get key(): Uint8Array {
    return this.#key;
  }

  get params(): { readonly params: { readonly user: Address } } {
    return { params: { user: this.address } };
  }

  /** Asks as this user, through the form and access checks of the wire. */
  async ask<Name extends OperationName>(name: Name, input: InputOf<Name>): Promise<OutputOf<Name>> {
    const { services } = this.#scene;
    const handlers = allHandlers(services);
    const caller = { address: this.address, isAdmin: false };
    return (await dispatcher(handlers)(name, input, caller)) as OutputOf<Name>;
  }

  /** Deposits by somebody with money, credited and signed by both. */
  async fund({ user = 0n, hub = 0n, asset = ZERO_ADDRESS }: Funding): Promise<void> {
    const { world } = this.#scene;
    for (const [amount, forHub] of [
      [user, false],
      [hub, true],
    ] as const) {
      if (amount === 0n) continue;
      const value = asset === ZERO_ADDRESS ? amount : 0n;
      await world.manager.connect(world.carol).deposit(this.address, asset, amount, forHub, { value });
    }
    await mine(world.config.confirmations);
    await this.#scene.services.chainSync.refresh(this.address);
    await this.level();
  }

  sync(): Promise<WireSync> {
    return this.ask("sync", { ...this.params, query: {} });
  }

  /** Countersigns whatever waits, unseen. */
  async level(): Promise<WireSync> {
    const sync = await this.sync();
    const waiting = this.#waitingIn(sync);
    const newest = waiting.at(-1);
    if (newest === undefined) return sync;
    const state = waiting.reduce(next, this.#baseOf(sync));
    return this.update([{ ...newest, sigUser: this.sign(state) }]);
  }

  update(updates: readonly SignedUpdate[]): Promise<WireSync> {
    return this.ask("update", { ...this.params, body: { updates: updates.map(formatUpdate) } });
  }

  /** The newest state that the hub has signed. */
  async state(): Promise<ChannelState> {
    return newestOf(await this.#scene.services.channels.load(this.address));
  }

  /** The newest state that both have signed, as the contract takes it. */
  async signed(): Promise<SignedState> {
    const { doubleSigned } = await this.#scene.services.channels.load(this.address);
    if (doubleSigned === undefined) throw new Error("nothing is signed by both");
    const { state, sigHub, sigUser } = doubleSigned;
    return [{ ...state, assets: state.assets.map((row) => ({ ...row })) }, sigHub, sigUser];
  }

  async balances(asset: Address = ZERO_ADDRESS): Promise<{ readonly hub: bigint; readonly user: bigint }> {
    return balancesOf(await this.#scene.services.channels.load(this.address), asset);
  }

  custodial(asset: Address = ZERO_ADDRESS): Promise<bigint> {
    return this.#scene.services.store.custodial.balance(this.address, asset);
  }

  /** The contract as this user calls it, with ether for the fees. */
  async onChain(): Promise<ChannelManager> {
    await network.provider.send("hardhat_setBalance", [this.address, toQuantity(10n ** 18n)]);
    const wallet = new Wallet(this.#privateKey, ethers.provider);
    return this.#scene.world.manager.connect(wallet);
  }

  sign(state: ChannelState): Signature {
    return signDigest(digestOf(this.#scene.services.domain, hashState(state)), this.#key);
  }

  /** Signs steps one on another, on top of the newest state. */
  async steps(...steps: readonly Step[]): Promise<readonly SignedUpdate[]> {
    const channel = await this.#scene.services.channels.load(this.address);
    let state = newestOf(channel);
    let nonce = this.#scene.services.channels.nonceFloor(channel);
    return steps.map((step) => {
      const update = { ...step, nonce: ++nonce, previous: hashState(state) } as Update;
      state = next(state, update);
      return { ...update, sigUser: this.sign(state) };
    });
  }

  /** A purchase as an honest client asks for it; a test spoils it. */
  async request(id: string, ...payments: readonly WirePaymentRequest[]): Promise<WirePurchaseRequest> {
    const assets = [...new Set(payments.map(({ asset }) => parseAddress(asset)))];
    const steps = assets.map((asset): Step => {
      const own = payments.flatMap((payment, i) => (payment.asset === asset ? [{ payment, i }] : []));
      const amount = own.reduce((sum, { payment }) => sum + BigInt(payment.amount), 0n);
      const ids = own.map(({ i }) => paymentIdOf(this.address, id, i));
      return { reason: "Payment", args: { recipient: "hub", asset, amount, payments: ids } };
    });
    return { id, payments: [...payments], updates: (await this.steps(...steps)).map(formatUpdate) };
  }

  purchase(request: WirePurchaseRequest): Promise<WirePurchase> {
    return this.ask("purchase", { body: request });
  }

  async buy(id: string, ...payments: readonly WirePaymentRequest[]): Promise<WirePurchase> {
    return this.purchase(await this.request(id, ...payments));
  }

  #waitingIn(sync: WireSync): readonly SignedUpdate[] {
    const base = this.#baseOf(sync).nonce;
    return sync.updates.map((update) => parseUpdate(update)).filter(({ nonce }) => nonce > base);
  }

  #baseOf({ session, doubleSigned }: WireSync): ChannelState {
    return doubleSigned === undefined
      ? unsignedState(this.address, BigInt(session), [])
      : parseState(doubleSigned.state);
  }
}

type Payment<Type extends WirePaymentRequest["type"]> = Extract<WirePaymentRequest, { type: Type }>;

export function pay(
  recipient: { readonly address: Address },
  amount: bigint,
  asset: Address = ZERO_ADDRESS,
): Payment<"PT_CHANNEL"> {
  return { type: "PT_CHANNEL", recipient: recipient.address, asset, amount: amount.toString() };
}

export function payAs<Type extends "PT_CUSTODIAL" | "PT_OPTIMISTIC">(
  type: Type,
  recipient: { readonly address: Address },
  amount: bigint,
  expiresAt?: bigint,
): Payment<Type> {
  const expiry = expiresAt === undefined ? {} : { expiresAt: expiresAt.toString() };
  return {
    ...{ type, recipient: recipient.address, asset: ZERO_ADDRESS, amount: amount.toString(), ...expiry },
  } as Payment<Type>;
}

/** A link's one-off key. */
export interface LinkKey {
  readonly address: Address;
  readonly key: string;
  payment(amount: bigint, expiresAt?: bigint): Payment<"PT_LINK">;
  /** What its holder signs for a redeemer. */
  signFor(redeemer: { readonly address: Address }): Signature;
}

export function linkKey({ services }: HubScene): LinkKey {
  const wallet = Wallet.createRandom();
  const address = parseAddress(wallet.address);
  return {
    ...{ address, key: wallet.privateKey },
    payment: (amount, expiresAt) => {
      const expiry = expiresAt === undefined ? {} : { expiresAt: expiresAt.toString() };
      return { type: "PT_LINK", link: address, asset: ZERO_ADDRESS, amount: amount.toString(), ...expiry };
    },
    signFor: (redeemer) => {
      const digest = digestOf(services.domain, hashRedeemLink({ link: address, redeemer: redeemer.address }));
      return signDigest(digest, hexToBytes(wallet.privateKey));
    },
  };
}

/** Does something on a fork of the chain that is then given up. */
export async function onFork(work: () => Promise<void>): Promise<void> {
  const snapshot: unknown = await network.provider.send("evm_snapshot", []);
  await work();
  await network.provider.send("evm_revert", [snapshot]);
}

/** An object as it is when this one is absent. */
export function omit<Given extends object, Name extends keyof Given & string>(
  given: Given,
  name: Name,
): Without<Given, Name> {
  return Object.fromEntries(Object.entries(given).filter(([each]) => each !== name)) as Without<Given, Name>;
}

/** Of a union, each of its kinds without the field. */
type Without<Given, Name extends PropertyKey> = Given extends unknown ? Omit<Given, Name> : never;
