import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { parseHash, type Address } from "../../protocol";
import { addressOf } from "../chain/keys";
import type { Command } from "../command";
import { operationError } from "../errors";
import { depsOf, type DisputeArgs, type DisputeDeps } from "./deps";
import { exportEvidence, verifyEvidenceFile } from "./evidence-file";
import { planChallenge, planClaim, planSettle, planStart } from "./exit-plans";
import { evidenceFor, evidenceIn, evidenceKept, requireOfThisChain } from "./held";
import { carryOut, type Plan } from "./move";
import { openSandbox } from "./sandbox";
import { simulateEvidence } from "./simulate";
import { disputeStatus } from "./status";
import { planThread } from "./thread-plan";
import { disputeTimeline } from "./timeline";

export interface StatusArgs extends DisputeArgs {
  user?: string;
  file?: string;
}

export interface UserArgs extends DisputeArgs {
  user: string;
}

export interface MoveArgs extends UserArgs {
  file?: string;
  from?: string;
  dryRun: boolean;
  yes: boolean;
}

export interface ClaimArgs extends MoveArgs {
  to?: string;
}

export interface ThreadArgs extends MoveArgs {
  thread: string;
}

export interface EvidenceArgs extends DisputeArgs {
  verb: string;
  user: string;
  file: string;
}

export interface SimulateArgs extends DisputeArgs {
  file: string;
}

export const statusCommand: Command<StatusArgs> = async (args, hre, terminal) => {
  const deps = await depsOf(args, hre, terminal);
  const user = args.user === undefined ? undefined : addressOf(deps.chain, args.user);
  const evidence = await evidenceFor(deps, hre, args.file, user);
  return disputeStatus(deps, user ?? (evidence?.user.toLowerCase() as Address | undefined), evidence);
};

export const timelineCommand: Command<UserArgs> = async (args, hre, terminal) => {
  const deps = await depsOf(args, hre, terminal);
  return disputeTimeline(deps, addressOf(deps.chain, args.user));
};

export const startCommand: Command<MoveArgs> = moveBy(planStart, true);
export const challengeCommand: Command<MoveArgs> = moveBy(planChallenge, false);
export const settleCommand: Command<MoveArgs> = moveBy(planSettle, false);

export const claimCommand: Command<ClaimArgs> = async (args, hre, terminal) => {
  const deps = await depsOf(args, hre, terminal);
  const user = addressOf(deps.chain, args.user);
  const to = args.to === undefined ? user : addressOf(deps.chain, args.to);
  const plan = await planClaim(deps, user, to, senderOf(deps, args, user, true));
  return carryOut(deps, plan, optionsOf(args));
};

export const settleThreadCommand: Command<ThreadArgs> = async (args, hre, terminal) => {
  const deps = await depsOf(args, hre, terminal);
  const user = addressOf(deps.chain, args.user);
  const evidence = await evidenceFor(deps, hre, args.file, user);
  const plan = await planThread(
    deps,
    user,
    parseHash(args.thread, "thread"),
    evidence,
    senderOf(deps, args, user, false),
  );
  return carryOut(deps, plan, optionsOf(args));
};

export const evidenceCommand: Command<EvidenceArgs> = async (args, hre, terminal) => {
  const deps = await depsOf(args, hre, terminal);
  if (args.verb === "verify") return verifyEvidenceFile(deps, evidenceIn(args.file), args.file);
  if (args.verb !== "export") throw operationError("ActionUnknown", { given: args.verb, known: ["export", "verify"] });
  const user = addressOf(deps.chain, args.user);
  const evidence = await evidenceKept(deps, hre, user);
  if (evidence === undefined) throw operationError("EvidenceMissing", { user });
  return exportEvidence(deps, evidence, args.file);
};

export const simulateCommand: Command<SimulateArgs> = async (args, hre, terminal) => {
  const deps = await depsOf(args, hre, terminal);
  const evidence = evidenceIn(args.file);
  requireOfThisChain(deps, evidence);
  const sandbox = await openSandbox(hre, deps.chain);
  try {
    return await simulateEvidence(deps, sandbox, evidence);
  } finally {
    await sandbox.close();
  }
};

type Planner = (
  deps: DisputeDeps,
  user: Address,
  evidence: Awaited<ReturnType<typeof evidenceKept>>,
  account: string,
) => Promise<Plan>;

/** @param isOfParty Whether the contract takes it from a party alone. */
function moveBy(planner: Planner, isOfParty: boolean): Command<MoveArgs> {
  return async (args, hre: HardhatRuntimeEnvironment, terminal) => {
    const deps = await depsOf(args, hre, terminal);
    const user = addressOf(deps.chain, args.user);
    const evidence = await evidenceFor(deps, hre, args.file, user);
    const plan = await planner(deps, user, evidence, senderOf(deps, args, user, isOfParty));
    return carryOut(deps, plan, optionsOf(args));
  };
}

function optionsOf({ dryRun, yes }: MoveArgs): { readonly isDryRun: boolean; readonly agreed: boolean } {
  return { isDryRun: dryRun, agreed: yes };
}

/** The account that pays for the transaction: named, or the user's own, or any at hand. @throws SenderUnavailable */
function senderOf(
  { accounts, chain }: DisputeDeps,
  { from, dryRun }: MoveArgs,
  user: Address,
  isOfParty: boolean,
): string {
  const wanted = from === undefined ? user : addressOf(chain, from);
  const found = accounts.find((account) => account.toLowerCase() === wanted);
  if (found !== undefined) return found;
  const [first] = accounts;
  if (from === undefined && !isOfParty && first !== undefined) return first;
  if (dryRun) return wanted;
  throw operationError("SenderUnavailable", { wanted: [wanted], available: accounts });
}
