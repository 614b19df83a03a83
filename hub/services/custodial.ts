import {
  bytesToHex,
  hubError,
  paymentIdOf,
  protocolError,
  ZERO_ADDRESS,
  type Address,
  type Hash,
} from "../../protocol";
import { Interface } from "ethers";
import type { Clock } from "../clock";
import { HUB_ACCOUNT, type CustodialWithdrawal } from "../store/custodial-store";
import type { Transaction } from "../store/database";
import type { Store } from "../store/store";
import { asBusy, type Channels } from "./channels";
import type { Collateral } from "./collateral";
import { ignoreLimits } from "./forwarding";
import type { Lanes } from "./lanes";
import type { Outgoing } from "./outgoing";

export interface CustodialDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly collateral: Collateral;
  readonly lanes: Lanes;
  readonly outgoing: Outgoing;
  readonly clock: Clock;
  readonly assets: ReadonlySet<Address>;
  /** The hub and the contract: they have no use for a payout. */
  readonly outsiders: readonly Address[];
}

export interface CustodialRequest {
  readonly id: string;
  readonly asset: Address;
  readonly amount: bigint;
  readonly to: Address | "channel";
}

const TOKEN = new Interface(["function transfer(address to, uint256 amount) returns (bool)"]);

/** What the hub owes users outside of their channels. Double entry; a balance is never negative. */
export class Custodial {
  readonly #deps: CustodialDeps;

  constructor(deps: CustodialDeps) {
    this.#deps = deps;
  }

  /**
   * Pays out of a custodial balance: into the user's channel at once, or on chain with the hub's wallet. Idempotent by id.
   * @throws AssetUnknown, CustodialBalanceTooLow, InsufficientCollateral, InvalidRecipient, PurchaseIdTaken
   */
  async withdraw(user: Address, request: CustodialRequest): Promise<CustodialWithdrawal> {
    const { assets, outsiders, lanes } = this.#deps;
    const { asset, to, amount } = request;
    if (!assets.has(asset)) throw hubError("AssetUnknown", { asset });
    if (amount === 0n) throw protocolError("ZeroAmount", {});
    if (to !== "channel" && (to === ZERO_ADDRESS || outsiders.includes(to))) {
      throw protocolError("InvalidRecipient", { recipient: to });
    }
    return lanes.run([user], async () => (await this.#known(user, request)) ?? this.#withdraw(user, request));
  }

  /** Books what became of a payout on chain. A failed one goes back to the balance. */
  async end(
    user: Address,
    id: string,
    outcome: { readonly transactionHash?: Hash; readonly failed: boolean },
  ): Promise<void> {
    const { store, lanes, clock } = this.#deps;
    await lanes.run([user], async () => {
      const withdrawal = await store.custodial.withdrawal(user, id);
      if (withdrawal?.status !== "pending") return;
      const { asset, amount } = withdrawal;
      const balance = await store.custodial.balance(user, asset);
      await store.database.write((tx) => {
        store.custodial.endWithdrawal(tx, user, id, outcome.failed ? "failed" : "done", outcome.transactionHash);
        if (!outcome.failed) return;
        const reference = referenceOf(user, id);
        const entry = { asset, debit: HUB_ACCOUNT, credit: user, amount, kind: "returned", reference } as const;
        store.custodial.book(tx, { ...entry, createdAtMs: clock.now() }, balance);
      });
    });
  }

  /** The same id again: the same withdrawal, or a mistake. @throws PurchaseIdTaken */
  async #known(user: Address, { id, asset, amount, to }: CustodialRequest): Promise<CustodialWithdrawal | undefined> {
    const known = await this.#deps.store.custodial.withdrawal(user, id);
    if (known === undefined) return undefined;
    if (known.asset === asset && known.amount === amount && known.to === to) return known;
    throw hubError("PurchaseIdTaken", { id });
  }

  async #withdraw(user: Address, request: CustodialRequest): Promise<CustodialWithdrawal> {
    const { store, clock, channels, outgoing } = this.#deps;
    const { id, asset, amount, to } = request;
    const balance = await store.custodial.balance(user, asset);
    if (balance < amount) throw hubError("CustodialBalanceTooLow", { asset, balance, needed: amount });
    const createdAtMs = clock.now();
    const status = to === "channel" ? "done" : "pending";
    const withdrawal: CustodialWithdrawal = { user, id, asset, amount, to, status, createdAtMs };
    const book = (tx: Transaction): void => {
      const entry = { asset, debit: user, credit: HUB_ACCOUNT, amount, kind: "withdrawal" } as const;
      store.custodial.book(tx, { ...entry, reference: referenceOf(user, id), createdAtMs }, balance);
      store.custodial.insertWithdrawal(tx, withdrawal);
      if (to !== "channel") outgoing.enqueue(tx, payoutOf(withdrawal, to));
    };
    const drafts = to === "channel" ? [await this.#draft(withdrawal)] : [];
    await channels.commit(drafts, book).catch((error: unknown) => {
      throw asBusy(error, user);
    });
    if (to !== "channel") outgoing.wake();
    return withdrawal;
  }

  async #draft({ user, id, asset, amount }: CustodialWithdrawal): Promise<ReturnType<Channels["draftOfHub"]>> {
    const { channels, collateral } = this.#deps;
    const channel = await channels.load(user);
    const available = await channels.available(channel, asset);
    if (available < amount) {
      await collateral.want(user, asset, amount, "payment").catch(ignoreLimits);
      throw hubError("InsufficientCollateral", { asset, available, needed: amount, payee: user });
    }
    const payments = [paymentIdOf(user, `custodial:${id}`, 0)];
    return channels.draftOfHub(channel, "Payment", { recipient: "user", asset, amount, payments });
  }
}

/** The sender's id of a payout: `custodial:<user>:<id>`. */
function payoutIdOf(user: Address, id: string): string {
  return `custodial:${user}:${id}`;
}

function referenceOf(user: Address, id: string): string {
  return `${user}:${id}`;
}

function payoutOf({ user, id, asset, amount }: CustodialWithdrawal, to: Address): Parameters<Outgoing["enqueue"]>[1] {
  const base = { id: payoutIdOf(user, id), kind: "normal" } as const;
  if (asset === ZERO_ADDRESS) return { ...base, to, data: bytesToHex(new Uint8Array()), valueWei: amount };
  return { ...base, to: asset, data: TOKEN.encodeFunctionData("transfer", [to, amount]), valueWei: 0n };
}
