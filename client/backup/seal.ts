import { parseAddress, parseUint, UINT64_MAX, type Address } from "../../protocol";
import { clientError, hasCode } from "../errors";
import type { BackupKey } from "./backup-key";
import { fromBase64Url, subtle, toBase64Url, utf8 } from "./crypto";

/** What is written on the outside: whose it is. It tells a hub nothing that it does not know. */
export interface SealHeader {
  readonly chainId: bigint;
  readonly channelManager: Address;
  readonly user: Address;
  /** Rises with each backup. */
  readonly version: bigint;
}

const MARK = "channel-backup";
const FORMAT = "1";
/** Of AES-GCM, random: with one backup a second, two alike in 2^32 backups have a chance of one in a few billion. */
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts a text by AES-256-GCM (NIST SP 800-38D); header and format are authenticated with it. The result is one line of
 * letters, digits, dots, dashes and underscores.
 */
export async function seal(text: string, version: bigint, { key, user, domain }: BackupKey): Promise<string> {
  const head = [MARK, FORMAT, domain.chainId.toString(), domain.verifyingContract, user, version.toString()].join(".");
  const iv = globalThis.crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const encrypted = await required().encrypt({ name: "AES-GCM", iv, additionalData: utf8(head) }, key, utf8(text));
  const body = new Uint8Array(IV_BYTES + encrypted.byteLength);
  body.set(iv);
  body.set(new Uint8Array(encrypted), IV_BYTES);
  return `${head}.${toBase64Url(body)}`;
}

/**
 * Opens what `seal` made.
 * @throws BackupMalformed (it is no backup), BackupNotOurs (of another user, contract or chain), BackupDamaged (it was changed,
 * or sealed by another key)
 */
export async function unseal(
  blob: string,
  { key, user, domain }: BackupKey,
): Promise<{ readonly text: string; readonly header: SealHeader }> {
  const { head, header, body } = split(blob.trim());
  const known = { chainId: domain.chainId, channelManager: domain.verifyingContract, user };
  for (const field of ["chainId", "channelManager", "user"] as const) {
    const [given, expected] = [String(header[field]), String(known[field])];
    if (given !== expected) throw clientError("BackupNotOurs", { field, given, expected });
  }
  const [iv, encrypted] = [body.subarray(0, IV_BYTES), body.subarray(IV_BYTES)];
  try {
    const text = await required().decrypt({ name: "AES-GCM", iv, additionalData: utf8(head) }, key, encrypted);
    return { header, text: new TextDecoder("utf-8", { fatal: true }).decode(text) };
  } catch (error) {
    throw clientError("BackupDamaged", {}, error);
  }
}

interface Parts {
  readonly head: string;
  readonly header: SealHeader;
  readonly body: Uint8Array;
}

function split(blob: string): Parts {
  const [mark, format, chainId, channelManager, user, version, body, ...more] = blob.split(".");
  if (mark !== MARK || body === undefined || more.length > 0) throw malformed("it does not begin as one");
  if (format !== FORMAT) throw malformed(`it is of format ${format ?? ""}, which this version does not know`);
  const bytes = fromBase64Url(body);
  if (bytes === undefined || bytes.length < IV_BYTES + TAG_BYTES) throw malformed("its last part is not whole");
  const head = blob.slice(0, blob.lastIndexOf("."));
  try {
    return {
      ...{ head, body: bytes },
      header: {
        chainId: parseUint(chainId, UINT64_MAX, "chainId"),
        channelManager: parseAddress(channelManager, "channelManager"),
        user: parseAddress(user, "user"),
        version: parseUint(version, UINT64_MAX, "version"),
      },
    };
  } catch (error) {
    throw hasCode(error) ? malformed(error.message, error) : error;
  }
}

function malformed(problem: string, cause?: unknown): Error {
  return clientError("BackupMalformed", { problem }, cause);
}

function required(): NonNullable<ReturnType<typeof subtle>> {
  const crypto = subtle();
  if (crypto === undefined) throw clientError("BackupUnavailable", { reason: "this page is not secure (HTTPS)" });
  return crypto;
}
