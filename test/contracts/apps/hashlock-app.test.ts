import { expect } from "chai";
import { id, keccak256, sha256, zeroPadBytes } from "ethers";
import { freshWorld } from "../../support/world";
import { terms, type Terms } from "../../support/states";
import { agree, endSession, movementOf } from "../../support/threads";

const PREIMAGE = id("secret");
const LOCK = sha256(PREIMAGE);

describe("HashlockApp", () => {
  const lengths: [what: string, lock: string, preimage: string][] = [
    ["no hash", "0x", PREIMAGE],
    ["a hash of 31 bytes", LOCK.slice(0, -2), PREIMAGE],
    ["a hash of 33 bytes", `${LOCK}00`, PREIMAGE],
    ["no preimage", sha256("0x"), "0x"],
    ["a preimage of 31 bytes", sha256(PREIMAGE.slice(0, -2)), PREIMAGE.slice(0, -2)],
    ["a preimage of 33 bytes", sha256(zeroPadBytes(PREIMAGE, 33)), zeroPadBytes(PREIMAGE, 33)],
  ];
  const lengthOf = (hex: string): number => hex.length / 2 - 1;

  for (const [what, lock, preimage] of lengths) {
    it(`refuses ${what}`, async () => {
      const { hashlock, alice, bob } = await freshWorld();
      await expect(hashlock.resolve(terms(alice.address, bob.address), lock, preimage))
        .to.be.revertedWithCustomError(hashlock, "NotThirtyTwoBytes")
        .withArgs(lengthOf(lock), lengthOf(preimage));
    });
  }

  it("refuses another preimage, also the hash itself and one that fits by keccak256", async () => {
    const { hashlock, alice, bob } = await freshWorld();
    for (const [lock, wrong] of [
      [LOCK, id("guess")],
      [LOCK, LOCK],
      [keccak256(PREIMAGE), PREIMAGE],
    ] as const) {
      await expect(hashlock.resolve(terms(alice.address, bob.address), lock, wrong))
        .to.be.revertedWithCustomError(hashlock, "WrongPreimage")
        .withArgs(lock, sha256(wrong));
    }
  });

  const stakes: Partial<Terms>[] = [
    { balanceSender: 90n, balanceReceiver: 10n },
    { balanceSender: 2n ** 128n - 1n, balanceReceiver: 0n },
    { balanceSender: 1n, balanceReceiver: 2n ** 128n - 2n },
  ];
  for (const stake of stakes) {
    it(`answers the whole sum of ${String(stake.balanceSender)} + ${String(stake.balanceReceiver)}`, async () => {
      const { hashlock, alice, bob } = await freshWorld();
      const thread = terms(alice.address, bob.address, stake);
      const sum = BigInt(stake.balanceSender!) + BigInt(stake.balanceReceiver!);
      expect(await hashlock.resolve(thread, LOCK, PREIMAGE)).to.equal(sum);
    });
  }

  it("pays sender and receiver of a thread by the preimage at once, whoever shows it", async () => {
    const world = await freshWorld();
    const { manager, alice, bob, carol, hashlock } = world;
    const lock = { app: await hashlock.getAddress(), appStateHash: keccak256(LOCK), balanceReceiver: 11n };
    const { thread, signed } = await agree(world, lock);
    for (const user of [alice, bob]) await endSession(world, user, [thread]);
    await manager.connect(carol).resolveThread(signed, LOCK, PREIMAGE);
    const settle = manager.connect(carol);
    const forBob = await movementOf(world, { user: bob, session: 0n }, () => settle.settleThread(bob, 0n, thread, []));
    expect(forBob).to.deep.equal({ user: 111n, reserve: 0n, locked: -111n, claimable: 0n, held: -111n });
    const forAlice = await movementOf(world, { user: alice, session: 0n }, () =>
      settle.settleThread(alice, 0n, thread, []),
    );
    expect(forAlice).to.deep.equal({ user: 0n, reserve: 111n, locked: -111n, claimable: 0n, held: 0n });
  });
});
