import { formatUnits } from "ethers";
import { channelManagerDomain, type Address, type Hash } from "../../protocol";
import { forecastExit, forecastThread, type ExitForecast, type ThreadForecast } from "../../protocol/dispute";
import type { AssetConfig } from "../config";
import type { Clock } from "../clock";
import type { Store } from "../store/store";
import type { Channels } from "./channels";
import { PastStates } from "./disputes/history";
import { standingOf } from "./disputes/standing";
import { evidenceOf } from "./threads/view";

export interface DisputeMetricsDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly clock: Clock;
  readonly config: {
    readonly chainId: number;
    readonly channelManager: Address;
    readonly assets: readonly Pick<AssetConfig, "asset" | "symbol" | "decimals">[];
  };
  readonly challengePeriodSeconds: bigint;
}

/** Names, help texts and values, as `/metrics` shows them. */
export type Metrics = Readonly<Record<string, readonly [help: string, value: number]>>;

/** Disputes that one scrape looks at; a hub with more of them has other worries than the rest of this figure. */
const MOST = 1_000;

/** Measures open disputes by what becomes of them: games by forecast, time to the next deadline, collateral at risk. */
export function disputeMetrics(deps: DisputeMetricsDeps): () => Promise<Metrics> {
  const past = new PastStates(deps.store.channels);
  return async () => {
    const nowSeconds = BigInt(Math.floor(deps.clock.now() / 1000));
    const exits = await exitForecasts(deps, past, nowSeconds);
    const threads = await threadForecasts(deps, nowSeconds);
    return {
      ...exitFigures(exits),
      ...threadFigures(threads),
      ...deadlineFigures(exits, threads),
      ...riskFigures(deps, exits),
    };
  };
}

async function exitForecasts(
  { store, channels }: DisputeMetricsDeps,
  past: PastStates,
  nowSeconds: bigint,
): Promise<readonly ExitForecast[]> {
  const forecasts: ExitForecast[] = [];
  for (const user of await store.channels.exiting(undefined, MOST)) {
    const channel = await channels.load(user);
    const { session, exit, ledgers, doubleSigned } = channel;
    if (exit === undefined) continue;
    const standing = await standingOf(past, channel);
    const { nonce, deadline } = exit;
    const open = { user, session, nonce, deadline, ledgers, stateHash: "0x" as Hash, ...(standing && { standing }) };
    forecasts.push(forecastExit(open, doubleSigned, nowSeconds));
  }
  return forecasts;
}

async function threadForecasts(
  { store, config, challengePeriodSeconds }: DisputeMetricsDeps,
  nowSeconds: bigint,
): Promise<readonly ThreadForecast[]> {
  const domain = channelManagerDomain(BigInt(config.chainId), config.channelManager);
  const context = { domain, apps: {}, challengePeriodSeconds, nowSeconds };
  const rows = await Promise.all(
    (await store.threads.disputed(undefined, MOST)).map((hash) => store.threads.load(hash)),
  );
  return rows.flatMap((row) => {
    if (row?.record === undefined || row.sigReceiver === undefined) return [];
    const { hash, thread, senderLeg, receiverLeg, senderSession = 0n, receiverSession = 0n } = row;
    const record = { ...row.record, senderPaid: senderLeg === "settled", receiverPaid: receiverLeg === "settled" };
    const legs = [
      ...(senderLeg === "open" ? [{ user: thread.sender, session: senderSession }] : []),
      ...(receiverLeg === "open" ? [{ user: thread.receiver, session: receiverSession }] : []),
    ];
    const disputed = { hash, thread, sender: thread.sender, receiver: thread.receiver, record, legs };
    return [forecastThread(disputed, evidenceOf(row), context)];
  });
}

function exitFigures(exits: readonly ExitForecast[]): Metrics {
  const count = (isSo: (exit: ExitForecast) => boolean): number => exits.filter(isSo).length;
  return {
    dispute_exits_to_challenge: [
      "Running exits that the newest state of the hub beats",
      count(({ action }) => action.move === "challenge"),
    ],
    dispute_exits_waiting: [
      "Running exits that stand at the newest state the hub has",
      count(({ action, heldNonce = 0n, nonce }) => action.move === "wait" && heldNonce >= nonce),
    ],
    dispute_exits_beyond_record: [
      "Running exits at a state that the hub's record does not have",
      count(({ action, heldNonce = 0n, nonce }) => action.move === "wait" && heldNonce < nonce),
    ],
    dispute_exits_overdue: [
      "Exits whose window is over and that nobody has settled",
      count(({ phase }) => phase === "overdue"),
    ],
  };
}

function threadFigures(threads: readonly ThreadForecast[]): Metrics {
  const count = (isSo: (thread: ThreadForecast) => boolean): number => threads.filter(isSo).length;
  return {
    dispute_threads_to_show: [
      "Threads at the contract that the hub has better evidence of",
      count(({ action }) => action.move === "showThread"),
    ],
    dispute_threads_waiting: [
      "Threads at the contract that wait for their deadline",
      count(({ action, phase }) => action.move === "wait" && phase === "open"),
    ],
    dispute_threads_overdue: ["Threads that are decided and not paid out", count(({ phase }) => phase === "overdue")],
  };
}

function deadlineFigures(exits: readonly ExitForecast[], threads: readonly ThreadForecast[]): Metrics {
  const left = [...exits, ...threads].flatMap(({ secondsLeft }) =>
    secondsLeft === undefined || secondsLeft <= 0n ? [] : [Number(secondsLeft)],
  );
  const nearest = left.length === 0 ? -1 : Math.min(...left);
  return { dispute_seconds_to_deadline: ["Until the nearest deadline of a dispute; -1 without one", nearest] };
}

/** What the hub would get less if nobody showed the contract what the hub has. */
function riskFigures({ config }: DisputeMetricsDeps, exits: readonly ExitForecast[]): Metrics {
  return Object.fromEntries(
    config.assets.map(({ asset, symbol, decimals }) => {
      const changes = exits
        .flatMap((exit) => exit.changes)
        .filter((change) => change.asset === asset && change.hub > 0n);
      const units = changes.reduce((sum, { hub }) => sum + hub, 0n);
      const name = `dispute_collateral_at_risk_${symbol.toLowerCase().replace(/[^a-z0-9]/g, "_")}`;
      return [name, [`What the hub loses in ${symbol} if no exit is answered`, Number(formatUnits(units, decimals))]];
    }),
  );
}
