import type { Address } from "../../protocol";
import type { HubConnection } from "../hub-connection";

/** A sealed backup, as a place keeps it. */
export interface KeptBackup {
  readonly blob: string;
  readonly version: bigint;
}

/** Where a backup can lie. None of them can read it, and none is believed: what it gives is opened and compared. */
export interface BackupPlace {
  /** For messages: `the hub`. */
  readonly name: string;
  /** Most characters that it takes; absent: any number. */
  readonly mostCharacters?: number;
  /** Idempotent. @throws BackupNotNewer and what its way throws */
  put(blob: string, version: bigint): Promise<void>;
  get(): Promise<KeptBackup | undefined>;
  /** The newest nonce of this channel that it has seen, where it sees any. */
  newestNonce?(): Promise<bigint | undefined>;
}

/** Most characters that hub and tower keep. */
const MAX_KEPT = 65_536;

/** A text that somebody else writes to a file, a page's download, or paper. */
export function textPlace(name: string, text?: string): BackupPlace & { readonly text: string | undefined } {
  let kept = text;
  return {
    name,
    get text() {
      return kept;
    },
    put: (blob) => {
      kept = blob;
      return Promise.resolve();
    },
    get: () => Promise.resolve(kept === undefined ? undefined : { blob: kept, version: versionOn(kept) }),
  };
}

/** As written on its outside, 0 if nothing is: what counts is inside. */
function versionOn(blob: string): bigint {
  const version = blob.split(".")[5] ?? "";
  return /^\d{1,20}$/.test(version) ? BigInt(version) : 0n;
}

export function hubPlace(hub: Pick<HubConnection, "call">, user: Address): BackupPlace {
  const params = { user };
  return {
    name: "the hub",
    mostCharacters: MAX_KEPT,
    put: async (blob, version) => {
      await hub.call("putBackup", { params, body: { blob, version: version.toString() } });
    },
    get: async () => {
      const { backup } = await hub.call("getBackup", { params });
      return backup && { blob: backup.blob, version: BigInt(backup.version) };
    },
  };
}

/** What a tower does for backups, over whatever way; see docs/watchtower.md. */
export interface TowerBackups {
  /** @throws BackupNotNewer */
  putBackup(user: Address, backup: KeptBackup): Promise<void>;
  getBackup(user: Address): Promise<KeptBackup | undefined>;
  /** The nonce that it guards. */
  guardedNonce?(user: Address): Promise<bigint | undefined>;
}

/** @param name Of its own where there are several. */
export function towerPlace(tower: TowerBackups, user: Address, name = "the tower"): BackupPlace {
  return {
    name,
    mostCharacters: MAX_KEPT,
    put: (blob, version) => tower.putBackup(user, { blob, version }),
    get: () => tower.getBackup(user),
    newestNonce: async () => tower.guardedNonce?.(user),
  };
}
