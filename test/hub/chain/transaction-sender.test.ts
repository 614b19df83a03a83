import { expect } from "chai";
import { ethers } from "hardhat";
import { Transaction as EthersTransaction, Wallet } from "ethers";
import { parseAddress } from "../../../protocol";
import { signState } from "../../support/world";
import { ETH, row, state } from "../../support/states";
import { NodeFailure, onlyFor } from "../../support/distorted-node";
import { forkPoint, mine, rpc } from "./chain-scene";
import { BUMP_AFTER_MS, GWEI, senderScene, type SenderScene } from "./sender-scene";

const ETHER = 10n ** 18n;

describe("TransactionSender", () => {
  let scene: SenderScene;
  beforeEach(async () => {
    scene = await senderScene();
  });
  afterEach(() => scene.close());

  const attempts = async (id: string): Promise<EthersTransaction[]> => {
    const found = await scene.store().transactions.attempts(await scene.row(id));
    return found.map(({ raw }) => EthersTransaction.from(raw));
  };
  const automine = (isOn: boolean): Promise<unknown> => rpc("evm_setAutomine", isOn);
  const patience = (): void => void (scene.clock.nowMs += BUMP_AFTER_MS);

  it("sends what was submitted, once for each id, and tells its end once", async () => {
    const sender = scene.sender();
    await sender.submit(scene.fund("a", 5n));
    await sender.submit(scene.fund("a", 7n));
    expect(await sender.outcomeOf("a")).to.deep.equal({ status: "open" });
    for (let i = 0; i < 4; i++) await sender.step();
    expect(await scene.reserve()).to.equal(5n);
    expect(scene.ends).to.deep.equal(["a mined"]);
    const { transactionHash } = await scene.row("a");
    expect(await sender.outcomeOf("a")).to.deep.include({ status: "mined", transactionHash });
    expect(await sender.outcomeOf("b")).to.equal(undefined);
    expect((await sender.list(9)).map(({ id }) => id)).to.deep.equal(["a"]);
  });

  it("is not final before it is as deep as configured", async () => {
    const sender = scene.sender({ confirmations: 3 });
    await sender.submit(scene.fund("a", 5n));
    await sender.step();
    await mine();
    await sender.step();
    expect(await sender.outcomeOf("a")).to.deep.include({ status: "open" });
    expect((await scene.row("a")).status).to.equal("mined");
    await mine();
    await sender.step();
    expect(await sender.outcomeOf("a")).to.deep.include({ status: "mined" });
  });

  it("works by itself once started, wakes for a new one, and lets others wait for its end", async () => {
    const sender = scene.sender({ pollIntervalMs: 20 });
    sender.start();
    await sender.submit(scene.fund("a", 5n));
    expect(await sender.wait("a", 10_000)).to.deep.include({ status: "mined" });
    await sender.close();
    await sender.submit(scene.fund("b", 5n));
    expect(await sender.wait("b", 30), "a timeout never says that it failed").to.deep.equal({ status: "open" });
    expect(await sender.wait("c", 1)).to.equal(undefined);
    expect(await scene.reserve()).to.equal(5n);
  });

  it("asks the node nothing while there is nothing to do", async () => {
    const sender = scene.sender();
    await sender.step();
    expect(scene.node.asked.size).to.equal(0);
  });

  describe("nonces", () => {
    it("H-9: leaves no gap, from the first transaction of a fresh wallet on", async () => {
      const wallet = Wallet.createRandom();
      await scene.world.alice.sendTransaction({ to: wallet.address, value: ETHER });
      const signer = {
        address: parseAddress(wallet.address),
        signTransaction: (given: object) => wallet.signTransaction(given),
      };
      const sender = scene.sender({ signer });
      for (const id of ["a", "b", "c"]) await sender.submit(scene.fund(id, 1n));
      await sender.step();
      await sender.step();
      const nonces = await Promise.all(["a", "b", "c"].map(async (id) => (await scene.row(id)).nonce));
      expect(nonces).to.deep.equal([0, 1, 2]);
      expect(await scene.reserve()).to.equal(3n);
    });

    it("H-9: goes on after what the account sent before", async () => {
      const used = await scene.used();
      const sender = scene.sender();
      await sender.submit(scene.fund("a", 1n));
      await sender.step();
      expect((await scene.row("a")).nonce).to.equal(used);
      await scene.world.hub.sendTransaction({ to: scene.world.alice, value: 1n });
      await sender.submit(scene.fund("b", 1n));
      await sender.step();
      expect((await scene.row("b")).nonce).to.equal(used + 2);
    });

    it("signs again when somebody else used its nonce, and is executed once", async () => {
      const sender = scene.sender();
      await automine(false);
      await sender.submit(scene.fund("a", 5n));
      await sender.step();
      const [mine1] = await attempts("a");
      await rpc("hardhat_dropTransaction", mine1!.hash);
      await scene.world.hub.sendTransaction({ to: scene.world.alice, value: 1n, nonce: mine1!.nonce });
      await automine(true);
      await mine();
      for (let i = 0; i < 3; i++) await sender.step();
      expect(await scene.reserve()).to.equal(5n);
      expect((await scene.row("a")).nonce).to.equal(mine1!.nonce + 1);
      expect(scene.log.lines.join()).to.match(/sent by somebody else/);
    });

    it("replaces what is only pending with the same nonce, rather than wait behind it", async () => {
      await automine(false);
      const used = await scene.used();
      await scene.world.hub.sendTransaction({
        to: scene.world.alice,
        value: 1n,
        maxFeePerGas: 2n * GWEI,
        maxPriorityFeePerGas: 1n,
      });
      const sender = scene.sender();
      await sender.submit(scene.fund("a", 5n));
      await sender.step();
      for (let i = 0; i < 8; i++) {
        patience();
        await sender.step();
      }
      await automine(true);
      await mine();
      await sender.step();
      expect((await scene.row("a")).nonce).to.equal(used);
      expect(scene.ends).to.deep.equal(["a mined"]);
    });

    it("signs nothing again because a node does not show a receipt: money could go out twice", async () => {
      const sender = scene.sender();
      await sender.submit(scene.fund("a", 5n));
      await sender.step();
      scene.node.distort(onlyFor("eth_getTransactionReceipt", () => null));
      for (let i = 0; i < 5; i++) {
        await mine();
        patience();
        await sender.step();
      }
      expect(await scene.reserve()).to.equal(5n);
      expect(await sender.outcomeOf("a")).to.deep.equal({ status: "open" });
      expect(scene.log.lines.join()).to.match(/does not say by what/);
      scene.node.heal();
      await sender.step();
      expect(scene.ends).to.deep.equal(["a mined"]);
    });

    it("gives no nonce twice when the node is behind", async () => {
      const used = await scene.used();
      const sender = scene.sender();
      await sender.submit(scene.fund("a", 5n));
      await sender.step();
      await sender.step();
      const behind = `0x${used.toString(16)}`;
      scene.node.distort(async (ask, method, params) => {
        if (method === "eth_getTransactionCount") return behind;
        return method === "eth_blockNumber"
          ? `0x${(Number(await ask(method, params)) - 1).toString(16)}`
          : ask(method, params);
      });
      await sender.submit(scene.fund("b", 7n));
      await sender.step();
      scene.node.heal();
      await sender.step();
      expect((await scene.row("b")).nonce).to.equal(used + 1);
      expect(scene.ends).to.deep.equal(["a mined", "b mined"]);
      expect(await scene.reserve()).to.equal(12n);
    });
  });

  describe("what the chain would refuse", () => {
    it("H-9: fails with the contract's error and takes no nonce", async () => {
      const used = await scene.used();
      const sender = scene.sender();
      await sender.submit(scene.recall("a", 5n));
      await sender.submit(scene.fund("b", 1n));
      await sender.step();
      await sender.step();
      expect(await sender.outcomeOf("a")).to.deep.equal({ status: "failed", error: "ReserveTooLow" });
      expect((await scene.row("b")).nonce).to.equal(used);
      expect(scene.ends.sort()).to.deep.equal(["a failed ReserveTooLow", "b mined"]);
    });

    it("is only believed as deep as anything else", async () => {
      const sender = scene.sender({ confirmations: 3 });
      await sender.submit(scene.recall("a", 5n));
      await sender.step();
      await mine();
      await sender.step();
      expect(await sender.outcomeOf("a")).to.deep.equal({ status: "open", error: "ReserveTooLow" });
      await scene.world.manager.fundReserve(ETH, 5n, { value: 5n });
      scene.clock.nowMs += 60_000;
      await sender.step();
      await sender.step();
      await mine(2);
      await sender.step();
      expect(scene.ends).to.deep.equal(["a mined"]);
    });

    it("H-9: takes no words for a refusal, whatever a node says while it is busy", async () => {
      const sender = scene.sender();
      await sender.submit(scene.fund("a", 5n));
      scene.node.distort(
        onlyFor("eth_estimateGas", () => Promise.reject(new NodeFailure(-32_005, "execution reverted: nonce too low"))),
      );
      await sender.step();
      expect(await sender.outcomeOf("a")).to.deep.equal({ status: "open" });
      scene.node.heal();
      await sender.step();
      await sender.step();
      expect(scene.ends).to.deep.equal(["a mined"]);
    });

    it("H-9: needs no English to see a refusal", async () => {
      const sender = scene.sender();
      await sender.submit(scene.fund("a", 5n));
      scene.node.distort((ask, method, params) =>
        method === "eth_estimateGas" || method === "eth_call"
          ? Promise.reject(new NodeFailure(3, "Ausführung abgebrochen"))
          : ask(method, params),
      );
      await sender.step();
      expect(await sender.outcomeOf("a")).to.deep.include({ status: "failed" });
    });

    it("H-9: blames the transaction when the node refuses it without a reason and takes a harmless one", async () => {
      const sender = scene.sender();
      await sender.submit(scene.fund("a", 5n));
      scene.node.distort(
        onlyFor("eth_estimateGas", (params, ask) =>
          (params[0] as { to: string }).to === scene.manager
            ? Promise.reject(new NodeFailure(-32_000, "?"))
            : ask("eth_estimateGas", params),
        ),
      );
      await sender.step();
      expect(await sender.outcomeOf("a")).to.deep.include({ status: "failed" });
    });

    it("waits for money rather than fail", async () => {
      const sender = scene.sender();
      const rest = await ethers.provider.getBalance(scene.world.hub);
      await sender.submit(scene.fund("a", rest + ETHER));
      await sender.submit(scene.fund("b", 1n));
      await sender.step();
      await sender.step();
      expect(await sender.outcomeOf("a")).to.deep.equal({ status: "open" });
      expect(scene.ends, "and holds up nobody").to.deep.equal(["b mined"]);
      await scene.world.alice.sendTransaction({ to: scene.world.hub, value: 2n * ETHER });
      scene.clock.nowMs += 60_000;
      await sender.step();
      await sender.step();
      expect(scene.ends).to.deep.equal(["b mined", "a mined"]);
    });

    it("tries a dispute again until the node has the block that it answers", async () => {
      const { world } = scene;
      const { alice, manager } = world;
      await manager.connect(alice).deposit(alice, ETH, 10n, false, { value: 10n });
      const given = state(alice.address, [row({ balanceUser: 10n, depositedUser: 10n })], { nonce: 2n });
      const older = await signState(world, alice, { ...given, nonce: 1n });
      const newer = await signState(world, alice, given);
      const sender = scene.sender();
      const data = manager.interface.encodeFunctionData("challenge", newer);
      await sender.submit({ id: "a", to: scene.manager, data, valueWei: 0n, kind: "dispute" });
      await sender.step();
      await mine(3);
      await sender.step();
      expect(await sender.outcomeOf("a")).to.deep.equal({ status: "open", error: "ChannelNotExiting" });
      await manager.connect(alice).startExit(...older);
      scene.clock.nowMs += 60_000;
      await sender.step();
      await sender.step();
      expect(scene.ends).to.deep.equal(["a mined"]);
      expect((await manager.channelOf(alice)).exitNonce).to.equal(2n);
    });

    it("gives a dispute up in the end, and at its deadline", async () => {
      const sender = scene.sender();
      const deadlineSeconds = Math.floor(scene.clock.nowMs / 1000) + 100;
      await sender.submit(scene.recall("a", 5n, { kind: "dispute" }));
      await sender.submit(scene.recall("b", 5n, { kind: "dispute", deadlineSeconds }));
      await sender.step();
      await mine(40);
      await sender.step();
      expect(scene.ends).to.deep.equal(["a failed ReserveTooLow", "b failed ReserveTooLow"]);
      await sender.submit(scene.fund("c", 5n, { deadlineSeconds }));
      scene.clock.nowMs += 100_000;
      await sender.step();
      expect(scene.ends.at(-1)).to.equal("c failed its deadline passed");
      expect(await scene.reserve()).to.equal(0n);
    });
  });

  describe("gas", () => {
    it("H-9: takes a quarter and 30,000 more than the estimate, or what it is told", async () => {
      const sender = scene.sender();
      const { to, data, valueWei } = scene.fund("a", 1n);
      const estimate = await ethers.provider.estimateGas({ from: scene.world.hub.address, to, data, value: valueWei });
      await sender.submit(scene.fund("a", 1n));
      await sender.submit(scene.fund("b", 1n, { gasLimit: 123_456n }));
      await sender.step();
      expect((await scene.row("a")).gasLimit).to.equal((estimate * 5n) / 4n + 30_000n);
      expect((await attempts("b"))[0]?.gasLimit).to.equal(123_456n);
    });

    it("H-9: offers more for what is not mined, by enough to replace it, up to the cap", async () => {
      await automine(false);
      const sender = scene.sender({ maxFeePerGasCap: 8n * GWEI });
      await sender.submit(scene.fund("a", 5n));
      await sender.step();
      await rpc("hardhat_setNextBlockBaseFeePerGas", `0x${(6n * GWEI).toString(16)}`);
      await mine();
      expect(await scene.reserve(), "the base fee rose above the offer").to.equal(0n);
      for (let i = 0; i < 12; i++) {
        patience();
        await sender.step();
      }
      const offers = (await attempts("a")).reverse();
      expect(offers.length).to.be.greaterThan(1);
      expect(new Set(offers.map(({ nonce }) => nonce)).size).to.equal(1);
      for (const [i, offer] of offers.slice(1).entries()) {
        for (const field of ["maxFeePerGas", "maxPriorityFeePerGas"] as const) {
          expect(offer[field]! * 10n >= offers[i]![field]! * 11n, `${field} of attempt ${i + 1}`).to.equal(true);
        }
        expect(offer.maxFeePerGas! <= 8n * GWEI).to.equal(true);
      }
      await mine();
      await sender.step();
      expect(scene.ends).to.deep.equal(["a mined"]);
      expect(await scene.reserve()).to.equal(5n);
      expect(scene.log.lines.join()).to.match(/highest fee that is allowed/);
    });

    it("is bumped by hand", async () => {
      await automine(false);
      const sender = scene.sender();
      await sender.submit(scene.fund("a", 5n));
      expect(await sender.bump("a")).to.equal(false);
      await sender.step();
      expect(await sender.bump("a")).to.equal(true);
      expect(await attempts("a")).to.have.length(2);
      expect(await sender.bump("nobody")).to.equal(false);
    });

    it("adopts an earlier attempt when that is the one that was mined", async () => {
      await automine(false);
      const sender = scene.sender();
      await sender.submit(scene.fund("a", 5n));
      await sender.step();
      await sender.bump("a");
      const [second, first] = await attempts("a");
      await rpc("hardhat_dropTransaction", second!.hash);
      await ethers.provider.broadcastTransaction(first!.serialized);
      await mine();
      await sender.step();
      expect(await sender.outcomeOf("a")).to.deep.include({ status: "mined", transactionHash: first!.hash });
    });
  });

  describe("what the network loses", () => {
    it("broadcasts again what a node dropped", async () => {
      await automine(false);
      const sender = scene.sender();
      await sender.submit(scene.fund("a", 5n));
      await sender.step();
      const [only] = await attempts("a");
      await rpc("hardhat_dropTransaction", only!.hash);
      scene.clock.nowMs += BUMP_AFTER_MS / 2;
      await sender.step();
      await mine();
      await sender.step();
      expect(await sender.outcomeOf("a")).to.deep.include({ status: "mined", transactionHash: only!.hash });
    });

    it("keeps what a node refuses to take, whatever it says, and takes up another one's answer", async () => {
      const sender = scene.sender();
      scene.node.distort(
        onlyFor("eth_sendRawTransaction", () => Promise.reject(new NodeFailure(-32_000, "nonce too low"))),
      );
      await sender.submit(scene.fund("a", 5n));
      await sender.step();
      expect(await sender.outcomeOf("a")).to.deep.equal({ status: "open" });
      scene.node.heal();
      patience();
      await sender.step();
      await sender.step();
      expect(scene.ends).to.deep.equal(["a mined"]);
    });

    it("sends again what a fork took back, until it is deep", async () => {
      const sender = scene.sender({ confirmations: 3 });
      const goBack = await forkPoint();
      await sender.submit(scene.fund("a", 5n));
      await sender.step();
      await mine();
      await sender.step();
      expect((await scene.row("a")).status).to.equal("mined");
      await goBack();
      await mine(2);
      expect(await scene.reserve()).to.equal(0n);
      await sender.step();
      await mine(3);
      await sender.step();
      expect(await scene.reserve()).to.equal(5n);
      expect(scene.ends).to.deep.equal(["a mined"]);
    });

    it("sends again what was final, should a deeper fork take it back", async () => {
      const sender = scene.sender();
      const goBack = await forkPoint();
      await sender.submit(scene.fund("a", 5n));
      await sender.step();
      await sender.step();
      expect(scene.ends).to.deep.equal(["a mined"]);
      await goBack();
      await mine(2);
      await sender.submit(scene.fund("b", 7n));
      for (let i = 0; i < 3; i++) {
        patience();
        await sender.step();
      }
      expect(await scene.reserve()).to.equal(12n);
      expect(scene.ends.slice(1).sort()).to.deep.equal(["a mined", "b mined"]);
      expect(scene.log.lines.join()).to.match(/was final and is gone/);
    });

    it("H-8: goes on with the others when one cannot be followed", async () => {
      await automine(false);
      const sender = scene.sender();
      await sender.submit(scene.fund("a", 1n));
      await sender.submit(scene.fund("b", 2n));
      await sender.step();
      await mine();
      const [first] = await attempts("a");
      scene.node.distort(
        onlyFor("eth_getTransactionReceipt", (params, ask) =>
          params[0] === first!.hash
            ? Promise.reject(new NodeFailure(-32_000, "indexing"))
            : ask("eth_getTransactionReceipt", params),
        ),
      );
      await sender.step();
      expect(scene.ends).to.deep.equal(["b mined"]);
    });
  });

  describe("disputes", () => {
    it("go first, and however many others are on their way", async () => {
      await automine(false);
      const sender = scene.sender();
      for (let i = 0; i < 20; i++) await sender.submit(scene.fund(`n${i}`, 1n));
      await sender.submit(scene.fund("d", 1n, { kind: "dispute" }));
      const used = await scene.used();
      await sender.step();
      expect((await scene.row("d")).nonce).to.equal(used);
      await sender.step();
      await sender.submit(scene.fund("e", 1n, { kind: "dispute" }));
      await sender.step();
      const inFlight = await scene.store().transactions.inFlight();
      expect(inFlight.filter(({ kind }) => kind === "normal")).to.have.length(16);
      expect((await scene.row("e")).nonce).to.equal(used + 17);
    });

    it("make what is in front of them climb as fast as they do, faster near the deadline", async () => {
      await automine(false);
      const sender = scene.sender();
      const deadlineSeconds = Math.floor(scene.clock.nowMs / 1000) + 3_000;
      await sender.submit(scene.fund("front", 1n));
      await sender.step();
      await sender.submit(scene.fund("d", 1n, { kind: "dispute", deadlineSeconds }));
      await sender.step();
      await sender.submit(scene.fund("behind", 1n));
      await sender.step();
      scene.clock.nowMs += BUMP_AFTER_MS / 4;
      await sender.step();
      const counts = await Promise.all(["front", "d", "behind"].map(async (id) => (await attempts(id)).length));
      expect(counts).to.deep.equal([2, 2, 1]);
      const [second, first] = await attempts("front");
      expect(second!.maxPriorityFeePerGas! * 2n >= first!.maxPriorityFeePerGas! * 3n).to.equal(true);
    });

    it("may offer more than anything else in the last part of their window, up to a cap of their own", async () => {
      await automine(false);
      const sender = scene.sender({ maxFeePerGasCap: 8n * GWEI, disputeFeePerGasCap: 40n * GWEI });
      const deadlineSeconds = Math.floor(scene.clock.nowMs / 1000) + 2 * 3_600;
      await sender.submit(scene.fund("front", 1n));
      await sender.submit(scene.fund("d", 1n, { kind: "dispute", deadlineSeconds }));
      await sender.step();
      await sender.submit(scene.fund("behind", 1n));
      const climb = async (): Promise<readonly (bigint | undefined)[]> => {
        for (let i = 0; i < 20; i++) {
          scene.clock.nowMs += BUMP_AFTER_MS;
          await sender.step();
        }
        return Promise.all(["front", "d", "behind"].map(async (id) => (await scene.row(id)).maxFeePerGas));
      };
      const early = await climb();
      expect(early.every((offer) => offer !== undefined && offer <= 8n * GWEI)).to.equal(true);
      scene.clock.nowMs = (deadlineSeconds - 3_500) * 1_000;
      const late = await climb();
      expect(late[1]! > 20n * GWEI && late[1]! <= 40n * GWEI, "the dispute").to.equal(true);
      expect(late[2]! <= 8n * GWEI, "what is behind it").to.equal(true);
    });

    it("are not stopped by what others have merely offered, and are sent again if that was mined first", async () => {
      await scene.world.manager.fundReserve(ETH, 5n, { value: 5n });
      await automine(false);
      const sender = scene.sender();
      await scene.world.treasury.sendTransaction({
        ...{ to: scene.manager, data: scene.recall("x", 5n).data },
        ...{ maxPriorityFeePerGas: 50n * GWEI, maxFeePerGas: 90n * GWEI, gasLimit: 200_000n },
      });
      await sender.submit(scene.recall("d", 5n, { kind: "dispute" }));
      await sender.step();
      const [lost] = await attempts("d");
      await mine();
      await scene.world.manager.fundReserve(ETH, 5n, { value: 5n });
      await mine();
      await sender.step();
      await sender.step();
      await mine();
      await sender.step();
      const row = await scene.row("d");
      expect(row).to.deep.include({ status: "mined", isFinal: true, reverts: 1 });
      expect(row.nonce).to.equal(lost!.nonce + 1);
      expect(await scene.reserve()).to.equal(0n);
    });
  });

  it("says by the contract's name why one had no effect that was mined", async () => {
    await scene.world.manager.fundReserve(ETH, 5n, { value: 5n });
    await automine(false);
    const sender = scene.sender();
    await sender.submit(scene.fund("first", 1n));
    await sender.step();
    await sender.submit(scene.recall("second", 5n));
    await sender.step();
    await scene.world.treasury.sendTransaction({
      ...{ to: scene.manager, data: scene.recall("x", 6n).data },
      ...{ maxPriorityFeePerGas: 50n * GWEI, maxFeePerGas: 90n * GWEI, gasLimit: 200_000n, nonce: 0 },
    });
    await scene.world.treasury.sendTransaction({
      ...{ to: scene.manager, data: scene.recall("x", 5n).data },
      ...{ maxPriorityFeePerGas: 50n * GWEI, maxFeePerGas: 90n * GWEI, gasLimit: 200_000n, nonce: 1 },
    });
    await mine();
    await sender.step();
    expect(scene.ends).to.deep.equal(["first mined", "second failed ReserveTooLow"]);
  });

  it("tells an end again if its handler failed, and the other ends meanwhile", async () => {
    let isBroken = true;
    const told: string[] = [];
    const onFinal = ({ id }: { id: string }): Promise<void> => {
      if (isBroken && id === "a") return Promise.reject(new Error("the handler fails"));
      told.push(id);
      return Promise.resolve();
    };
    const sender = scene.sender({ onFinal });
    await sender.submit(scene.fund("a", 1n));
    await sender.submit(scene.fund("b", 1n));
    for (let i = 0; i < 3; i++) await sender.step();
    expect(told).to.deep.equal(["b"]);
    isBroken = false;
    scene.clock.nowMs += 60_000;
    await sender.step();
    expect(told).to.deep.equal(["b", "a"]);
  });

  it("broadcasts nothing that a signer signed otherwise than it was asked to", async () => {
    const stranger = Wallet.createRandom();
    const address = parseAddress(scene.world.hub.address);
    const signer = { address, signTransaction: (given: object) => stranger.signTransaction(given) };
    const sender = scene.sender({ signer });
    await sender.submit(scene.fund("a", 1n));
    await sender.step();
    expect(scene.node.asked.has("eth_sendRawTransaction")).to.equal(false);
    expect((await scene.row("a")).status).to.equal("queued");
  });
});
