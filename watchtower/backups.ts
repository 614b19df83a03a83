import {
  blobHashOf,
  checkSignature,
  hashTowerBackup,
  hashTowerBackupRequest,
  hubError,
  type Address,
  type Domain,
  type Signature,
} from "../protocol";
import type { Clock } from "./clock";
import type { KeptBackup, TowerStore } from "./store/tower-store";

export interface BackupDeps {
  readonly store: TowerStore;
  readonly towerDomain: Domain;
  readonly clock: Clock;
}

/** How long before and after its time an order counts. */
const ORDER_SECONDS = 300n;

/**
 * Keeps one sealed backup a user. What order the user signed says which one it is, so that nobody else can put one there.
 * Only for users that are guarded: a key costs nothing, and space does.
 * @throws InvalidSignature, NotFound, BackupNotNewer
 */
export function putBackup({ store, towerDomain }: BackupDeps, backup: KeptBackup, signature: Signature): void {
  const { user, version, blob } = backup;
  const wrong = checkSignature(
    user,
    hashTowerBackup({ user, version, blobHash: blobHashOf(blob) }),
    signature,
    towerDomain,
  );
  if (wrong !== undefined) throw wrong;
  store.write(() => {
    if (store.watched(user) === undefined) throw hubError("NotFound", { what: `state of ${user} that is guarded` });
    const standing = store.backup(user);
    if (standing?.version === version && standing.blob === blob) return;
    if (standing !== undefined && version <= standing.version) {
      throw hubError("BackupNotNewer", { standing: standing.version, given: version });
    }
    store.saveBackup(backup);
  });
}

/** @param at Unix seconds, as signed. @throws InvalidSignature, OrderExpired */
export function getBackup(
  { store, towerDomain, clock }: BackupDeps,
  user: Address,
  at: bigint,
  signature: Signature,
): KeptBackup | undefined {
  const wrong = checkSignature(user, hashTowerBackupRequest({ user, at }), signature, towerDomain);
  if (wrong !== undefined) throw wrong;
  const now = BigInt(Math.floor(clock.now() / 1000));
  if (at < now - ORDER_SECONDS || at > now + ORDER_SECONDS) throw hubError("OrderExpired", { at, now });
  return store.backup(user);
}
