import { expect } from "chai";
import fc from "fast-check";
import { hashState, rowOf, ZERO_ADDRESS } from "../../../protocol";
import { hasCode } from "../../../client/errors";
import { newestOf, type ChannelRecord } from "../../../client/engine/record";
import { reconcile } from "../../../client/engine/reconcile";
import { engineScene, paymentOf, requestOf } from "./engine-scene";
import { ModelHub, type Fate } from "./model-hub";
import { both, contextOf, funded, levelRecord, pays } from "./scene";

const fate = fc.constantFrom<Fate>("arrives", "arrives", "lost", "unanswered");

const action = fc.oneof(
  fc.record({ does: fc.constant("buy" as const), amount: fc.bigInt(1n, 40n), fates: fc.array(fate, { maxLength: 8 }) }),
  fc.record({ does: fc.constant("retry" as const), fates: fc.array(fate, { maxLength: 8 }) }),
  fc.record({ does: fc.constant("hubPays" as const), amount: fc.bigInt(1n, 9n), isPushed: fc.boolean() }),
  fc.record({ does: fc.constant("hubIsFaster" as const), amount: fc.bigInt(1n, 9n) }),
  fc.record({ does: fc.constant("push" as const), age: fc.nat(20) }),
  fc.record({ does: fc.constant("level" as const), fates: fc.array(fate, { maxLength: 8 }) }),
  fc.record({ does: fc.constant("restart" as const) }),
);

describe("coming level", () => {
  it("ends with the hub's newest, whatever syncs are doubled, reordered or lost, and never with less on the way", () => {
    const step = fc.record({ amount: fc.bigInt(1n, 3n), isCountersigned: fc.boolean() });
    const property = fc.property(fc.array(step, { maxLength: 12 }), fc.array(fc.nat(12), { maxLength: 30 }), run);
    fc.assert(property, { numRuns: 60 });

    function run(steps: readonly { amount: bigint; isCountersigned: boolean }[], order: readonly number[]): void {
      const hub = new ModelHub();
      hub.base = both(funded());
      hub.floor = 10n;
      const syncs = [hub.sync];
      for (const { amount, isCountersigned } of steps) {
        hub.signs("Payment", pays(amount));
        if (isCountersigned) [hub.base, hub.pending] = [both(hub.newest), []];
        syncs.push(hub.sync);
      }
      let record: ChannelRecord = levelRecord();
      const take = (sync: typeof hub.sync, isAnswer: boolean): void => {
        const before = rowOf(newestOf(record), ZERO_ADDRESS).balanceUser;
        const result = reconcile(record, sync, contextOf({ isAnswer }));
        expect(result.incident).to.equal(undefined);
        record = result.record;
        expect(rowOf(newestOf(record), ZERO_ADDRESS).balanceUser).to.be.at.least(before);
      };
      for (const at of order) take(syncs[at % syncs.length] ?? hub.sync, false);
      take(hub.sync, true);
      expect(hashState(newestOf(record))).to.equal(hashState(hub.newest));
    }
  });

  it("pays each purchase once or not at all, signs one state a nonce, and both can go on, whatever is lost", async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 14 }), async (actions) => {
        const scene = engineScene();
        const { hub } = scene;
        let engine = await scene.open();
        let [credited, count] = [0n, 0];
        const amounts = new Map<string, bigint>();
        const pushes = [hub.sync];
        const pay = (amount: bigint): void => {
          hub.signs("Payment", pays(amount));
          credited += amount;
          pushes.push(hub.sync);
        };
        const buy = async (id: string, amount: bigint, fates: readonly Fate[]): Promise<void> => {
          hub.fates = [...fates];
          amounts.set(id, amount);
          await engine.purchase(requestOf(id), [paymentOf(amount)]).catch((error: unknown) => {
            if (!hasCode(error)) throw error;
            // A typed refusal means: void. It is never paid later.
            if (!hasCode(error, "AnswerUnknown") && !hub.purchases.has(id)) amounts.delete(id);
          });
        };
        for (const each of actions) {
          if (each.does === "buy") await buy(`p${count++}`, each.amount, each.fates);
          if (each.does === "retry") {
            const [last] = [...amounts].slice(-1);
            if (last !== undefined) await buy(...last, each.fates);
          }
          if (each.does === "hubPays" && rowOf(hub.newest, ZERO_ADDRESS).balanceHub >= each.amount) {
            pay(each.amount);
            if (each.isPushed) engine.pushed(hub.sync);
          }
          if (each.does === "hubIsFaster") {
            hub.faster.push(() => {
              if (rowOf(hub.newest, ZERO_ADDRESS).balanceHub >= each.amount) pay(each.amount);
            });
          }
          const pushed = each.does === "push" ? pushes[each.age % pushes.length] : undefined;
          if (pushed !== undefined) engine.pushed(pushed);
          if (each.does === "level") {
            hub.fates = [...each.fates];
            await engine.level().catch((error: unknown) => {
              if (!hasCode(error, "AnswerUnknown")) throw error;
            });
          }
          if (each.does === "restart") {
            await engine.idle();
            engine = await scene.open();
          }
          await engine.idle();
        }
        hub.fates = [];
        hub.faster.length = 0;
        await engine.level();
        await engine.level();
        const paid = [...hub.purchases.keys()].reduce((sum, id) => sum + (amounts.get(id) ?? -1_000n), 0n);
        expect(scene.incidents).to.deep.equal([]);
        expect(rowOf(hub.start, ZERO_ADDRESS).balanceUser).to.equal(100n + credited - paid);
        expect(hashState(engine.state)).to.equal(hashState(hub.start));
        expect(engine.record).to.deep.include({ issued: [], pending: [] });
        for (const hashes of hub.signedByUser.values()) expect(hashes.size).to.equal(1);
        await engine.purchase(requestOf("last"), [paymentOf(1n)]).catch((error: unknown) => {
          if (!hasCode(error, "BalanceTooLow")) throw error;
        });
      }),
      { numRuns: 80 },
    );
  });
});
