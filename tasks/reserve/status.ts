import Table from "cli-table3";
import { formatAmount, type Asset } from "../amount";
import type { Outcome } from "../command";
import { knownAssets, managerOf, readToken, type ReserveDeps } from "./reserve";

interface Holding {
  readonly asset: Asset;
  readonly reserve: bigint;
  /** What a failed payout left for the treasury. */
  readonly claimable: bigint;
}

/** What the reserve holds, per asset, and who decides over it. Reads only. */
export async function reserveStatus(deps: ReserveDeps, token: string | undefined): Promise<Outcome> {
  const manager = managerOf(deps);
  const [hub, treasury] = await Promise.all([manager.hub(), manager.treasury()]);
  const known = await knownAssets(deps);
  const named = token === undefined ? [] : [await readToken(deps.provider, token)];
  const assets = [...known, ...named.filter(({ address }) => known.every((each) => each.address !== address))];
  const holdings = await Promise.all(
    assets.map(async (asset): Promise<Holding> => {
      const [reserve, claimable] = await Promise.all([
        manager.reserveOf(asset.address),
        manager.claimableOf(treasury, asset.address),
      ]);
      return { asset, reserve, claimable };
    }),
  );
  const { network, chainId } = deps.chain;
  const channelManager = await manager.getAddress();
  const json = { network, chainId, channelManager, hub, treasury, assets: holdings.map(toJson) };
  const head = [`ChannelManager ${channelManager} on ${network}`, `  hub       ${hub}`, `  treasury  ${treasury}`];
  return { json, text: [...head, tableOf(holdings), nextCommand(deps, holdings)].join("\n") };
}

function toJson({ asset, reserve, claimable }: Holding): object {
  return { asset: asset.address, symbol: asset.symbol, decimals: asset.decimals, reserve, claimable };
}

function tableOf(holdings: readonly Holding[]): string {
  const table = new Table({
    head: ["asset", "reserve", "claimable by the treasury", "address"],
    style: { head: [], border: [] },
  });
  for (const { asset, reserve, claimable } of holdings) {
    const claim = claimable === 0n ? "" : formatAmount({ asset, units: claimable });
    table.push([asset.symbol, formatAmount({ asset, units: reserve }), claim, asset.address]);
  }
  return table.toString();
}

function nextCommand({ chain }: ReserveDeps, holdings: readonly Holding[]): string {
  const isEmpty = holdings.every(({ reserve }) => reserve === 0n);
  return `Next: npx hardhat reserve ${isEmpty ? "fund" : "recall"} --amount 1eth --network ${chain.network}`;
}
