import { parseAddress, parseUint, UINT128_MAX, hubError, type Address, type Signature } from "../../protocol";
import type { CustodialWithdrawal } from "../store/custodial-store";
import { wirePayment } from "../services/purchases";
import type { Services } from "../services/services";
import type { Handlers } from "./handlers";
import { wireAmounts } from "./wire";

type PaymentOperation =
  | "purchase"
  | "getPurchase"
  | "getPaymentHistory"
  | "redeemLink"
  | "getLink"
  | "cancelLink"
  | "getCustodialBalance"
  | "createCustodialWithdrawal"
  | "listCustodialWithdrawals";

const DEFAULT_ROWS = 50;

/** Purchases, links and what the hub owes. The caller is who signed in. */
export function paymentHandlers(services: Services): Pick<Handlers, PaymentOperation> {
  const { purchases, links, custodial, store, clock } = services;
  return {
    purchase: ({ body }, caller) => purchases.purchase(addressOf(caller), body),
    getPurchase: ({ params }, caller) => purchases.find(addressOf(caller), params.id),
    getPaymentHistory: async ({ params, query }) => {
      const user = parseAddress(params.user, "params.user");
      const before = query.beforeMs ?? clock.now() + 1;
      const rows = await store.payments.history(user, before, query.limit ?? DEFAULT_ROWS);
      return { payments: rows.map(wirePayment) };
    },

    redeemLink: async ({ body }, caller) => {
      const redeemer = parseAddress(body.redeemer, "body.redeemer");
      if (redeemer !== addressOf(caller)) throw hubError("NotYours", { user: redeemer });
      const link = parseAddress(body.link, "body.link");
      const payment = await links.redeem(link, redeemer, body.sigLink.toLowerCase() as Signature);
      return { payment: wirePayment(payment) };
    },
    getLink: async ({ params }) => {
      const { asset, amount, status, expiresAt } = await links.find(parseAddress(params.address, "params.address"));
      return { asset, amount: amount.toString(), status, expiresAt: (expiresAt ?? 0n).toString() };
    },
    cancelLink: async ({ params }, caller) => {
      const link = parseAddress(params.address, "params.address");
      return { payment: wirePayment(await links.cancel(link, addressOf(caller))) };
    },

    getCustodialBalance: async ({ params }) => {
      return { balances: wireAmounts(await store.custodial.balances(parseAddress(params.user, "params.user"))) };
    },
    createCustodialWithdrawal: async ({ body }, caller) => {
      const withdrawal = await custodial.withdraw(addressOf(caller), {
        id: body.id,
        asset: parseAddress(body.asset, "body.asset"),
        amount: parseUint(body.amount, UINT128_MAX, "body.amount"),
        to: body.to === "channel" ? body.to : parseAddress(body.to, "body.to"),
      });
      return wireWithdrawal(withdrawal);
    },
    listCustodialWithdrawals: async ({ query }, caller) => {
      const rows = await store.custodial.withdrawals(addressOf(caller), query.limit ?? DEFAULT_ROWS);
      return { withdrawals: rows.map(wireWithdrawal) };
    },
  };
}

/** The adapter lets nobody without a session through to these. */
function addressOf({ address }: { readonly address?: Address }): Address {
  if (address === undefined) throw hubError("NotSignedIn", {});
  return address;
}

function wireWithdrawal(row: CustodialWithdrawal): Awaited<ReturnType<Handlers["createCustodialWithdrawal"]>> {
  const { id, asset, amount, to, status, transactionHash, createdAtMs } = row;
  const base = { id, asset, amount: amount.toString(), to, status, createdAtMs };
  return transactionHash === undefined ? base : { ...base, transactionHash };
}
