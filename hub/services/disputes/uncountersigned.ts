import type { Address } from "../../../protocol";
import type { Clock } from "../../clock";
import { HUB_ACCOUNT } from "../../store/custodial-store";
import type { Transaction } from "../../store/database";
import type { Store } from "../../store/store";
import type { Channel, Pending } from "../channel";

/**
 * Payments that the hub credited and the user never countersigned become custodial: they are in no state that is settled.
 * @param pending Those that can never be settled any more.
 * @param reference Unique: nothing is booked twice.
 * @returns What books it, to be run in the commit that makes them void.
 */
export async function moveUncountersigned(
  { user }: Pick<Channel, "user">,
  pending: readonly Pending[],
  reference: string,
  { store, clock }: { readonly store: Pick<Store, "custodial">; readonly clock: Clock },
): Promise<(tx: Transaction) => void> {
  const createdAtMs = clock.now();
  const books: ((tx: Transaction) => void)[] = [];
  for (const [asset, amount] of creditsIn(pending)) {
    const balance = await store.custodial.balance(user, asset);
    const base = { asset, debit: HUB_ACCOUNT, credit: user, amount, kind: "uncountersigned" } as const;
    books.push((tx) => store.custodial.book(tx, { ...base, reference, createdAtMs }, balance));
  }
  return (tx) => {
    for (const book of books) book(tx);
  };
}

function creditsIn(pending: readonly Pending[]): ReadonlyMap<Address, bigint> {
  const sums = new Map<Address, bigint>();
  for (const { update } of pending) {
    if (update.reason !== "Payment") continue;
    sums.set(update.args.asset, (sums.get(update.args.asset) ?? 0n) + update.args.amount);
  }
  return sums;
}
