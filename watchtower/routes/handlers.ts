import {
  parseAddress,
  parseUint,
  UINT64_MAX,
  type Address,
  type Signature,
  type WatchtowerOperationName,
  type WatchtowerOutput,
  type WireGuardRequest,
} from "../../protocol";
import { getBackup, putBackup, type BackupDeps } from "../backups";
import type { WatchtowerConfig } from "../config";
import { currentReceipts, guard, type RegistrationDeps } from "../guard/registrations";

/** Parts of a request that its schemas have accepted. */
export interface Input {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
}

export type TowerHandlers = {
  readonly [Name in WatchtowerOperationName]: (
    input: Input,
  ) => Promise<WatchtowerOutput<Name>> | WatchtowerOutput<Name>;
};

export interface HandlerDeps extends RegistrationDeps, BackupDeps {
  readonly config: WatchtowerConfig;
}

export function towerHandlers(deps: HandlerDeps): TowerHandlers {
  return {
    getConfig: () => configOf(deps),
    guard: ({ body }) => guard(deps, body as WireGuardRequest),
    getStatus: ({ params }) => statusOf(deps, userOf(params)),
    putBackup: ({ params, body }) => {
      const { version, blob, signature } = body as { version: string; blob: string; signature: string };
      const backup = { user: userOf(params), version: parseUint(version, UINT64_MAX, "body.version"), blob };
      putBackup(deps, backup, signature.toLowerCase() as Signature);
      return { version };
    },
    getBackup: ({ params, query }) => {
      const { at, signature } = query as { at: string; signature: string };
      const order = [parseUint(at, UINT64_MAX, "query.at"), signature.toLowerCase() as Signature] as const;
      const backup = getBackup(deps, userOf(params), ...order);
      return backup === undefined ? {} : { backup: { version: backup.version.toString(), blob: backup.blob } };
    },
  };
}

function configOf({ config, hub, signer, fee }: HandlerDeps): WatchtowerOutput<"getConfig"> {
  const { chainId, channelManager } = config;
  const base = { chainId, channelManager, hub, tower: signer.tower };
  return fee === undefined ? base : { ...base, fee: { ...fee, amount: fee.amount.toString() } };
}

function statusOf(deps: HandlerDeps, user: Address): WatchtowerOutput<"getStatus"> {
  const { store } = deps;
  const watched = store.watched(user);
  const paidUntil = watched?.paidUntil;
  return {
    ...{ user, isActive: watched?.isActive === true },
    ...(store.channel(user) === undefined ? {} : { guarded: currentReceipts(deps, user) }),
    ...(paidUntil === undefined ? {} : { paidUntil: Number(paidUntil) }),
    alarms: store.alarms(user, 20).map(({ at, text }) => ({ at: Number(at), text })),
  };
}

function userOf(params: unknown): Address {
  return parseAddress((params as { readonly user?: unknown }).user, "params.user");
}
