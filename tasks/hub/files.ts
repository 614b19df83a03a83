import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { HardhatRuntimeEnvironment } from "hardhat/types";
import type { Chain } from "../chain/identify-chain";
import { operationError } from "../errors";

/** Where hub and clients of a chain keep what they must not lose. Not in version control. */
export interface Files {
  readonly folder: string;
  readonly database: string;
  /** What the hub's key has signed: never restored from a copy. */
  readonly signerRecord: string;
  readonly adminKey: string;
  readonly watchtower: string;
  clientOf(user: string): string;
}

export function filesOf(hre: HardhatRuntimeEnvironment, chain: Chain): Files {
  const folder = join(hre.config.paths.root, "data", `chain-${chain.chainId}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    folder,
    database: join(folder, "hub.sqlite"),
    signerRecord: join(folder, "hub-signer.sqlite"),
    adminKey: join(folder, "hub-admin.key"),
    watchtower: join(folder, "watchtower.sqlite"),
    clientOf: (user) => join(folder, `client-${user}.sqlite`),
  };
}

/** The operator's key: of the environment, or one made for this machine and readable by its owner alone. */
export function ensureAdminKey({ adminKey }: Files): string {
  const given = process.env.HUB_ADMIN_KEY;
  if (given !== undefined && given !== "") return given;
  if (existsSync(adminKey)) return readFileSync(adminKey, "utf8").trim();
  const key = randomBytes(24).toString("hex");
  writeFileSync(adminKey, `${key}\n`, { mode: 0o600 });
  return key;
}

/** @throws AdminKeyMissing */
export function readAdminKey({ adminKey }: Files): string {
  const given = process.env.HUB_ADMIN_KEY;
  if (given !== undefined && given !== "") return given;
  if (!existsSync(adminKey)) throw operationError("AdminKeyMissing", { file: adminKey });
  return readFileSync(adminKey, "utf8").trim();
}
