import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OPERATIONS, ZERO_ADDRESS } from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { hubScene, linkKey, type HubScene, type HubUser, type LinkKey } from "../../support/hub-scene";

describe("Links", () => {
  let scene: HubScene;
  let sender: HubUser;
  let redeemer: HubUser;
  let link: LinkKey;
  before(async () => {
    scene = await hubScene();
  });
  after(() => scene.close());
  beforeEach(async () => {
    sender = await scene.funded({ user: 100n });
    redeemer = await scene.funded({ hub: 100n });
    link = linkKey(scene);
    await sender.buy("link", link.payment(40n));
  });

  const redeem = (user: HubUser, sigLink = link.signFor(user)) =>
    user.ask("redeemLink", { body: { link: link.address, redeemer: user.address, sigLink } });
  const cancel = (user: HubUser) => user.ask("cancelLink", { params: { address: link.address } });
  const look = () => scene.user().ask("getLink", { params: { address: link.address } });

  it("pays who redeems it, out of the collateral there, with a receipt", async () => {
    const { payment } = await redeem(redeemer);
    expect(payment).to.include({ status: "forwarded", payee: redeemer.address, payer: sender.address, amount: "40" });
    expect(payment.receipt).to.include({ payee: redeemer.address, amount: "40" });
    expect(await redeemer.balances()).to.deep.equal({ hub: 60n, user: 40n });
  });

  it("shows anybody what it is worth, and not from whom or to whom", async () => {
    expect(await look()).to.have.all.keys("asset", "amount", "status", "expiresAt");
    expect(await look()).to.include({ asset: ZERO_ADDRESS, amount: "40", status: "open" });
  });

  describe("H-3:", () => {
    it("of two redeemers at once one is paid, once", async () => {
      const others = await Promise.all([1, 2, 3].map(() => scene.funded({ hub: 100n })));
      const all = [redeemer, ...others];
      const results = await Promise.allSettled(all.map((user) => redeem(user)));
      expect(results.filter(({ status }) => status === "fulfilled")).to.have.length(1);
      for (const result of results) {
        if (result.status === "rejected") {
          expect((result.reason as { code: string }).code).to.be.oneOf(["LinkRedeemed", "ChannelBusy"]);
        }
      }
      const paid = await Promise.all(all.map(async (user) => (await user.balances()).user));
      expect(paid.reduce((sum, each) => sum + each)).to.equal(40n);
      for (const [i, user] of all.entries()) {
        if (paid[i] === 0n) await expectCoded(redeem(user), "LinkRedeemed");
      }
    });

    it("redeemed by the same user again and at once: the same answer, and paid once", async () => {
      const [first, second] = await Promise.all([redeem(redeemer), redeem(redeemer)]);
      expect(second).to.deep.equal(first);
      expect(await redeem(redeemer)).to.deep.equal(first);
      expect((await redeemer.balances()).user).to.equal(40n);
    });

    it("a redemption is bound to its redeemer: who sees it cannot take it", async () => {
      const thief = await scene.funded({ hub: 100n });
      const seen = link.signFor(redeemer);
      await expectCoded(redeem(thief, seen), "LinkSignatureWrong");
      const body = { link: link.address, redeemer: redeemer.address, sigLink: seen };
      await expectCoded(thief.ask("redeemLink", { body }), "NotYours");
      expect((await thief.balances()).user).to.equal(0n);
      await redeem(redeemer, seen);
    });

    it("only its key redeems it: not the redeemer's own, not the key of another link", async () => {
      const other = linkKey(scene);
      await expectCoded(redeem(redeemer, other.signFor(redeemer)), "LinkSignatureWrong");
      await expectCoded(redeem(redeemer, redeemer.sign(await redeemer.state())), "LinkSignatureWrong");
      expect((await look()).status).to.equal("open");
    });

    it("the hub never holds its key: no request has a place for it, and no file holds it", async () => {
      await redeem(redeemer);
      for (const name of ["purchase", "redeemLink", "cancelLink", "getLink"] as const) {
        expect(JSON.stringify(OPERATIONS[name]), name).to.not.match(/secret|privateKey/i);
      }
      const payment = { ...link.payment(1n), secret: link.key } as never;
      await expectCoded(
        sender.ask("purchase", { body: { id: "s", payments: [payment], updates: [] } }),
        "InvalidValue",
      );
      for (const file of ["hub.sqlite", "hub.sqlite-wal", "signer.sqlite"]) {
        const bytes = readFileSync(join(scene.world.folder, file));
        expect(bytes.includes(link.key.slice(2)), file).to.equal(false);
        expect(bytes.includes(Buffer.from(link.key.slice(2), "hex")), file).to.equal(false);
      }
    });
  });

  it("H-2: a redemption names no amount: it pays what was signed", async () => {
    const body = { link: link.address, redeemer: redeemer.address, sigLink: link.signFor(redeemer), amount: "900" };
    await expectCoded(redeemer.ask("redeemLink", { body }), "InvalidValue");
    await redeem(redeemer);
    expect((await redeemer.balances()).user).to.equal(40n);
  });

  it("waits for collateral when the redeemer has none, and is its redeemer's from then on", async () => {
    const poor = scene.user();
    expect((await redeem(poor)).payment).to.include({ status: "waiting", payee: poor.address });
    await expectCoded(redeem(redeemer), "LinkRedeemed");
    await poor.fund({ hub: 40n });
    expect((await redeem(poor)).payment.status).to.equal("forwarded");
    expect((await poor.balances()).user).to.equal(40n);
  });

  it("whose redeemer never gets collateral goes to its custodial balance when its time is up, not back", async () => {
    const poor = scene.user();
    await redeem(poor);
    await scene.pass(31 * 86_400);
    await scene.services.forwarding.endExpired();
    expect((await look()).status).to.equal("custodial");
    expect(await poor.custodial()).to.equal(40n);
    expect((await sender.balances()).user).to.equal(60n);
  });

  it("can be redeemed by its own sender, into the same channel", async () => {
    await redeem(sender);
    expect((await sender.balances()).user).to.equal(100n);
  });

  describe("is cancelled", () => {
    it("by its sender, once it has expired, and then redeemed by nobody", async () => {
      await expectCoded(cancel(sender), "LinkNotExpired");
      await scene.pass(30 * 86_400 + 1);
      expect((await cancel(sender)).payment.status).to.equal("refunded");
      expect(await cancel(sender)).to.have.nested.property("payment.status", "refunded");
      expect((await sender.balances()).user).to.equal(100n);
      await expectCoded(redeem(redeemer), "LinkRefunded");
    });

    it("by nobody else", async () => {
      await scene.pass(30 * 86_400 + 1);
      await expectCoded(cancel(redeemer), "NotYours");
    });

    it("never after it was redeemed", async () => {
      await redeem(redeemer);
      await scene.pass(30 * 86_400 + 1);
      await expectCoded(cancel(sender), "LinkRedeemed");
      expect((await sender.balances()).user).to.equal(60n);
    });

    it("or redeemed, whichever is first, and never both", async () => {
      await scene.pass(30 * 86_400 + 1);
      await Promise.allSettled([cancel(sender), redeem(redeemer)]);
      const [back, paid] = [(await sender.balances()).user - 60n, (await redeemer.balances()).user];
      expect(back + paid).to.equal(40n);
    });

    it("and is unknown where nobody paid", async () => {
      link = linkKey(scene);
      await expectCoded(cancel(sender), "LinkUnknown");
      await expectCoded(redeem(redeemer), "LinkUnknown");
    });
  });
});
