import type { Address, Domain } from "../../protocol";
import type { Clock } from "../clock";
import type { HubConfig } from "../config";
import type { Log } from "../log";
import type { HubSigner } from "../signer/hub-signer";
import type { Transaction } from "../store/database";
import type { Store } from "../store/store";
import type { ChainSync } from "./chain-sync";
import type { Disputes } from "./disputes/disputes";
import type { SessionEnds } from "./disputes/session-ends";
import type { StaleExits } from "./disputes/stale-exits";
import type { ThreadDisputes } from "./disputes/thread-disputes";
import type { Channels } from "./channels";
import type { Collateral } from "./collateral";
import type { CollateralBatcher } from "./collateral-batcher";
import type { Custodial } from "./custodial";
import type { Exchange } from "./exchange";
import type { Forwarding } from "./forwarding";
import type { GasPrice } from "./gas-price";
import type { Incidents } from "./incidents";
import type { Lanes } from "./lanes";
import type { Links } from "./links";
import type { Outgoing } from "./outgoing";
import type { Purchases } from "./purchases";
import type { Pushes } from "./pushes";
import type { Rates } from "./rates";
import type { Sessions } from "./sessions";
import type { Threads } from "./threads/threads";
import type { Withdrawals } from "./withdrawals";

/** What the contract was deployed with. */
export interface ContractFacts {
  readonly treasury: Address;
  readonly challengePeriodSeconds: number;
}

/** Everything a handler may need, wired once in `create-hub.ts`. */
export interface Services {
  readonly config: HubConfig;
  readonly contract: ContractFacts;
  readonly domain: Domain;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly signer: HubSigner;
  readonly lanes: Lanes;
  readonly pushes: Pushes;
  readonly incidents: Incidents;
  readonly outgoing: Outgoing;
  readonly channels: Channels;
  readonly collateral: Collateral;
  readonly batcher: CollateralBatcher;
  readonly purchases: Purchases;
  readonly forwarding: Forwarding;
  readonly links: Links;
  readonly custodial: Custodial;
  readonly exchange: Exchange;
  readonly withdrawals: Withdrawals;
  readonly rates: Rates;
  readonly gasPrice: GasPrice;
  readonly sessions: Sessions;
  readonly threads: Threads;
  readonly chainSync: ChainSync;
  readonly disputes: Disputes;
  readonly sessionEnds: SessionEnds;
  readonly threadDisputes: ThreadDisputes;
  readonly staleExits: StaleExits;
  readonly startedAtMs: number;
  readonly depositsPaused: () => boolean;
  readonly setDepositsPaused: (paused: boolean, also: (tx: Transaction) => void) => Promise<void>;
  readonly reserveOf: (asset: Address) => Promise<bigint>;
  /** What the hub's own account has to pay out. */
  readonly walletOf: (asset: Address) => Promise<bigint>;
  readonly headNumber: () => number;
  readonly bump: (id: string) => Promise<boolean>;
}
