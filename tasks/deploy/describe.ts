import type { AddressBook } from "../address-book/address-book";
import { recordsOf } from "../address-book/address-book-file";
import { LOCAL_ONLY, type ContractName } from "../address-book/contracts";
import type { Chain } from "../chain/identify-chain";
import { describeSpending, feeOf, type Spending } from "../chain/spending";
import type { Outcome } from "../command";
import type { DeployDeps, Deployed } from "./deploy";

/** What `deploy` has to say. */
export function describeDeployed(
  { chain, directory }: Pick<DeployDeps, "chain" | "directory">,
  deployed: Deployed,
  isDryRun: boolean,
): Outcome {
  const { file } = recordsOf(chain, directory);
  const { parameters, spending } = deployed;
  const json = {
    network: chain.network,
    chainId: chain.chainId,
    isLocal: chain.isLocal,
    isDryRun,
    ...parameters,
    deployed: deployed.deployed,
    kept: deployed.kept,
    outdated: deployed.outdated,
    contracts: deployed.book?.contracts ?? {},
    addressBook: chain.isInProcess ? null : file,
    ...(spending === undefined ? {} : { cost: costOf(spending) }),
  };
  const lines = isDryRun ? dryRunLines(deployed) : deployedLines(chain, file, deployed);
  return { json, text: [headline(chain), ...parameterLines(chain, deployed), ...lines].join("\n") };
}

function headline(chain: Chain): string {
  const kind = chain.isInProcess ? "in this process, gone when it ends" : chain.isLocal ? "local" : "live";
  return `Network ${chain.network}, chain ${chain.chainId} (${kind})`;
}

function parameterLines(chain: Chain, { parameters }: Deployed): string[] {
  const { hub, treasury, challengePeriodSeconds } = parameters;
  const same = hub === treasury ? "  (the same: whoever loses or steals this one key loses or has both)" : "";
  const note = chain.isLocal ? "  (local chain: development accounts unless given)" : "";
  return [
    `  hub               ${hub}${note}`,
    `  treasury          ${treasury}${same}`,
    `  challenge period  ${challengePeriodSeconds} s`,
  ];
}

function deployedLines(chain: Chain, file: string, { book, deployed, kept, outdated }: Deployed): string[] {
  const lines = [...kept, ...deployed].map((name) => entryLine(book, name, kept, outdated));
  const replaced = book?.replaced.filter(({ name }) => name === "ChannelManager").at(-1);
  const old = `The ChannelManager at ${replaced?.address ?? ""} was replaced; its channels and its reserve stay there.`;
  const isReplaced = replaced !== undefined && deployed.includes("ChannelManager");
  const fund = `npx hardhat reserve fund --amount 1eth --network ${chain.network}`;
  return [
    ...lines,
    ...(isReplaced ? [old] : []),
    ...(chain.isInProcess ? [] : [`Address book: ${file}`]),
    chain.isInProcess ? "Next: npx hardhat node, then npx hardhat deploy --network localhost" : `Next: ${fund}`,
  ];
}

function entryLine(
  book: AddressBook | undefined,
  name: ContractName,
  kept: readonly ContractName[],
  outdated: readonly ContractName[],
): string {
  const state = kept.includes(name) ? "already deployed" : "deployed";
  const local = (LOCAL_ONLY as readonly string[]).includes(name) ? ", for local networks only" : "";
  const old = outdated.includes(name) ? `, from other sources than those here (--redeploy ${name} replaces it)` : "";
  return `  ${name.padEnd(16)}  ${book?.contracts[name]?.address ?? ""}  ${state}${local}${old}`;
}

function dryRunLines({ deployed, kept, spending }: Deployed): string[] {
  if (spending === undefined) return ["Everything is already deployed; nothing would be sent."];
  return [
    ...(kept.length === 0 ? [] : [`Already deployed: ${kept.join(", ")}`]),
    `Would deploy: ${deployed.join(", ")}`,
    `Cost: ${describeSpending(spending)}`,
    "Nothing was sent. Next: the same command without --dry-run",
  ];
}

function costOf(spending: Spending): object {
  const { account, gas, feePerGasWei, balanceWei } = spending;
  return { deployer: account, gas, feePerGasWei, totalWei: feeOf(spending), balanceWei };
}
