import { channels } from "./0001-channels";
import { payments } from "./0002-payments";
import { chain } from "./0003-chain";
import { transactions } from "./0004-transactions";
import { sessions } from "./0005-sessions";
import { outbox } from "./0006-outbox";
import { custodial } from "./0007-custodial";
import { collateral } from "./0008-collateral";
import { operation } from "./0009-operation";
import { threads } from "./0010-threads";
import { backups } from "./0011-backups";
import { disputes } from "./0012-disputes";
import { paymentRows } from "./0013-payment-rows";

/** One step of the schema. Never changed once released, only added to. */
export interface Migration {
  /** Sorts: `0001-channels`. */
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  channels,
  payments,
  chain,
  transactions,
  sessions,
  outbox,
  custodial,
  collateral,
  operation,
  threads,
  backups,
  disputes,
  paymentRows,
];
