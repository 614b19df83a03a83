import { BrowserProvider, type JsonRpcSigner } from "ethers";
import type { EIP1193Provider, HardhatNetworkConfig, HardhatRuntimeEnvironment } from "hardhat/types";
import { createProvider } from "hardhat/internal/core/providers/construction";
import type { Chain } from "../chain/identify-chain";
import { operationError } from "../errors";

/** A copy of a chain that ends with the command: whatever happens there, the chain itself never sees. */
export interface Sandbox {
  readonly provider: BrowserProvider;
  /** Moves its clock to a moment, Unix seconds, if it is not past it. */
  passTo(seconds: bigint): Promise<void>;
  /** Anybody may act there, without a key. */
  as(account: string): Promise<JsonRpcSigner>;
  close(): Promise<void>;
}

const ENOUGH_WEI = `0x${(10n ** 24n).toString(16)}`;

/** A fork of the network's chain inside of this process; of the chain inside of this process, a snapshot. @throws SimulationImpossible */
export async function openSandbox(hre: HardhatRuntimeEnvironment, chain: Chain): Promise<Sandbox> {
  const inner = await innerProvider(hre, chain);
  const provider = new BrowserProvider(inner, chain.chainId, { cacheTimeout: -1 });
  const snapshot = chain.isInProcess ? ((await provider.send("evm_snapshot", [])) as string) : undefined;
  return {
    provider,
    passTo: async (seconds) => {
      const block = await provider.getBlock("latest");
      if (block !== null && BigInt(block.timestamp) >= seconds) return;
      await provider.send("evm_setNextBlockTimestamp", [`0x${seconds.toString(16)}`]);
      await provider.send("evm_mine", []);
    },
    as: async (account) => {
      await provider.send("hardhat_impersonateAccount", [account]);
      await provider.send("hardhat_setBalance", [account, ENOUGH_WEI]);
      return provider.getSigner(account);
    },
    close: async () => {
      if (snapshot !== undefined) await provider.send("evm_revert", [snapshot]);
      provider.destroy();
    },
  };
}

async function innerProvider(hre: HardhatRuntimeEnvironment, chain: Chain): Promise<EIP1193Provider> {
  if (chain.isInProcess) return hre.network.provider;
  const { config } = hre.network;
  if (!("url" in config))
    throw operationError("SimulationImpossible", { reason: `network ${chain.network} has no node to fork` });
  const hardhat = hre.config.networks.hardhat;
  const fork: HardhatNetworkConfig = {
    ...hardhat,
    chainId: chain.chainId,
    forking: { enabled: true, url: config.url, httpHeaders: {} },
  };
  const networks = { ...hre.config.networks, hardhat: fork };
  try {
    const provider = await createProvider({ ...hre.config, networks }, "hardhat", hre.artifacts);
    await provider.request({ method: "evm_mine" }); // at the fork's own block Hardhat refuses calls on chains it does not know
    return provider;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw operationError("SimulationImpossible", { reason }, error);
  }
}
