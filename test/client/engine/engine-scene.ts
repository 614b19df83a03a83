import { ZERO_ADDRESS, type Ledgers } from "../../../protocol";
import type { CodedError } from "../../../protocol/coded-error";
import type { ClientView } from "../../../client/chain";
import { Engine, NO_THREADS, type EngineDeps, type Step } from "../../../client/engine/engine";
import { Events } from "../../../client/engine/events";
import { memoryStore } from "../../../client/memory-store";
import { openSigner } from "../../../client/signer";
import { ModelHub } from "./model-hub";
import { both, DEVICE, DOMAIN, funded, HUB, LEDGER, NOW_SECONDS, PAYMENT_ID, TOKEN, USER_KEY } from "./scene";

export interface EngineScene {
  readonly hub: ModelHub;
  readonly entries: Map<string, string>;
  readonly incidents: CodedError[];
  view: ClientView;
  nowMs: number;
  open(overrides?: Partial<EngineDeps>): Promise<Engine>;
}

/** A hub in memory, a chain that stands still, a clock that only waiting moves. */
export function engineScene(hub = new ModelHub()): EngineScene {
  const incidents: CodedError[] = [];
  const entries = new Map<string, string>();
  hub.base ??= both(funded());
  hub.floor = hub.newest.nonce;
  const ledgers: Ledgers = new Map([[ZERO_ADDRESS, LEDGER]]);
  const scene: EngineScene = {
    ...{ hub, entries, incidents, nowMs: Number(NOW_SECONDS) * 1000 },
    view: { session: 0n, ledgers, headNumber: 1, headTimestamp: Number(NOW_SECONDS) },
    open: async (overrides = {}) => {
      const events = new Events(() => undefined);
      events.on("incident", (incident) => incidents.push(incident));
      const signer = await openSigner({ privateKey: USER_KEY });
      return Engine.open({
        ...{ store: memoryStore(entries), signer, hubAddress: HUB, domain: DOMAIN, hub, events },
        assets: new Set([ZERO_ADDRESS, TOKEN]),
        chain: { view: () => Promise.resolve(scene.view) },
        threads: NO_THREADS,
        challengePeriodSeconds: 86_400,
        now: () => scene.nowMs,
        random: () => (Number(DEVICE) + 0.5) / 65_536,
        sleep: (ms) => {
          scene.nowMs += ms;
          return Promise.resolve();
        },
        log: () => undefined,
        patienceMs: 1_000,
        ...overrides,
      });
    },
  };
  return scene;
}

export function paymentOf(amount: bigint): Step {
  return {
    reason: "Payment",
    args: { recipient: "hub", asset: ZERO_ADDRESS, amount, payments: [PAYMENT_ID] },
  };
}

export function requestOf(id: string): Parameters<Engine["purchase"]>[0] {
  return { id, payments: [] };
}
