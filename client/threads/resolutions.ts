import {
  hashAppState,
  hashlockOf,
  protocolError,
  resolvedBalance,
  ZERO_ADDRESS,
  ZERO_HASH,
  type Hash,
  type Hex,
  type PureApps,
  type ThreadResolution,
} from "../../protocol";
import { clientError } from "../errors";
import { peerOf, provenOf, standingOf, threadEvidenceOf, type OwnThread } from "./own-thread";
import type { ThreadParts } from "./streaming";
import type { ThreadChain } from "./thread-chain";

export interface ResolutionDeps extends ThreadParts {
  readonly apps: PureApps;
  readonly chain: Pick<ThreadChain, "askApp">;
}

/** What apps say of threads: computed here for the prebuilt ones, asked of the chain for all others. */
export class Resolutions {
  readonly #deps: ResolutionDeps;

  constructor(deps: ResolutionDeps) {
    this.#deps = deps;
  }

  /**
   * Shows the app of a thread what decides it, off chain, and hands it to the other party.
   * @param appState Default: the one that is known here.
   * @returns What the receiver gets by it.
   * @throws ThreadUnknown, ThreadHasNoApp, AppStateUnknown, AppStateMismatch, AppFailed
   */
  async resolve(hash: Hash, resolver: Hex, appState?: Hex): Promise<bigint> {
    const { book, outbox, signer, turns } = this.#deps;
    return turns.take(hash, async () => {
      const own = book.get(hash);
      const { app } = own.thread;
      if (app === ZERO_ADDRESS) throw protocolError("ThreadHasNoApp", { threadHash: hash });
      const state = appState ?? this.#appStateOf(own, resolver);
      const resolution = { appState: state, resolver, nonce: standingOf(own).nonce };
      const outcome = await this.#outcomeOf(own, resolution);
      if (outcome === undefined) throw protocolError("AppFailed", { app });
      await this.#keep(own, resolution, outcome);
      const evidence = own.update === undefined ? {} : { update: own.update };
      await outbox.deliver(peerOf(own, signer.address), { threadHash: hash, ...evidence, resolution });
      return outcome;
    });
  }

  /** Takes what the other party, the hub or the chain has shown the app. What the app refuses is no news. */
  receive(hash: Hash, resolution: ThreadResolution): Promise<void> {
    const { book, turns } = this.#deps;
    return turns.take(hash, async () => {
      const own = book.get(hash);
      const { nonce, appStateHash } = standingOf(own);
      if (resolution.nonce !== nonce || hashAppState(resolution.appState) !== appStateHash) return;
      const outcome = await this.#outcomeOf(own, resolution);
      if (outcome === undefined || !isBetter(own, outcome)) return;
      await this.#keep(own, resolution, outcome);
    });
  }

  async #keep(own: OwnThread, resolution: ThreadResolution, resolved: bigint): Promise<void> {
    const { book, events } = this.#deps;
    if (own.resolution !== undefined && !isBetter(own, resolved)) return;
    const { appState } = resolution;
    const appStates = { ...own.appStates, [hashAppState(appState)]: appState };
    await book.note(own.hash, { resolution, resolved, appStates });
    events.emit("thread", book.get(own.hash));
  }

  async #outcomeOf(own: OwnThread, resolution: ThreadResolution): Promise<bigint | undefined> {
    const { apps, domain, chain } = this.#deps;
    const { thread } = own;
    const evidence = threadEvidenceOf(own);
    if (evidence === undefined) return undefined;
    const [expected, given] = [standingOf(own).appStateHash, hashAppState(resolution.appState)];
    if (expected !== given) throw protocolError("AppStateMismatch", { expected, given });
    const isPure = thread.app === apps.hashlock || thread.app === apps.signed;
    if (!isPure) return chain.askApp(thread, resolution);
    return resolvedBalance({ ...evidence, resolution }, apps, domain);
  }

  /** A preimage says itself what it is the preimage of. */
  #appStateOf(own: OwnThread, resolver: Hex): Hex {
    const { appStateHash } = standingOf(own);
    const known = own.appStates[appStateHash];
    if (known !== undefined) return known;
    if (own.thread.app === this.#deps.apps.hashlock) return hashlockOf(resolver);
    throw clientError("AppStateUnknown", { threadHash: own.hash, appStateHash });
  }
}

/** Of an updatable thread the first answer stands; of another one only a higher one counts. */
function isBetter(own: OwnThread, outcome: bigint): boolean {
  if (standingOf(own).appStateHash === ZERO_HASH) return false;
  if (own.thread.updatable) return own.resolution === undefined;
  return outcome > provenOf(own);
}
