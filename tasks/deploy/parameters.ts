import { existsSync, readFileSync } from "node:fs";
import { Type, type Static } from "typebox";
import { checksumAddress, parseAddress } from "../../protocol/address";
import type { Chain } from "../chain/identify-chain";
import { developmentAccounts } from "../development-accounts";
import { operationError } from "../errors";
import { problemsOf } from "../schema-problems";

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** The contract's own bounds; `ChannelManager.sol` has the same. */
const periodSchema = Type.Integer({ minimum: HOUR_SECONDS, maximum: 30 * DAY_SECONDS });

const givenSchema = Type.Object(
  {
    hub: Type.Optional(Type.String()),
    treasury: Type.Optional(Type.String()),
    challengePeriodSeconds: Type.Optional(periodSchema),
  },
  { additionalProperties: false },
);

const fileSchema = Type.Record(Type.String(), givenSchema);

/** What was asked for; on a live chain hub and treasury must be. */
export type GivenParameters = Static<typeof givenSchema>;

/** What a ChannelManager is constructed with; addresses are checksummed. */
export interface Parameters {
  readonly hub: string;
  readonly treasury: string;
  readonly challengePeriodSeconds: number;
}

/**
 * Merges what the command line and the parameters file say; the command line wins.
 * @param file May be absent.
 * @throws ParametersMalformed
 */
export function readParameters(network: string, file: string, options: GivenParameters): GivenParameters {
  check("the command line", givenSchema, options);
  const fromFile = existsSync(file) ? readFile(file)[network] : undefined;
  return normalize(`${file} and the command line`, { ...fromFile, ...options });
}

/**
 * Fills in defaults and refuses what would be unsafe.
 * @param isForced Lets a live chain have a challenge period under 24 hours.
 * @throws ParametersMissing, ParametersMalformed, DevelopmentAccount, ChallengePeriodTooShort
 */
export function completeParameters(chain: Chain, given: GivenParameters, file: string, isForced: boolean): Parameters {
  if (!chain.isLocal) requireGiven(chain, given, file);
  const accounts = developmentAccounts();
  const { hub = String(accounts[1]), treasury = String(accounts[2]) } = given;
  const { challengePeriodSeconds = DAY_SECONDS } = given;
  const parameters = { hub, treasury, challengePeriodSeconds };
  if (!chain.isLocal) requireSafe(parameters, accounts, isForced);
  return parameters;
}

function requireGiven(chain: Chain, given: GivenParameters, file: string): void {
  const names = (["hub", "treasury"] as const).filter((name) => given[name] === undefined);
  if (names.length > 0) throw operationError("ParametersMissing", { network: chain.network, names, file });
}

function requireSafe(parameters: Parameters, accounts: readonly string[], isForced: boolean): void {
  for (const role of ["hub", "treasury"] as const) {
    const address = parameters[role];
    if (accounts.includes(address)) throw operationError("DevelopmentAccount", { role, address });
  }
  const { challengePeriodSeconds: seconds } = parameters;
  if (seconds < DAY_SECONDS && !isForced) {
    throw operationError("ChallengePeriodTooShort", { seconds, minimum: DAY_SECONDS });
  }
}

function readFile(file: string): Record<string, GivenParameters> {
  try {
    const content: unknown = JSON.parse(readFileSync(file, "utf8"));
    check(file, fileSchema, content);
    return content as Record<string, GivenParameters>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw operationError("ParametersMalformed", { source: file, problems: [error.message] }, error);
  }
}

function check(source: string, schema: typeof givenSchema | typeof fileSchema, value: unknown): void {
  const problems = problemsOf(schema, value);
  if (problems.length > 0) throw operationError("ParametersMalformed", { source, problems });
}

function normalize(source: string, given: GivenParameters): GivenParameters {
  const { hub, treasury, ...rest } = given;
  return {
    ...rest,
    ...(hub === undefined ? {} : { hub: normalizeAddress(source, "hub", hub) }),
    ...(treasury === undefined ? {} : { treasury: normalizeAddress(source, "treasury", treasury) }),
  };
}

function normalizeAddress(source: string, name: string, text: string): string {
  try {
    const address = parseAddress(text, name);
    if (BigInt(address) !== 0n) return checksumAddress(address);
  } catch (error) {
    const problems = [error instanceof Error ? error.message : String(error)];
    throw operationError("ParametersMalformed", { source, problems }, error);
  }
  throw operationError("ParametersMalformed", { source, problems: [`${name} is the zero address`] });
}
