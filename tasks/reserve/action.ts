import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { readAddressBook } from "../address-book/read-address-book";
import { connect, recordsDirectory } from "../chain/connect";
import type { Command } from "../command";
import type { Terminal } from "../terminal";
import { planFund } from "./fund";
import { moveReserve } from "./move";
import { planRecall } from "./recall";
import type { ReserveDeps } from "./reserve";
import { reserveStatus } from "./status";

export interface ReserveArgs {
  json: boolean;
  token?: string;
  directory?: string;
}

export interface MoveArgs extends ReserveArgs {
  amount: string;
  dryRun: boolean;
  yes: boolean;
}

export interface FundArgs extends MoveArgs {
  from?: string;
}

export const statusCommand: Command<ReserveArgs> = async (args, hre, terminal) =>
  reserveStatus(await depsOf(args, hre, terminal), args.token);

export const fundCommand: Command<FundArgs> = async (args, hre, terminal) => {
  const deps = await depsOf(args, hre, terminal);
  const movement = await planFund(deps, args.amount, args.token, args.from);
  return moveReserve(deps, movement, { isDryRun: args.dryRun, agreed: args.yes });
};

export const recallCommand: Command<MoveArgs> = async (args, hre, terminal) => {
  const deps = await depsOf(args, hre, terminal);
  const movement = await planRecall(deps, args.amount, args.token, args.dryRun);
  return moveReserve(deps, movement, { isDryRun: args.dryRun, agreed: args.yes });
};

async function depsOf(args: ReserveArgs, hre: HardhatRuntimeEnvironment, terminal: Terminal): Promise<ReserveDeps> {
  const chain = await connect(hre);
  const directory = recordsDirectory(hre, chain, args.directory);
  const book = await readAddressBook(chain, directory);
  const signers = await hre.ethers.getSigners();
  return {
    chain,
    provider: hre.ethers.provider,
    terminal,
    book,
    directory,
    accounts: signers.map(({ address }) => address),
    signerOf: (account) => hre.ethers.getSigner(account),
  };
}
