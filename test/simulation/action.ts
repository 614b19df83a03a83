import type { User } from "../chaos/chaos-world";
import type { Random } from "../invariants/walk/random";

export const PEOPLE = ["alice", "bob", "dave"] as const satisfies readonly User[];

export type Person = (typeof PEOPLE)[number];

const ETHER = 10n ** 18n;
const GWEI = 10n ** 9n;

type PaymentType = "PT_CHANNEL" | "PT_CUSTODIAL" | "PT_OPTIMISTIC";

/** What somebody does through a client. Amounts in wei. */
export type Deed =
  | {
      readonly kind: "pay";
      readonly by: Person;
      readonly to: Person;
      readonly type: PaymentType;
      readonly amount: bigint;
    }
  | { readonly kind: "link"; readonly by: Person; readonly amount: bigint }
  | { readonly kind: "redeem"; readonly by: Person; readonly pick: number }
  | { readonly kind: "exchange"; readonly by: Person; readonly amount: bigint; readonly back: boolean }
  | { readonly kind: "withdraw"; readonly by: Person; readonly amount: bigint }
  | { readonly kind: "collateral"; readonly by: Person; readonly amount: bigint }
  | {
      readonly kind: "open thread";
      readonly by: Person;
      readonly to: Person;
      readonly amount: bigint;
      readonly updatable: boolean;
    }
  | { readonly kind: "pay thread"; readonly by: Person; readonly pick: number; readonly amount: bigint }
  | { readonly kind: "close thread"; readonly by: Person; readonly pick: number };

/** What happens on chain alone. */
export type OnChain =
  | { readonly kind: "deposit"; readonly by: Person; readonly amount: bigint; readonly token: boolean }
  | { readonly kind: "exit"; readonly by: Person };

/** What goes wrong by itself. */
export type Mishap =
  | { readonly kind: "leave" | "come back"; readonly by: Person }
  | { readonly kind: "restart hub" | "calm" }
  | { readonly kind: "crash"; readonly by: Person | "hub"; readonly at: number; readonly again: number | undefined }
  | { readonly kind: "storm"; readonly seed: number; readonly loss: number }
  | { readonly kind: "fork"; readonly what: OnChain; readonly keeps: boolean; readonly isSeen: boolean }
  | { readonly kind: "gas"; readonly baseFee: bigint }
  | { readonly kind: "time"; readonly seconds: number };

/** What is done on purpose. Who did any of these is owed nothing. */
export type Attack =
  | { readonly kind: "old exit"; readonly by: Person; readonly pick: number }
  | { readonly kind: "forge"; readonly by: Person; readonly seed: number };

/** Somebody on the wire sends again what was sent before. */
export type Replay = { readonly kind: "replay"; readonly pick: number };

export type Action =
  Deed | OnChain | Mishap | Attack | Replay | { readonly kind: "both"; readonly of: readonly [Deed, Deed] };

/** A history before it happens: leaving out any of its actions leaves a history. */
export interface Plan {
  readonly actions: readonly Action[];
  /** Whether the hub itself cheats at the end, with a state of each channel. Some users are away then, with a tower. */
  readonly hubCheats: boolean;
  readonly pick: number;
}

const DEEDS_BY_KIND: Readonly<Record<Deed["kind"], true>> = {
  ...{ pay: true, link: true, redeem: true, exchange: true, withdraw: true, collateral: true },
  ...{ "open thread": true, "pay thread": true, "close thread": true },
};

export function isDeed(action: Action): action is Deed {
  return action.kind in DEEDS_BY_KIND;
}

export function isOnChain(action: Action): action is OnChain {
  return action.kind === "deposit" || action.kind === "exit";
}

export function isAttack(action: Action): action is Attack {
  return action.kind === "old exit" || action.kind === "forge";
}

const MOST_ACTIONS = 12;

/** Every choice of a history from one seed. */
export function planOf(random: Random): Plan {
  const count = 3 + random.below(MOST_ACTIONS - 2);
  return {
    actions: Array.from({ length: count }, () => anyAction(random)),
    hubCheats: random.chance(0.2),
    pick: random.below(2 ** 31),
  };
}

type Make = (random: Random) => Action;

const MAKERS: readonly (readonly [weight: number, make: Make])[] = [
  [40, anyDeed],
  [6, (random) => ({ kind: "both", of: [anyDeed(random), anyDeed(random)] })],
  [8, anyDeposit],
  [1, (random) => ({ kind: "exit", by: random.pick(PEOPLE) })],
  [4, (random) => ({ kind: "leave", by: random.pick(PEOPLE) })],
  [3, (random) => ({ kind: "come back", by: random.pick(PEOPLE) })],
  [2, () => ({ kind: "restart hub" })],
  [8, anyCrash],
  [5, (random) => ({ kind: "storm", seed: random.below(2 ** 31), loss: 0.05 + random.below(20) / 100 })],
  [3, () => ({ kind: "calm" })],
  [5, anyFork],
  [3, (random) => ({ kind: "gas", baseFee: BigInt(1 + random.below(400)) * GWEI })],
  [3, (random) => ({ kind: "time", seconds: 1 + random.below(7_200) })],
  [5, (random) => ({ kind: "old exit", by: random.pick(PEOPLE), pick: random.below(2 ** 31) })],
  [2, (random) => ({ kind: "forge", by: random.pick(PEOPLE), seed: random.below(2 ** 31) })],
  [4, (random) => ({ kind: "replay", pick: random.below(2 ** 31) })],
];

const DEEDS: readonly (readonly [weight: number, make: (random: Random) => Deed])[] = [
  [12, anyPayment],
  [2, (random) => ({ kind: "link", by: random.pick(PEOPLE), amount: anyAmount(random) })],
  [2, (random) => ({ kind: "redeem", by: random.pick(PEOPLE), pick: random.below(8) })],
  [
    2,
    (random) => ({
      kind: "exchange",
      by: random.pick(PEOPLE),
      amount: 1n + random.upTo(ETHER / 50n),
      back: random.chance(0.4),
    }),
  ],
  [3, (random) => ({ kind: "withdraw", by: random.pick(PEOPLE), amount: anyAmount(random) })],
  [1, (random) => ({ kind: "collateral", by: random.pick(PEOPLE), amount: anyAmount(random) * 2n })],
  [5, anyThread],
  [
    6,
    (random) => ({
      kind: "pay thread",
      by: random.pick(PEOPLE),
      pick: random.below(8),
      amount: 1n + random.upTo(ETHER / 4n),
    }),
  ],
  [3, (random) => ({ kind: "close thread", by: random.pick(PEOPLE), pick: random.below(8) })],
];

function anyAction(random: Random): Action {
  return random.weighted(MAKERS)(random);
}

function anyDeed(random: Random): Deed {
  return random.weighted(DEEDS)(random);
}

/** One wei to four ether: more than what some have. */
function anyAmount(random: Random): bigint {
  return random.chance(0.1) ? 1n : 1n + random.upTo(random.chance(0.1) ? 4n * ETHER : ETHER);
}

function anyPair(random: Random): { readonly by: Person; readonly to: Person } {
  const by = random.pick(PEOPLE);
  return { by, to: random.pick(PEOPLE.filter((person) => person !== by)) };
}

function anyPayment(random: Random): Deed {
  const type = random.weighted<PaymentType>([
    [6, "PT_CHANNEL"],
    [2, "PT_CUSTODIAL"],
    [2, "PT_OPTIMISTIC"],
  ]);
  return { kind: "pay", ...anyPair(random), type, amount: anyAmount(random) };
}

function anyThread(random: Random): Deed {
  return { kind: "open thread", ...anyPair(random), amount: anyAmount(random), updatable: random.chance(0.3) };
}

function anyDeposit(random: Random): OnChain {
  return { kind: "deposit", by: random.pick(PEOPLE), amount: anyAmount(random), token: random.chance(0.2) };
}

function anyFork(random: Random): Action {
  const what: OnChain = random.chance(0.7) ? anyDeposit(random) : { kind: "exit", by: random.pick(PEOPLE) };
  return { kind: "fork", what, keeps: random.chance(0.5), isSeen: random.chance(0.7) };
}

function anyCrash(random: Random): Action {
  const by = random.chance(0.5) ? ("hub" as const) : random.pick(PEOPLE);
  return { kind: "crash", by, at: 1 + random.below(30), again: random.chance(0.2) ? 1 + random.below(6) : undefined };
}

/** One line for a log or a failure. */
export function wordsOf(action: Action): string {
  return JSON.stringify(action, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}
