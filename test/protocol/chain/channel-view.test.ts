import { expect } from "chai";
import { ethers } from "hardhat";
import { parseAddress, ZERO_ADDRESS, type Address } from "../../../protocol";
import { readCautiously, readChannel, readHead } from "../../../protocol/chain/channel-view";
import { distortedNode, onlyFor, type DistortedNode } from "../../support/distorted-node";
import { row, state } from "../../support/states";
import { freshWorld, PERIOD, signState, type World } from "../../support/world";

describe("channel view", () => {
  let world: World;
  let node: DistortedNode;
  let [manager, user, token]: Address[] = [];
  beforeEach(async () => {
    world = await freshWorld();
    node = distortedNode();
    const addresses = [world.address, world.alice.address, await world.token.getAddress()];
    [manager, user, token] = addresses.map((each) => parseAddress(each));
  });
  afterEach(() => node.provider.destroy());

  const deposit = (amount: bigint, forHub = false): Promise<unknown> =>
    world.manager.connect(world.alice).deposit(world.alice, ZERO_ADDRESS, amount, forHub, { value: amount });
  const read = (blockNumber: number) =>
    readChannel(node.provider, manager!, user!, [ZERO_ADDRESS, token!], blockNumber);
  const ZERO = { depositedHub: 0n, depositedUser: 0n, withdrawnHub: 0n, withdrawnUser: 0n };

  it("reads the newest block", async () => {
    const head = await readHead(node.provider);
    const block = (await ethers.provider.getBlock("latest"))!;
    const { number, hash, timestamp, parentHash } = block;
    expect(head).to.deep.equal({ number, hash, timestamp, parentHash });
  });

  it("reads session, exit and counters as one block has them", async () => {
    await deposit(5n);
    await deposit(7n, true);
    const { number } = await readHead(node.provider);
    await world.manager
      .connect(world.alice)
      .startExit(
        ...(await signState(
          world,
          world.alice,
          state(world.alice.address, [row({ balanceUser: 5n, depositedUser: 5n })]),
        )),
      );
    const view = await read(number);
    expect(view).to.deep.include({ session: 0n, exitNonce: 0n, exitDeadline: 0n });
    expect([...view.ledgers]).to.deep.equal([
      [ZERO_ADDRESS, { ...ZERO, depositedUser: 5n, depositedHub: 7n }],
      [token, ZERO],
    ]);
    const head = await readHead(node.provider);
    const exiting = await read(head.number);
    expect(exiting).to.deep.include({ exitNonce: 1n, exitDeadline: BigInt(head.timestamp) + PERIOD });
  });

  it("refuses what is half of one block and half of another", async () => {
    await deposit(5n);
    let asked = 0;
    node.distort(
      onlyFor("eth_getBlockByNumber", async (params, ask) => {
        const block = (await ask("eth_getBlockByNumber", params)) as object;
        return ++asked === 1 ? block : { ...block, hash: `0x${"5e".repeat(32)}` };
      }),
    );
    const { number } = (await ethers.provider.getBlock("latest"))!;
    expect(await read(number).catch(String)).to.match(/changed while it was read/);
    node.distort(onlyFor("eth_getBlockByNumber", () => null));
    expect(await read(number).catch(String)).to.match(/does not have block/);
  });

  it("counts deposits as deep as asked, and everything else at the newest block", async () => {
    await deposit(5n);
    await ethers.provider.send("evm_mine");
    await deposit(6n);
    const { number } = await readHead(node.provider);
    const cautious = (confirmations: number) =>
      readCautiously(node.provider, manager!, user!, [ZERO_ADDRESS], number, confirmations);
    const deposited = async (confirmations: number) =>
      (await cautious(confirmations)).ledgers.get(ZERO_ADDRESS)?.depositedUser;
    expect(await Promise.all([1, 2, 3, 4].map(deposited))).to.deep.equal([11n, 5n, 5n, 0n]);
    expect(await deposited(number + 9), "before the contract existed").to.equal(0n);
  });
});
