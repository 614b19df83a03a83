import { Interface, getCreateAddress, type InterfaceAbi } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";
import {
  UINT256_MAX,
  channelManagerDomain,
  parseAddress,
  signedAppDomain,
  type Address,
  type Hex,
} from "../../../protocol";
import { actors, deployer, dora, hub, treasury } from "./actors";
import { encoderOf, errorDecoderOf, eventDecoderOf } from "./abi";
import { Chain } from "./chain";
import type { Model } from "./model/model";
import type { World } from "./world";

/** Far enough ahead of the real clock, so that the walk's time is always its own. Unix seconds. */
export const START = 4_000_000_000n;

/** Everybody has more than 2^128, so that amounts reach the limits. */
const WEALTH = 2n ** 160n;

const PERIOD_SECONDS = 3_600n;

/** In order of deployment: the addresses follow from it. */
const CONTRACTS = [
  "LocalMulticall3",
  "LocalToken",
  "SilentToken",
  "WalkToken",
  "HashlockApp",
  "SignedApp",
  "HostileApp",
  "WalkReceiver",
  "ChannelManager",
] as const;

type Name = (typeof CONTRACTS)[number];

/** Deploys everything the walk needs. The same addresses every time, whatever happened on the chain before. */
export async function deployWorld(hre: HardhatRuntimeEnvironment): Promise<Chain> {
  const { provider } = hre.network;
  const chainId = BigInt((await provider.send("eth_chainId", [])) as string);
  await provider.send("hardhat_setNextBlockBaseFeePerGas", ["0x0"]); // stays zero: no fees to subtract from balances
  await provider.send("evm_setNextBlockTimestamp", [`0x${START.toString(16)}`]);
  await endow(hre);
  const addresses = {} as Record<Name, Address>;
  for (const [nonce, name] of CONTRACTS.entries()) addresses[name] = await deploy(hre, name, nonce);
  const chain = await connect(hre, worldOf(addresses, chainId));
  await mintTokens(chain);
  await delegate(chain, dora.address);
  await delegate(chain, treasury.address);
  return chain;
}

/** Tells a new model what `deployWorld` did. */
export function prime({ bank, world, books }: Model): void {
  for (const { address } of actors) {
    bank.ether.set(WEALTH, address);
    bank.dollars.set(WEALTH, address);
    bank.dollarAllowance.set(UINT256_MAX, address, world.manager);
    bank.silents.set(WEALTH, address);
    bank.silentAllowance.set(UINT256_MAX, address, world.manager);
    bank.rogues.set(WEALTH, address);
  }
  for (const asset of [bank.ether, bank.dollars, bank.silents, bank.rogues]) asset.set(0n, world.manager);
  for (const asset of assetsOf(world)) books.reserve.set(0n, asset);
}

/** ETH first, then in ascending order, as states list them. */
export function assetsOf(world: World): readonly Address[] {
  const zero = parseAddress(`0x${"00".repeat(20)}`);
  return [zero, world.dollar, world.silent, world.rogue, world.ghost].sort();
}

async function endow({ network: { provider } }: HardhatRuntimeEnvironment): Promise<void> {
  for (const { address } of [deployer, ...actors]) {
    await provider.send("hardhat_setBalance", [address, `0x${WEALTH.toString(16)}`]);
    await provider.send("hardhat_impersonateAccount", [address]);
  }
}

async function deploy(hre: HardhatRuntimeEnvironment, name: Name, nonce: number): Promise<Address> {
  const { bytecode, abi } = await hre.artifacts.readArtifact(name);
  const args = { LocalToken: ["Walk Dollar", "WUSD"], ChannelManager: [hub.address, treasury.address, PERIOD_SECONDS] };
  const encoded = Interface.from(abi).encodeDeploy((args as Partial<Record<Name, unknown[]>>)[name] ?? []);
  const data = bytecode + encoded.slice(2);
  await hre.network.provider.send("eth_sendTransaction", [
    { from: deployer.address, data, gas: "0xf00000", gasPrice: "0x0" },
  ]);
  return parseAddress(getCreateAddress({ from: deployer.address, nonce }));
}

function worldOf(addresses: Readonly<Record<Name, Address>>, chainId: bigint): World {
  const manager = addresses.ChannelManager;
  return {
    manager,
    multicall: addresses.LocalMulticall3,
    dollar: addresses.LocalToken,
    silent: addresses.SilentToken,
    rogue: addresses.WalkToken,
    ghost: parseAddress(`0x${"99".repeat(20)}`),
    hashlock: addresses.HashlockApp,
    signedApp: addresses.SignedApp,
    hostileApp: addresses.HostileApp,
    receiver: addresses.WalkReceiver,
    periodSeconds: PERIOD_SECONDS,
    domain: channelManagerDomain(chainId, manager),
    signedAppDomain: signedAppDomain(chainId, addresses.SignedApp),
    chainId,
  };
}

async function connect({ artifacts, network }: HardhatRuntimeEnvironment, world: World): Promise<Chain> {
  const manager = await artifacts.readArtifact("ChannelManager");
  const forcedEther = await artifacts.readArtifact("ForcedEther");
  const others = ["LocalMulticall3", "LocalToken", "WalkToken", "WalkReceiver"];
  const abis = await Promise.all(others.map(async (name) => (await artifacts.readArtifact(name)).abi as InterfaceAbi));
  const [multicall, token, rogue, receiver] = abis.map(encoderOf);
  const contracts = {
    world,
    manager: encoderOf(manager.abi),
    multicall: multicall!,
    token: token!,
    rogue: rogue!,
    receiver: receiver!,
    managerInterface: Interface.from(manager.abi),
    managerBytecode: manager.bytecode as Hex,
    forcedEtherBytecode: forcedEther.bytecode as Hex,
  };
  const decode = { event: eventDecoderOf(manager.abi), error: errorDecoderOf([manager.abi, ...abis]) };
  return new Chain(network.provider, contracts, decode);
}

async function mintTokens({ provider, world, contracts }: Chain): Promise<void> {
  const send = (from: Address, to: Address, data: string): Promise<unknown> =>
    provider.send("eth_sendTransaction", [{ from, to, data, gas: "0xf00000", gasPrice: "0x0" }]);
  for (const { address } of actors) {
    for (const token of [world.dollar, world.silent]) {
      await send(address, token, contracts.token("mint", [address, WEALTH]));
      await send(address, token, contracts.token("approve", [world.manager, UINT256_MAX]));
    }
    await send(address, world.rogue, contracts.rogue("setBalance", [address, WEALTH]));
  }
}

/** EIP-7702: the account keeps its key and runs the receiver's code. */
async function delegate({ provider, world }: Chain, account: Address): Promise<void> {
  await provider.send("hardhat_setCode", [account, `0xef0100${world.receiver.slice(2)}`]);
}
