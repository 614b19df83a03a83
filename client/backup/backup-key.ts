import type { Address, Domain } from "../../protocol";
import { defineStruct } from "../../protocol/eip712/struct";
import { clientError } from "../errors";
import type { ClientSigner } from "../signer";
import type { ClientStore } from "../store";
import { subtle, toBase64Url, utf8, type CryptoKey } from "./crypto";

/** Seals and opens one user's backups of one contract. */
export interface BackupKey {
  readonly key: CryptoKey;
  readonly user: Address;
  readonly domain: Domain;
}

/**
 * What a key outside of this process signs, so that a secret follows from it. It is no state, no sign-in and no transaction:
 * whoever got this signature could read backups, and nothing else.
 */
const backupKeyType = defineStruct<{ readonly purpose: string; readonly user: Address }>("BackupKey", {
  purpose: "string",
  user: "address",
});

const PURPOSE = "The key of my encrypted backups. Sign this for nobody but the client of this channel.";

/**
 * AES-256 from the user's own key by HKDF-SHA256 (RFC 5869): over the private key where it is in this process, otherwise
 * over a signature of a fixed EIP-712 text. Signatures of wallets that sign differently each time (some of smart accounts
 * and of shared keys) give no key: such a signer is asked twice the first time, and refused.
 * @throws BackupUnavailable, SignatureRefused
 */
export async function backupKeyOf(signer: ClientSigner, domain: Domain, store: ClientStore): Promise<BackupKey> {
  const crypto = subtle();
  if (crypto === undefined) throw clientError("BackupUnavailable", { reason: "this page is not secure (HTTPS)" });
  const secret = signer.secret?.() ?? (await signedSecret(signer, domain, store));
  const base = await crypto.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const { address: user } = signer;
  const info = utf8(`channel-backup 1 ${domain.chainId} ${domain.verifyingContract} ${user}`);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(32), info } as const;
  const key = await crypto.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  return { key, user, domain };
}

/** A fingerprint of the first signature is kept: another one later would seal what nobody can open. */
async function signedSecret(signer: ClientSigner, domain: Domain, store: ClientStore): Promise<Uint8Array> {
  const name = `backup-key:${domain.verifyingContract}:${signer.address}`;
  const known = await store.get(name);
  const secret = await sign(signer, domain);
  const fingerprint = await fingerprintOf(secret);
  const expected = known ?? (await fingerprintOf(await sign(signer, domain)));
  if (fingerprint !== expected)
    throw clientError("BackupUnavailable", { reason: "the wallet signs differently each time" });
  if (known === undefined) await store.write({ [name]: fingerprint });
  return secret;
}

async function sign(signer: ClientSigner, domain: Domain): Promise<Uint8Array> {
  return utf8(await signer.signStatement(backupKeyType, { purpose: PURPOSE, user: signer.address }, domain));
}

async function fingerprintOf(secret: Uint8Array): Promise<string> {
  const digest = await subtle()?.digest("SHA-256", secret);
  return toBase64Url(new Uint8Array(digest ?? new ArrayBuffer(0)));
}
