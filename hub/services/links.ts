import { checkSignature, hashRedeemLink, hubError, type Address, type Domain, type Signature } from "../../protocol";
import type { Clock } from "../clock";
import type { PaymentRow } from "../store/payment-store";
import type { Store } from "../store/store";
import { asBusy } from "./channels";
import type { Forwarding } from "./forwarding";
import type { Lanes } from "./lanes";

export interface LinksDeps {
  readonly store: Store;
  readonly forwarding: Forwarding;
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly domain: Domain;
}

/** Payments to whoever has a link. The hub knows the address of its key, never the key (H-3). */
export class Links {
  readonly #deps: LinksDeps;

  constructor(deps: LinksDeps) {
    this.#deps = deps;
  }

  /** @throws LinkUnknown */
  async find(link: Address): Promise<PaymentRow> {
    const payment = await this.#deps.store.payments.byLink(link);
    if (payment === undefined) throw hubError("LinkUnknown", { link });
    return payment;
  }

  /**
   * Binds a link to its redeemer, once and for ever, and pays as soon as the channel's collateral allows. Again by the same
   * redeemer: the same answer.
   * @throws LinkUnknown, LinkSignatureWrong, LinkRedeemed, LinkRefunded
   */
  async redeem(link: Address, redeemer: Address, sigLink: Signature): Promise<PaymentRow> {
    const { forwarding, lanes, store, domain } = this.#deps;
    if (checkSignature(link, hashRedeemLink({ link, redeemer }), sigLink, domain) !== undefined) {
      throw hubError("LinkSignatureWrong", { link });
    }
    await lanes.run([redeemer], async () => {
      const payment = await this.find(link);
      if (payment.payee === redeemer) return;
      if (payment.status === "refunded") throw hubError("LinkRefunded", { link });
      if (payment.status !== "open") throw hubError("LinkRedeemed", { link });
      const change = { paymentId: payment.paymentId, from: "open", to: "waiting", payee: redeemer } as const;
      await store.database
        .write((tx) => store.payments.change(tx, change))
        .catch((error: unknown) => {
          throw asBusy(error, redeemer); // another redeemer, or the sender, was quicker
        });
    });
    await forwarding.forwardTo(redeemer);
    return this.find(link);
  }

  /** Gives an expired link back to its sender. @throws LinkUnknown, LinkNotExpired, LinkRedeemed */
  async cancel(link: Address, sender: Address): Promise<PaymentRow> {
    const payment = await this.find(link);
    if (payment.payer !== sender) throw hubError("NotYours", { user: payment.payer });
    if (payment.status === "refunded") return payment;
    if (payment.status !== "open") throw hubError("LinkRedeemed", { link });
    const expiresAt = payment.expiresAt ?? 0n;
    if (BigInt(Math.floor(this.#deps.clock.now() / 1000)) < expiresAt) {
      throw hubError("LinkNotExpired", { link, expiresAt });
    }
    return this.#deps.forwarding.refund(payment).catch((error: unknown) => {
      throw asBusy(error, sender);
    });
  }
}
