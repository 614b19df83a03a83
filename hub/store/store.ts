import type { BackupStore } from "./backup-store";
import type { ChainStore } from "./chain-store";
import type { ChannelStore } from "./channel-store";
import type { CollateralStore } from "./collateral-store";
import type { CustodialStore } from "./custodial-store";
import type { Database } from "./database";
import type { EndedSessionStore } from "./ended-session-store";
import type { OperationStore } from "./operation-store";
import type { OutboxStore } from "./outbox-store";
import type { PaymentStore } from "./payment-store";
import type { SessionStore } from "./session-store";
import type { StaleChannelStore } from "./stale-channel-store";
import type { ThreadStore } from "./thread-store";
import type { TransactionStore } from "./transaction-store";

/** Everything that the hub keeps, in one database. */
export interface Store {
  readonly database: Database;
  readonly backups: BackupStore;
  readonly chain: ChainStore;
  readonly channels: ChannelStore;
  readonly collateral: CollateralStore;
  readonly custodial: CustodialStore;
  readonly endedSessions: EndedSessionStore;
  readonly operation: OperationStore;
  readonly outbox: OutboxStore;
  readonly payments: PaymentStore;
  readonly sessions: SessionStore;
  readonly staleChannels: StaleChannelStore;
  readonly threads: ThreadStore;
  readonly transactions: TransactionStore;
}
