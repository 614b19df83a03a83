import type { Address, Hash } from "../../protocol";
import type { Log } from "../log";
import type { Store } from "../store/store";
import type { TransactionRow } from "../store/transaction-store";
import type { ChainSync } from "./chain-sync";
import type { Custodial } from "./custodial";
import type { ThreadDisputes } from "./disputes/thread-disputes";

export interface EndDeps {
  readonly store: Store;
  readonly custodial: Custodial;
  readonly chainSync: ChainSync;
  readonly threadDisputes: ThreadDisputes;
  readonly log: Log;
}

/** Books the end of a transaction with whoever wanted it. The id says who: `<kind>:…`. */
export async function endOf(row: TransactionRow, deps: EndDeps): Promise<void> {
  const [kind, user, ...rest] = row.id.split(":");
  if (row.error !== undefined) deps.log.warn(`transaction ${row.id} failed: ${row.error}`);
  if (kind === "custodial") return endPayout(row, user as Address, rest.join(":"), deps);
  if (kind === "collateralize") return endCollateral(row, deps);
  if (kind === "thread") return deps.threadDisputes.look(user as Hash);
  if (user !== undefined) await deps.chainSync.refresh(user as Address);
}

async function endPayout(row: TransactionRow, user: Address, id: string, { custodial }: EndDeps): Promise<void> {
  const { transactionHash, status } = row;
  const failed = status === "failed";
  await custodial.end(user, id, transactionHash === undefined ? { failed } : { failed, transactionHash });
}

/** Credited first, ended afterwards: in between it counts as on its way, never as gone. */
async function endCollateral({ id, status }: TransactionRow, { store, chainSync }: EndDeps): Promise<void> {
  const lines = (await store.collateral.sent()).filter(({ transactionId }) => transactionId === id);
  for (const user of new Set(lines.map((line) => line.user))) await chainSync.refresh(user);
  await store.database.write((tx) => store.collateral.endSent(tx, id, status === "failed" ? "failed" : "credited"));
}
