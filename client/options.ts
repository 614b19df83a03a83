import type { Address } from "../protocol";
import type { BackupPlace } from "./backup/places";
import type { SocketConstructor } from "./connection";
import type { EthProvider } from "./providers";
import type { SignerOptions } from "./signer";
import type { ClientStore } from "./store";
import type { TermsPolicy } from "./threads/terms";
import type { UpdatePolicy } from "./threads/update-rules";

/** How a client is made. Exactly one of the ways to a key; at least one way to the chain that is not the hub's. */
export type ClientOptions = SignerOptions & {
  /** Where the hub is: `https://hub.example`. */
  readonly hubUrl: string;
  /** A node of the user's own choice: JSON-RPC URLs. With several, the lower deposit and the higher withdrawal count. */
  readonly ethUrl?: string | readonly string[];
  /** The same as ethers providers, or as EIP-1193 wallets (`window.ethereum`). */
  readonly ethProvider?: EthProvider | readonly EthProvider[];
  /** Believe the hub about the chain as well. It could then report deposits that are not there, or hide an exit. */
  readonly trustHubChain?: boolean;
  /** Where the record is kept: `indexedDbStore`, `sqliteStore`, or `memoryStore` for what may be forgotten. */
  readonly store: ClientStore;
  /** Assets that this user takes; default: all that the hub serves. ETH is the zero address. */
  readonly assets?: readonly string[];
  /** Depth at which a deposit counts for this side; default 1 on development chains, 12 elsewhere. */
  readonly confirmations?: number;
  /** Least share of the expected rate that an exchange may give, e.g. 0.01 for one percent less. Default 0.01. */
  readonly maxSlippage?: number;
  /**
   * An independent source of prices: base units of `buyAsset` for 10^18 of `sellAsset`. Without it, and without a rate by
   * the caller, a quote is compared with the hub's own `/exchange-rates`.
   */
  readonly rateOf?: (sellAsset: Address, buyAsset: Address) => Promise<bigint>;
  /** For pushes; without one the client asks every few seconds. Browsers and Node from 22 on have one themselves. */
  readonly webSocket?: SocketConstructor;
  /** How often the chain is looked at, ms. Default 4,000; 500 on development chains. */
  readonly pollIntervalMs?: number;
  /** How long an answer of the hub is waited for, ms. Default 15,000. */
  readonly timeoutMs?: number;
  /** How long an unknown answer is asked for again before the caller hears of it, ms. Default 30,000. */
  readonly patienceMs?: number;
  /** Settle this user's exits after their window. Default true where the signer can send. */
  readonly autoSettle?: boolean;
  /** Whether to take the terms of a thread that somebody offers. Default: those that cost nothing. */
  readonly acceptThread?: TermsPolicy;
  /** Whether to sign what the other party of an updatable thread proposes. Default: what costs nothing. */
  readonly acceptThreadUpdate?: UpdatePolicy;
  /**
   * The prebuilt apps of the chain. Default: as the hub names them, which then could name others that look the same until
   * they are asked at the contract.
   */
  readonly threadApps?: { readonly hashlock?: string; readonly signed?: string };
  /** How long the other party of a thread is waited for, ms. Default 30,000. */
  readonly peerPatienceMs?: number;
  /**
   * Puts a sealed backup to the hub, and to `backupPlaces`, after each change. Default true where the key is in this process;
   * a wallet elsewhere would be asked for a signature.
   */
  readonly autoBackup?: boolean;
  /** How long after a change, ms: several changes are one backup. Default 5,000. */
  readonly backupAfterMs?: number;
  /** URLs of towers that keep backups. They do so for whom they guard. */
  readonly backupTowers?: readonly string[];
  /** Further places for backups. */
  readonly backupPlaces?: readonly BackupPlace[];
  /** Restores from these before anything else happens; `client.restored` says what came of it. An empty list: from the key,
   * the chain, the hub and `backupPlaces`. */
  readonly restoreFrom?: readonly BackupPlace[];
  readonly logger?: (line: string) => void;
  readonly now?: () => number;
  readonly random?: () => number;
  /** How everything waits; for tests. */
  readonly sleep?: (ms: number) => Promise<void>;
};
