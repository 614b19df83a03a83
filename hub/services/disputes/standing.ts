import { reclaimPayouts, settlementPayouts, unsignedState, type Ledgers, type Signature } from "../../../protocol";
import { payoutGasLimit } from "../../../protocol/chain/payout-gas";
import type { DoubleSigned } from "../../store/channel-store";
import { withDoubleSigned, type Channel } from "../channel";
import type { PastStates } from "./history";
import type { Amount, Worth } from "./worth";

const MAX_ASSETS = 8;

/** The state that an exit stands at, with what proves it; nothing if the hub does not have it: its user settles. */
export async function standingOf(past: PastStates, channel: Channel): Promise<DoubleSigned | undefined> {
  const { user, session, exit, ledgers } = channel;
  if (exit === undefined) return undefined;
  if (exit.nonce === 0n) {
    const state = unsignedState(user, session, [...ledgers.keys()].sort().slice(0, MAX_ASSETS));
    return { state, sigHub: "0x", sigUser: "0x" };
  }
  const { state, sigHub, sigUser } = (await past.at(channel, exit.nonce)) ?? {};
  return state === undefined || sigHub === undefined || sigUser === undefined ? undefined : { state, sigHub, sigUser };
}

/** An exit with an update of the hub shows the user's signature under it. */
export function adoptShown(channel: Channel, nonce: bigint, sigUser: Signature): Channel {
  const shown = channel.pending.find(({ update }) => update.nonce === nonce);
  if (shown?.update.sigHub === undefined) return channel;
  const adopted = withDoubleSigned(channel, shown.state, shown.update.sigHub, sigUser);
  return { ...adopted, version: channel.version };
}

/** What neither side would pay the gas for waits for whoever does. */
export function isWorthSettling({ state }: DoubleSigned, ledgers: Ledgers, worth: Worth): boolean {
  const payouts =
    state.nonce === 0n
      ? [...ledgers].map(([asset, ledger]) => ({ asset, locked: 0n, ...reclaimPayouts(ledger) }))
      : settlementPayouts(state, ledgers);
  const gas = payoutGasLimit(state);
  const hub = payouts.map(({ asset, amountHub, locked }): Amount => [asset, amountHub + locked]);
  const user = payouts.map(({ asset, amountUser }): Amount => [asset, amountUser]);
  return worth.isWorth(hub, gas) || worth.isWorth(user, gas);
}
