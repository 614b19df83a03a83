import { hubError, parseAddress, parseUint, UINT64_MAX } from "../../protocol";
import type { Services } from "../services/services";
import type { BackupRow } from "../store/backup-store";
import { ConflictError } from "../store/database";
import type { Handlers } from "./handlers";

/** What users leave here for the day they lose their own record. The hub cannot read it. */
export function backupHandlers({ store, clock }: Services): Pick<Handlers, "putBackup" | "getBackup"> {
  return {
    putBackup: async ({ params, body }) => {
      const user = parseAddress(params.user, "params.user");
      const version = parseUint(body.version, UINT64_MAX, "body.version");
      const given = { user, version, blob: body.blob };
      const standing = await store.backups.load(user);
      if (isSame(standing, given)) return { version: body.version };
      requireNewer(standing, version);
      try {
        await store.database.write((tx) => store.backups.save(tx, { ...given, storedAtMs: clock.now() }));
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        requireNewer(await store.backups.load(user), version); // another one was faster
        throw error;
      }
      return { version: body.version };
    },

    getBackup: async ({ params }) => {
      const row = await store.backups.load(parseAddress(params.user, "params.user"));
      if (row === undefined) return {};
      const { version, blob, storedAtMs } = row;
      return { backup: { version: version.toString(), blob, storedAtMs } };
    },
  };
}

/** A request whose answer was lost comes again. */
function isSame(standing: BackupRow | undefined, given: Pick<BackupRow, "version" | "blob">): boolean {
  return standing?.version === given.version && standing.blob === given.blob;
}

/** @throws BackupNotNewer */
function requireNewer(standing: BackupRow | undefined, given: bigint): void {
  if (standing !== undefined && given <= standing.version) {
    throw hubError("BackupNotNewer", { standing: standing.version, given });
  }
}
