import { expect } from "chai";
import hre, { ethers } from "hardhat";
import { mine } from "@nomicfoundation/hardhat-network-helpers";
import type { ContractTransactionResponse } from "ethers";
import { isProtocolError, parseAddress, ZERO_ADDRESS, ZERO_LEDGER, type Address } from "../../../protocol";
import { readCautiously, type ChannelView } from "../../../protocol/chain/channel-view";
import { isRevert, refusalOf, type Refusal } from "../../../protocol/chain/contract-error";
import { decodeEvent, partiesOf, type ChainEvent } from "../../../protocol/chain/events";
import { serveRpc } from "../../support/rpc-server";
import { ETH, row, state } from "../../support/states";
import { agree } from "../../support/threads";
import { collateralize, deposit, exitAndSettle, freshWorld, signState, unsigned } from "../../support/world";
import type { SignedState, World } from "../../support/world";
import { expectError } from "../fixtures";

describe("what the contract really says", () => {
  let world: World;
  let alice: Address;
  let bob: Address;
  beforeEach(async () => {
    world = await freshWorld();
    [alice, bob] = [parseAddress(world.alice.address), parseAddress(world.bob.address)];
  });

  /** Alice has 60, the hub 40; one state that takes 10 out of each side. */
  async function withdrawable(recipient: string = ETH): Promise<SignedState> {
    await deposit(world, world.alice, 60n);
    await collateralize(world, world.alice, 40n);
    const amounts = { depositedUser: 60n, depositedHub: 40n, withdrawnUser: 10n, withdrawnHub: 10n };
    const rows = [row({ ...amounts, balanceUser: 50n, balanceHub: 30n })];
    return signState(world, world.alice, state(alice, rows, { recipient }));
  }

  const nothing = (): SignedState => unsigned(state(alice, [row()], { nonce: 0n }));

  describe("as events", () => {
    /** The contract's events of a transaction, decoded. */
    async function eventsOf(sent: Promise<ContractTransactionResponse>): Promise<ChainEvent[]> {
      const receipt = await (await sent).wait();
      return receipt!.logs.map(decodeEvent).filter((event) => event !== undefined);
    }

    it("of deposits and of the reserve, with their place in the chain", async () => {
      const { manager, hub, treasury } = world;
      const sent = manager.connect(world.bob).deposit(alice, ETH, 5n, true, { value: 5n });
      const { hash, blockNumber, blockHash } = await sent;
      expect(await eventsOf(sent)).to.deep.equal([
        {
          ...{ name: "Deposited", user: alice, asset: ZERO_ADDRESS, payer: bob, session: 0n, forHub: true, amount: 5n },
          ...{ blockNumber, blockHash, transactionHash: hash, logIndex: 0 },
        },
      ]);
      const funded = await eventsOf(manager.connect(hub).fundReserve(ETH, 9n, { value: 9n }));
      const lines = [alice, bob].map((user) => ({ user, asset: ETH, amount: 2n }));
      const moved = await eventsOf(manager.connect(hub).collateralize(lines));
      const recalled = await eventsOf(manager.connect(treasury).recallReserve(ETH, 5n));
      expect(moved.map((each) => [each.name, each.logIndex, ...partiesOf(each)])).to.deep.equal([
        ["Collateralized", 0, alice],
        ["Collateralized", 1, bob],
      ]);
      expect([...funded, ...recalled].map(({ name }) => name)).to.deep.equal(["ReserveFunded", "ReserveRecalled"]);
      expect([...funded, ...recalled].flatMap(partiesOf)).to.deep.equal([]);
    });

    it("of an exit, from its start to what it paid", async () => {
      const { manager, carol } = world;
      const signed = await withdrawable();
      const [started] = await eventsOf(manager.connect(world.alice).startExit(...nothing()));
      expect(started).to.deep.include({ name: "ExitStarted", user: alice, caller: alice, nonce: 0n, sigHub: "0x" });
      const [challenged] = await eventsOf(manager.connect(world.bob).challenge(...signed));
      const { exitDeadline: deadline } = await manager.channelOf(alice);
      const shown = { nonce: 1n, sigHub: signed[1], sigUser: signed[2], deadline };
      expect(challenged).to.deep.include({ name: "ExitChallenged", caller: bob, ...shown });
      await ethers.provider.send("evm_setNextBlockTimestamp", [Number(deadline)]);
      const [settled, paid] = await eventsOf(manager.connect(carol).settle(...signed));
      expect(settled).to.deep.include({ name: "Settled", user: alice, session: 0n, nonce: 1n });
      expect(paid).to.deep.include({ name: "AssetSettled", user: alice, amountUser: 60n, amountHub: 40n, locked: 0n });
    });

    it("of a withdrawal that could not be paid, and of its claim", async () => {
      const refusing = await ethers.deployContract("RevertingReceiver");
      const to = parseAddress(await refusing.getAddress());
      const events = await eventsOf(world.manager.connect(world.carol).withdraw(...(await withdrawable(to))));
      const named = (name: string): ChainEvent | undefined => events.find((each) => each.name === name);
      expect(named("Withdrawn")).to.deep.include({ user: alice, recipient: to, amountUser: 10n, amountHub: 10n });
      expect(named("PayoutFailed")).to.deep.include({ user: alice, to, amount: 10n });
      const [claimed] = await eventsOf(world.manager.connect(world.alice).claim(ETH, bob));
      expect(claimed).to.deep.include({ name: "Claimed", account: alice, to: bob, amount: 10n });
      expect(partiesOf(claimed!)).to.deep.equal([alice]);
    });

    it("of a thread, for both of its parties", async () => {
      const { signed, hash } = await agree(world);
      const [event] = await eventsOf(world.manager.connect(world.carol).challengeThread(signed));
      expect(event).to.deep.include({ name: "ThreadChallenged", threadHash: hash, sender: alice, receiver: bob });
      expect(partiesOf(event!)).to.deep.equal([alice, bob]);
    });
  });

  describe("of a channel, read cautiously:", () => {
    async function cautiously(confirmations: number): Promise<ChannelView> {
      const head = await ethers.provider.getBlockNumber();
      return readCautiously(ethers.provider, parseAddress(world.address), alice, [ZERO_ADDRESS], head, confirmations);
    }
    const depositedUser = ({ ledgers }: ChannelView): bigint => ledgers.get(ZERO_ADDRESS)!.depositedUser;

    it("O-3: a withdrawal counts at once, however deep deposits must be", async () => {
      const signed = await withdrawable();
      await mine(5);
      await world.manager.withdraw(...signed);
      const ledger = { depositedUser: 60n, depositedHub: 40n, withdrawnUser: 10n, withdrawnHub: 10n };
      expect((await cautiously(4)).ledgers.get(ZERO_ADDRESS)).to.deep.equal(ledger);
      expect((await cautiously(40)).ledgers.get(ZERO_ADDRESS)).to.deep.equal({
        ...ZERO_LEDGER,
        ...{ withdrawnUser: 10n, withdrawnHub: 10n },
      });
    });

    it("H-20: an exit counts at once", async () => {
      await deposit(world, world.alice, 5n);
      await mine(5);
      await world.manager.connect(world.alice).startExit(...nothing());
      expect((await cautiously(4)).exitDeadline > 0n).to.equal(true);
    });

    it("B-7: nothing of an earlier session counts in the next one", async () => {
      await deposit(world, world.alice, 5n);
      await mine(5);
      const newest = state(alice, [row({ depositedUser: 5n, balanceUser: 5n })]);
      await exitAndSettle(world, world.alice, await signState(world, world.alice, newest));
      await deposit(world, world.alice, 3n);
      const early = await cautiously(4);
      expect([early.session, depositedUser(early)]).to.deep.equal([1n, 0n]);
      await mine(3);
      expect(depositedUser(await cautiously(4))).to.equal(3n);
    });
  });

  describe("as refusals", () => {
    async function refusal(call: Promise<unknown>): Promise<Refusal & { readonly caught: unknown }> {
      const caught = await call.then(
        () => undefined,
        (error: unknown) => error,
      );
      return { ...refusalOf(caught), caught };
    }

    it("to a call, to a gas estimate and to a transaction alike", async () => {
      const { claim } = world.manager.connect(world.bob);
      const ways = [() => claim.staticCall(ETH, bob), () => claim.estimateGas(ETH, bob), () => claim(ETH, bob)];
      for (const ask of ways) {
        const { error, caught } = await refusal(ask());
        expectError(error, "NothingToClaim", { account: bob, asset: ZERO_ADDRESS });
        expect(error!.cause).to.equal(caught);
        expect(isRevert(caught)).to.equal(true);
      }
    });

    it("over HTTP, as a node answers", async () => {
      const rpc = await serveRpc(hre.network.provider);
      const remote = new ethers.JsonRpcProvider(rpc.url);
      try {
        const { error, caught } = await refusal(world.manager.connect(remote).collateralize.staticCall([]));
        expect(isProtocolError(error, "NotHub")).to.equal(true);
        expect(isRevert(caught)).to.equal(true);
      } finally {
        remote.destroy();
        await rpc.close();
      }
    });

    it("of a token, in its own words", async () => {
      const token = await world.token.getAddress();
      const poor = world.others[0]!;
      const { error, reason, caught } = await refusal(world.manager.connect(poor).deposit(poor, token, 5n, false));
      expect(error).to.equal(undefined);
      expect(reason).to.match(/^ERC20InsufficientAllowance\(0x[0-9a-fA-F]{40}, 0, 5\)$/);
      expect(isRevert(caught)).to.equal(true);
    });

    it("and of nobody: a transaction that never got there", async () => {
      const { error, reason, caught } = await refusal(Promise.reject(new Error("connection refused")));
      expect({ error, reason, isRevert: isRevert(caught) }).to.deep.equal({
        ...{ error: undefined, reason: "connection refused", isRevert: false },
      });
    });
  });
});
