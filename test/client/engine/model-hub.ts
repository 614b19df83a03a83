import {
  check,
  formatUpdate,
  hashState,
  hubError,
  next,
  parseUpdate,
  protocolError,
  unsignedState,
  type ArgsByReason,
  type ChannelState,
  type InputOf,
  type OperationName,
  type OutputOf,
  type SignedUpdate,
  type WirePurchase,
  type WireSync,
} from "../../../protocol";
import { CodedError } from "../../../protocol/coded-error";
import { parseDoubleSigned } from "../../../client/engine/reconcile";
import type { DoubleSigned } from "../../../client/engine/record";
import { clientError } from "../../../client/errors";
import { contextOf, hubStep, signHub, syncOf, USER } from "./scene";

/** What becomes of one message: it arrives; it is lost on the way there; its answer is lost. */
export type Fate = "arrives" | "lost" | "unanswered";

/** A hub of one user, in memory, by the rules of the protocol. Its tests are those of the real one (test/e2e). */
export class ModelHub {
  base: DoubleSigned | undefined;
  pending: SignedUpdate[] = [];
  floor = 0n;
  context = contextOf();
  /** Refuses purchases with this. */
  refusal: CodedError | undefined;
  /** What becomes of the next messages. */
  fates: Fate[] = [];
  /** Runs before the next update or purchase is looked at: the hub was faster. */
  readonly faster: (() => void)[] = [];
  readonly heard: { readonly name: OperationName; readonly text: string }[] = [];
  /** Every state that it was sent with a signature of the user, by nonce. */
  readonly signedByUser = new Map<bigint, Set<string>>();
  readonly purchases = new Map<string, WirePurchase>();
  onHear: (name: OperationName) => Promise<void> = () => Promise.resolve();

  get newest(): ChannelState {
    return this.pending.reduce(next, this.start);
  }

  get start(): ChannelState {
    return this.base?.state ?? unsignedState(USER, 0n, []);
  }

  get sync(): WireSync {
    return { ...syncOf(this.base, this.pending), nonceFloor: this.floor.toString() };
  }

  /** Signs first. */
  signs<Name extends "Payment" | "Deposit" | "Withdrawal">(reason: Name, args: ArgsByReason[Name]): void {
    const { update } = hubStep(this.newest, reason, args, this.#highest() + 1n);
    this.floor = update.nonce;
    this.pending.push(update);
  }

  readonly call = async <Name extends OperationName>(name: Name, input: InputOf<Name>): Promise<OutputOf<Name>> => {
    const fate = this.fates.shift() ?? "arrives";
    await this.onHear(name);
    this.heard.push({ name, text: JSON.stringify(input) });
    if (fate === "lost") throw clientError("AnswerUnknown", { operation: name, reason: "lost on its way" });
    const answer = this.#answer(name, input as never);
    if (fate === "unanswered") throw clientError("AnswerUnknown", { operation: name, reason: "its answer was lost" });
    if (answer instanceof Error) throw answer;
    return answer as OutputOf<Name>;
  };

  #answer(
    name: OperationName,
    { params, body }: { readonly params: { readonly id: string }; readonly body: never },
  ): unknown {
    try {
      if (name === "sync") return this.sync;
      if (name === "getPurchase") return this.purchases.get(params.id) ?? hubError("NotFound", { what: "it" });
      if (name === "update") return this.#update(body);
      if (name === "purchase") return this.#purchase(body);
      return hubError("RouteUnknown", { route: name });
    } catch (error) {
      return error;
    }
  }

  #update({ updates, doubleSigned }: InputOf<"update">["body"]): WireSync {
    if (doubleSigned !== undefined) this.#adopt(parseDoubleSigned(doubleSigned));
    if (updates.length === 0) return this.sync;
    this.#take(updates.map((update) => parseUpdate(update)));
    return this.sync;
  }

  #purchase({ id, meta, updates }: InputOf<"purchase">["body"]): WirePurchase {
    const known = this.purchases.get(id);
    if (known !== undefined) return { ...known, ...doubleSignedOf(this.sync) };
    const parsed = updates.map((update) => parseUpdate(update));
    this.#remember(parsed);
    if (this.refusal !== undefined) throw this.refusal;
    this.#take(parsed);
    const purchase = { id, ...(meta === undefined ? {} : { meta }), payments: [] };
    this.purchases.set(id, purchase);
    return { ...purchase, ...doubleSignedOf(this.sync) };
  }

  #take(updates: readonly SignedUpdate[]): void {
    this.#remember(updates);
    this.faster.shift()?.();
    const [only] = updates;
    const last = this.pending.at(-1);
    if (only !== undefined && last?.nonce === only.nonce && last.previous === only.previous) {
      this.base = { state: this.newest, sigHub: last.sigHub ?? "0x", sigUser: only.sigUser ?? "0x" };
      this.pending = [];
      return;
    }
    if (updates.at(-1)?.nonce === this.base?.state.nonce && updates.at(-1)?.sigUser === this.base?.sigUser) return;
    let state = this.newest;
    for (const update of updates) {
      const error = check(state, update, { ...this.context, author: "user", nonceFloor: this.#highest() });
      if (error?.code === "OutOfSync" || error?.code === "NonceTooLow") throw this.outOfSync(error);
      if (error) throw error;
      state = next(state, update);
    }
    this.#adopt({ state, sigHub: signHub(state), sigUser: updates.at(-1)?.sigUser ?? "0x" });
  }

  outOfSync(error: CodedError = protocolError("NonceTooLow", { floor: 0n, given: 0n })): CodedError {
    return new CodedError(error.code, error.message, { sync: this.sync });
  }

  #adopt(signed: DoubleSigned): void {
    if (signed.state.nonce <= this.newest.nonce) return;
    this.base = signed;
    this.pending = [];
    this.floor = signed.state.nonce;
  }

  #remember(updates: readonly SignedUpdate[]): void {
    for (const update of updates) {
      const hashes = this.signedByUser.get(update.nonce) ?? new Set();
      this.signedByUser.set(update.nonce, hashes.add(stateKey(update)));
    }
  }

  #highest(): bigint {
    return this.floor > this.newest.nonce ? this.floor : this.newest.nonce;
  }
}

/** The signature is deterministic, so it stands for the state. */
function stateKey({ sigUser, ...update }: SignedUpdate): string {
  return sigUser ?? JSON.stringify(formatUpdate(update));
}

function doubleSignedOf({ doubleSigned }: WireSync): Pick<WirePurchase, "doubleSigned"> {
  return doubleSigned === undefined ? {} : { doubleSigned };
}

export function sameState(a: ChannelState, b: ChannelState): boolean {
  return hashState(a) === hashState(b);
}
