import { expect } from "chai";
import { getBytes, TypedDataEncoder, ZeroHash, type Provider, type Signer, type TypedDataField } from "ethers";
import type { ContractTransactionResponse, TransactionReceipt } from "ethers";
import { ChannelManager__factory, type ChannelManager } from "../../typechain-types";
import { ETH, row, state, terms, type State, type Terms } from "../support/states";
import { rootOf } from "../support/thread-tree";
import { CHANNEL_STATE, THREAD, THREAD_PAYMENT, managerDomain } from "../support/typed-data";

type Person = Signer & { readonly address: string };

/** A deployed ChannelManager on some node, and the people of the development mnemonic. */
export interface Stage {
  readonly provider: Provider & { send(method: string, params: unknown[]): Promise<unknown> };
  readonly manager: string;
  /** A contract that takes no ether. */
  readonly refusing: string;
  readonly hub: Person;
  readonly treasury: Person;
  readonly alice: Person;
  readonly carol: Person;
}

/** Payouts look at the gas that is left; nobody estimates here. */
const GAS = { gasLimit: 1_000_000n };

/**
 * One life of a channel: fund, deposit, collateralize, withdraw to a recipient that refuses, claim, exit, challenge,
 * settle, open and settle a thread, recall. Checks the money at the end.
 * @returns The gas of each step without the price of its calldata, which differs with addresses and signatures.
 */
export async function liveOnce(stage: Stage): Promise<Readonly<Record<string, bigint>>> {
  const { provider, hub, treasury, alice, carol, refusing } = stage;
  const manager = ChannelManager__factory.connect(stage.manager, carol);
  const domain = managerDomain(stage.manager, (await provider.getNetwork()).chainId);
  const period = Number(await manager.challengePeriodSeconds());
  const gas: Record<string, bigint> = {};
  const step = async (name: string, sent: Promise<ContractTransactionResponse>): Promise<TransactionReceipt> => {
    const transaction = await sent;
    const receipt = await transaction.wait();
    if (receipt === null) throw new Error(`${name} was not mined`);
    gas[name] = receipt.gasUsed - calldataGas(transaction.data);
    return receipt;
  };
  const sign = (person: Person, types: Record<string, TypedDataField[]>, value: object): Promise<string> =>
    person.signTypedData(domain, types, value);
  const bySigned = async (given: State): Promise<[State, string, string]> => [
    given,
    await sign(hub, CHANNEL_STATE, given),
    await sign(alice, CHANNEL_STATE, given),
  ];

  const as = (person: Person): ChannelManager => manager.connect(person);
  await step("fundReserve", as(hub).fundReserve(ETH, 1000n, { value: 1000n }));
  await step("deposit", as(alice).deposit(alice.address, ETH, 100n, false, { value: 100n }));
  await step("collateralize", as(hub).collateralize([{ user: alice.address, asset: ETH, amount: 50n }]));

  const counters = { depositedUser: 100n, depositedHub: 50n, withdrawnUser: 20n };
  const rested = row({ ...counters, balanceUser: 80n, balanceHub: 50n });
  const first = await bySigned(state(alice.address, [rested], { recipient: refusing }));
  await step("withdraw", manager.withdraw(...first, GAS));
  expect(await manager.claimableOf(alice.address, ETH)).to.equal(20n);
  await step("claim", as(alice).claim(ETH, treasury.address, GAS));

  const thread = terms(alice.address, hub.address, { salt: ZeroHash, balanceSender: 30n });
  const threadHash = TypedDataEncoder.hashStruct("Thread", THREAD, thread);
  const locked = row({ ...counters, balanceUser: 50n, balanceHub: 50n, locked: 30n });
  const second = await bySigned(state(alice.address, [locked], { nonce: 2n, threadRoot: rootOf([threadHash]) }));
  await step("startExit", as(hub).startExit(...first));
  await step("challenge", manager.challenge(...second));
  await passTime(stage, period);
  await step("settle", manager.settle(...second, GAS));

  await step("challengeThread", challengeThread(manager, stage, thread, threadHash, sign));
  await passTime(stage, period);
  await step("settleThread", manager.settleThread(alice.address, 0n, thread, [], GAS));
  await step("recallReserve", as(treasury).recallReserve(ETH, 1000n, GAS));
  await expectMoney(stage, manager);
  return gas;
}

async function challengeThread(
  manager: ChannelManager,
  { alice, hub }: Stage,
  thread: Terms,
  threadHash: string,
  sign: (person: Person, types: Record<string, TypedDataField[]>, value: object) => Promise<string>,
): Promise<ContractTransactionResponse> {
  const [sigSender, sigReceiver] = [await sign(alice, THREAD, thread), await sign(hub, THREAD, thread)];
  const payment = await sign(alice, THREAD_PAYMENT, { threadHash, balanceReceiver: 10n });
  return manager.challengeThreadWithPayment({ thread, sigSender, sigReceiver }, 10n, payment);
}

/** Of 1100, Alice got 20 + 50 + 20 and the treasury 1000; the thread paid the hub 10. */
async function expectMoney({ provider, manager: address, alice }: Stage, manager: ChannelManager): Promise<void> {
  expect(await manager.reserveOf(ETH)).to.equal(10n);
  expect(await provider.getBalance(address)).to.equal(10n);
  expect(await manager.lockedOf(alice.address, 0n, ETH)).to.equal(0n);
  expect((await manager.channelOf(alice.address)).session).to.equal(1n);
}

async function passTime({ provider }: Stage, seconds: number): Promise<void> {
  await provider.send("evm_increaseTime", [seconds]);
  await provider.send("evm_mine", []);
}

/** 4 gas a zero byte, 16 any other (EIP-2028). */
function calldataGas(data: string): bigint {
  return getBytes(data).reduce((sum, byte) => sum + (byte === 0 ? 4n : 16n), 0n);
}
