import type { Refusal } from "../calls";
import { broken, type Model, type Rules } from "./model";
import { usePermit } from "./token-signatures";

type Outside = Pick<
  Rules,
  | "deploy"
  | "plainEther"
  | "forceEther"
  | "donateToken"
  | "approve"
  | "permit"
  | "setTrick"
  | "setBalance"
  | "setManner"
  | "batch"
>;

const MIN_PERIOD_SECONDS = 3_600n;
const MAX_PERIOD_SECONDS = 30n * 86_400n;

export const outside: Outside = {
  deploy: (_, { hub, treasury, challengePeriodSeconds: period }) => [
    ...broken(BigInt(hub) === 0n, "InvalidHub", hub),
    ...broken(BigInt(treasury) === 0n || treasury === hub, "InvalidTreasury", treasury),
    ...broken(
      period < MIN_PERIOD_SECONDS || period > MAX_PERIOD_SECONDS,
      "InvalidChallengePeriod",
      period,
      MIN_PERIOD_SECONDS,
      MAX_PERIOD_SECONDS,
    ),
  ],

  plainEther: () => broken(true, "UseFundReserveOrDeposit"),

  forceEther: () => [],

  donateToken: ({ bank, world }, { asset, amount }, { from }) => {
    if (asset === world.dollar) return asReasons(bank.moveDollars(from, world.manager, amount));
    bank.silents.set(bank.silents.get(from) - amount, from);
    bank.silents.set(bank.silents.get(world.manager) + amount, world.manager);
    return [];
  },

  approve: ({ bank, world }, { asset, amount }, { from }) => {
    const allowance = asset === world.dollar ? bank.dollarAllowance : bank.silentAllowance;
    allowance.set(amount, from, world.manager);
    return [];
  },

  permit: usePermit,

  setTrick: ({ bank }, { trick, nested }) => {
    bank.setTrick(trick, nested);
    return [];
  },

  setBalance: ({ bank }, { holder, amount }) => {
    bank.rogues.set(amount, holder);
    return [];
  },

  setManner: ({ bank }, { receiver, manner, nested }) => {
    bank.setManner(receiver, manner, nested);
    return [];
  },

  /** Multicall3's `aggregate3`: the calls come from it, without ether. */
  batch: (model, { calls }) => {
    for (const [index, { call, allowFailure }] of calls.entries()) {
      const reasons = callAsMulticall(model, call);
      if (reasons.length === 0 || allowFailure) continue;
      return reasons.map((reason) => ({ name: "CallFailed", args: [BigInt(index), reason] }));
    }
    return [];
  },
};

function callAsMulticall(
  model: Model,
  call: Parameters<Outside["batch"]>[1]["calls"][number]["call"],
): readonly Refusal[] {
  return model.attempt(call.fn, call.args, { from: model.world.multicall, value: 0n });
}

const asReasons = (refusal: Refusal | undefined): readonly Refusal[] => (refusal === undefined ? [] : [refusal]);
