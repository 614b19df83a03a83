import { createHash } from "node:crypto";
import {
  bytesToHex,
  hubError,
  isProtocolError,
  parseSignIn,
  personalDigest,
  recoverAddress,
  type Address,
  type Hash,
  type Signature,
  type SignInMessage,
} from "../../protocol";
import type { Clock } from "../clock";
import { ConflictError } from "../store/database";
import type { Session } from "../store/session-store";
import type { Store } from "../store/store";
import { challengeNonces, type ChallengeNonces } from "./challenge-nonces";

export interface SessionsDeps {
  readonly store: Pick<Store, "database" | "sessions">;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly chainId: number;
  /** What messages must name. */
  readonly domain: () => string;
}

const CHALLENGE_MS = 5 * 60_000;
const SESSION_MS = 24 * 3_600_000;

/** Clocks of users differ from this one. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** Sessions in memory at a time; the rest is on disk. */
const CACHED_SESSIONS = 10_000;

/** Signing in: an EIP-4361 message over a nonce of the hub's. Attempts do not know of each other (H-5). */
export class Sessions {
  readonly #deps: SessionsDeps;
  readonly #nonces: ChallengeNonces;
  readonly #cache = new Map<Hash, Session>();

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
    this.#nonces = challengeNonces(deps.randomBytes);
  }

  /** Anybody may ask for any address: it changes nothing for anybody else. */
  challenge(
    address: Address,
  ): Promise<{ readonly nonce: string; readonly domain: string; readonly expiresAtMs: number }> {
    const expiresAtMs = this.#deps.clock.now() + CHALLENGE_MS;
    const nonce = this.#nonces.make(address, expiresAtMs);
    return Promise.resolve({ nonce, domain: this.#deps.domain(), expiresAtMs });
  }

  /**
   * Signs in. What fails uses nothing up: whoever has seen a nonce cannot spoil it for its owner.
   * @throws MessageRefused, ChallengeUnknown
   */
  async answer(
    text: string,
    signature: Signature,
  ): Promise<{ readonly token: string; readonly address: Address; readonly expiresAtMs: number }> {
    const { store, clock, randomBytes } = this.#deps;
    const { address, nonce } = this.#accept(text, signature);
    const nonceExpiresAtMs = this.#nonces.expiryOf(nonce, address) ?? 0;
    if (nonceExpiresAtMs <= clock.now()) throw hubError("ChallengeUnknown", {});
    const token = bytesToHex(randomBytes(32)).slice(2);
    const session = { tokenHash: hashOf(token), address, expiresAtMs: clock.now() + SESSION_MS };
    await store.database
      .write((tx) => {
        store.sessions.useNonce(tx, nonce, nonceExpiresAtMs);
        store.sessions.insert(tx, session);
      })
      .catch((error: unknown) => {
        throw error instanceof ConflictError ? hubError("ChallengeUnknown", {}, error) : error;
      });
    return { token, address, expiresAtMs: session.expiresAtMs };
  }

  /** Who a token is signed in as. */
  async find(token: string): Promise<Session | undefined> {
    const tokenHash = hashOf(token);
    const session = this.#cache.get(tokenHash) ?? (await this.#load(tokenHash));
    return session !== undefined && session.expiresAtMs > this.#deps.clock.now() ? session : undefined;
  }

  /** Ends the session of this token and no other. */
  async signOut(token: string): Promise<void> {
    const { store } = this.#deps;
    const tokenHash = hashOf(token);
    await store.database.write((tx) => store.sessions.remove(tx, tokenHash));
    this.#cache.delete(tokenHash);
  }

  async #load(tokenHash: Hash): Promise<Session | undefined> {
    const session = await this.#deps.store.sessions.find(tokenHash);
    if (session === undefined) return undefined;
    const oldest = this.#cache.size >= CACHED_SESSIONS ? this.#cache.keys().next().value : undefined;
    if (oldest !== undefined) this.#cache.delete(oldest);
    this.#cache.set(tokenHash, session);
    return session;
  }

  #accept(text: string, signature: Signature): SignInMessage {
    try {
      const message = parseSignIn(text);
      const reason = this.#reasonAgainst(message);
      if (reason !== undefined) throw hubError("MessageRefused", { reason });
      if (recoverAddress(personalDigest(text), signature) === message.address) return message;
      throw hubError("MessageRefused", { reason: "another key signed it" });
    } catch (error) {
      if (isProtocolError(error)) throw hubError("MessageRefused", { reason: error.message }, error);
      throw error;
    }
  }

  #reasonAgainst({ domain, uri, chainId, issuedAt, expirationTime }: SignInMessage): string | undefined {
    const { clock } = this.#deps;
    const own = this.#deps.domain();
    if (!isSameHost(domain, own)) return `it is for ${domain}, and this is ${own}`;
    if (hostOf(uri) !== domain) return "its URI is of another host";
    if (chainId !== this.#deps.chainId) return `it is for chain ${chainId}, and this hub is on ${this.#deps.chainId}`;
    const [from, until] = [Date.parse(issuedAt), Date.parse(expirationTime)];
    const here = `here it is ${new Date(clock.now()).toISOString()}`;
    if (!(from <= clock.now() + CLOCK_TOLERANCE_MS)) return `it was issued in the future; ${here}`;
    if (from < clock.now() - CHALLENGE_MS - CLOCK_TOLERANCE_MS) return `it was issued too long ago; ${here}`;
    if (!(until > clock.now())) return `it has expired; ${here}`;
    return undefined;
  }
}

function hostOf(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { protocol, host, username } = new URL(uri);
  return /^https?:$/.test(protocol) && username === "" ? host : undefined;
}

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?=:|$)/;

/** The names of one's own machine are one name: a hub on 127.0.0.1 is opened as localhost as well. */
function isSameHost(a: string, b: string): boolean {
  return a.replace(LOOPBACK, "localhost") === b.replace(LOOPBACK, "localhost");
}

/** Tokens are random, so a plain hash is enough to keep them out of the database. */
function hashOf(token: string): Hash {
  return `0x${createHash("sha256").update(token).digest("hex")}`;
}
