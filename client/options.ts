import type { Address } from "../protocol";
import type { SocketConstructor } from "./connection";
import type { EthProvider } from "./providers";
import type { SignerOptions } from "./signer";
import type { ClientStore } from "./store";

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
  readonly logger?: (line: string) => void;
  readonly now?: () => number;
  readonly random?: () => number;
  /** How everything waits; for tests. */
  readonly sleep?: (ms: number) => Promise<void>;
};
