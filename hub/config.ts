import { Type, type Static } from "typebox";
import { Value } from "typebox/value";
import {
  addressOfPrivateKey,
  addressSchema,
  hubError,
  parseAddress,
  UINT128_MAX,
  uint128Schema,
  ZERO_ADDRESS,
  type Address,
  type PureApps,
} from "../protocol";
import { parseTowerConfig, type TowerServerConfig } from "../watchtower/config";
import type { Rate } from "./services/rates";

/** An asset that the hub serves. Amounts in base units. */
export interface AssetConfig {
  readonly asset: Address;
  readonly symbol: string;
  readonly decimals: number;
  readonly minimumPayment: bigint;
  /** Most of the hub's own money in one channel. */
  readonly collateralCeiling: bigint;
  /** What a payee with several payers is worth at least. */
  readonly collateralFloor: bigint;
}

/** Everything that can be set. Secrets are held apart, by whoever builds the hub. */
export interface HubConfig {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly operatorPort: number;
  readonly chainId: number;
  readonly channelManager: Address;
  /** Block of the contract's deployment. */
  readonly startBlock: number;
  readonly confirmations: number;
  readonly pollIntervalMs: number;
  readonly maxFeePerGasCap: bigint;
  readonly bumpAfterMs: number;
  /** A dispute may offer so much per gas in the last part of its window. */
  readonly disputeFeePerGasCap: bigint;
  /** An exit or thread is answered for the hub's own sake where that brings so many percent of its gas; 0: always. */
  readonly disputeWorthPercent: number;
  /** Channels without a new state for so long are exited; 0: never. */
  readonly staleExitDays: number;
  /** Only where the hub gets back so many times the gas. */
  readonly staleExitGasMultiple: number;
  /** What sign-in messages name: host and port as users see the hub. Empty: where it listens. */
  readonly domain: string;
  /** Origins of pages that may use the hub, beside its own. `*`: all. */
  readonly corsOrigins: readonly string[];
  /** Proxies in front of the hub, whose word on the client's network address counts. */
  readonly trustedProxies: readonly string[];
  /** Without one, nobody is an operator. */
  readonly adminKey: string;
  readonly assets: readonly AssetConfig[];
  readonly prices: readonly Rate[];
  /** Answers `{ rates: [{ sellAsset, buyAsset, rate }] }`; goes before `prices`. */
  readonly priceUrl: string;
  readonly spreadBasisPoints: number;
  readonly maxQuoteSeconds: number;
  readonly optimisticSeconds: number;
  readonly linkSeconds: number;
  readonly collateralBatchMs: number;
  /** Requests that one address may make in a minute. */
  readonly requestsPerMinute: number;
  /** How long a party of a thread waits for the other one to sign its leg. */
  readonly threadMeetingMs: number;
  /** Prebuilt thread apps of the chain, whose outcomes the hub computes itself. */
  readonly apps: PureApps;
}

const GWEI = 10n ** 9n;

const DEFAULT_CONFIG: Omit<HubConfig, "chainId" | "channelManager" | "assets"> = {
  host: "127.0.0.1",
  port: 0,
  operatorPort: 0,
  startBlock: 0,
  confirmations: 12,
  pollIntervalMs: 4_000,
  maxFeePerGasCap: 500n * 10n ** 9n,
  bumpAfterMs: 60_000,
  disputeFeePerGasCap: 2_000n * 10n ** 9n,
  disputeWorthPercent: 100,
  staleExitDays: 0,
  staleExitGasMultiple: 10,
  domain: "",
  corsOrigins: [],
  trustedProxies: [],
  adminKey: "",
  prices: [],
  priceUrl: "",
  spreadBasisPoints: 0,
  maxQuoteSeconds: 60,
  optimisticSeconds: 86_400,
  linkSeconds: 30 * 86_400,
  collateralBatchMs: 2_000,
  requestsPerMinute: 6_000,
  threadMeetingMs: 10_000,
  apps: {},
};

/** A configuration from what differs from the defaults. */
export function completeConfig(
  given: Partial<HubConfig> & Pick<HubConfig, "chainId" | "channelManager" | "assets">,
): HubConfig {
  return Object.freeze({ ...DEFAULT_CONFIG, ...given });
}

/** What only the process that runs a hub needs. */
export interface ServerConfig {
  readonly hub: HubConfig;
  readonly ethUrl: string;
  readonly databaseFile: string;
  readonly signerFile: string;
  /** 32 bytes. Never printed. */
  readonly hubKey: Uint8Array;
  /** A tower in the hub's process (docs/watchtower.md). Absent: none. */
  readonly watchtower?: TowerServerConfig;
}

const assetsSchema = Type.Array(
  Type.Object(
    {
      asset: addressSchema,
      symbol: Type.String({ minLength: 1, maxLength: 32 }),
      decimals: Type.Integer({ minimum: 0, maximum: 36 }),
      minimumPayment: uint128Schema,
      collateralCeiling: uint128Schema,
      collateralFloor: uint128Schema,
    },
    { additionalProperties: false },
  ),
  { minItems: 1, maxItems: 8 },
);
const pricesSchema = Type.Array(
  Type.Object(
    { sellAsset: addressSchema, buyAsset: addressSchema, rate: uint128Schema },
    { additionalProperties: false },
  ),
);

const PORT = "^(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$";
const ORIGIN = "https?://[A-Za-z0-9.\\[\\]:-]+";
const LIST_OF_ORIGINS = `^(?:\\*|${ORIGIN}(?:,${ORIGIN})*)$`;
const LIST_OF_ADDRESSES = "^[0-9a-fA-F.:/]+(?:,[0-9a-fA-F.:/]+)*$";

/** The environment of a hub: the only place that says what each variable must look like. */
const environmentSchema = Type.Object(
  {
    HUB_ETH_URL: Type.String({ pattern: "^https?://" }),
    HUB_PRIVATE_KEY: Type.String({ pattern: "^0x[0-9a-fA-F]{64}$" }),
    HUB_CHAIN_ID: Type.String({ pattern: "^[1-9][0-9]{0,15}$" }),
    HUB_CHANNEL_MANAGER: addressSchema,
    HUB_ASSETS: Type.String({ minLength: 2 }),
    HUB_DATABASE: Type.Optional(Type.String({ minLength: 1 })),
    HUB_SIGNER_RECORD: Type.Optional(Type.String({ minLength: 1 })),
    HUB_HOST: Type.Optional(Type.String({ minLength: 1 })),
    HUB_PORT: Type.Optional(Type.String({ pattern: PORT })),
    HUB_OPERATOR_PORT: Type.Optional(Type.String({ pattern: PORT })),
    HUB_START_BLOCK: Type.Optional(Type.String({ pattern: "^[0-9]{1,12}$" })),
    HUB_CONFIRMATIONS: Type.Optional(Type.String({ pattern: "^[1-9][0-9]{0,3}$" })),
    HUB_POLL_INTERVAL_MS: Type.Optional(Type.String({ pattern: "^[1-9][0-9]{1,5}$" })),
    HUB_DOMAIN: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9.:-]{1,255}$" })),
    HUB_CORS_ORIGINS: Type.Optional(Type.String({ pattern: LIST_OF_ORIGINS })),
    HUB_ADMIN_KEY: Type.Optional(Type.String({ pattern: "^[\\x21-\\x7e]{24,256}$" })),
    HUB_PRICES: Type.Optional(Type.String()),
    HUB_PRICE_URL: Type.Optional(Type.String({ pattern: "^https?://" })),
    HUB_SPREAD_BASIS_POINTS: Type.Optional(Type.String({ pattern: "^[0-9]{1,4}$" })),
    HUB_REQUESTS_PER_MINUTE: Type.Optional(Type.String({ pattern: "^[1-9][0-9]{0,7}$" })),
    HUB_TRUSTED_PROXIES: Type.Optional(Type.String({ pattern: LIST_OF_ADDRESSES })),
    HUB_HASHLOCK_APP: Type.Optional(addressSchema),
    HUB_SIGNED_APP: Type.Optional(addressSchema),
    HUB_DISPUTE_MAX_FEE_GWEI: Type.Optional(Type.String({ pattern: "^[1-9][0-9]{0,6}$" })),
    HUB_DISPUTE_WORTH_PERCENT: Type.Optional(Type.String({ pattern: "^[0-9]{1,6}$" })),
    HUB_STALE_EXIT_DAYS: Type.Optional(Type.String({ pattern: "^[0-9]{1,4}$" })),
    HUB_STALE_EXIT_GAS_MULTIPLE: Type.Optional(Type.String({ pattern: "^[1-9][0-9]{0,5}$" })),
    HUB_WATCHTOWER: Type.Optional(Type.Union([Type.Literal("on"), Type.Literal("off")])),
    HUB_COLLATERAL_BATCH_MS: Type.Optional(Type.String({ pattern: "^[1-9][0-9]{0,6}$" })),
  },
  { additionalProperties: false }, // a name that is misspelt would be a setting that is not made
);

type Environment = Static<typeof environmentSchema>;

/**
 * Reads the environment of a hub process.
 * @throws ConfigInvalid naming everything that is wrong at once; values of secrets are not shown.
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): ServerConfig {
  const known = Object.fromEntries(
    Object.entries(environment).filter(
      ([name, value]) => name.startsWith("HUB_") && value !== undefined && value !== "",
    ),
  );
  const problems = problemsOf(environmentSchema, known);
  const assets =
    known.HUB_ASSETS === undefined ? [] : parseJson("HUB_ASSETS", known.HUB_ASSETS, assetsSchema, problems);
  const prices = parseJson("HUB_PRICES", known.HUB_PRICES ?? "[]", pricesSchema, problems);
  problems.push(
    ...unusable(known.HUB_CHANNEL_MANAGER, known.HUB_PRIVATE_KEY, assets, prices, {
      hashlock: known.HUB_HASHLOCK_APP,
      signed: known.HUB_SIGNED_APP,
    }),
  );
  if (problems.length > 0) throw hubError("ConfigInvalid", { problems });
  return serverConfig(known as Environment, assets, prices, environment);
}

/** The hub's own node, chain and contract, and what `WATCHTOWER_*` says beyond them. */
function towerOf(
  env: Environment,
  environment: Readonly<Record<string, string | undefined>>,
): Pick<ServerConfig, "watchtower"> {
  if (env.HUB_WATCHTOWER !== "on") return {};
  const watchtower = parseTowerConfig({
    WATCHTOWER_ETH_URL: env.HUB_ETH_URL,
    WATCHTOWER_CHAIN_ID: env.HUB_CHAIN_ID,
    WATCHTOWER_CHANNEL_MANAGER: env.HUB_CHANNEL_MANAGER,
    WATCHTOWER_START_BLOCK: env.HUB_START_BLOCK,
    WATCHTOWER_HASHLOCK_APP: env.HUB_HASHLOCK_APP,
    WATCHTOWER_SIGNED_APP: env.HUB_SIGNED_APP,
    ...environment,
  });
  return { watchtower };
}

/** What each variable must be, in words that name it and never show it. */
function problemsOf(
  schema: typeof environmentSchema | typeof assetsSchema | typeof pricesSchema,
  value: unknown,
): string[] {
  if (Value.Check(schema, value)) return [];
  return Value.Errors(schema, value)
    .filter(({ keyword }) => keyword !== "boolean") // says again, of the field, what its object already said
    .map(({ instancePath, message, params }) => {
      const { additionalProperties, requiredProperties } = params as Record<string, readonly string[] | undefined>;
      if (additionalProperties !== undefined) return `${additionalProperties.join(", ")} is unknown`;
      if (requiredProperties !== undefined)
        return `${instancePath.slice(1)} ${requiredProperties.join(", ")} is missing`;
      return `${instancePath.slice(1)} ${message}`;
    })
    .map((problem) => problem.trim());
}

/** What the schema cannot say: checksums, ranges, a key of no account, an asset twice. */
function unusable(
  channelManager: string | undefined,
  key: string | undefined,
  assets: Static<typeof assetsSchema>,
  prices: Static<typeof pricesSchema>,
  apps: { readonly hashlock: string | undefined; readonly signed: string | undefined },
): string[] {
  const addresses = [
    ["HUB_CHANNEL_MANAGER", channelManager],
    ["HUB_HASHLOCK_APP", apps.hashlock],
    ["HUB_SIGNED_APP", apps.signed],
    ...assets.map(({ asset }, i) => [`HUB_ASSETS/${i}/asset`, asset] as const),
    ...prices.flatMap(({ sellAsset, buyAsset }, i) => [
      [`HUB_PRICES/${i}/sellAsset`, sellAsset] as const,
      [`HUB_PRICES/${i}/buyAsset`, buyAsset] as const,
    ]),
  ] as const;
  const amounts = [
    ...assets.flatMap((asset, i) =>
      (["minimumPayment", "collateralCeiling", "collateralFloor"] as const).map(
        (name) => [`HUB_ASSETS/${i}/${name}`, asset[name]] as const,
      ),
    ),
    ...prices.map(({ rate }, i) => [`HUB_PRICES/${i}/rate`, rate] as const),
  ];
  const isRepeated = new Set(assets.map(({ asset }) => asset.toLowerCase())).size < assets.length;
  return [
    ...addresses.filter(([, text]) => !isChecked(text)).map(([name]) => `${name} has a wrong checksum`),
    ...amounts.filter(([, text]) => BigInt(text) > UINT128_MAX).map(([name]) => `${name} is above 2^128 - 1`),
    ...(isRepeated ? ["HUB_ASSETS has an asset twice"] : []),
    ...(isKey(key) ? [] : ["HUB_PRIVATE_KEY is the key of no account"]),
  ];
}

/** Whether a text of the form of an address is one; of another form, its schema complains. */
function isChecked(text: string | undefined): boolean {
  try {
    if (text !== undefined && /^0x[0-9a-fA-F]{40}$/.test(text)) parseAddress(text);
    return true;
  } catch {
    return false;
  }
}

function isKey(text: string | undefined): boolean {
  if (text === undefined || !/^0x[0-9a-fA-F]{64}$/.test(text)) return true; // its schema complains
  try {
    addressOfPrivateKey(bytesOf(text));
    return true;
  } catch {
    return false;
  }
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.slice(2), "hex"));
}

/**
 * What a hub runs with, for a log: every setting on a line of its own, secrets as whether they are set, and of URLs the
 * host alone, because their paths and names often are keys.
 */
export function describeConfig({ hub, ethUrl, databaseFile, signerFile, watchtower }: ServerConfig): string {
  const { adminKey, priceUrl, assets, prices, apps, ...rest } = hub;
  const lines = {
    ...{ ethUrl: hostOf(ethUrl), databaseFile, signerFile, hubKey: "set, not shown" },
    ...rest,
    adminKey: adminKey === "" ? "not set: nobody is an operator" : "set, not shown",
    priceUrl: priceUrl === "" ? "" : hostOf(priceUrl),
    assets: assets.map(({ symbol, asset }) => `${symbol} ${asset}`),
    prices: `${prices.length} fixed`,
    apps: Object.entries(apps).map(([name, address]) => `${name} ${String(address)}`),
    watchtower: watchtower === undefined ? "off" : `on, port ${watchtower.tower.port}, ${watchtower.databaseFile}`,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(", ") || "none" : String(value)}`)
    .join("\n");
}

function hostOf(url: string): string {
  return URL.canParse(url) ? `${new URL(url).protocol}//${new URL(url).host}/…` : "not a URL";
}

function serverConfig(
  env: Environment,
  assets: Static<typeof assetsSchema>,
  prices: Static<typeof pricesSchema>,
  environment: Readonly<Record<string, string | undefined>>,
): ServerConfig {
  const number = (text: string | undefined, fallback: number): number => (text === undefined ? fallback : Number(text));
  const hub = completeConfig({
    chainId: Number(env.HUB_CHAIN_ID),
    channelManager: parseAddress(env.HUB_CHANNEL_MANAGER, "HUB_CHANNEL_MANAGER"),
    assets: assets.map(assetOf),
    prices: prices.map(rateOf),
    host: env.HUB_HOST ?? DEFAULT_CONFIG.host,
    port: number(env.HUB_PORT, 3000),
    operatorPort: number(env.HUB_OPERATOR_PORT, 3001),
    startBlock: number(env.HUB_START_BLOCK, 0),
    confirmations: number(env.HUB_CONFIRMATIONS, confirmationsOn(Number(env.HUB_CHAIN_ID))),
    pollIntervalMs: number(env.HUB_POLL_INTERVAL_MS, DEFAULT_CONFIG.pollIntervalMs),
    domain: env.HUB_DOMAIN ?? "",
    corsOrigins: listOf(env.HUB_CORS_ORIGINS),
    trustedProxies: listOf(env.HUB_TRUSTED_PROXIES),
    adminKey: env.HUB_ADMIN_KEY ?? "",
    priceUrl: env.HUB_PRICE_URL ?? "",
    spreadBasisPoints: number(env.HUB_SPREAD_BASIS_POINTS, 0),
    requestsPerMinute: number(env.HUB_REQUESTS_PER_MINUTE, DEFAULT_CONFIG.requestsPerMinute),
    disputeFeePerGasCap: BigInt(env.HUB_DISPUTE_MAX_FEE_GWEI ?? DEFAULT_CONFIG.disputeFeePerGasCap / GWEI) * GWEI,
    disputeWorthPercent: number(env.HUB_DISPUTE_WORTH_PERCENT, DEFAULT_CONFIG.disputeWorthPercent),
    staleExitDays: number(env.HUB_STALE_EXIT_DAYS, DEFAULT_CONFIG.staleExitDays),
    staleExitGasMultiple: number(env.HUB_STALE_EXIT_GAS_MULTIPLE, DEFAULT_CONFIG.staleExitGasMultiple),
    collateralBatchMs: number(env.HUB_COLLATERAL_BATCH_MS, DEFAULT_CONFIG.collateralBatchMs),
    apps: {
      ...(env.HUB_HASHLOCK_APP === undefined
        ? {}
        : { hashlock: parseAddress(env.HUB_HASHLOCK_APP, "HUB_HASHLOCK_APP") }),
      ...(env.HUB_SIGNED_APP === undefined ? {} : { signed: parseAddress(env.HUB_SIGNED_APP, "HUB_SIGNED_APP") }),
    },
  });
  const settings = {
    hub,
    ethUrl: env.HUB_ETH_URL,
    databaseFile: env.HUB_DATABASE ?? "hub.sqlite",
    signerFile: env.HUB_SIGNER_RECORD ?? "hub-signer.sqlite",
    hubKey: bytesOf(env.HUB_PRIVATE_KEY),
    ...towerOf(env, environment),
  };
  // The key is no part of what is printed or listed; it is there for who asks for it by name.
  return Object.freeze(Object.defineProperty(settings, "hubKey", { enumerable: false }));
}

function listOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(",");
}

/** Chains of one's own, as Hardhat, anvil and ganache number them, are not reorganised. */
const LOCAL_CHAINS: ReadonlySet<number> = new Set([31337, 1337]);

function confirmationsOn(chainId: number): number {
  return LOCAL_CHAINS.has(chainId) ? 1 : DEFAULT_CONFIG.confirmations;
}

function parseJson<Schema extends typeof assetsSchema | typeof pricesSchema>(
  name: string,
  text: string,
  schema: Schema,
  problems: string[],
): Static<Schema> | [] {
  try {
    const value: unknown = JSON.parse(text);
    const found = problemsOf(schema, value);
    if (found.length === 0) return value as Static<Schema>;
    problems.push(...found.map((problem) => `${name}/${problem}`));
  } catch {
    problems.push(`${name} must be JSON`);
  }
  return [];
}

function assetOf(given: Static<typeof assetsSchema>[number]): AssetConfig {
  return {
    asset: parseAddress(given.asset, "HUB_ASSETS"),
    symbol: given.symbol,
    decimals: given.decimals,
    minimumPayment: BigInt(given.minimumPayment),
    collateralCeiling: BigInt(given.collateralCeiling),
    collateralFloor: BigInt(given.collateralFloor),
  };
}

function rateOf(given: Static<typeof pricesSchema>[number]): Rate {
  return {
    sellAsset: parseAddress(given.sellAsset, "HUB_PRICES"),
    buyAsset: parseAddress(given.buyAsset, "HUB_PRICES"),
    rate: BigInt(given.rate),
  };
}

/** ETH with limits that suit a small hub: payments from one gwei, up to 10 ether of collateral in a channel. */
export const ETHER_ASSET: AssetConfig = {
  asset: ZERO_ADDRESS,
  symbol: "ETH",
  decimals: 18,
  minimumPayment: 10n ** 9n,
  collateralCeiling: 10n * 10n ** 18n,
  collateralFloor: 10n ** 17n,
};
