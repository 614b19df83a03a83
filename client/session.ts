import { formatSignIn, OPERATIONS, validate, type OperationName, type OutputOf } from "../protocol";
import { clientError, hasCode, messageOf } from "./errors";
import type { ClientSigner } from "./signer";

export interface SessionDeps {
  readonly hubUrl: string;
  readonly signer: ClientSigner;
  readonly chainId: () => number;
  /** Unix ms. */
  readonly now: () => number;
  /** Asks without a session. */
  readonly ask: (name: OperationName, body: object) => Promise<unknown>;
}

/** A token, and when it ends. */
export interface SignedIn {
  readonly token: string;
  /** Unix ms, by the hub's clock. */
  readonly expiresAtMs: number;
}

const SIGN_IN_MS = 5 * 60_000;

/** This user's session with the hub: signed in when first needed, once for all who wait. The token is in memory alone. */
export class Session {
  readonly #deps: SessionDeps;
  #current: Promise<SignedIn> | undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  /** @throws HubUnreachable where sign-in has no answer: what was to be asked was not; SignatureRefused */
  async signedIn(): Promise<SignedIn> {
    const current = (this.#current ??= this.#signIn());
    try {
      return await current;
    } catch (error) {
      if (this.#current === current) this.#current = undefined;
      if (!hasCode(error, "AnswerUnknown")) throw error;
      throw clientError("HubUnreachable", { url: this.#deps.hubUrl, reason: messageOf(error) }, error);
    }
  }

  /** The hub does not know this token any more; a newer one stays. */
  async forget(token: string): Promise<void> {
    const current = this.#current;
    const known = await current?.catch(() => undefined);
    if (known?.token === token && this.#current === current) this.#current = undefined;
  }

  /**
   * The text is built here, for the hub's address as this side knows it; of the hub's there is only a nonce in it. So
   * nothing that a hub could ask to be signed is a state, or a sign-in elsewhere (W-2).
   */
  async #signIn(): Promise<SignedIn> {
    const { signer, hubUrl, now, chainId } = this.#deps;
    const { nonce } = await this.#ask("createChallenge", { address: signer.address });
    const message = formed("createChallenge", () =>
      formatSignIn({
        domain: new URL(hubUrl).host,
        address: signer.address,
        uri: hubUrl,
        chainId: chainId(),
        nonce,
        issuedAt: new Date(now()).toISOString(),
        expirationTime: new Date(now() + SIGN_IN_MS).toISOString(),
      }),
    );
    const signature = await signer.signText(message);
    return this.#ask("answerChallenge", { message, signature });
  }

  async #ask<Name extends "createChallenge" | "answerChallenge">(name: Name, body: object): Promise<OutputOf<Name>> {
    const given = await this.#deps.ask(name, body);
    return formed(name, () => validate(OPERATIONS[name].response, given, name)) as OutputOf<Name>;
  }
}

/** @throws AnswerMalformed where reading the hub's answer fails */
export function formed<Value>(operation: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw clientError("AnswerMalformed", { operation, problem: messageOf(error) }, error);
  }
}
