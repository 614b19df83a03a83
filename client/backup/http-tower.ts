import {
  blobHashOf,
  parseUint,
  towerBackupRequestType,
  towerBackupType,
  UINT64_MAX,
  validate,
  watchtowerDomain,
  WATCHTOWER_OPERATIONS,
  type Address,
  type Domain,
  type WatchtowerOperationName,
  type WatchtowerOutput,
} from "../../protocol";
import { clientError, errorFromWire, messageOf } from "../errors";
import type { ClientSigner } from "../signer";
import type { TowerBackups } from "./places";

export interface HttpTowerDeps {
  /** Without a slash at its end. */
  readonly url: string;
  readonly signer: ClientSigner;
  /** Of the channel's contract. */
  readonly domain: Domain;
  /** Unix ms. */
  readonly now: () => number;
  readonly timeoutMs: number;
}

/** A tower's backups over HTTP: each order is signed by the user itself, and nobody signs in. */
export function httpTower(deps: HttpTowerDeps): TowerBackups {
  const { signer, now } = deps;
  const domain = watchtowerDomain(deps.domain.chainId, deps.domain.verifyingContract);
  return {
    putBackup: async (user, { blob, version }) => {
      const signature = await signer.signStatement(
        towerBackupType,
        { user, version, blobHash: blobHashOf(blob) },
        domain,
      );
      await ask(deps, "putBackup", user, { body: { version: version.toString(), blob, signature } });
    },
    getBackup: async (user) => {
      const at = BigInt(Math.floor(now() / 1000));
      const signature = await signer.signStatement(towerBackupRequestType, { user, at }, domain);
      const { backup } = await ask(deps, "getBackup", user, { query: { at: at.toString(), signature } });
      return backup && { blob: backup.blob, version: parseUint(backup.version, UINT64_MAX, "backup.version") };
    },
    guardedNonce: async (user) => {
      const { guarded } = await ask(deps, "getStatus", user, {});
      return guarded && parseUint(guarded.receipt.nonce, UINT64_MAX, "receipt.nonce");
    },
  };
}

interface Input {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** @throws the tower's own error; TowerUnreachable where there is no answer, or none that a tower gives */
export async function ask<Name extends WatchtowerOperationName>(
  { url, timeoutMs }: Pick<HttpTowerDeps, "url" | "timeoutMs">,
  name: Name,
  user: Address,
  { query, body }: Input,
): Promise<WatchtowerOutput<Name>> {
  const { method, path, response } = WATCHTOWER_OPERATIONS[name];
  const search = query === undefined ? "" : `?${new URLSearchParams(query).toString()}`;
  let given: unknown;
  let isOk: boolean;
  try {
    const answer = await fetch(`${url}/api/watchtower${path.replace(":user", user)}${search}`, {
      ...{ method, redirect: "error", signal: AbortSignal.timeout(timeoutMs) },
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    given = await answer.json();
    isOk = answer.ok;
  } catch (error) {
    throw clientError("TowerUnreachable", { url, reason: messageOf(error) }, error);
  }
  if (isOk) return validate(response, given, `tower.${name}`) as WatchtowerOutput<Name>;
  const { code, message, details } = given as { code?: unknown; message?: unknown; details?: unknown };
  if (typeof code === "string" && typeof message === "string") throw errorFromWire({ code, message, details });
  throw clientError("TowerUnreachable", { url, reason: "what answers there is no tower" });
}
