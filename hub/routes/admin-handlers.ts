import { hubError, parseAddress, parseUint, UINT128_MAX, type Address } from "../../protocol";
import { baseOf, newestOf } from "../services/channel";
import type { Services } from "../services/services";
import type { Transaction } from "../store/database";
import type { Handlers } from "./handlers";
import { wireAmounts } from "./wire";

type AdminOperation =
  | "getProfile"
  | "setProfile"
  | "adminCollateralize"
  | "setDepositsPaused"
  | "adminExit"
  | "getStatus"
  | "listAccounts"
  | "listTransactions"
  | "bumpTransaction"
  | "getAuditLog";

const DEFAULT_ROWS = 50;

/** The operator's doors. Whatever changes something is written into the audit log in the same commit. */
export function adminHandlers(services: Services): Pick<Handlers, AdminOperation> {
  const { store, collateral, channels, clock } = services;
  const audit = (tx: Transaction, kind: string, details: object, user?: Address): void => {
    const entry = { atMs: clock.now(), kind: `admin:${kind}`, details: JSON.stringify(details) };
    store.operation.log(tx, user === undefined ? entry : { ...entry, user });
  };
  const profilesOf = async (user: Address): Promise<Awaited<ReturnType<Handlers["getProfile"]>>> => {
    const profiles = await store.collateral.profiles(user);
    return { profiles: profiles.map(({ asset, target }) => ({ asset, target: target.toString() })) };
  };

  return {
    getProfile: ({ params }) => profilesOf(parseAddress(params.user, "params.user")),
    setProfile: async ({ params, body }) => {
      const user = parseAddress(params.user, "params.user");
      const asset = parseAddress(body.asset, "body.asset");
      const target = parseUint(body.target, UINT128_MAX, "body.target");
      await store.database.write((tx) => {
        store.collateral.setProfile(tx, user, { asset, target });
        audit(tx, "profile", body, user);
      });
      return profilesOf(user);
    },
    adminCollateralize: async ({ body }) => {
      const user = parseAddress(body.user, "body.user");
      const amount = parseUint(body.amount, UINT128_MAX, "body.amount");
      const granted = await collateral.want(user, parseAddress(body.asset, "body.asset"), amount, "operator");
      await store.database.write((tx) => audit(tx, "collateralize", body, user));
      return { available: granted.available.toString(), requested: granted.requested.toString() };
    },
    setDepositsPaused: async ({ body }) => {
      await services.setDepositsPaused(body.paused, (tx) => audit(tx, "deposits", body));
      return { paused: body.paused };
    },

    adminExit: async ({ body }) => {
      const user = parseAddress(body.user, "body.user");
      return { transaction: await services.staleExits.start(user, (tx) => audit(tx, "exit", body, user)) };
    },

    getStatus: () => statusOf(services),
    listAccounts: async ({ query }) => {
      const after = query.after === undefined ? undefined : parseAddress(query.after, "query.after");
      const rows = await store.channels.list(after, query.limit ?? DEFAULT_ROWS);
      const accounts = await Promise.all(
        rows.map(async ({ user }) => {
          const channel = await channels.load(user);
          const { exit } = channel;
          return {
            user,
            session: channel.session.toString(),
            nonce: baseOf(channel).nonce.toString(),
            uncountersigned: channel.pending.length,
            balances: newestOf(channel).assets.map(({ asset, balanceHub, balanceUser }) => {
              return { asset, hub: balanceHub.toString(), user: balanceUser.toString() };
            }),
            ...(exit === undefined
              ? {}
              : { exit: { nonce: exit.nonce.toString(), deadline: exit.deadline.toString() } }),
          };
        }),
      );
      return { accounts };
    },
    listTransactions: async ({ query }) => {
      const rows = await store.transactions.list(query.limit ?? DEFAULT_ROWS);
      return {
        transactions: rows.map(({ id, kind, status, nonce, transactionHash, maxFeePerGas, error }) => ({
          ...{ id, kind, status },
          ...(nonce === undefined ? {} : { nonce }),
          ...(transactionHash === undefined ? {} : { transactionHash }),
          ...(maxFeePerGas === undefined ? {} : { maxFeePerGas: maxFeePerGas.toString() }),
          ...(error === undefined ? {} : { error }),
        })),
      };
    },
    bumpTransaction: async ({ params }) => {
      if ((await store.transactions.find(params.id)) === undefined) {
        throw hubError("NotFound", { what: `transaction ${params.id}` });
      }
      const bumped = await services.bump(params.id);
      await store.database.write((tx) => audit(tx, "bump", { ...params, bumped }));
      return { bumped };
    },
    getAuditLog: async ({ query }) => {
      const entries = await store.operation.audit(query.limit ?? DEFAULT_ROWS);
      return { entries: [...entries] };
    },
  };
}

async function statusOf(services: Services): Promise<Awaited<ReturnType<Handlers["getStatus"]>>> {
  const { store, config } = services;
  const [counts, liabilities, reserved, mark] = await Promise.all([
    store.channels.count(),
    store.custodial.liabilities(),
    store.payments.reservedTotals(),
    store.chain.newestBlock(),
  ]);
  const assets = config.assets.map(({ asset }) => asset);
  const amounts = async (read: (asset: Address) => Promise<bigint>): Promise<{ asset: string; amount: string }[]> =>
    wireAmounts(await Promise.all(assets.map(async (asset) => [asset, await read(asset)] as const)));
  return {
    ...counts,
    custodial: wireAmounts(liabilities),
    reserved: wireAmounts(reserved),
    reserve: await amounts(services.reserveOf),
    wallet: await amounts(services.walletOf),
    head: services.headNumber(),
    processed: mark?.number ?? 0,
    openTransactions: await store.transactions.countOpen(),
    incidents: await store.operation.incidents(),
    payments: await store.payments.count(),
    memoryBytes: process.memoryUsage().rss,
    startedAtMs: services.startedAtMs,
  };
}
