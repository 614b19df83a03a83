import { ethers } from "hardhat";
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { TypedDataEncoder, type TypedDataDomain } from "ethers";
import type { SignedThreadStruct, SignedThreadUpdateStruct } from "../../typechain-types/contracts/ChannelManager";
import type { ChannelManager, HashlockApp, LocalMulticall3, LocalToken, SignedApp } from "../../typechain-types";
import { ETH, type State, type Terms } from "./states";
import { CHANNEL_STATE, RESOLUTION, THREAD, THREAD_PAYMENT, THREAD_UPDATE, managerDomain } from "./typed-data";

/** One day. */
export const PERIOD = 86_400n;

/** A state with both signatures, as `withdraw`, `startExit`, `challenge` and `settle` take it. */
export type SignedState = [state: State, sigHub: string, sigUser: string];

/** A deployed ChannelManager on the in-process chain with people, tokens and apps. */
export interface World {
  readonly manager: ChannelManager;
  readonly address: string;
  readonly domain: TypedDataDomain;
  readonly hub: HardhatEthersSigner;
  readonly treasury: HardhatEthersSigner;
  readonly alice: HardhatEthersSigner;
  readonly bob: HardhatEthersSigner;
  /** Nobody's friend: relays, challenges, attacks. */
  readonly carol: HardhatEthersSigner;
  readonly others: readonly HardhatEthersSigner[];
  readonly token: LocalToken;
  readonly multicall: LocalMulticall3;
  readonly hashlock: HashlockApp;
  readonly signedApp: SignedApp;
}

async function deployWorld(): Promise<World> {
  const [, hub, treasury, alice, bob, carol, ...others] = await ethers.getSigners();
  if (!hub || !treasury || !alice || !bob || !carol) throw new Error("the development mnemonic has too few accounts");
  const manager = await ethers.deployContract("ChannelManager", [hub, treasury, PERIOD]);
  const token = await ethers.deployContract("LocalToken", ["Local Dollar", "LUSD"]);
  const multicall = await ethers.deployContract("LocalMulticall3");
  const hashlock = await ethers.deployContract("HashlockApp");
  const signedApp = await ethers.deployContract("SignedApp");
  const address = await manager.getAddress();
  for (const holder of [hub, alice, bob, carol]) {
    await token.mint(holder, 10n ** 30n);
    await token.connect(holder).approve(address, 2n ** 256n - 1n);
  }
  const { chainId } = await ethers.provider.getNetwork();
  const domain = managerDomain(address, chainId);
  return { manager, address, domain, hub, treasury, alice, bob, carol, others, token, multicall, hashlock, signedApp };
}

/** The same world for every test, from a snapshot. */
export function freshWorld(): Promise<World> {
  return loadFixture(deployWorld);
}

/** Signs a state by the hub and by its user. */
export async function signState(world: World, user: HardhatEthersSigner, given: State): Promise<SignedState> {
  return [
    given,
    await world.hub.signTypedData(world.domain, CHANNEL_STATE, given),
    await user.signTypedData(world.domain, CHANNEL_STATE, given),
  ];
}

/** A state as nobody signed it: only nonce 0 is accepted so. */
export function unsigned(given: State): SignedState {
  return [given, "0x", "0x"];
}

export function threadHash(given: Terms): string {
  return TypedDataEncoder.hashStruct("Thread", THREAD, given);
}

export async function signThread(
  world: World,
  sender: HardhatEthersSigner,
  receiver: HardhatEthersSigner,
  thread: Terms,
): Promise<SignedThreadStruct> {
  return {
    thread,
    sigSender: await sender.signTypedData(world.domain, THREAD, thread),
    sigReceiver: await receiver.signTypedData(world.domain, THREAD, thread),
  };
}

/** What the payer of a stream signs alone. */
export function signPayment(
  world: World,
  sender: HardhatEthersSigner,
  thread: Terms,
  balanceReceiver: bigint,
): Promise<string> {
  return sender.signTypedData(world.domain, THREAD_PAYMENT, { threadHash: threadHash(thread), balanceReceiver });
}

export async function signUpdate(
  world: World,
  sender: HardhatEthersSigner,
  receiver: HardhatEthersSigner,
  thread: Terms,
  update: { nonce: bigint; balanceReceiver: bigint; appStateHash?: string },
): Promise<SignedThreadUpdateStruct> {
  const body = { appStateHash: thread.appStateHash as string, ...update };
  const statement = { threadHash: threadHash(thread), ...body };
  return {
    ...body,
    sigSender: await sender.signTypedData(world.domain, THREAD_UPDATE, statement),
    sigReceiver: await receiver.signTypedData(world.domain, THREAD_UPDATE, statement),
  };
}

/** An arbiter's statement for `SignedApp`, encoded as its resolver. */
export async function signResolution(
  world: World,
  arbiter: HardhatEthersSigner,
  thread: Terms,
  balanceReceiver: bigint,
): Promise<string> {
  const domain = { ...world.domain, name: "SignedApp", verifyingContract: await world.signedApp.getAddress() };
  const statement = { channelManager: world.address, threadHash: threadHash(thread), balanceReceiver };
  const signature = await arbiter.signTypedData(domain, RESOLUTION, statement);
  return ethers.AbiCoder.defaultAbiCoder().encode(["uint128", "bytes"], [balanceReceiver, signature]);
}

/** Deposits on the user's side (or the hub's), paid by the user. */
export async function deposit(
  world: World,
  user: HardhatEthersSigner,
  amount: bigint,
  options: { asset?: string; forHub?: boolean } = {},
): Promise<void> {
  const { asset = ETH, forHub = false } = options;
  const value = asset === ETH ? amount : 0n;
  await world.manager.connect(user).deposit(user, asset, amount, forHub, { value });
}

/** Funds the reserve and moves it all into the user's channel. */
export async function collateralize(
  world: World,
  user: HardhatEthersSigner,
  amount: bigint,
  asset: string = ETH,
): Promise<void> {
  const value = asset === ETH ? amount : 0n;
  await world.manager.connect(world.hub).fundReserve(asset, amount, { value });
  await world.manager.connect(world.hub).collateralize([{ user: user.address, asset, amount }]);
}

/** Starts an exit as the user and lets the window pass. */
export async function exitToDeadline(world: World, user: HardhatEthersSigner, signed: SignedState): Promise<void> {
  await world.manager.connect(user).startExit(...signed);
  await time.increase(PERIOD);
}

/** Exits and settles. */
export async function exitAndSettle(world: World, user: HardhatEthersSigner, signed: SignedState): Promise<void> {
  await exitToDeadline(world, user, signed);
  await world.manager.connect(world.carol).settle(...signed);
}
