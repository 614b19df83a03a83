import { expect } from "chai";
import { hubError, rowOf, ZERO_ADDRESS, type Address } from "../../../protocol";
import { DEVICES } from "../../../client/engine/record";
import { expectCoded } from "../../support/expect-coded";
import { engineScene, paymentOf, requestOf, type EngineScene } from "./engine-scene";
import { sameState } from "./model-hub";
import { both, contextOf, DEVICE, funded, hubStep, pays, STRANGER, syncOf, USER } from "./scene";

const TOO_LITTLE = hubError("InsufficientCollateral", {
  ...{ asset: ZERO_ADDRESS, available: 0n, needed: 1n, payee: STRANGER },
});

describe("the engine", () => {
  let scene: EngineScene;
  beforeEach(() => {
    scene = engineScene();
  });

  const balanceOf = (asset: Address = ZERO_ADDRESS): bigint => rowOf(scene.hub.start, asset).balanceUser;

  describe("paying", () => {
    it("signs on top of the newest, at a nonce of its own device", async () => {
      const engine = await scene.open();
      await engine.purchase(requestOf("one"), [paymentOf(30n)]);
      expect(balanceOf()).to.equal(70n);
      expect(sameState(engine.state, scene.hub.start)).to.equal(true);
      expect(engine.state.nonce % DEVICES).to.equal(DEVICE);
    });

    it("W-6: has on disk what it signs before anybody sees it", async () => {
      const engine = await scene.open();
      await engine.level();
      const onDisk: string[] = [];
      scene.hub.onHear = (name) => {
        if (name === "purchase") onDisk.push(...scene.entries.values());
        return Promise.resolve();
      };
      await engine.purchase(requestOf("one"), [paymentOf(30n)]);
      const sent = JSON.parse(scene.hub.heard.find(({ name }) => name === "purchase")?.text ?? "") as {
        body: { updates: [{ sigUser: string }] };
      };
      expect(onDisk.join()).to.include(sent.body.updates[0].sigUser);
    });

    it("W-7: asks again with the same bytes when the answer is unknown, and pays once", async () => {
      const engine = await scene.open();
      await engine.level();
      scene.hub.fates = ["lost", "unanswered", "unanswered"];
      await engine.purchase(requestOf("one"), [paymentOf(30n)]);
      const sent = scene.hub.heard.filter(({ name }) => name === "purchase");
      expect(sent).to.have.length(4);
      expect(new Set(sent.map(({ text }) => text)).size).to.equal(1);
      expect(balanceOf()).to.equal(70n);
    });

    it("H-14: verifies what the hub signed meanwhile and signs again above both nonces", async () => {
      const engine = await scene.open();
      await engine.level();
      scene.hub.faster.push(
        () => scene.hub.signs("Payment", pays(5n)),
        () => scene.hub.signs("Payment", pays(2n)),
      );
      await engine.purchase(requestOf("one"), [paymentOf(30n)]);
      expect(balanceOf()).to.equal(77n);
      expect(engine.record).to.deep.include({ issued: [], pending: [] });
      for (const hashes of scene.hub.signedByUser.values()) expect(hashes.size).to.equal(1);
    });

    it("H-14: gives up with a typed error when the hub is always faster", async () => {
      const engine = await scene.open();
      await engine.level();
      for (let i = 0; i < 21; i++) scene.hub.faster.push(() => scene.hub.signs("Payment", pays(1n)));
      await expectCoded(engine.purchase(requestOf("one"), [paymentOf(30n)]), "OutOfSync");
      expect(balanceOf()).to.equal(121n);
      expect(engine.record.issued).to.deep.equal([]);
    });

    it("reports a refusal once the signed payment is void, and not before", async () => {
      const engine = await scene.open();
      scene.hub.refusal = TOO_LITTLE;
      await expectCoded(engine.purchase(requestOf("one"), [paymentOf(30n)]), "InsufficientCollateral");
      expect(balanceOf()).to.equal(100n);
      const [refused] = scene.hub.signedByUser.keys();
      expect(scene.hub.start.nonce).to.be.greaterThan(refused ?? 0n);
      expect(engine.record.issued).to.deep.equal([]);
    });

    it("says that it is unknown while a refused payment could still count", async () => {
      const engine = await scene.open();
      await engine.level();
      scene.hub.refusal = TOO_LITTLE;
      scene.hub.fates = ["arrives", ...Array<"lost">(20).fill("lost")];
      await expectCoded(engine.purchase(requestOf("one"), [paymentOf(30n)]), "AnswerUnknown");
      expect(engine.record.issued).to.have.length(2);
      scene.hub.fates = [];
      await engine.level();
      expect(engine.record.issued).to.deep.equal([]);
      expect(balanceOf()).to.equal(100n);
    });

    it("resumes what is unanswered after a restart, with the same bytes", async () => {
      const engine = await scene.open();
      await engine.level();
      scene.hub.fates = Array<"lost">(20).fill("lost");
      await expectCoded(engine.purchase(requestOf("one"), [paymentOf(30n)]), "AnswerUnknown");
      scene.hub.fates = [];
      const again = await scene.open();
      await again.level();
      const sent = scene.hub.heard.filter(({ name }) => name === "purchase").map(({ text }) => text);
      expect(new Set(sent).size).to.equal(1);
      expect(balanceOf()).to.equal(70n);
      expect(again.record.issued).to.deep.equal([]);
    });

    it("pays once when a purchase is retried that had been paid without an answer", async () => {
      const engine = await scene.open();
      await engine.level();
      scene.hub.fates = ["unanswered", ...Array<"lost">(20).fill("lost")];
      await expectCoded(engine.purchase(requestOf("one"), [paymentOf(30n)]), "AnswerUnknown");
      scene.hub.fates = [];
      const answer = await engine.purchase(requestOf("one"), [paymentOf(30n)]);
      expect(answer.id).to.equal("one");
      expect(balanceOf()).to.equal(70n);
    });

    it("voids what it signed for a purchase that an earlier try has paid", async () => {
      const engine = await scene.open();
      await engine.purchase(requestOf("one"), [paymentOf(30n)]);
      await engine.purchase(requestOf("one"), [paymentOf(30n)]);
      expect(balanceOf()).to.equal(70n);
      expect(engine.record.issued).to.deep.equal([]);
      await engine.purchase(requestOf("two"), [paymentOf(10n)]);
      expect(balanceOf()).to.equal(60n);
    });

    it("does not sign what it cannot pay", async () => {
      const engine = await scene.open();
      await expectCoded(engine.purchase(requestOf("one"), [paymentOf(101n)]), "BalanceTooLow");
      expect(scene.hub.signedByUser.size).to.equal(0);
    });
  });

  describe("what the hub signs", () => {
    it("is countersigned, the newest of several only", async () => {
      const engine = await scene.open();
      await engine.purchase(requestOf("one"), [paymentOf(1n)]);
      scene.hub.signs("Payment", pays(5n));
      engine.pushed(scene.hub.sync);
      scene.hub.signs("Payment", pays(6n));
      engine.pushed(scene.hub.sync);
      await engine.idle();
      expect(balanceOf()).to.equal(110n);
      expect(scene.hub.heard.filter(({ name }) => name === "update")).to.have.length(1);
    });

    it("is accepted by an empty payment where the key may have signed its nonce before", async () => {
      scene.hub.signs("Payment", pays(5n));
      const engine = await scene.open();
      await engine.level();
      expect(balanceOf()).to.equal(105n);
      expect(scene.hub.start.nonce).to.be.greaterThan(1_000n * DEVICES);
    });

    it("W-1: is not signed where nobody asked for it; the evidence is kept once", async () => {
      const engine = await scene.open();
      await engine.level();
      const all = [{ asset: ZERO_ADDRESS, user: 100n, hub: 0n }];
      scene.hub.signs("Withdrawal", { recipient: STRANGER, assets: all });
      engine.pushed(scene.hub.sync);
      await engine.level();
      expect(scene.hub.signedByUser.size).to.equal(0);
      expect(scene.incidents.map(({ code }) => code)).to.deep.equal(["Unsolicited"]);
      const [kept, ...more] = await engine.incidents();
      expect(more).to.deep.equal([]);
      expect(kept).to.include(STRANGER);
    });

    it("W-7: does not end what the client does when it makes no sense", async () => {
      const engine = await scene.open();
      await engine.level();
      engine.pushed({ ...scene.hub.sync, nonceFloor: "no number" });
      await engine.idle();
      await engine.purchase(requestOf("one"), [paymentOf(30n)]);
      expect(balanceOf()).to.equal(70n);
    });

    it("is no incident when it is an old push", async () => {
      const engine = await scene.open();
      const old = scene.hub.sync;
      await engine.purchase(requestOf("one"), [paymentOf(30n)]);
      engine.pushed(old);
      await engine.idle();
      expect(scene.incidents).to.deep.equal([]);
      expect(balanceOf()).to.equal(70n);
    });

    it("waits for a deposit that this side does not see, and nothing is signed behind it", async () => {
      const engine = await scene.open();
      await engine.level();
      scene.hub.signs("Deposit", { asset: ZERO_ADDRESS, depositedHub: 100n, depositedUser: 150n });
      engine.pushed(scene.hub.sync);
      await engine.idle();
      expect(engine.isWaiting).to.equal(true);
      await expectCoded(engine.purchase(requestOf("one"), [paymentOf(1n)]), "TimedOut");
      expect(scene.hub.signedByUser.size).to.equal(0);
      const ledger = { depositedHub: 100n, depositedUser: 150n, withdrawnHub: 0n, withdrawnUser: 0n };
      const ledgers = new Map([[ZERO_ADDRESS, ledger]]);
      [scene.view, scene.hub.context] = [{ ...scene.view, ledgers }, contextOf({ ledgers })];
      await engine.level();
      expect(balanceOf()).to.equal(150n);
      expect(scene.incidents).to.deep.equal([]);
    });
  });

  describe("W-6: a hub that forgot", () => {
    it("is shown the newer state; nothing of the older one is taken", async () => {
      const engine = await scene.open();
      const old = scene.hub.base;
      await engine.purchase(requestOf("one"), [paymentOf(30n)]);
      const newest = engine.state;
      scene.hub.base = old;
      await engine.level();
      expect(scene.incidents.map(({ code }) => code)).to.deep.equal(["HubBehind"]);
      expect(sameState(scene.hub.start, newest)).to.equal(true);
      expect(sameState(engine.state, newest)).to.equal(true);
    });

    it("is shown what it had signed alone, signed by both", async () => {
      const engine = await scene.open();
      await engine.level();
      scene.hub.signs("Payment", pays(5n));
      const credited = scene.hub.newest;
      scene.hub.fates = ["lost"];
      engine.pushed(scene.hub.sync);
      await engine.idle();
      [scene.hub.pending, scene.hub.floor] = [[], 10n];
      await engine.level();
      expect(rowOf(engine.state, ZERO_ADDRESS).balanceUser).to.equal(105n);
      expect(balanceOf()).to.equal(rowOf(credited, ZERO_ADDRESS).balanceUser);
    });

    it("and does not want to know is asked twice, not for ever", async () => {
      const engine = await scene.open();
      const old = scene.hub.base;
      await engine.purchase(requestOf("one"), [paymentOf(30n)]);
      let asked = 0;
      const again = await scene.open({
        hub: {
          call: () => {
            asked++;
            return Promise.resolve(syncOf(old) as never);
          },
        },
      });
      await again.level();
      expect(asked).to.be.lessThan(5);
    });
  });

  describe("withdrawing", () => {
    const wish = { recipient: STRANGER, assets: [{ asset: ZERO_ADDRESS, amount: 40n }] };
    const args = { recipient: STRANGER, assets: [{ asset: ZERO_ADDRESS, user: 40n, hub: 60n }] };

    it("countersigns exactly what was asked for", async () => {
      const engine = await scene.open();
      await engine.level();
      const state = await engine.withdraw(wish, () => {
        scene.hub.signs("Withdrawal", args);
        return Promise.resolve(scene.hub.sync);
      });
      expect(rowOf(state, ZERO_ADDRESS)).to.deep.include({ balanceUser: 60n, withdrawnUser: 40n, withdrawnHub: 60n });
      expect(engine.record.wishes).to.deep.equal([]);
    });

    it("W-1: ends with an incident when the hub signs another one", async () => {
      const engine = await scene.open();
      await engine.level();
      const other = engine.withdraw(wish, () => {
        scene.hub.signs("Withdrawal", { ...args, recipient: USER });
        return Promise.resolve(scene.hub.sync);
      });
      await expectCoded(other, "HubIncident");
      expect(scene.hub.signedByUser.size).to.equal(0);
    });

    it("forgets what the hub refused, and remembers what it may have signed", async () => {
      const engine = await scene.open();
      await engine.level();
      const refusal = hubError("AssetUnknown", { asset: STRANGER });
      await expectCoded(
        engine.withdraw(wish, () => Promise.reject(refusal)),
        "AssetUnknown",
      );
      expect(engine.record.wishes).to.deep.equal([]);
      const lost = hubError("Stopping", {});
      await expectCoded(
        engine.withdraw(wish, () => Promise.reject(lost)),
        "Stopping",
      );
      scene.hub.signs("Withdrawal", args);
      await engine.level();
      expect(rowOf(scene.hub.start, ZERO_ADDRESS).withdrawnUser).to.equal(40n);
      expect(scene.incidents).to.deep.equal([]);
    });
  });

  describe("signs nothing", () => {
    it("H-20: while an exit runs", async () => {
      const engine = await scene.open();
      await engine.level();
      scene.view = { ...scene.view, exit: { nonce: 10n, deadline: 9_999_999_999n } };
      await engine.refreshView();
      scene.hub.signs("Payment", pays(5n));
      engine.pushed(scene.hub.sync);
      await engine.idle();
      await expectCoded(engine.purchase(requestOf("one"), [paymentOf(1n)]), "ChannelIsExiting");
      expect(scene.hub.signedByUser.size).to.equal(0);
    });

    it("H-20: while the newest block that it sees is old", async () => {
      const engine = await scene.open();
      await engine.level();
      scene.nowMs += 601_000;
      await expectCoded(engine.purchase(requestOf("one"), [paymentOf(1n)]), "ViewTooOld");
      expect(scene.hub.signedByUser.size).to.equal(0);
    });

    it("after it was stopped", async () => {
      const engine = await scene.open();
      engine.stop();
      await expectCoded(engine.propose([paymentOf(1n)]), "Stopped");
    });
  });

  it("begins the next session when the chain has settled one, and keeps what was", async () => {
    const engine = await scene.open();
    await engine.purchase(requestOf("one"), [paymentOf(30n)]);
    scene.view = { ...scene.view, session: 1n, ledgers: new Map() };
    await engine.refreshView();
    expect(engine.record).to.deep.include({ session: 1n, pending: [], issued: [] });
    expect(engine.record.highestSigned).to.be.greaterThan(0n);
    expect([...scene.entries.keys()].some((key) => key.endsWith(":session:0"))).to.equal(true);
  });

  it("takes over a newer state of another device with the same key", async () => {
    const engine = await scene.open();
    await engine.level();
    const { state } = hubStep(funded(), "Payment", pays(5n), 3n * DEVICES);
    [scene.hub.base, scene.hub.floor] = [both(state), state.nonce];
    await engine.purchase(requestOf("one"), [paymentOf(5n)]);
    expect(balanceOf()).to.equal(100n);
    expect(scene.incidents).to.deep.equal([]);
  });
});
