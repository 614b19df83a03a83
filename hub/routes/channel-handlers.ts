import {
  formatUpdate,
  parseAddress,
  parseQuote,
  parseThreadEvidence,
  exchangeQuoteType,
  formatStruct,
  formatThreadEvidence,
  parseUint,
  parseUpdate,
  protocolError,
  UINT128_MAX,
  UINT64_MAX,
  verifyState,
  hashState,
  next,
  isProtocolError,
  hubError,
  checkSignature,
  hashExchangeQuote,
  type Address,
  type ChannelState,
  type ExchangeArgs,
  type InputOf,
  type SignedUpdate,
  type WireSync,
} from "../../protocol";
import { baseOf, isUncredited, newestOf, type Channel } from "../services/channel";
import { asBusy } from "../services/channels";
import type { Services } from "../services/services";
import type { Handlers } from "./handlers";
import { evidenceOf as threadEvidenceOf } from "../services/threads/view";
import { parseSigned, wireSigned } from "./wire";

type ChannelOperation =
  | "getChannel"
  | "sync"
  | "update"
  | "requestDeposit"
  | "requestCollateralization"
  | "requestExchange"
  | "requestWithdrawal"
  | "getLatestUpdate"
  | "getLatestDoubleSigned"
  | "getEvidence";

/** What concerns one user's channel. */
export function channelHandlers(services: Services): Pick<Handlers, ChannelOperation> {
  const { channels, lanes, store, config, collateral, exchange, withdrawals } = services;
  const userOf = ({ params }: { readonly params: { readonly user: string } }): Address =>
    parseAddress(params.user, "params.user");

  return {
    getChannel: async (input, caller) => {
      const user = userOf(input);
      const channel = await channels.load(user);
      const canReceive = await Promise.all(
        config.assets.map(async ({ asset }) => ({
          asset,
          amount: (await channels.available(channel, asset)).toString(),
        })),
      );
      const isExiting = channel.exit !== undefined;
      if (caller.address !== user) return { user, canReceive, isExiting };
      const { doubleSigned, exit } = channel;
      return {
        ...{ user, canReceive, isExiting, session: channel.session.toString() },
        uncountersigned: channel.pending.length,
        ...(doubleSigned === undefined ? {} : { doubleSigned: wireSigned(doubleSigned) }),
        ...(exit === undefined ? {} : { exit: { nonce: exit.nonce.toString(), deadline: exit.deadline.toString() } }),
      };
    },

    sync: async (input) => {
      const user = userOf(input);
      const after = parseUint(input.query.lastChanTx ?? "0", UINT64_MAX, "query.lastChanTx");
      return lanes.run([user], async () => channels.sync(await channels.load(user), after));
    },

    update: async (input) => {
      const user = userOf(input);
      const updates = input.body.updates.map((update, i) => parseUpdate(update, `body.updates.${i}`));
      const before = await channels.load(user);
      const sync = await lanes.run([user], () => takeUpdates(services, user, updates, input.body));
      if (before.needsProof || isUncredited(before)) await catchUp(services, user);
      return sync;
    },

    requestDeposit: async (input) => {
      const user = userOf(input);
      if (services.depositsPaused()) throw hubError("DepositsPaused", {});
      const { depositWei, depositToken, token } = input.body;
      const expected = expectedDeposits(services, depositWei, depositToken, token);
      await store.database.write((tx) => {
        for (const [asset, amount] of expected) store.collateral.setExpectedDeposit(tx, user, asset, amount);
      });
      return lanes.run([user], async () => channels.sync(await channels.load(user)));
    },

    requestCollateralization: async (input) => {
      const asset = parseAddress(input.body.asset, "body.asset");
      const amount = parseUint(input.body.amount, UINT128_MAX, "body.amount");
      const { available, requested } = await collateral.want(userOf(input), asset, amount, "request");
      return { available: available.toString(), requested: requested.toString() };
    },

    requestExchange: async (input) => {
      const { body } = input;
      const [sellAsset, buyAsset] = [parseAddress(body.sellAsset), parseAddress(body.buyAsset)];
      const amount = parseUint(body.sellAmount, UINT128_MAX, "body.sellAmount");
      const { quote, sigHub } = await exchange.quote(userOf(input), sellAsset, buyAsset, amount);
      return { quote: formatStruct(exchangeQuoteType, quote), sigHub };
    },

    requestWithdrawal: async (input) => {
      const user = userOf(input);
      const { body } = input;
      const first = body.quote === undefined ? undefined : exchangeOf(services, user, body.quote, body.sigQuote);
      const request = {
        recipient: parseAddress(body.recipient, "body.recipient"),
        assets: body.assets.map(({ asset, amount }, i) => ({
          asset: parseAddress(asset, `body.assets.${i}.asset`),
          amount: parseUint(amount, UINT128_MAX, `body.assets.${i}.amount`),
        })),
        ...(first === undefined ? {} : { exchange: first }),
      };
      return lanes.run([user], async () => withdrawals.propose(await channels.load(user), request));
    },

    getLatestUpdate: async (input) => {
      const user = userOf(input);
      const { session } = await channels.load(user);
      const update = await lanes.run([user], async () => {
        await channels.sync(await channels.load(user)); // marks as seen what is about to be shown
        return store.channels.latestUpdate(user, session);
      });
      return update === undefined ? {} : { update: formatUpdate(update) };
    },

    getLatestDoubleSigned: async (input) => {
      const { doubleSigned } = await channels.load(userOf(input));
      return doubleSigned === undefined ? {} : { doubleSigned: wireSigned(doubleSigned) };
    },

    getEvidence: async (input) => {
      const user = userOf(input);
      const { channel, session, doubleSigned } = await lanes.run([user], async () => {
        const loaded = await channels.load(user);
        return { channel: loaded, ...(await channels.sync(loaded)) }; // marks as seen what is about to be shown
      });
      const rows = (await store.threads.openIn(user)).filter(({ hash }) => channel.threads.includes(hash));
      return {
        ...{ kind: "channel-evidence" as const, version: 1 as const, chainId: config.chainId },
        ...{ channelManager: config.channelManager, hub: services.signer.address, user, session },
        ...(doubleSigned === undefined ? {} : { doubleSigned }),
        ...{ hubSigned: channel.pending.map(({ update }) => formatUpdate(update)), userSigned: [] },
        threads: rows.map((row) => formatThreadEvidence(threadEvidenceOf(row))),
      };
    },
  };
}

/** Deposits and payments that had to wait for the user's proof, or for room in its channel, wait no more. */
async function catchUp({ chainSync, log }: Services, user: Address): Promise<void> {
  await chainSync.refresh(user).catch((error: unknown) => {
    log.warn(`the channel of ${user} is brought level with the chain later: ${String(error)}`);
  });
}

/** What a user shows to a hub that may have forgotten it. */
type Shown = Pick<InputOf<"update">["body"], "doubleSigned" | "threads">;

/** A countersignature, or updates that the user signed first; before either, a newer state that the hub has forgotten. */
async function takeUpdates(
  services: Services,
  user: Address,
  updates: readonly SignedUpdate[],
  shown: Shown,
): Promise<WireSync> {
  const { channels } = services;
  const known = await channels.load(user);
  const isProof = shown.doubleSigned !== undefined || (known.needsProof && updates.length === 0);
  const channel = isProof ? await takeProof(services, known, shown) : known;
  if (updates.length === 0) return channels.sync(channel);
  const [only, second] = updates;
  if (only !== undefined && second === undefined && isCountersignature(channel, only)) {
    return countersigned(services, channel, only);
  }
  if (updates.every((update) => isKnown(channel, update))) return channels.sync(channel);
  return userFirst(services, channel, updates);
}

async function countersigned(services: Services, channel: Channel, update: SignedUpdate): Promise<WireSync> {
  const { channels, withdrawals, outgoing, lanes } = services;
  const executes = channel.pending.some(
    ({ update: each }) => each.reason === "Withdrawal" && each.nonce <= update.nonce,
  );
  const after = await channels.acceptCountersignature(channel, update, (tx, accepted) => {
    if (executes) withdrawals.enqueueExecution(tx, accepted);
  });
  outgoing.wake();
  lanes.endPrecedence(channel.user);
  return channels.sync(after);
}

async function userFirst(services: Services, channel: Channel, updates: readonly SignedUpdate[]): Promise<WireSync> {
  const { channels, exchange, store, withdrawals, outgoing, lanes } = services;
  for (const { reason, args } of updates) {
    if (reason === "OpenThread" || reason === "CloseThread") {
      throw protocolError("InvalidValue", {
        path: "body.updates",
        expected: "no thread: /thread/:hash/open and /thread/:hash/close take those",
        given: reason,
      });
    }
    if (reason === "Payment" && args.amount !== 0n && args.recipient === "hub") {
      throw protocolError("InvalidValue", {
        path: "body.updates",
        expected: "no payment: POST /payments/purchase takes those",
        given: "a payment",
      });
    }
  }
  const exchanges = updates.flatMap(({ reason, args }) => (reason === "Exchange" ? [args] : []));
  await exchange.requireQuoted(channel, exchanges);
  const draft = await channels.draftOfUser(channel, updates);
  const executes = channel.pending.some(({ update }) => update.reason === "Withdrawal");
  const committed = await channels
    .commit([draft], (tx, after) => {
      for (const { quoteId } of exchanges) store.operation.useQuote(tx, quoteId);
      const own = after.get(channel.user);
      if (executes && own !== undefined) withdrawals.enqueueExecution(tx, own);
    })
    .catch((error: unknown) => {
      throw asBusy(error, channel.user);
    });
  outgoing.wake();
  lanes.endPrecedence(channel.user);
  return channels.sync(committed.get(channel.user) ?? channel);
}

/** An update of the hub that waits, with a signature of the user under it; newer ones may wait on top of it. */
function isCountersignature(channel: Channel, update: SignedUpdate): boolean {
  const at = channel.pending.findIndex((each) => each.update.nonce === update.nonce);
  const waiting = channel.pending[at];
  if (waiting === undefined || update.sigUser === undefined) return false;
  const before = channel.pending[at - 1]?.state ?? baseOf(channel);
  return leadsTo(before, update) === hashState(waiting.state);
}

/** A retry of what the hub has accepted already. */
function isKnown(channel: Channel, update: SignedUpdate): boolean {
  const signed = channel.doubleSigned?.state;
  return signed !== undefined && update.nonce === signed.nonce && update.sigUser === channel.doubleSigned?.sigUser;
}

function leadsTo(state: ChannelState, update: SignedUpdate): string | undefined {
  try {
    return update.previous === hashState(state) ? hashState(next(state, update)) : undefined;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

/**
 * A user shows its newest state: the hub may have been restored from an older copy. Only a user that shows at least what
 * the hub's signer remembers to have countersigned is believed (H-19).
 * @throws NonceTooLow, and what the verifier says of the state
 */
async function takeProof(
  services: Services,
  channel: Channel,
  { doubleSigned: wire, threads = [] }: Shown,
): Promise<Channel> {
  const { channels, incidents, signer, domain } = services;
  const shown = wire === undefined ? undefined : parseSigned(wire, "body.doubleSigned");
  const shownNonce = shown?.state.nonce ?? 0n;
  if (!channel.needsProof && shownNonce <= newestOf(channel).nonce) return channel;
  const { session, ledgers } = channel;
  const context = { domain, hub: signer.address, session, ledgers };
  const wrong = shown && verifyState(shown.state, shown.sigHub, shown.sigUser, context);
  if (wrong) throw wrong;
  const known = baseOf(channel).nonce;
  const countersigned = signer.last(channel.user)?.countersigned ?? 0n;
  if (countersigned > known && countersigned > shownNonce) {
    const error = protocolError("NonceTooLow", { floor: countersigned, given: shownNonce });
    await incidents.report("old-proof", channel.user, error);
    throw error;
  }
  const open = threads.map((each, i) => parseThreadEvidence(each, `body.threads.${i}`));
  return channels.adoptShown(channel, shown, await services.threads.shownIn(channel, shown?.state, open));
}

function exchangeOf(
  { signer, domain }: Services,
  user: Address,
  wire: Parameters<typeof parseQuote>[0],
  sigQuote: string | undefined,
): ExchangeArgs {
  const { user: owner, ...args } = parseQuote(wire, "body.quote");
  const quote = { user: owner, ...args };
  const signature = (sigQuote ?? "0x") as `0x${string}`;
  const isOwn =
    owner === user && checkSignature(signer.address, hashExchangeQuote(quote), signature, domain) === undefined;
  if (!isOwn) throw hubError("QuoteUnknown", {});
  return args;
}

function expectedDeposits(
  { config }: Services,
  depositWei: string,
  depositToken: string | undefined,
  token: string | undefined,
): readonly (readonly [Address, bigint])[] {
  const assets = config.assets.map(({ asset }) => asset);
  const wei = parseUint(depositWei, UINT128_MAX, "body.depositWei");
  const tokens = parseUint(depositToken ?? "0", UINT128_MAX, "body.depositToken");
  const named = token === undefined ? assets.find((asset) => BigInt(asset) !== 0n) : parseAddress(token, "body.token");
  const rows = [
    [assets.find((asset) => BigInt(asset) === 0n), wei],
    [named, tokens],
  ] as const;
  return rows.flatMap(([asset, amount]) => {
    if (amount === 0n) return [];
    if (asset === undefined || !assets.includes(asset))
      throw hubError("AssetUnknown", { asset: asset ?? named ?? ("0x" as Address) });
    return [[asset, amount] as const];
  });
}
