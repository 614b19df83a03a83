import { expect } from "chai";
import { MAX_BACKUP_LENGTH } from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { hubScene, type HubScene, type HubUser } from "../../support/hub-scene";

describe("backups that users leave with the hub", () => {
  let scene: HubScene;
  let alice: HubUser;
  before(async () => {
    scene = await hubScene();
  });
  beforeEach(() => {
    alice = scene.user();
  });
  after(() => scene.close());

  const put = (version: bigint | string, blob = `sealed-${version}`, user = alice): Promise<{ version: string }> =>
    user.ask("putBackup", { params: { user: user.address }, body: { version: version.toString(), blob } });
  const get = async (user = alice): Promise<{ version: string; blob: string } | undefined> =>
    (await user.ask("getBackup", { params: { user: user.address } })).backup;

  it("there is none at first", async () => {
    expect(await get()).to.equal(undefined);
  });

  it("the newest one comes back, also from a hub that was started again", async () => {
    await put(1n);
    await put(9n);
    await put(10n);
    await scene.restart();
    expect(await get()).to.include({ version: "10", blob: "sealed-10" });
  });

  it("an older one never takes the place of a newer one, nor another one of its version", async () => {
    await put(10n);
    for (const [version, blob] of [
      [9n, "older"],
      [0n, "oldest"],
      [10n, "another"],
    ] as const) {
      const { details } = await expectCoded(put(version, blob), "BackupNotNewer");
      expect(details).to.deep.equal({ standing: 10n, given: version });
    }
    expect(await get()).to.include({ version: "10", blob: "sealed-10" });
  });

  it("the same one again is the same, as after an answer that was lost", async () => {
    await put(3n);
    expect(await put(3n)).to.deep.equal({ version: "3" });
  });

  it("versions reach 2^64 - 1 in their own order", async () => {
    await put(2n ** 63n);
    await put(2n ** 64n - 1n);
    await expectCoded(put(2n ** 63n + 1n), "BackupNotNewer");
    await expectCoded(put(2n ** 64n), "InvalidValue");
  });

  it("of two at once one stays, whichever comes first", async () => {
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => put(BigInt(1 + ((i * 7) % 20)))));
    expect(results.some(({ status }) => status === "fulfilled")).to.equal(true);
    for (const result of results) {
      if (result.status === "rejected") expect((result.reason as { code?: unknown }).code).to.equal("BackupNotNewer");
    }
    expect(await get()).to.include({ version: "20", blob: "sealed-20" });
  });

  it("is at most 64 KiB of sealed text", async () => {
    await put(1n, "a".repeat(MAX_BACKUP_LENGTH));
    await expectCoded(put(2n, "a".repeat(MAX_BACKUP_LENGTH + 1)), "InvalidValue");
    await expectCoded(put(2n, ""), "InvalidValue");
    await expectCoded(put(2n, "<script>"), "InvalidValue");
  });

  it("belongs to its user alone", async () => {
    await put(1n);
    const eve = scene.user();
    const params = { user: alice.address };
    await expectCoded(eve.ask("getBackup", { params }), "NotYours");
    await expectCoded(eve.ask("putBackup", { params, body: { version: "2", blob: "x" } }), "NotYours");
  });
});
