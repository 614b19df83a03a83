import { CodedError } from "../protocol/coded-error";

/**
 * What can go wrong in a command before or instead of a contract's own refusal: what happened, why that stops it, what
 * to do. Contract errors keep their names of `protocol/errors.ts`. `docs/errors.md` says the same.
 */
export const OPERATION_ERRORS = {
  // ------------------------------------------------------------------------------------------------ network and keys

  RpcUrlMissing: text<{ network: string; variable: string }>(
    ({ network }) => `Network ${network} has no node to talk to`,
    ({ variable }) => `${variable} is not set`,
    ({ variable, network }) =>
      variable === "RPC_URL"
        ? `RPC_URL=https://… npx hardhat … --network ${network}`
        : `npx hardhat vars set ${variable}, or set HARDHAT_VAR_${variable} in the environment`,
  ),
  NodeUnreachable: text<{ network: string; host: string; reason: string }>(
    ({ network, host }) => `The node of network ${network} at ${host} does not answer`,
    ({ reason }) => reason,
    ({ network }) =>
      network === "localhost"
        ? "start one: npx hardhat node"
        : "check that the node runs, its URL and your access to it",
  ),
  WrongNetwork: text<{ network: string; expectedChainId: number; chainId: number }>(
    ({ network, expectedChainId, chainId }) =>
      `The node of network ${network} serves chain ${chainId}, not ${expectedChainId}`,
    () => "contracts would be deployed or money moved on a chain that was not meant",
    ({ network }) => `correct the URL, or choose the network that belongs to it instead of ${network}`,
  ),
  DeployerKeyMissing: text<{ network: string }>(
    ({ network }) => `There is no key to sign with on network ${network}`,
    () => "DEPLOYER_PRIVATE_KEY is not set, and the node has no accounts of its own",
    () => "npx hardhat vars set DEPLOYER_PRIVATE_KEY, or set HARDHAT_VAR_DEPLOYER_PRIVATE_KEY in the environment",
  ),
  SenderUnavailable: text<{ wanted: readonly string[]; available: readonly string[] }>(
    ({ wanted }) => `No key of ${wanted.join(" or ")} is at hand`,
    ({ available }) =>
      `the contract accepts this transaction from nobody else; there are keys of ${available.join(", ") || "nobody"}`,
    () => "set DEPLOYER_PRIVATE_KEY to the key of one of them, or sign what --dry-run prints elsewhere",
  ),
  AccountUnknown: text<{ given: string; count: number }>(
    ({ given }) => `"${given}" is no account of this network`,
    ({ count }) => `it is neither an address with a key here nor an index below ${count}`,
    () => "give one of the accounts whose keys are configured",
  ),
  Underfunded: text<{ account: string; balance: string; needed: string; network: string }>(
    ({ account, balance, network }) => `${account} has only ${balance} on ${network}`,
    ({ needed }) => `up to ${needed} are needed, fees included`,
    ({ account }) => `send ether to ${account}, or use another account`,
  ),
  ConfirmationNeeded: text<{ network: string; chainId: number }>(
    ({ network, chainId }) => `Nobody confirmed spending on ${network} (chain ${chainId})`,
    () => "there is no terminal to ask on",
    () => "add --yes if that is what you want, or look first with --dry-run",
  ),
  Declined: text<{ network: string }>(
    ({ network }) => `Nothing was sent to ${network}`,
    () => "the question was not answered with yes",
    () => "run it again and answer yes, or look first with --dry-run",
  ),

  // ------------------------------------------------------------------------------------------------ address book

  AddressBookMalformed: text<{ file: string; problems: readonly string[] }>(
    ({ file }) => `The address book ${file} is not readable`,
    ({ problems }) => problems.join("; "),
    ({ file }) => `restore ${file} from version control, or delete what is wrong and deploy again`,
  ),
  AddressBookOfAnotherChain: text<{ file: string; recorded: string; actual: string }>(
    ({ file }) => `The address book ${file} belongs to another chain`,
    ({ recorded, actual }) => `it records ${recorded}, but the node serves ${actual}`,
    ({ file }) => `check the network; to begin a book for this chain, move ${file} and the journal beside it away`,
  ),
  NotDeployed: text<{ name: string; network: string; file: string }>(
    ({ name, network }) => `${name} is not deployed on ${network}`,
    ({ file }) => `${file} has no entry for it`,
    ({ network }) => `npx hardhat deploy --network ${network}`,
  ),
  ContractMissing: text<{ name: string; address: string; file: string }>(
    ({ name, address }) => `There is no contract at ${address}, where ${name} should be`,
    ({ file }) =>
      `${file} names that address; the node may serve another chain or lag behind, or a reorganisation took it`,
    ({ name }) => `check the network and the node; to replace it: npx hardhat deploy --redeploy ${name}`,
  ),
  ContractDiffers: text<{ name: string; address: string; recorded: string; actual: string; file: string }>(
    ({ name, address }) => `The contract at ${address} is not the ${name} that was deployed`,
    ({ recorded, actual, file }) => `its code hashes to ${actual}, but ${file} records ${recorded}`,
    ({ name, file }) =>
      `do not send money there; correct the entry in ${file}, or deploy another: npx hardhat deploy --redeploy ${name}`,
  ),

  // ------------------------------------------------------------------------------------------------ deploy

  ParametersMalformed: text<{ source: string; problems: readonly string[] }>(
    ({ source }) => `The parameters in ${source} are not usable`,
    ({ problems }) => problems.join("; "),
    () => `the form is { "sepolia": { "hub": "0x…", "treasury": "0x…", "challengePeriodSeconds": 86400 } }`,
  ),
  ParametersMissing: text<{ network: string; names: readonly string[]; file: string }>(
    ({ network, names }) =>
      `The ${names.join(" and the ")} for ${network} ${names.length > 1 ? "are" : "is"} not given`,
    () => "they can never be changed, so a live chain has no defaults for them",
    ({ names, network, file }) =>
      `give ${names.map((name) => `--${name} 0x…`).join(" ")}, or write them under "${network}" into ${file}`,
  ),
  DevelopmentAccount: text<{ role: string; address: string }>(
    ({ role, address }) => `${address} cannot be the ${role} on a live chain`,
    () => "it is a development account, whose key everybody has",
    ({ role }) => `use the ${role}'s own address`,
  ),
  ChallengePeriodTooShort: text<{ seconds: number; minimum: number }>(
    ({ seconds }) => `A challenge period of ${seconds} s is too short for a live chain`,
    ({ minimum }) => `whoever is offline or priced out for less than ${minimum} s could lose a dispute`,
    ({ minimum }) => `use at least ${minimum}, or --force if you know why`,
  ),
  ParametersDiffer: text<{ name: string; deployed: string; given: string; address: string }>(
    ({ name, deployed, address }) => `The ChannelManager at ${address} has ${name} ${deployed}`,
    ({ given }) => `${given} was asked for, but a deployed contract cannot be changed`,
    () => "correct the parameters, or deploy another one: npx hardhat deploy --redeploy ChannelManager",
  ),
  UnknownContract: text<{ name: string; known: readonly string[] }>(
    ({ name }) => `There is no contract "${name}" to deploy`,
    ({ known }) => `the contracts here are ${known.join(", ")}`,
    () => "check the name; several are separated by commas",
  ),
  LocalContractOnly: text<{ name: string; network: string }>(
    ({ name, network }) => `${name} is not deployed on ${network}`,
    () => "it is for local chains only: anybody may mint the token, and live chains have Multicall3 itself",
    () => "leave it out",
  ),
  DeploymentFailed: text<{ problems: readonly string[]; journal: string }>(
    () => "The deployment did not finish",
    ({ problems }) => problems.join("; "),
    ({ journal }) =>
      `run it again to resume from ${journal}, or begin a contract anew: npx hardhat deploy --redeploy NAME`,
  ),
  ApiKeyMissing: text(
    () => "The sources cannot be verified",
    () => "ETHERSCAN_API_KEY is not set",
    () => "npx hardhat vars set ETHERSCAN_API_KEY, or leave --verify out",
  ),
  NothingToVerify: text<{ network: string }>(
    ({ network }) => `Sources cannot be verified on ${network}`,
    () => "no block explorer knows a local chain",
    () => "leave --verify out",
  ),
  VerificationFailed: text<{ name: string; address: string; reason: string }>(
    ({ name, address }) => `The contracts are deployed, but the sources of ${name} at ${address} were not verified`,
    ({ reason }) => reason,
    () => "wait a minute for the explorer and run the same command again; what is deployed stays",
  ),

  // ------------------------------------------------------------------------------------------------ amounts and tokens

  AmountMalformed: text<{ given: string }>(
    ({ given }) => `"${given}" is no amount`,
    () => "an amount is a number above zero with a unit, or a whole number of base units",
    () => 'write 1.5eth, 10dai, "1000 lusd", 20gwei or 1500000000000000000',
  ),
  UnitUnknown: text<{ unit: string; known: readonly string[] }>(
    ({ unit }) => `"${unit}" is no unit known here`,
    ({ known }) => `the units are ${known.join(", ")}`,
    () => "name the token's contract with --token 0x…, then its symbol or base units",
  ),
  ThreadNotFound: text<{ given: string; count: number }>(
    ({ given, count }) => `${given === "" ? "The user's open threads" : `Threads ${given}…`}: ${count} instead of one`,
    () => "a command is about one thread",
    () => "see `npx hardhat thread list`, and name one with --thread",
  ),
  AmountTooPrecise: text<{ given: string; unit: string; decimals: number }>(
    ({ given, unit }) => `${given} is finer than ${unit} can be divided`,
    ({ decimals, unit }) => `${unit} has ${decimals} decimals`,
    ({ decimals }) => `give at most ${decimals} digits after the point`,
  ),
  AmountTooLarge: text<{ given: string }>(
    ({ given }) => `"${given}" is too much`,
    () => "amounts are at most 2^128 - 1 base units",
    () => "check the unit",
  ),
  SymbolAmbiguous: text<{ symbol: string; addresses: readonly string[] }>(
    ({ symbol }) => `More than one asset is called "${symbol}"`,
    ({ addresses }) => `symbols are chosen by whoever deploys a token; here: ${addresses.join(", ")}`,
    () => "name the one you mean with --token 0x… and give the amount in base units",
  ),
  TokenUnreadable: text<{ token: string; reason: string }>(
    ({ token }) => `${token} does not answer like an ERC-20 token`,
    ({ reason }) => reason,
    () => "check the address and the network",
  ),
  TokenBalanceTooLow: text<{ account: string; balance: string; needed: string }>(
    ({ account, balance }) => `${account} has only ${balance}`,
    ({ needed }) => `${needed} are needed`,
    () => "send it the tokens, or choose an account with --from",
  ),
  NothingToRecall: text<{ symbol: string }>(
    ({ symbol }) => `The reserve holds no ${symbol}`,
    () => "there is nothing to pay to the treasury",
    () => "npx hardhat reserve status",
  ),
  TransactionFailed: text<{ what: string; reason: string }>(
    ({ what }) => `The transaction "${what}" failed`,
    ({ reason }) => reason,
    () => "look at the reason; nothing that follows it was sent",
  ),

  // ------------------------------------------------------------------------------------------------ hub and channels

  HubKeyMissing: text<{ hub: string; network: string }>(
    ({ hub }) => `The key of hub ${hub} is not at hand`,
    ({ network }) => `on ${network} there is no default for it, and the contract accepts no other`,
    () => "set HUB_PRIVATE_KEY (npx hardhat vars set HUB_PRIVATE_KEY)",
  ),
  HubNotRunning: text<{ url: string }>(
    ({ url }) => `No hub answers at ${url}`,
    () => "it is not running, or listens elsewhere",
    () => "start it: npm start, or npx hardhat hub start; name another one with --hub",
  ),
  HubIsRunning: text<{ file: string }>(
    () => "The hub is running",
    ({ file }) => `another process holds ${file}, and two hubs on one record could sign two states`,
    () => "stop it first",
  ),
  WatchtowerKeyMissing: text<{ network: string }>(
    () => "There is no key for the watchtower",
    ({ network }) => `it pays gas and signs receipts, and on ${network} there is no default for it`,
    () => "set WATCHTOWER_PRIVATE_KEY to the key of an account with some ether and nothing else",
  ),
  NothingGuarded: text<{ user: string; url: string }>(
    ({ user, url }) => `The tower at ${url} guards nothing of ${user}`,
    () => "nobody registered a state of this user there",
    () => "npx hardhat watchtower register",
  ),
  AdminKeyMissing: text<{ file: string }>(
    () => "There is no admin key",
    ({ file }) => `neither HUB_ADMIN_KEY is set nor does ${file} exist`,
    () => "start the hub on this machine, or set HUB_ADMIN_KEY to the running hub's key",
  ),
  FileMissing: text<{ file: string }>(
    ({ file }) => `There is no file ${file}`,
    () => "nothing can be read from it",
    () => "check its name",
  ),
  FileExists: text<{ file: string }>(
    ({ file }) => `${file} exists already`,
    () => "it would be overwritten",
    () => "name another file, or remove it",
  ),
  ActionUnknown: text<{ given: string; known: readonly string[] }>(
    ({ given }) => `"${given}" is nothing that can be done here`,
    ({ known }) => `there is ${known.join(", ")}`,
    () => "choose one of these",
  ),
  NotReadOnly: text(
    () => "Only questions may be asked here",
    () => "a statement that writes would go past the hub's rules",
    () => "begin the statement with SELECT",
  ),
  DemoFailed: text<{ problems: readonly string[] }>(
    () => "The demonstration ended with wrong balances",
    ({ problems }) => problems.join("; "),
    () => "this is a bug: please report it with the output above",
  ),

  // ------------------------------------------------------------------------------------------------ disputes

  EvidenceInvalid: text<{ problems: readonly string[] }>(
    () => "The evidence proves nothing here",
    ({ problems }) => problems.join("; "),
    () => "look at it with `npx hardhat dispute evidence verify --file …`, and use the file of this channel and chain",
  ),
  EvidenceMissing: text<{ user: string }>(
    ({ user }) => `There is no evidence of the channel of ${user} on this machine`,
    () => "no client of this user has run here, and no file was named",
    () => "name one with --file, or export it where the client runs: npx hardhat dispute evidence export",
  ),
  NothingInDispute: text<{ user: string; what: string }>(
    ({ what }) => `There is no ${what}`,
    ({ user }) => `the chain knows of none that concerns ${user}`,
    () => "npx hardhat dispute status shows what is open",
  ),
  SimulationImpossible: text<{ reason: string }>(
    () => "The evidence cannot be played",
    ({ reason }) => reason,
    () => "run it on the network of the evidence's chain, with a node that can be forked",
  ),

  // ------------------------------------------------------------------------------------------------ audit

  BuildInfoMissing: text<{ contract: string }>(
    ({ contract }) => `The compiler's output for ${contract} is not there`,
    () => "the report reads storage layout and sources from it",
    () => "npx hardhat compile --force",
  ),
  AccessUndeclared: text<{ functions: readonly string[] }>(
    ({ functions }) => `The table of who may call what does not fit the contract: ${functions.join(", ")}`,
    () => "every function that changes something must be listed, and nothing else",
    () => "correct tasks/audit/access.ts",
  ),
} as const;

export type OperationErrorCode = keyof typeof OPERATION_ERRORS;

export type OperationErrorDetails<Code extends OperationErrorCode> = Parameters<
  (typeof OPERATION_ERRORS)[Code]["what"]
>[0];

/** Builds the error of a code from its details. */
export function operationError<Code extends OperationErrorCode>(
  code: Code,
  details: OperationErrorDetails<Code>,
  cause?: unknown,
): CodedError<Code, OperationErrorDetails<Code>> {
  const { what, why, remedy } = OPERATION_ERRORS[code] as ErrorText<OperationErrorDetails<Code>>;
  const message = `${what(details)}. Why: ${why(details)}. What to do: ${remedy(details)}.`;
  return new CodedError(code, message, details, cause);
}

interface ErrorText<Details extends object> {
  readonly what: (details: Details) => string;
  readonly why: (details: Details) => string;
  readonly remedy: (details: Details) => string;
}

type NoDetails = Readonly<Record<string, never>>;

function text<Details extends object = NoDetails>(
  what: (details: Details) => string,
  why: (details: Details) => string,
  remedy: (details: Details) => string,
): ErrorText<Details> {
  return { what, why, remedy };
}
