import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import hre, { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import {
  parseAddress,
  parseEvidence,
  readEvidence,
  hashThread,
  verifyEvidence,
  type Address,
  type Evidence,
  type Hash,
} from "../../../protocol";
import { readDeps, type DisputeDeps } from "../../../tasks/dispute/deps";
import { exportEvidence, verifyEvidenceFile } from "../../../tasks/dispute/evidence-file";
import { planChallenge, planClaim, planSettle, planStart } from "../../../tasks/dispute/exit-plans";
import { carryOut } from "../../../tasks/dispute/move";
import { openSandbox } from "../../../tasks/dispute/sandbox";
import { simulateEvidence } from "../../../tasks/dispute/simulate";
import { disputeStatus } from "../../../tasks/dispute/status";
import { planThread } from "../../../tasks/dispute/thread-plan";
import { disputeTimeline } from "../../../tasks/dispute/timeline";
import { inProcessChain, scriptedTerminal } from "../../support/deployment";
import { expectCoded } from "../../support/expect-coded";
import { hubWorld, until, type HubWorld } from "../../support/hub";

const ETHER = 10n ** 18n;
const SEND = { isDryRun: false, agreed: false };

/** A hub and two users with a stream between them; the hub is gone before anything is disputed. */
describe("dispute", () => {
  let world: HubWorld;
  let alice: Address;
  let bob: Address;
  let hash: Hash;
  let old: Evidence;
  let evidence: Evidence;
  let bobs: Evidence;
  let folder: string;

  const deps = async (): Promise<DisputeDeps> => {
    const chain = await inProcessChain();
    return readDeps({
      chain,
      provider: ethers.provider,
      terminal: scriptedTerminal(),
      channelManager: parseAddress(world.address),
      apps: {},
      fromBlock: 0,
      accounts: (await ethers.getSigners()).map(({ address }) => address),
      signerOf: (account) => ethers.getSigner(account),
    });
  };
  const say = (text: string): void => {
    if (process.env.SHOW === "1") console.log(`\n${text}`);
  };

  before(async function () {
    this.timeout(120_000);
    world = await hubWorld();
    folder = mkdtempSync(join(tmpdir(), "dispute-test-"));
    const [a, b] = [await world.client(3), await world.client(4)];
    [alice, bob] = [a.address, b.address];
    await a.deposit({ amountWei: (3n * ETHER).toString() });
    old = a.exportEvidence();
    await b.deposit({ amountWei: ETHER.toString() });
    await b.requestCollateral({ amountWei: (2n * ETHER).toString() });
    await until(
      "collateral",
      async () => (await a.recipientNeedsCollateral(bob, { amountWei: (2n * ETHER).toString() })) === 0n,
    );
    await a.buy({ payments: [{ recipient: bob, amount: { amountWei: (ETHER / 2n).toString() } }] });
    const expiry = BigInt(await time.latest()) + 3_600n;
    ({ hash } = await a.openThread({ to: bob, amount: { amountWei: ETHER.toString() }, expiry }));
    await a.payThread(hash, ETHER / 4n);
    await until("the stream's payment", () => b.getThread(hash).payment !== undefined);
    [evidence, bobs] = [a.exportEvidence(), b.exportEvidence()];
    await a.stop();
    await b.stop();
    await world.stopHub();
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await world.close();
  });

  it("exports evidence that verifies anywhere, and does not overwrite a file", async () => {
    const file = join(folder, "evidence.json");
    say(exportEvidence(await deps(), evidence, file).text);
    const read = readEvidence(readFileSync(file, "utf8"));
    expect(read).to.deep.equal(evidence);
    const { json, text } = await verifyEvidenceFile(await deps(), read, file);
    say(text);
    expect((json as { isValid: boolean }).isValid).to.equal(true);
    expect(verifyEvidence(bobs).filter(({ level }) => level === "error")).to.deep.equal([]);
    const error = await expectCoded(async () => exportEvidence(await deps(), evidence, file), "FileExists");
    expect(error.message).to.contain(file);
  });

  it("plays evidence to its end without touching the chain", async () => {
    const before = await ethers.provider.getBlockNumber();
    const sandbox = await openSandbox(hre, await inProcessChain());
    try {
      const { json, text } = await simulateEvidence(await deps(), sandbox, bobs);
      say(text);
      const { totals } = json as { totals: { user: bigint }[] };
      const row = parseEvidence(bobs).doubleSigned!.state.assets[0]!;
      expect(totals[0]?.user).to.equal(row.balanceUser + ETHER / 4n);
    } finally {
      await sandbox.close();
    }
    expect(await ethers.provider.getBlockNumber()).to.equal(before);
  });

  it("says on a dry run what it would send", async () => {
    const plan = await planStart(await deps(), alice, old, alice);
    const { text } = await carryOut(await deps(), plan, { isDryRun: true, agreed: false });
    say(text);
    expect(text).to.contain("Nothing was sent");
    expect((await world.manager.channelOf(alice)).exitDeadline).to.equal(0n);
  });

  it("sees an exit with an old state, challenges it, and settles by the newest", async () => {
    const now = await deps();
    await carryOut(now, await planStart(now, alice, old, world.alice.address), SEND);
    const status = await disputeStatus(await deps(), undefined, evidence);
    say(status.text);
    const { exits } = status.json as {
      exits: { action: { move: string; who: string[] }; changes: { user: bigint; hub: bigint }[] }[];
    };
    expect(exits[0]?.action).to.deep.include({ move: "challenge", who: ["hub"] });
    expect(exits[0]?.changes[0]).to.deep.include({ hub: ETHER / 2n });

    const challenge = await deps();
    await carryOut(challenge, await planChallenge(challenge, alice, evidence, world.carol.address), SEND);
    const again = await planChallenge(await deps(), alice, evidence, world.carol.address);
    expect(again.steps).to.deep.equal([]);
    await expectCoded(planChallenge(await deps(), bob, bobs, world.carol.address), "NothingInDispute");

    await time.increase(86_400);
    const late = await disputeStatus(await deps(), alice, evidence);
    expect((late.json as { exits: { phase: string }[] }).exits[0]?.phase).to.equal("overdue");
    expect(late.text).to.contain("npx hardhat dispute settle");
    const settle = await deps();
    const before = await ethers.provider.getBalance(alice);
    await carryOut(settle, await planSettle(settle, alice, undefined, world.carol.address), SEND);
    const row = parseEvidence(evidence).doubleSigned!.state.assets[0]!;
    expect((await ethers.provider.getBalance(alice)) - before).to.equal(row.balanceUser);
    expect((await planSettle(await deps(), alice, undefined, alice)).steps).to.deep.equal([]);
  });

  it("shows a thread's evidence and pays its leg when it is final", async () => {
    expect(hashThread(parseEvidence(evidence).threads[0]!.thread)).to.equal(hash);
    const show = await deps();
    await carryOut(
      show,
      await planThread(show, alice, hash, undefined, world.carol.address).catch(() =>
        planThread(show, alice, hash, evidence, world.carol.address),
      ),
      SEND,
    );
    const status = await disputeStatus(await deps(), alice, evidence);
    say(status.text);
    const record = await world.manager.recordOf(hash);
    expect(record.balanceReceiver).to.equal(ETHER / 4n);
    await time.increaseTo(record.deadline);
    const final = await disputeStatus(await deps(), alice, evidence);
    say(final.text);
    const { threads } = final.json as { threads: { phase: string; action: { move: string } }[] };
    expect(threads[0]).to.deep.include({ phase: "overdue" });
    const pay = await deps();
    const before = await ethers.provider.getBalance(alice);
    await carryOut(pay, await planThread(pay, alice, hash, evidence, world.carol.address), SEND);
    expect((await ethers.provider.getBalance(alice)) - before).to.equal((ETHER * 3n) / 4n);
  });

  it("explains all of it from the chain alone", async () => {
    const { json, text } = await disputeTimeline(await deps(), alice);
    say(text);
    const events = (json as { steps: { event: string }[] }).steps.map(({ event }) => event);
    expect(events).to.include.members([
      "Deposited",
      "ExitStarted",
      "ExitChallenged",
      "Settled",
      "AssetSettled",
      "ThreadChallenged",
      "ThreadSettled",
    ]);
    expect(text).to.contain("3 ETH");
    expect(text).to.contain("Next: npx hardhat dispute status");
  });

  it("has nothing to claim where no payout failed", async () => {
    const plan = await planClaim(await deps(), alice, alice, alice);
    expect(plan.steps).to.deep.equal([]);
    expect((await carryOut(await deps(), plan, SEND)).text).to.contain("Nothing waits");
  });
});
