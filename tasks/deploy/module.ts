import {
  buildModule,
  type IgnitionModule,
  type NamedArtifactContractDeploymentFuture,
} from "@nomicfoundation/ignition-core";
import type { ContractName } from "../address-book/contracts";
import type { Parameters } from "./parameters";

const MODULE = "Channels";

/** The name that Ignition's journal has for a contract. */
export function futureIdOf(name: ContractName): string {
  return `${MODULE}#${name}`;
}

/** The contract that a name in Ignition's journal stands for. */
export function contractOf(futureId: string): ContractName {
  return futureId.slice(MODULE.length + 1) as ContractName;
}

export function constructorArguments(name: ContractName, parameters: Parameters): (string | number)[] {
  if (name === "ChannelManager") return [parameters.hub, parameters.treasury, parameters.challengePeriodSeconds];
  return name === "LocalToken" ? ["Local Dollar", "LUSD"] : [];
}

/**
 * The Ignition module of the contracts that a run deploys. It names no others: those in the address book stay as they
 * are, even if their sources have changed since.
 */
export function channelsModule(
  names: readonly ContractName[],
  parameters: Parameters,
): IgnitionModule<string, string, Record<string, NamedArtifactContractDeploymentFuture<string>>> {
  return buildModule(MODULE, (module) =>
    Object.fromEntries(names.map((name) => [name, module.contract(name, constructorArguments(name, parameters))])),
  );
}
