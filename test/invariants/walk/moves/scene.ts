import { UINT128_MAX, ZERO_ADDRESS, type Address, type Hash, type Hex, type Thread } from "../../../../protocol";
import { actors, hub, stranger, users, type Actor } from "../actors";
import type { AuthorizedDeposit, Call, OutsideCalls, SignedState, SignedThread, SignedUpdate } from "../calls";
import { assetsOf } from "../deploy";
import type { Model } from "../model/model";
import type { Random } from "../random";
import type { Signatures } from "../signatures";

/** A thread as its parties keep it: everything they ever signed. */
export interface KeptThread {
  readonly hash: Hash;
  readonly thread: Thread;
  readonly signed: SignedThread;
  readonly updates: SignedUpdate[];
  readonly payments: { readonly balanceReceiver: bigint; readonly sigPayment: Hex }[];
}

/** What was ever signed, so that old, stale, foreign and half-valid statements are tried again and again. */
export interface Population {
  readonly states: Map<Address, SignedState[]>;
  readonly threads: KeptThread[];
  /** Threads below each root that was ever signed. */
  readonly trees: Map<Hash, readonly KeptThread[]>;
  readonly authorizations: AuthorizedDeposit[];
  readonly permits: OutsideCalls["permit"][];
}

/** What a move is made from: chance, the model's view of the chain, and what was signed before. */
export class Scene {
  readonly population: Population = {
    states: new Map(users.map(({ address }) => [address, []])),
    threads: [],
    trees: new Map(),
    authorizations: [],
    permits: [],
  };
  readonly signatures: Signatures;
  readonly assets: readonly Address[];
  #salts = 0n;

  constructor(
    readonly random: Random,
    readonly model: Model,
  ) {
    this.signatures = model.signatures;
    this.assets = assetsOf(model.world);
  }

  /** Block time of the move in the making, Unix seconds. */
  now = 0n;

  salt(): Hash {
    return `0x${(++this.#salts).toString(16).padStart(64, "0")}`;
  }

  user(): Address {
    return this.random.pick(users).address;
  }

  anybody(): Actor {
    return this.random.pick(actors);
  }

  asset(): Address {
    const { dollar, silent, rogue, ghost } = this.model.world;
    return this.random.weighted([
      [40, ZERO_ADDRESS],
      [30, dollar],
      [12, silent],
      [15, rogue],
      [3, ghost],
    ]);
  }

  /** Mostly small, sometimes nothing, now and then at the limit. */
  amount(): bigint {
    const { random } = this;
    return random.weighted([
      [940, () => 1n + random.upTo(999n)],
      [25, () => 0n],
      [25, () => random.upTo(2n ** 64n)],
      [4, () => UINT128_MAX - random.upTo(3n)],
      [6, () => 2n ** 127n - random.upTo(1n)],
    ])();
  }

  /** Mostly `good`, sometimes one of the others. */
  mostly<T>(good: T, others: readonly T[], probability = 0.93): T {
    return this.random.chance(probability) ? good : this.random.pick(others);
  }

  /** Those who may be where no user should be. */
  oddUser(): Address {
    return this.random.pick([ZERO_ADDRESS, hub.address, this.model.world.manager, stranger.address]);
  }
}

/** A call, who makes it, and the ether that comes along. */
export interface Move {
  readonly from: Address;
  readonly value?: bigint;
  readonly call: Call;
}

/** Answers with nothing when there is nothing of the kind to do, mostly: chance tries the hopeless as well. */
export type MoveMaker = (scene: Scene) => Move | undefined;
