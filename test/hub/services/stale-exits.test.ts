import { expect } from "chai";
import { ZERO_ADDRESS, type WireSync } from "../../../protocol";
import { allHandlers } from "../../../hub/routes/all-handlers";
import { dispatcher } from "../../../hub/routes/dispatch";
import { expectCoded } from "../../support/expect-coded";
import { until } from "../../support/hub";
import { exitIsSeen, sentBy, windowPasses } from "../../support/hub-disputes";
import { hubScene, pay, type HubScene, type HubUser } from "../../support/hub-scene";

const DAY = 86_400;
const ETHER = 10n ** 18n;

describe("StaleExits", () => {
  let scene: HubScene;
  let user: HubUser;
  let payer: HubUser;
  before(async () => {
    scene = await hubScene({ config: { staleExitDays: 30, staleExitGasMultiple: 10, disputeWorthPercent: 100 } });
  });
  after(() => scene.close());
  beforeEach(async () => {
    user = await scene.funded({ user: ETHER, hub: ETHER });
    payer = await scene.funded({ user: ETHER, hub: ETHER });
  });

  const exits = (who: HubUser) => sentBy(scene, "exit", who.address);
  /** All channels, however many. */
  const look = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) await scene.services.staleExits.look();
  };
  const exitByOperator = (who: HubUser): Promise<unknown> => {
    const dispatch = dispatcher(allHandlers(scene.services));
    return dispatch("adminExit", { body: { user: who.address } }, { isAdmin: true });
  };

  describe("by policy", () => {
    it("leaves a channel that nobody has used for long, and no other", async () => {
      await look();
      await scene.pass(29 * DAY);
      await payer.buy("p", pay(user, 1n));
      await user.level();
      await look();
      expect([await exits(user), await exits(payer)]).to.deep.equal([[], []]);
      await scene.pass(2 * DAY);
      await payer.buy("q", payCustodially(user));
      await look();
      expect([await exits(user), await exits(payer)]).to.deep.equal([[], []]);
      await scene.pass(29 * DAY);
      await look();
      expect(await exits(user)).to.have.length(1);
      await exitIsSeen(scene, user);
      const kinds = (await scene.services.store.operation.audit(10)).map(({ kind, user: of }) => `${kind} ${of ?? ""}`);
      expect(kinds).to.include(`policy:stale-exit ${user.address}`);
    });

    it("leaves alone what would not pay for the gas, or whose user has seen credits it may still use", async () => {
      const poor = await scene.funded({ user: ETHER, hub: 10n ** 12n });
      await payer.buy("p", pay(user, 5n));
      await user.sync();
      await look();
      await scene.pass(31 * DAY);
      await look();
      expect([await exits(poor), await exits(user)]).to.deep.equal([[], []]);
      expect(await exits(payer)).to.have.length(1);
    });
  });

  describe("by the operator", () => {
    it("first moves what the user never saw to its custodial balance, once, with the exit and the audit", async () => {
      await payer.buy("p", pay(user, 5n));
      await payer.buy("q", pay(user, 6n));
      const before = await user.balances();
      await exitByOperator(user);
      expect(await user.custodial()).to.equal(11n);
      expect((await user.balances()).user).to.equal(before.user - 11n);
      const [entry] = await scene.services.store.operation.audit(1);
      expect(entry).to.deep.include({ kind: "admin:exit", user: user.address });
      await windowPasses(scene, user);
      expect(await user.custodial()).to.equal(11n);
      expect((await exits(user))[0]).to.deep.include({ status: "mined" });
    });

    it("takes nothing back that its user could still use: that would be paid twice", async () => {
      await payer.buy("p", pay(user, 5n));
      const sync: WireSync = await user.sync();
      expect(sync.updates).to.have.length(1);
      await expectCoded(exitByOperator(user), "ExitRefused");
      expect(await user.custodial()).to.equal(0n);
      await user.level();
      await exitByOperator(user);
      await exitIsSeen(scene, user);
      await expectCoded(exitByOperator(user), "ChannelIsExiting");
    });

    it("exits a channel in which nothing is signed, and none that is empty", async () => {
      await expectCoded(exitByOperator(scene.user()), "ExitRefused");
      const fresh = scene.user();
      const { manager, carol } = scene.world;
      await manager.connect(carol).deposit(fresh.address, ZERO_ADDRESS, ETHER, true, { value: ETHER });
      await until("the deposit", async () => {
        const { ledgers } = await scene.services.channels.load(fresh.address);
        return ledgers.size === 1;
      });
      await exitByOperator(fresh);
      await windowPasses(scene, fresh);
      expect((await scene.services.channels.load(fresh.address)).session).to.equal(1n);
    });
  });
});

/** What leaves the payee's channel as it is. */
function payCustodially(payee: HubUser): ReturnType<typeof pay> {
  return { ...pay(payee, 1n), type: "PT_CUSTODIAL" } as unknown as ReturnType<typeof pay>;
}
