import type { ArtifactResolver } from "@nomicfoundation/ignition-core";
import { ContractFactory, type Provider } from "ethers";
import type { ContractName } from "../address-book/contracts";
import type { Spending } from "../chain/spending";
import { constructorArguments } from "./module";
import type { Parameters } from "./parameters";

/** What deploying the contracts takes, at the node's present price. Nothing is sent. */
export async function estimateDeployment(
  provider: Provider,
  artifacts: ArtifactResolver,
  deployer: string,
  names: readonly ContractName[],
  parameters: Parameters,
): Promise<Spending> {
  const estimates = names.map(async (name) => {
    const { abi, bytecode } = await artifacts.loadArtifact(name);
    const { data } = await new ContractFactory(abi, bytecode).getDeployTransaction(
      ...constructorArguments(name, parameters),
    );
    return provider.estimateGas({ from: deployer, data });
  });
  const gas = (await Promise.all(estimates)).reduce((sum, each) => sum + each, 0n);
  const { maxFeePerGas, gasPrice } = await provider.getFeeData();
  const balanceWei = await provider.getBalance(deployer);
  return { account: deployer, gas, feePerGasWei: maxFeePerGas ?? gasPrice ?? 0n, valueWei: 0n, balanceWei };
}
