import {
  bytesToHex,
  formatState,
  hubError,
  parseUpdate,
  receiptType,
  formatStruct,
  toWire,
  type Address,
  type Hash,
  type Receipt,
  type Signature,
  type SignedUpdate,
  type WirePayment,
  type WirePurchase,
  type WirePurchaseRequest,
} from "../../protocol";
import { keccakOfText } from "../../protocol/keccak";
import type { Clock } from "../clock";
import type { HubConfig } from "../config";
import type { HubSigner } from "../signer/hub-signer";
import { HUB_ACCOUNT } from "../store/custodial-store";
import type { Transaction } from "../store/database";
import type { PaymentRow, PurchaseRow } from "../store/payment-store";
import type { Store } from "../store/store";
import type { Channel } from "./channel";
import { asBusy, type Channels } from "./channels";
import type { Collateral } from "./collateral";
import { provisional, type Draft } from "./drafts";
import type { Lanes } from "./lanes";
import { planPurchase, requirePaidFor, type PlannedPayment } from "./purchase-plan";
import type { Pushes } from "./pushes";

export interface PurchasesDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly collateral: Collateral;
  readonly lanes: Lanes;
  readonly pushes: Pushes;
  readonly signer: HubSigner;
  readonly clock: Clock;
  readonly config: HubConfig;
}

/** Payments of one purchase that become one update of the hub: same payee, same asset. */
interface Forward {
  readonly payee: Address;
  readonly asset: Address;
  readonly amount: bigint;
  readonly payments: readonly PlannedPayment[];
}

/** What a purchase asks for, and what its payer signed for it. */
interface Wanted {
  readonly planned: readonly PlannedPayment[];
  readonly updates: readonly SignedUpdate[];
}

/** What a purchase becomes once its payer's signature is good. */
interface Outcome {
  readonly drafts: readonly Draft[];
  readonly rows: readonly PaymentRow[];
}

/** The hub's payment path: payer to hub to payee, in one step. Source: docs/protocol.md "Payments through the hub". */
export class Purchases {
  readonly #deps: PurchasesDeps;

  constructor(deps: PurchasesDeps) {
    this.#deps = deps;
  }

  /**
   * Pays. With an id that was used for the same purchase: answers what happened then, and pays nothing again.
   * @throws PurchaseIdTaken, InsufficientCollateral (with what would work; more is on its way), ReceiverBusy,
   * LinkTaken, what planning and `draftOfUser` throw, ChannelBusy.
   */
  async purchase(payer: Address, request: WirePurchaseRequest): Promise<WirePurchase> {
    const requestHash = hashOf(request);
    const known = (): Promise<WirePurchase | undefined> => this.#known(payer, request.id, requestHash);
    let wanted: Wanted;
    try {
      wanted = this.#read(payer, request);
    } catch (error) {
      const done = await known(); // a retry may ask for what is too late by now
      if (done === undefined) throw error;
      return done;
    }
    const payees = wanted.planned.flatMap(({ payee }) => payee ?? []);
    await this.#deps.lanes.precedencePassed(payees);
    return this.#deps.lanes.run([payer, ...payees], async () => {
      return (await known()) ?? this.#pay(payer, { request, requestHash, ...wanted });
    });
  }

  /** A purchase by its id. @throws NotFound */
  async find(payer: Address, id: string): Promise<WirePurchase> {
    const purchase = await this.#deps.store.payments.purchase(payer, id);
    if (purchase === undefined) throw hubError("NotFound", { what: `purchase ${id} of ${payer}` });
    return this.#answer(purchase, await this.#deps.store.payments.paymentsOf(payer, id));
  }

  #read(payer: Address, request: WirePurchaseRequest): Wanted {
    const planned = planPurchase(request, this.#planContext(payer));
    const updates = request.updates.map((update, i) => parseUpdate(update, `updates.${i}`));
    requirePaidFor(planned, updates);
    return { planned, updates };
  }

  async #known(payer: Address, id: string, requestHash: Hash): Promise<WirePurchase | undefined> {
    const purchase = await this.#deps.store.payments.purchase(payer, id);
    if (purchase === undefined) return undefined;
    if (purchase.requestHash !== requestHash) throw hubError("PurchaseIdTaken", { id });
    const { channels, store } = this.#deps;
    return this.#answer(purchase, await store.payments.paymentsOf(payer, id), await channels.load(payer));
  }

  async #pay(
    payer: Address,
    {
      request,
      requestHash,
      planned,
      updates,
    }: Wanted & { readonly request: WirePurchaseRequest; readonly requestHash: Hash },
  ): Promise<WirePurchase> {
    const { channels, clock, store } = this.#deps;
    const channel = await channels.load(payer);
    const ofPayer = await channels.draftOfUser(channel, updates);
    const purchase: PurchaseRow = {
      payer,
      id: request.id,
      requestHash,
      createdAtMs: clock.now(),
      ...(request.meta === undefined ? {} : { meta: request.meta }),
    };
    await this.#requireLinksFree(planned);
    const { drafts, rows } = await this.#outcome(purchase, planned, channel.session);
    const book = await this.#custodial(rows);
    const committed = await channels
      .commit([ofPayer, ...drafts], (tx) => {
        store.payments.insertPurchase(tx, purchase);
        for (const row of rows) store.payments.insertPayment(tx, row);
        book(tx);
        this.#keepPushes(tx, rows);
      })
      .catch((error: unknown) => {
        throw asBusy(error, payer);
      });
    this.#deps.lanes.endPrecedence(payer);
    for (const { payee } of rows) if (payee !== undefined) this.#deps.pushes.flush(payee);
    return this.#answer(purchase, rows, committed.get(payer));
  }

  async #outcome(purchase: PurchaseRow, planned: readonly PlannedPayment[], payerSession: bigint): Promise<Outcome> {
    const drafts: Draft[] = [];
    const nonces = new Map<PlannedPayment, bigint>();
    const provisionals = new Map<Address, Channel>();
    for (const forward of groupForwards(planned)) {
      const payee = provisionals.get(forward.payee) ?? (await this.#deps.channels.load(forward.payee));
      const draft = await this.#forward(payee, forward);
      if (draft === undefined) continue; // it waits for collateral
      provisionals.set(forward.payee, provisional(draft, payee));
      drafts.push(draft);
      for (const payment of forward.payments) nonces.set(payment, draft.state.nonce);
    }
    const rows = planned.map((payment) => this.#rowOf(purchase, payment, payerSession, nonces.get(payment)));
    return { drafts, rows };
  }

  /** @returns Nothing if the payment may wait and has to. @throws InsufficientCollateral, ReceiverBusy */
  async #forward(payee: Channel, { asset, amount, payments }: Forward): Promise<Draft | undefined> {
    const { channels } = this.#deps;
    const mayWait = payments.every(({ type }) => type === "PT_OPTIMISTIC");
    const available = await channels.available(payee, asset);
    if (available >= amount) {
      const ids = payments.map(({ paymentId }) => paymentId);
      try {
        return channels.draftOfHub(payee, "Payment", { recipient: "user", asset, amount, payments: ids });
      } catch (error) {
        if (mayWait) return undefined;
        throw error;
      }
    }
    await this.#wantCollateral(payee.user, asset, amount);
    if (mayWait) return undefined;
    throw hubError("InsufficientCollateral", { asset, available, needed: amount, payee: payee.user });
  }

  /** The payment is signed and funded, so the hub puts money where it is wanted; its limits are no fault of the payer. */
  async #wantCollateral(payee: Address, asset: Address, amount: bigint): Promise<void> {
    try {
      await this.#deps.collateral.want(payee, asset, amount, "payment");
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "CollateralLimit") throw error;
    }
  }

  async #requireLinksFree(planned: readonly PlannedPayment[]): Promise<void> {
    for (const { link } of planned) {
      if (link === undefined || (await this.#deps.store.payments.byLink(link)) === undefined) continue;
      throw hubError("LinkTaken", { link });
    }
  }

  #rowOf(purchase: PurchaseRow, planned: PlannedPayment, payerSession: bigint, payeeNonce?: bigint): PaymentRow {
    const { payer, id: purchaseId, createdAtMs } = purchase;
    const status =
      planned.type === "PT_LINK"
        ? "open"
        : planned.type === "PT_CUSTODIAL"
          ? "custodial"
          : payeeNonce === undefined
            ? "waiting"
            : "forwarded";
    const row: PaymentRow = { ...planned, payer, purchaseId, createdAtMs, payerSession, status };
    if (status !== "forwarded" && status !== "custodial") return row;
    return { ...row, ...signedReceipt(this.#deps.signer, row, payeeNonce ?? 0n) };
  }

  /** Custodial balances under the lanes that are held, so what is read now is true at the commit. */
  async #custodial(rows: readonly PaymentRow[]): Promise<(tx: Transaction) => void> {
    const { store } = this.#deps;
    const books: ((tx: Transaction) => void)[] = [];
    const balances = new Map<string, bigint>();
    for (const { status, payee, asset, amount, paymentId, createdAtMs } of rows) {
      if (status !== "custodial" || payee === undefined) continue;
      const key = `${payee}${asset}`;
      const balance = balances.get(key) ?? (await store.custodial.balance(payee, asset));
      balances.set(key, balance + amount);
      const entry = {
        asset,
        debit: HUB_ACCOUNT,
        credit: payee,
        amount,
        kind: "payment",
        reference: paymentId,
        createdAtMs,
      } as const;
      books.push((tx) => store.custodial.book(tx, entry, balance));
    }
    return (tx) => {
      for (const book of books) book(tx);
    };
  }

  #keepPushes(tx: Transaction, rows: readonly PaymentRow[]): void {
    for (const row of rows) {
      if (row.payee === undefined || row.status === "waiting") continue;
      if (this.#deps.pushes.isConnected(row.payee)) {
        this.#deps.pushes.keep(tx, row.payee, { kind: "payment", payment: wirePayment(row) });
      }
    }
  }

  #answer(purchase: PurchaseRow, rows: readonly PaymentRow[], payer?: Channel): WirePurchase {
    const { id, meta } = purchase;
    const doubleSigned = payer?.doubleSigned;
    return {
      id,
      ...(meta === undefined ? {} : { meta }),
      payments: rows.map(wirePayment),
      ...(doubleSigned === undefined
        ? {}
        : { doubleSigned: { ...doubleSigned, state: formatState(doubleSigned.state) } }),
    };
  }

  #planContext(payer: Address): Parameters<typeof planPurchase>[1] {
    const { config, signer, clock } = this.#deps;
    return {
      assets: new Map(config.assets.map((asset) => [asset.asset, asset])),
      payer,
      outsiders: [signer.address, config.channelManager],
      nowSeconds: BigInt(Math.floor(clock.now() / 1000)),
      optimisticSeconds: BigInt(config.optimisticSeconds),
      linkSeconds: BigInt(config.linkSeconds),
    };
  }
}

/** A payment as the wire shows it. */
export function wirePayment(row: PaymentRow): WirePayment {
  const { paymentId, purchaseId, type, status, payer, payee, link, asset, expiresAt, createdAtMs, meta } = row;
  return {
    ...{ paymentId, purchaseId, type, status, payer, asset, createdAtMs, amount: row.amount.toString() },
    ...(payee === undefined ? {} : { payee }),
    ...(link === undefined ? {} : { link }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toString() }),
    ...(meta === undefined ? {} : { meta: { ...meta } }),
    ...(row.receipt === undefined ? {} : { receipt: formatStruct(receiptType, row.receipt) }),
    ...(row.sigReceipt === undefined ? {} : { sigReceipt: row.sigReceipt }),
  };
}

/** The hub's proof for the payer. @param payeeNonce 0 where it went to a custodial balance. */
export function signedReceipt(
  signer: HubSigner,
  { purchaseId, paymentId, payer, payee, asset, amount }: PaymentRow,
  payeeNonce: bigint,
): { readonly receipt: Receipt; readonly sigReceipt: Signature } {
  if (payee === undefined) throw new Error("a receipt names a payee");
  const receipt = { purchaseId, paymentId, payer, payee, asset, amount, payeeNonce };
  return { receipt, sigReceipt: signer.signReceipt(receipt) };
}

function groupForwards(planned: readonly PlannedPayment[]): readonly Forward[] {
  const groups = new Map<string, Forward>();
  for (const payment of planned) {
    const { type, payee, asset, amount } = payment;
    if (payee === undefined || type === "PT_CUSTODIAL") continue;
    const key = `${payee}${asset}${type}`;
    const group = groups.get(key) ?? { payee, asset, amount: 0n, payments: [] };
    groups.set(key, { ...group, amount: group.amount + amount, payments: [...group.payments, payment] });
  }
  return [...groups.values()];
}

/** What a purchase is, without its signatures: a retry may carry others. */
function hashOf({ id, meta, payments }: WirePurchaseRequest): Hash {
  return bytesToHex(keccakOfText(JSON.stringify(sorted(toWire({ id, meta: meta ?? {}, payments })))));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
