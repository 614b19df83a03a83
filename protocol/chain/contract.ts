import { BaseContract, type ContractRunner } from "ethers";
import { ChannelManager__factory, type ChannelManager } from "../../typechain-types";

const channelManager = ChannelManager__factory.createInterface();

/** The contract at an address. TypeChain's own `connect` reads the whole ABI again at each call, which took 4 % of the hub. */
export function channelManagerAt(address: string, runner: ContractRunner): ChannelManager {
  return new BaseContract(address, channelManager, runner) as unknown as ChannelManager;
}
