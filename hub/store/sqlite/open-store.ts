import type { Store } from "../store";
import { sqliteBackupStore } from "./backup-store";
import { sqliteChainStore } from "./chain-store";
import { sqliteChannelStore } from "./channel-store";
import { sqliteCollateralStore } from "./collateral-store";
import { sqliteCustodialStore } from "./custodial-store";
import { sqliteEndedSessionStore } from "./ended-session-store";
import { migrate } from "./migrate";
import { MIGRATIONS } from "./migrations";
import { sqliteOperationStore } from "./operation-store";
import { sqliteOutboxStore } from "./outbox-store";
import { sqlitePaymentStore } from "./payment-store";
import { sqliteSessionStore } from "./session-store";
import { SqliteDatabase } from "./sqlite-database";
import { sqliteStaleChannelStore } from "./stale-channel-store";
import { sqliteThreadStore } from "./thread-store";
import { sqliteTransactionStore } from "./transaction-store";

/** Opens the embedded store in a file, made and brought to the newest schema if needed. */
export function openSqliteStore(file: string): Store {
  const db = new SqliteDatabase(file);
  migrate(db, MIGRATIONS);
  return {
    database: db,
    backups: sqliteBackupStore(db),
    chain: sqliteChainStore(db),
    channels: sqliteChannelStore(db),
    collateral: sqliteCollateralStore(db),
    custodial: sqliteCustodialStore(db),
    endedSessions: sqliteEndedSessionStore(db),
    operation: sqliteOperationStore(db),
    outbox: sqliteOutboxStore(db),
    payments: sqlitePaymentStore(db),
    sessions: sqliteSessionStore(db),
    staleChannels: sqliteStaleChannelStore(db),
    threads: sqliteThreadStore(db),
    transactions: sqliteTransactionStore(db),
  };
}
