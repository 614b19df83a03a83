import type { ChainStore } from "./chain-store";
import type { ChannelStore } from "./channel-store";
import type { CollateralStore } from "./collateral-store";
import type { CustodialStore } from "./custodial-store";
import type { Database } from "./database";
import type { OperationStore } from "./operation-store";
import type { OutboxStore } from "./outbox-store";
import type { PaymentStore } from "./payment-store";
import type { SessionStore } from "./session-store";
import type { ThreadStore } from "./thread-store";
import type { TransactionStore } from "./transaction-store";

/** Everything that the hub keeps, in one database. */
export interface Store {
  readonly database: Database;
  readonly chain: ChainStore;
  readonly channels: ChannelStore;
  readonly collateral: CollateralStore;
  readonly custodial: CustodialStore;
  readonly operation: OperationStore;
  readonly outbox: OutboxStore;
  readonly payments: PaymentStore;
  readonly sessions: SessionStore;
  readonly threads: ThreadStore;
  readonly transactions: TransactionStore;
}
