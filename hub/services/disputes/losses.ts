import { reclaimPayouts, settlementPayouts, type Address, type ChannelState, type Ledgers } from "../../../protocol";
import type { Amount } from "./worth";

/** What is lost if an older state is settled instead of a newer one. */
export interface Losses {
  /** Per asset, what the hub would get less; assets in which it would not are left out. */
  readonly hub: readonly Amount[];
  /** The user would get less in some asset, or the threads are others: nobody weighs that against gas. */
  readonly isUserHurt: boolean;
}

/** @param standing Of nonce 0: the unsigned state, whatever assets it lists. */
export function lossesBetween(standing: ChannelState, newest: ChannelState, ledgers: Ledgers): Losses {
  const [before, after] = [payoutsOf(standing, ledgers), payoutsOf(newest, ledgers)];
  const lost = [...after].map(([asset, { amountHub, amountUser }]) => {
    const less = before.get(asset) ?? { amountHub: 0n, amountUser: 0n };
    return { asset, hub: amountHub - less.amountHub, user: amountUser - less.amountUser };
  });
  return {
    hub: lost.filter(({ hub }) => hub > 0n).map(({ asset, hub }): Amount => [asset, hub]),
    isUserHurt: standing.threadRoot !== newest.threadRoot || lost.some(({ user }) => user > 0n),
  };
}

/** Of every asset with something in it: listed ones by `settle`, the rest by `reclaim`. */
function payoutsOf(
  state: ChannelState,
  ledgers: Ledgers,
): ReadonlyMap<Address, { readonly amountHub: bigint; readonly amountUser: bigint }> {
  const listed = state.nonce === 0n ? [] : settlementPayouts(state, ledgers);
  const names = new Set(listed.map(({ asset }) => asset));
  const rest = [...ledgers].filter(([asset]) => !names.has(asset));
  return new Map([
    ...listed.map((each) => [each.asset, each] as const),
    ...rest.map(([asset, ledger]) => [asset, reclaimPayouts(ledger)] as const),
  ]);
}
