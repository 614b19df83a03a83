import { isHubError, type Address } from "../../protocol";
import { CodedError } from "../../protocol/coded-error";
import type { Clock } from "../clock";
import type { HubSigner } from "../signer/hub-signer";
import { HUB_ACCOUNT, type CustodialEntry } from "../store/custodial-store";
import type { PaymentChange, PaymentRow } from "../store/payment-store";
import type { Store } from "../store/store";
import { balancesOf } from "./channel";
import type { Channels } from "./channels";
import type { Collateral } from "./collateral";
import type { Draft } from "./drafts";
import type { Lanes } from "./lanes";
import { signedReceipt, wirePayment } from "./purchases";
import type { Pushes } from "./pushes";

export interface ForwardingDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly collateral: Collateral;
  readonly lanes: Lanes;
  readonly pushes: Pushes;
  readonly signer: HubSigner;
  readonly clock: Clock;
}

/** So many payments end in one go. */
const BATCH = 64;

/**
 * Ends payments that wait: forward as soon as collateral allows, back to the payer (or to the redeemer's custodial
 * balance) when their time is up. One row has one end; the database refuses a second.
 */
export class Forwarding {
  readonly #deps: ForwardingDeps;

  constructor(deps: ForwardingDeps) {
    this.#deps = deps;
  }

  /** Forwards what waits for a payee, oldest first, as far as its collateral goes. */
  async forwardTo(payee: Address): Promise<void> {
    await this.#deps.lanes.precedencePassed([payee]);
    await this.#deps.lanes.run([payee], async () => {
      for (const payment of await this.#deps.store.payments.waitingFor(payee, BATCH)) {
        if (!(await this.#tryForward(payment, payee))) return;
      }
    });
  }

  /**
   * Gives back what nobody could be paid with in time.
   * @throws AggregateError when all were tried, if some could not be ended now: they are there the next time.
   */
  async endExpired(): Promise<void> {
    const nowSeconds = BigInt(Math.floor(this.#deps.clock.now() / 1000));
    const failures: unknown[] = [];
    for (const payment of await this.#deps.store.payments.expired(nowSeconds, BATCH)) {
      await this.#end(payment).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, `payments could not be ended: ${String(failures[0])}`);
  }

  /** The redeemer of a link has earned it; the payee of an optimistic payment has not. */
  async #end(payment: PaymentRow): Promise<void> {
    if (payment.type === "PT_LINK" && payment.payee !== undefined) await this.#payCustodially(payment, payment.payee);
    else await this.refund(payment);
  }

  /**
   * Back to the payer: into its channel, out of the balance that was reserved for it there, or into its custodial balance
   * if that channel takes nothing now.
   * @throws ConflictError if the payment has ended otherwise in the meantime; ViewTooOld while nobody can say whether the
   * channel is still there.
   */
  async refund({ paymentId, payer }: PaymentRow): Promise<PaymentRow> {
    const { lanes, store } = this.#deps;
    return lanes.run([payer], async () => {
      const payment = await store.payments.payment(paymentId);
      if (payment === undefined || payment.status === "refunded") return payment as PaymentRow;
      const draft = await this.#refundDraft(payment);
      const change = { paymentId, from: payment.status, to: "refunded" } as const;
      const ended: PaymentRow = { ...payment, status: "refunded" };
      if (draft === undefined) await this.#commitCustodial(payment, payer, change, "refund");
      else await this.#commit(ended, change, [draft], payer);
      return ended;
    });
  }

  async #tryForward(payment: PaymentRow, payee: Address): Promise<boolean> {
    const { channels } = this.#deps;
    const { paymentId, asset, amount } = payment;
    const channel = await channels.load(payee);
    const { payer, payerSession } = payment;
    const isOwn = payer === payee && payerSession === channel.session; // then it is its own reservation that pays
    if ((await channels.available(channel, asset)) + (isOwn ? amount : 0n) < amount) {
      await this.#deps.collateral.want(payee, asset, amount, "payment").catch(ignoreLimits);
      return false;
    }
    const draft = draftOrNothing(() =>
      channels.draftOfHub(channel, "Payment", { recipient: "user", asset, amount, payments: [paymentId] }),
    );
    if (draft === undefined) return false;
    const receipt = signedReceipt(this.#deps.signer, { ...payment, payee }, draft.state.nonce);
    const change: PaymentChange = { paymentId, from: "waiting", to: "forwarded", payee, ...receipt };
    await this.#commit({ ...payment, payee, status: "forwarded", ...receipt }, change, [draft], payee);
    return true;
  }

  async #refundDraft({ paymentId, payer, payerSession, asset, amount }: PaymentRow): Promise<Draft | undefined> {
    const { channels } = this.#deps;
    const channel = await channels.load(payer);
    if (channel.session !== payerSession || balancesOf(channel, asset).hub < amount) return undefined;
    try {
      return channels.draftOfHub(channel, "Payment", { recipient: "user", asset, amount, payments: [paymentId] });
    } catch (error) {
      if (!(error instanceof CodedError) || isHubError(error, "ViewTooOld")) throw error;
      return undefined; // it takes nothing now: exiting, or too much to sign
    }
  }

  async #payCustodially({ paymentId }: PaymentRow, payee: Address): Promise<void> {
    const { lanes, signer, store } = this.#deps;
    await lanes.run([payee], async () => {
      const payment = await store.payments.payment(paymentId);
      if (payment?.status !== "waiting") return;
      const receipt = signedReceipt(signer, payment, 0n);
      const change: PaymentChange = { paymentId, from: "waiting", to: "custodial", payee, ...receipt };
      await this.#commitCustodial(payment, payee, change, "payment");
    });
  }

  async #commitCustodial(
    payment: PaymentRow,
    user: Address,
    change: PaymentChange,
    kind: CustodialEntry["kind"],
  ): Promise<void> {
    const { store, clock } = this.#deps;
    const { asset, amount, paymentId } = payment;
    const balance = await store.custodial.balance(user, asset);
    const createdAtMs = clock.now();
    const entry = { asset, debit: HUB_ACCOUNT, credit: user, amount, kind, reference: paymentId, createdAtMs } as const;
    await store.database.write((tx) => {
      store.payments.change(tx, change);
      store.custodial.book(tx, entry, balance);
    });
  }

  async #commit(ended: PaymentRow, change: PaymentChange, drafts: readonly Draft[], receiver: Address): Promise<void> {
    const { channels, store, pushes } = this.#deps;
    const told = [...new Set([receiver, ended.payer])];
    await channels.commit(drafts, (tx) => {
      store.payments.change(tx, change);
      for (const user of told) pushes.keep(tx, user, { kind: "payment", payment: wirePayment(ended) });
    });
    for (const user of told) pushes.flush(user);
  }
}

/** What a channel does not take now is no bug: the payment waits. */
function draftOrNothing(make: () => Draft): Draft | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}

/** The hub's limits are no fault of the payment that meets them. */
export function ignoreLimits(error: unknown): void {
  if (!isHubError(error, "CollateralLimit")) throw error;
}
