import { expect } from "chai";
import hre from "hardhat";
import { hub } from "./actors";
import type { LoggedEvent, Refusal } from "./calls";
import type { Rules } from "./model/model";
import { RULES } from "./model/rules";
import { shrink } from "./shrink";
import { walk, type WalkResult } from "./walk";

const SEED = 1;

// A very short walk, so that `npm test` knows that the walk itself works; `npm run walk` is the long one.
describe("random walk against the model", () => {
  it("finds no difference", async () => {
    const { finding, stepsDone } = await walk(hre, { calls: 300, seed: SEED });

    expect(finding?.difference).to.be.undefined;
    expect(stepsDone).to.equal(300);
  });

  it("takes the same steps again for the same seed, and others for another", async () => {
    const [first, again, other] = [await shortWalk(7), await shortWalk(7), await shortWalk(8)];

    expect(again.coverage.table()).to.deep.equal(first.coverage.table());
    expect(other.coverage.table()).not.to.deep.equal(first.coverage.table());
  });

  it("leaves the chain as it was", async () => {
    const before: unknown = await hre.network.provider.send("eth_getBlockByNumber", ["latest", false]);
    await shortWalk(SEED);

    expect(await hre.network.provider.send("eth_getBlockByNumber", ["latest", false])).to.deep.equal(before);
  });

  for (const { title, rules, shows } of brokenModels()) {
    it(`finds a model ${title}`, async () => {
      const { finding } = await walk(hre, { calls: 300, seed: SEED, rules });

      expect(finding?.difference.what).to.match(shows);
      expect(finding?.fewSteps.at(-1)).to.equal(finding?.steps.at(-1));
    });
  }

  it("leaves out the steps that a failure does not need", async () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    const fails = (some: readonly number[]): Promise<boolean> =>
      Promise.resolve(some.includes(17) && some.includes(99));

    expect(await shrink(items, fails, () => true)).to.deep.equal([17, 99]);
    expect(await shrink(items, fails, () => false)).to.deep.equal(items);
  });
});

function shortWalk(seed: number): Promise<WalkResult> {
  return walk(hre, { calls: 40, seed });
}

/** One for each kind of thing that is compared. */
function brokenModels(): { readonly title: string; readonly rules: Rules; readonly shows: RegExp }[] {
  return [
    {
      title: "that lets everybody move the reserve",
      rules: {
        ...RULES,
        collateralize: (model, args) => RULES.collateralize(model, args, { from: hub.address, value: 0n }),
      },
      shows: /outcome/,
    },
    {
      title: "that refuses for another reason",
      rules: { ...RULES, deposit: (...call) => renamed(RULES.deposit(...call)) },
      shows: /outcome/,
    },
    {
      title: "that logs other arguments",
      rules: {
        ...RULES,
        fundReserve: (model, args, caller) => {
          const reasons = RULES.fundReserve(model, args, caller);
          model.events.push(...model.events.splice(0).map(withLessLast));
          return reasons;
        },
      },
      shows: /outcome/,
    },
    {
      title: "that keeps other books",
      rules: {
        ...RULES,
        fundReserve: (model, args, caller) => {
          const reasons = RULES.fundReserve(model, args, caller);
          if (reasons.length === 0) model.addReserve(args.asset, 1n);
          return reasons;
        },
      },
      shows: /reserveOf/,
    },
    {
      title: "that pays to somebody else",
      rules: {
        ...RULES,
        deposit: (model, args, caller) => {
          const reasons = RULES.deposit(model, args, caller);
          if (reasons.length === 0) model.bank.moveEther(model.world.manager, caller.from, 1n);
          return reasons;
        },
      },
      shows: /etherOf/,
    },
  ];
}

function renamed(reasons: readonly Refusal[]): readonly Refusal[] {
  return reasons.map(({ args }) => ({ name: "Other", args }));
}

function withLessLast({ name, args }: LoggedEvent): LoggedEvent {
  return { name, args: args.slice(0, -1) };
}
