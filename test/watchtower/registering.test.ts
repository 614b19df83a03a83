import { expect } from "chai";
import { Wallet } from "ethers";
import {
  blobHashOf,
  bytesToHex,
  digestOf,
  hashReceipt,
  hashTowerBackup,
  hashTowerBackupRequest,
  hexToBytes,
  parseAddress,
  signDigest,
  watchtowerDomain,
  type Hash,
  type Receipt,
} from "../../protocol";
import { verifyReceipts, type Receipts } from "../../scripts/verify-receipt";
import { developmentKey } from "../support/hub";
import { agree } from "../support/threads";
import {
  fundAlice,
  post,
  register,
  stateAt,
  statusOf,
  towerScene,
  wireSigned,
  wireThread,
  type TowerScene,
} from "../support/tower";
import { signPayment, signState } from "../support/world";

const PAYEE = parseAddress("0x00000000000000000000000000000000000fee00");
const ETHER = parseAddress(`0x${"00".repeat(20)}`);
const DAY = 86_400;

describe("registering with a watchtower", () => {
  let scene: TowerScene;
  let alice: string;
  const open = async (config = {}): Promise<void> => {
    scene = await towerScene({ config });
    alice = scene.world.alice.address;
    await fundAlice(scene);
  };
  beforeEach(() => open());
  afterEach(() => scene.close());

  const codeOf = async (body: unknown): Promise<string> => {
    const { status, body: answer } = await post(scene, "/channel", body);
    return status === 200 ? "ok" : `${status} ${answer.code}`;
  };
  const asked = async (nonce: bigint, balance = 100n) => ({
    signed: wireSigned(await stateAt(scene, nonce, balance)),
    threads: [],
  });

  describe("receipts", () => {
    it("are one a nonce, signed so that anybody can verify them with ethers alone", async () => {
      const receipts = await register(scene, await stateAt(scene, 5n, 100n));
      expect(verifyReceipts(receipts, scene.wallet.address)).to.have.length(1);
      scene.clock.movedMs += 5_000;
      expect(await register(scene, await stateAt(scene, 5n, 100n))).to.deep.equal(receipts);
      const forged = { ...receipts, receipt: { ...receipts.receipt, nonce: "6" } } as Receipts;
      expect(() => verifyReceipts(forged, scene.wallet.address)).to.throw("is signed by");
      expect(() => verifyReceipts(receipts, alice)).to.throw("not by");
    });

    it("survive a restart, and are there for everybody", async () => {
      const receipts = await register(scene, await stateAt(scene, 5n, 100n));
      await scene.restart();
      expect((await statusOf(scene, alice)).guarded).to.deep.equal(receipts);
    });

    it("say what there is of each thread", async () => {
      const { thread, hash, signed } = await agree(scene.world, { balanceSender: 60n });
      const sigSender = await signPayment(scene.world, scene.world.alice, thread, 35n);
      const evidence = {
        ...wireThread(signed),
        payment: { payment: { threadHash: hash, balanceReceiver: "35" }, sigSender },
      };
      const state = await stateAt(scene, 3n, 80n, { threads: [thread] });
      const receipts = await register(scene, state, [evidence]);
      expect(receipts.threads[0]?.receipt).to.include({ threadHash: hash, payment: "35", updateNonce: "0" });
      expect(verifyReceipts(receipts, scene.wallet.address)).to.have.length(2);
    });
  });

  describe("refuses", () => {
    it("an older state, and another one of the same nonce", async () => {
      await register(scene, await stateAt(scene, 5n, 100n));
      expect(await codeOf(await asked(4n))).to.equal("409 GuardedIsNewer");
      expect(await codeOf(await asked(5n, 99n))).to.equal("409 GuardedDiffers");
      expect((await statusOf(scene, alice)).guarded?.receipt.nonce).to.equal("5");
    });

    it("a stranger's state: it takes both signatures to replace anything", async () => {
      await register(scene, await stateAt(scene, 5n, 100n));
      const [state, sigHub, sigUser] = await stateAt(scene, 6n, 1n);
      const [, , byCarol] = await signState(scene.world, scene.world.carol, state);
      for (const [hub, user] of [
        [sigHub, byCarol],
        [byCarol, sigUser],
        [sigUser, sigHub],
      ] as const) {
        const signed = wireSigned([state, hub, user]);
        expect(await codeOf({ signed, threads: [] })).to.equal("400 InvalidSignature");
      }
      expect((await statusOf(scene, alice)).guarded?.receipt.nonce).to.equal("5");
    });

    it("what the contract would refuse: no receipt for a state that could not be shown", async () => {
      const signed = async (...args: Parameters<typeof stateAt>) => ({
        signed: wireSigned(await stateAt(...args)),
        threads: [],
      });
      expect(await codeOf(await signed(scene, 5n, 100n, { session: 1n }))).to.equal("409 SessionMismatch");
      const { bob } = scene.world;
      expect(await codeOf(await signed(scene, 5n, 100n, { user: bob }))).to.equal("409 NotBacked");
      expect(await codeOf(await signed(scene, 0n, 100n))).to.equal("400 InvalidValue");
    });

    it("threads that are not exactly those of the state, and evidence that does not count", async () => {
      const { thread, signed } = await agree(scene.world, { balanceSender: 60n });
      const state = wireSigned(await stateAt(scene, 3n, 80n, { threads: [thread] }));
      const good = wireThread(signed);
      expect(await codeOf({ signed: state, threads: [] })).to.equal("400 ThreadRootMismatch");
      expect(await codeOf({ signed: state, threads: [good, good] })).to.equal("400 DuplicateThread");
      const swapped = { ...good, sigSender: good.sigReceiver };
      expect(await codeOf({ signed: state, threads: [swapped] })).to.equal("400 InvalidSignature");
      expect(await codeOf({ signed: state, threads: [good] })).to.equal("ok");
    });

    it("whatever else comes in, with a code and never with 500", async () => {
      const good = await asked(5n);
      const { signed } = good;
      const bad: readonly unknown[] = [
        "",
        "{",
        "null",
        "[]",
        "{}",
        '{"__proto__":{}}',
        { ...good, extra: 1 },
        { signed },
        { ...good, threads: [null] },
        { ...good, threads: new Array(65).fill({}) },
        { ...good, signed: { ...signed, sigHub: "0x" } },
        { ...good, signed: { ...signed, sigHub: `0x${"00".repeat(65)}` } },
        { ...good, signed: { ...signed, state: { ...(signed.state as object), nonce: "-1" } } },
        { ...good, signed: { ...signed, state: { ...(signed.state as object), nonce: "99999999999999999999" } } },
        { ...good, signed: { ...signed, state: { ...(signed.state as object), assets: "x" } } },
        { ...good, signed: { ...signed, state: { ...(signed.state as object), user: "0x00" } } },
        { ...good, fee: {} },
        "x".repeat(300_000),
      ];
      for (const body of bad) expect(await codeOf(body), JSON.stringify(body).slice(0, 80)).to.match(/^4(00|13) [A-Z]/);
      expect((await fetch(`${scene.url}/api/watchtower/channel/0x12`)).status).to.equal(400);
      expect((await fetch(`${scene.url}/api/watchtower/nothing`)).status).to.equal(404);
      expect((await fetch(`${scene.url}/api/watchtower/channel`, { method: "POST", body: "x" })).status).to.be.within(
        400,
        415,
      );
    });
  });

  describe("charges", () => {
    beforeEach(async () => {
      await scene.close();
      await open({ fee: { payee: PAYEE, asset: ETHER, amount: 10n, days: 30 } });
    });

    const paid = (overrides: Partial<Receipt> = {}, key = developmentKey(1)): object => {
      const receipt: Receipt = {
        purchaseId: "tower",
        paymentId: bytesToHex(new Uint8Array(32).fill(Number(overrides.amount ?? 10n))),
        payer: parseAddress(alice),
        payee: PAYEE,
        ...{ asset: ETHER, amount: 10n, payeeNonce: 0n },
        ...overrides,
      };
      const signature = signDigest(digestOf(scene.domain, hashReceipt(receipt)), hexToBytes(key));
      return { receipt: { ...receipt, amount: receipt.amount.toString(), payeeNonce: "0" }, signature };
    };

    it("a fee through the hub, and guards nobody who has not paid", async () => {
      expect(await codeOf(await asked(5n))).to.equal("402 TowerFeeUnpaid");
      expect(await codeOf({ ...(await asked(5n)), fee: paid() })).to.equal("ok");
      const first = (await statusOf(scene, alice)).paidUntil ?? 0;
      expect(first - Date.now() / 1000).to.be.within(30 * DAY - 60, 30 * DAY + 60);
      expect(await codeOf({ ...(await asked(6n)), fee: paid() })).to.equal("ok"); // the same payment counts once
      expect((await statusOf(scene, alice)).paidUntil).to.equal(first);
      expect(await codeOf({ ...(await asked(7n)), fee: paid({ amount: 25n }) })).to.equal("ok"); // two periods more
      expect((await statusOf(scene, alice)).paidUntil).to.equal(first + 60 * DAY);
    });

    it("by the hub's word only, for this tower and by the user itself", async () => {
      const tries: readonly [Partial<Receipt>, string?][] = [
        [{ payee: parseAddress(scene.world.bob.address) }],
        [{ payer: parseAddress(scene.world.bob.address) }],
        [{ asset: PAYEE }],
        [{ amount: 9n }],
        [{}, developmentKey(3)],
      ];
      for (const [overrides, key] of tries) {
        const fee = paid(overrides, key);
        expect(await codeOf({ ...(await asked(5n)), fee })).to.equal("400 FeeProofRefused");
      }
    });

    it("takes nothing newer after the paid time, and goes on guarding what it has for a month", async () => {
      expect(await codeOf({ ...(await asked(5n)), fee: paid() })).to.equal("ok");
      scene.clock.movedMs += 31 * DAY * 1000;
      expect(await codeOf(await asked(6n))).to.equal("402 TowerFeeUnpaid");
      await scene.tower.tick();
      expect((await statusOf(scene, alice)).guarded?.receipt.nonce).to.equal("5");
      scene.clock.movedMs += 31 * DAY * 1000;
      await scene.tower.tick();
      expect((await statusOf(scene, alice)).guarded).to.equal(undefined);
    });
  });

  describe("keeps backups", () => {
    const key = hexToBytes(developmentKey(3));
    const domain = () => watchtowerDomain(scene.domain.chainId, scene.domain.verifyingContract);
    const sign = (hash: Hash, by = key) => signDigest(digestOf(domain(), hash), by);
    const put = async (version: bigint, blob: string, by = key): Promise<string> => {
      const signature = sign(hashTowerBackup({ user: parseAddress(alice), version, blobHash: blobHashOf(blob) }), by);
      const body = { version: version.toString(), blob, signature };
      const { status, body: answer } = await post<object>(scene, `/backup/${alice}`, body);
      return status === 200 ? "ok" : `${status} ${answer.code}`;
    };
    const get = async (at: number, by = key): Promise<{ code?: string; backup?: { blob: string } }> => {
      const signature = sign(hashTowerBackupRequest({ user: parseAddress(alice), at: BigInt(at) }), by);
      const answer = await fetch(`${scene.url}/api/watchtower/backup/${alice}?at=${at}&signature=${signature}`);
      return (await answer.json()) as { backup?: { blob: string } };
    };

    it("of whom it guards: the newest, put and given out on the owner's signed order alone", async () => {
      expect(await put(1n, "sealed")).to.equal("404 NotFound");
      await register(scene, await stateAt(scene, 5n, 100n));
      expect(await put(2n, "sealed")).to.equal("ok");
      expect(await put(2n, "sealed")).to.equal("ok");
      expect(await put(1n, "older")).to.equal("409 BackupNotNewer");
      expect(await put(2n, "other")).to.equal("409 BackupNotNewer");
      const stranger = hexToBytes(Wallet.createRandom().privateKey);
      expect(await put(3n, "stolen", stranger)).to.equal("400 InvalidSignature");
      await scene.restart();
      const now = Math.floor(Date.now() / 1000);
      expect((await get(now)).backup?.blob).to.equal("sealed");
      expect((await get(now, stranger)).code).to.equal("InvalidSignature");
      expect((await get(now - 400)).code).to.equal("OrderExpired");
    });
  });
});
