import { Type, type Static } from "typebox";
import { Value } from "typebox/value";
import { addressSchema, hubError, parseAddress, type Address, type PureApps } from "../protocol";

/** What a user pays for being guarded, through the hub. */
export interface TowerFee {
  /** The tower's own account at the hub: a channel, or a custodial balance. */
  readonly payee: Address;
  readonly asset: Address;
  /** Base units, per period. */
  readonly amount: bigint;
  /** Length of a period. */
  readonly days: number;
}

export interface WatchtowerConfig {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly chainId: number;
  readonly channelManager: Address;
  /** Block of the contract's deployment. */
  readonly startBlock: number;
  /** Depth at which something on chain counts as over. */
  readonly confirmations: number;
  readonly pollIntervalMs: number;
  /** Most that is offered per gas, wei; and in the last hour of a window. */
  readonly feeCap: bigint;
  readonly urgentFeeCap: bigint;
  readonly bumpAfterMs: number;
  readonly requestsPerMinute: number;
  /** Proxies in front, whose word on the client's network address counts. */
  readonly trustedProxies: readonly string[];
  /** The prebuilt apps of the chain, whose outcomes the tower computes itself. */
  readonly apps: PureApps;
  /** Absent: for nothing. */
  readonly fee?: TowerFee;
}

const GWEI = 10n ** 9n;

const DEFAULTS: Omit<WatchtowerConfig, "chainId" | "channelManager"> = {
  host: "127.0.0.1",
  port: 0,
  startBlock: 0,
  confirmations: 12,
  pollIntervalMs: 6_000,
  feeCap: 500n * GWEI,
  urgentFeeCap: 2_000n * GWEI,
  bumpAfterMs: 60_000,
  requestsPerMinute: 600,
  trustedProxies: [],
  apps: {},
};

/** A configuration from what differs from the defaults. */
export function completeTowerConfig(
  given: Partial<WatchtowerConfig> & Pick<WatchtowerConfig, "chainId" | "channelManager">,
): WatchtowerConfig {
  return Object.freeze({ ...DEFAULTS, ...given });
}

/** What only the process that runs a tower needs. */
export interface TowerServerConfig {
  readonly tower: WatchtowerConfig;
  readonly ethUrl: string;
  readonly databaseFile: string;
  /** Never printed. */
  readonly privateKey: string;
}

const text = (pattern: string): ReturnType<typeof Type.String> => Type.String({ pattern });

const environmentSchema = Type.Object(
  {
    WATCHTOWER_ETH_URL: text("^https?://"),
    WATCHTOWER_PRIVATE_KEY: text("^0x[0-9a-fA-F]{64}$"),
    WATCHTOWER_CHAIN_ID: text("^[1-9][0-9]{0,15}$"),
    WATCHTOWER_CHANNEL_MANAGER: addressSchema,
    WATCHTOWER_DATABASE: Type.Optional(Type.String({ minLength: 1 })),
    WATCHTOWER_HOST: Type.Optional(Type.String({ minLength: 1 })),
    WATCHTOWER_PORT: Type.Optional(text("^[0-9]{1,5}$")),
    WATCHTOWER_START_BLOCK: Type.Optional(text("^[0-9]{1,12}$")),
    WATCHTOWER_CONFIRMATIONS: Type.Optional(text("^[1-9][0-9]{0,3}$")),
    WATCHTOWER_POLL_INTERVAL_MS: Type.Optional(text("^[1-9][0-9]{1,5}$")),
    WATCHTOWER_URGENT_FEE_GWEI: Type.Optional(text("^[1-9][0-9]{0,6}$")),
    WATCHTOWER_TRUSTED_PROXIES: Type.Optional(text("^[0-9a-fA-F.:/]+(?:,[0-9a-fA-F.:/]+)*$")),
    WATCHTOWER_HASHLOCK_APP: Type.Optional(addressSchema),
    WATCHTOWER_SIGNED_APP: Type.Optional(addressSchema),
    WATCHTOWER_FEE_PAYEE: Type.Optional(addressSchema),
    WATCHTOWER_FEE_ASSET: Type.Optional(addressSchema),
    WATCHTOWER_FEE_AMOUNT: Type.Optional(text("^[1-9][0-9]{0,37}$")),
    WATCHTOWER_FEE_DAYS: Type.Optional(text("^[1-9][0-9]{0,3}$")),
  },
  { additionalProperties: false }, // a name that is misspelt would be a setting that is not made
);

type Environment = Static<typeof environmentSchema>;

/** Reads the environment of a tower's process. @throws ConfigInvalid naming all that is wrong, and showing no value */
export function parseTowerConfig(environment: Readonly<Record<string, string | undefined>>): TowerServerConfig {
  const known = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name.startsWith("WATCHTOWER_") && (value ?? "") !== ""),
  );
  const problems = problemsOf(known);
  if (problems.length > 0) throw hubError("ConfigInvalid", { problems });
  const env = known as Environment;
  const settings = {
    tower: configOf(env),
    ethUrl: env.WATCHTOWER_ETH_URL,
    databaseFile: env.WATCHTOWER_DATABASE ?? "watchtower.sqlite",
    privateKey: env.WATCHTOWER_PRIVATE_KEY,
  };
  return Object.freeze(Object.defineProperty(settings, "privateKey", { enumerable: false }));
}

function problemsOf(known: Readonly<Record<string, unknown>>): readonly string[] {
  const wrong = Value.Errors(environmentSchema, known)
    .filter(({ keyword }) => keyword !== "boolean")
    .map(({ instancePath, message, params }) => {
      const { additionalProperties, requiredProperties } = params as Record<string, readonly string[] | undefined>;
      if (additionalProperties !== undefined) return `${additionalProperties.join(", ")} is unknown`;
      if (requiredProperties !== undefined) return `${requiredProperties.join(", ")} is missing`;
      return `${instancePath.slice(1)} ${message}`;
    });
  const isHalfFee = (known.WATCHTOWER_FEE_PAYEE === undefined) !== (known.WATCHTOWER_FEE_AMOUNT === undefined);
  const half = "WATCHTOWER_FEE_PAYEE and WATCHTOWER_FEE_AMOUNT go together";
  return isHalfFee ? [...wrong, half] : wrong;
}

function configOf(env: Environment): WatchtowerConfig {
  const number = (given: string | undefined, fallback: number): number =>
    given === undefined ? fallback : Number(given);
  const chainId = Number(env.WATCHTOWER_CHAIN_ID);
  const urgent = env.WATCHTOWER_URGENT_FEE_GWEI;
  return completeTowerConfig({
    ...{ chainId, apps: appsOf(env), ...feeOf(env) },
    channelManager: parseAddress(env.WATCHTOWER_CHANNEL_MANAGER, "WATCHTOWER_CHANNEL_MANAGER"),
    host: env.WATCHTOWER_HOST ?? DEFAULTS.host,
    port: number(env.WATCHTOWER_PORT, 3002),
    startBlock: number(env.WATCHTOWER_START_BLOCK, 0),
    confirmations: number(env.WATCHTOWER_CONFIRMATIONS, chainId === 31_337 ? 1 : DEFAULTS.confirmations),
    pollIntervalMs: number(env.WATCHTOWER_POLL_INTERVAL_MS, DEFAULTS.pollIntervalMs),
    urgentFeeCap: urgent === undefined ? DEFAULTS.urgentFeeCap : BigInt(urgent) * GWEI,
    trustedProxies: env.WATCHTOWER_TRUSTED_PROXIES?.split(",") ?? [],
  });
}

function appsOf({ WATCHTOWER_HASHLOCK_APP: hashlock, WATCHTOWER_SIGNED_APP: signed }: Environment): PureApps {
  return {
    ...(hashlock === undefined ? {} : { hashlock: parseAddress(hashlock, "WATCHTOWER_HASHLOCK_APP") }),
    ...(signed === undefined ? {} : { signed: parseAddress(signed, "WATCHTOWER_SIGNED_APP") }),
  };
}

function feeOf(env: Environment): Pick<WatchtowerConfig, "fee"> {
  if (env.WATCHTOWER_FEE_PAYEE === undefined) return {};
  const fee = {
    payee: parseAddress(env.WATCHTOWER_FEE_PAYEE, "WATCHTOWER_FEE_PAYEE"),
    asset: parseAddress(env.WATCHTOWER_FEE_ASSET ?? `0x${"00".repeat(20)}`, "WATCHTOWER_FEE_ASSET"),
    amount: BigInt(env.WATCHTOWER_FEE_AMOUNT ?? "0"),
    days: Number(env.WATCHTOWER_FEE_DAYS ?? "30"),
  };
  return { fee };
}
