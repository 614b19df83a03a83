import { expect } from "chai";
import fc from "fast-check";
import { Wallet } from "ethers";
import { backupKeyOf } from "../../../client/backup/backup-key";
import { seal, unseal } from "../../../client/backup/seal";
import { hasCode } from "../../../client/errors";
import { memoryStore } from "../../../client/memory-store";
import { openSigner } from "../../../client/signer";
import { channelManagerDomain, parseAddress, type Domain } from "../../../protocol";
import type { Signature } from "../../../protocol";
import { DOMAIN, USER_KEY } from "../engine/scene";

const REFUSALS = ["BackupMalformed", "BackupDamaged", "BackupNotOurs"] as const;

async function keyOf(privateKey = USER_KEY, domain: Domain = DOMAIN): ReturnType<typeof backupKeyOf> {
  return backupKeyOf(await openSigner({ privateKey }), domain, memoryStore());
}

async function refusalOf(blob: string, key: Awaited<ReturnType<typeof keyOf>>): Promise<unknown> {
  return unseal(blob, key).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("a sealed backup", () => {
  it("comes back as it was, whatever it says", async () => {
    const key = await keyOf();
    const cases = fc.asyncProperty(
      fc.string({ unit: "binary" }),
      fc.bigInt(0n, 2n ** 64n - 1n),
      async (text, version) => {
        const { text: back, header } = await unseal(await seal(text, version, key), key);
        expect(back).to.equal(text);
        expect(header).to.deep.equal({ ...headerOf(key), version });
      },
    );
    await fc.assert(cases, { numRuns: 200 });
  });

  it("is refused with any one character changed, left out or added", async () => {
    const key = await keyOf();
    const blob = await seal(JSON.stringify({ nonce: "41" }), 7n, key);
    for (let at = 0; at < blob.length; at++) {
      const other = blob[at] === "A" ? "B" : "A";
      const changed = [blob.slice(0, at) + other + blob.slice(at + 1), blob.slice(0, at) + blob.slice(at + 1)];
      changed.push(`${blob.slice(0, at)}A${blob.slice(at)}`);
      for (const each of changed) {
        expect(hasCode(await refusalOf(each, key), ...REFUSALS), `${at}: ${each}`).to.equal(true);
      }
    }
  });

  it("is refused with any bit of its bytes flipped", async () => {
    const key = await keyOf();
    const blob = await seal("what both have signed", 7n, key);
    const at = blob.lastIndexOf(".") + 1;
    const bytes = Buffer.from(blob.slice(at), "base64url");
    for (let i = 0; i < bytes.length * 8; i++) {
      const changed = Buffer.from(bytes);
      changed[i >> 3] = (changed[i >> 3] ?? 0) ^ (1 << (i & 7));
      const refusal = await refusalOf(blob.slice(0, at) + changed.toString("base64url"), key);
      expect(hasCode(refusal, "BackupDamaged"), `bit ${i}`).to.equal(true);
    }
  });

  it("does not show what is in it", async () => {
    const blob = await seal("a secret preimage", 7n, await keyOf());
    expect(Buffer.from(blob.split(".").at(-1) ?? "", "base64url").toString("latin1")).to.not.include("secret");
    expect(await seal("a secret preimage", 7n, await keyOf())).to.not.equal(blob);
  });

  it("of another user, contract or chain is refused by name", async () => {
    const key = await keyOf();
    const others: readonly (readonly [string, Awaited<ReturnType<typeof keyOf>>])[] = [
      ["user", await keyOf(`0x${"33".repeat(32)}`)],
      ["channelManager", await keyOf(USER_KEY, channelManagerDomain(31_337n, parseAddress(`0x${"c1".repeat(20)}`)))],
      ["chainId", await keyOf(USER_KEY, channelManagerDomain(1n, DOMAIN.verifyingContract))],
    ];
    for (const [field, other] of others) {
      const refusal = await refusalOf(await seal("x", 1n, other), key);
      expect(hasCode(refusal, "BackupNotOurs") && (refusal.details as { field: string }).field).to.equal(field);
    }
  });

  it("that another key sealed in this user's name is refused", async () => {
    const key = await keyOf();
    const forged = await seal("x", 1n, { ...(await keyOf(`0x${"33".repeat(32)}`)), user: key.user });
    expect(hasCode(await refusalOf(forged, key), "BackupDamaged")).to.equal(true);
  });

  it("of a wallet opens again with the same wallet, and is not made with one that signs differently each time", async () => {
    const wallet = new Wallet(`0x${"44".repeat(32)}`);
    const store = memoryStore();
    const blob = await seal("x", 1n, await backupKeyOf(await openSigner({ signer: wallet }), DOMAIN, store));
    const again = await backupKeyOf(await openSigner({ signer: wallet }), DOMAIN, memoryStore());
    expect((await unseal(blob, again)).text).to.equal("x");

    const signer = await openSigner({ signer: wallet });
    let count = 0;
    const fickle = { ...signer, signStatement: (): Promise<Signature> => Promise.resolve(`0x${++count}` as Signature) };
    const refusal: unknown = await backupKeyOf(fickle, DOMAIN, memoryStore()).catch((error: unknown) => error);
    expect(hasCode(refusal, "BackupUnavailable")).to.equal(true);
  });
});

function headerOf({ user, domain }: Awaited<ReturnType<typeof keyOf>>): object {
  return { chainId: domain.chainId, channelManager: domain.verifyingContract, user };
}
