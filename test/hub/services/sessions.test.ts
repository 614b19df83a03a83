import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Sessions } from "../../../hub/services/sessions";
import { openSqliteStore } from "../../../hub/store/sqlite/open-store";
import type { Store } from "../../../hub/store/store";
import { signDigest, type SignInMessage } from "../../../protocol";
import { party, type Party } from "../../protocol/fixtures";
import { expectCoded } from "../../support/expect-coded";
import { CHAIN_ID, messageFor, signed, TestClock } from "../edge";

const HOST = "127.0.0.1:3000";
const ALICE = party(0x11);
const EVE = party(0x66);
const MINUTE_MS = 60_000;

describe("Sessions", () => {
  let folder: string;
  let store: Store;
  let clock: TestClock;
  let sessions: Sessions;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sessions-"));
    store = openSqliteStore(join(folder, "hub.sqlite"));
    clock = new TestClock();
    sessions = make();
  });

  afterEach(async () => {
    await store.database.close();
    rmSync(folder, { recursive: true });
  });

  const make = (): Sessions => new Sessions({ store, clock, randomBytes, chainId: CHAIN_ID, domain: () => HOST });
  const nonceFor = async ({ address }: Party): Promise<string> => (await sessions.challenge(address)).nonce;
  const fresh = async (who = ALICE): Promise<SignInMessage> => messageFor(who, HOST, await nonceFor(who), clock);
  const signIn = async (who = ALICE): Promise<string> =>
    (await sessions.answer(...signed(who, await fresh(who)))).token;

  describe("refuses a message", () => {
    const later = (ms: number): string => new Date(new TestClock().now() + ms).toISOString();
    const wrong: [string, Partial<SignInMessage>][] = [
      ["for another hub", { domain: "other.example" }],
      ["for another port of this host", { domain: "127.0.0.1:3001" }],
      ["whose URI is of another host", { uri: "http://other.example/" }],
      ["whose URI is no address of a hub", { uri: "urn:hub:127.0.0.1:3000" }],
      ["whose URI hides another host", { uri: `http://${HOST}@other.example/` }],
      ["for another chain", { chainId: 1 }],
      ["from the future", { issuedAt: later(6 * MINUTE_MS) }],
      ["from long ago", { issuedAt: later(-11 * MINUTE_MS) }],
      ["that has expired", { expirationTime: later(-1) }],
      ["with a day that does not exist", { expirationTime: "2026-99-99T00:00:00Z" }],
    ];
    for (const [what, change] of wrong) {
      it(what, async () => {
        const message = { ...(await fresh()), ...change };
        await expectCoded(sessions.answer(...signed(ALICE, message)), "MessageRefused");
      });
    }

    it("that another key signed", async () => {
      await expectCoded(sessions.answer(...signed(EVE, await fresh(ALICE))), "MessageRefused");
    });

    it("whose signature is malformed", async () => {
      const [text] = signed(ALICE, await fresh());
      await expectCoded(sessions.answer(text, `0x${"00".repeat(65)}`), "MessageRefused");
    });

    it("with one letter changed after it was signed", async () => {
      const [text, signature] = signed(ALICE, await fresh());
      await expectCoded(sessions.answer(text.replace("000Z", "001Z"), signature), "MessageRefused");
    });

    it("W-2: that is a bare hash, though its key signed it", async () => {
      const hash = `0x${"5a".repeat(32)}` as const;
      await expectCoded(sessions.answer(hash, signDigest(hash, ALICE.key)), "MessageRefused");
      await expectCoded(sessions.answer(...signed(ALICE, hash)), "MessageRefused");
    });
  });

  describe("refuses a nonce", () => {
    it("a second time", async () => {
      const answer = signed(ALICE, await fresh());
      await sessions.answer(...answer);
      await expectCoded(sessions.answer(...answer), "ChallengeUnknown");
    });

    it("a second time, though the session it began has been ended", async () => {
      const answer = signed(ALICE, await fresh());
      const { token } = await sessions.answer(...answer);
      await sessions.signOut(token);
      await expectCoded(sessions.answer(...answer), "ChallengeUnknown");
    });

    it("twice at the same time", async () => {
      const answer = signed(ALICE, await fresh());
      const results = await Promise.allSettled([sessions.answer(...answer), sessions.answer(...answer)]);
      expect(results.map(({ status }) => status).sort()).to.deep.equal(["fulfilled", "rejected"]);
    });

    it("that was made for another address", async () => {
      const message = messageFor(EVE, HOST, await nonceFor(ALICE), clock);
      await expectCoded(sessions.answer(...signed(EVE, message)), "ChallengeUnknown");
    });

    it("that no hub made", async () => {
      const nonce = await nonceFor(ALICE);
      for (const made of ["0".repeat(56), "abcdefgh", nonce.slice(0, -1) + (nonce.endsWith("0") ? "1" : "0")]) {
        const message = messageFor(ALICE, HOST, made, clock);
        await expectCoded(sessions.answer(...signed(ALICE, message)), "ChallengeUnknown");
      }
    });

    it("after five minutes", async () => {
      const nonce = await nonceFor(ALICE);
      clock.nowMs += 5 * MINUTE_MS;
      await expectCoded(sessions.answer(...signed(ALICE, messageFor(ALICE, HOST, nonce, clock))), "ChallengeUnknown");
    });
  });

  it("H-5: lets attempts be independent: what others ask for an address or get wrong changes nothing for it", async () => {
    const first = await signIn();
    const message = await fresh();
    for (let i = 0; i < 200; i++) await sessions.challenge(ALICE.address);
    await expectCoded(sessions.answer(...signed(EVE, message)), "MessageRefused");
    const second = await sessions.answer(...signed(ALICE, message));
    for (const token of [first, second.token]) {
      expect((await sessions.find(token))?.address).to.equal(ALICE.address);
    }
  });

  it("H-5: keeps nothing of a challenge, so nobody can push out anybody else's", async () => {
    const before = store.database.sequence;
    for (let i = 0; i < 1_000; i++) await sessions.challenge(EVE.address);
    expect(store.database.sequence).to.equal(before);
    await signIn();
  });

  it("takes the names of one's own machine for one", async () => {
    const message = messageFor(ALICE, "localhost:3000", await nonceFor(ALICE), clock);
    expect((await sessions.answer(...signed(ALICE, message))).address).to.equal(ALICE.address);
  });

  it("signs in for a day", async () => {
    const token = await signIn();
    clock.nowMs += 24 * 60 * MINUTE_MS - 1;
    expect((await sessions.find(token))?.address).to.equal(ALICE.address);
    clock.nowMs += 1;
    expect(await sessions.find(token)).to.equal(undefined);
  });

  it("outlives a restart, and a used nonce with it", async () => {
    const token = await signIn();
    expect((await make().find(token))?.address).to.equal(ALICE.address);
  });

  it("ends one session and no other", async () => {
    const [first, second, others] = [await signIn(), await signIn(), await signIn(EVE)];
    await sessions.signOut(first);
    expect(await sessions.find(first)).to.equal(undefined);
    expect(await sessions.find(second)).to.not.equal(undefined);
    expect(await sessions.find(others)).to.not.equal(undefined);
    await sessions.signOut("nobody's"); // nothing to end
  });

  it("has tokens of 256 bits, which are in no file", async () => {
    const [token, another] = [await signIn(), await signIn()];
    expect(token)
      .to.match(/^[0-9a-f]{64}$/)
      .and.not.equal(another);
    for (const name of readdirSync(folder)) {
      expect(readFileSync(join(folder, name)).includes(token), name).to.be.false;
    }
  });

  it("forgets what has expired", async () => {
    const token = await signIn();
    clock.nowMs += 25 * 60 * MINUTE_MS;
    await store.database.write((tx) => store.sessions.prune(tx, clock.now()));
    clock.nowMs -= 25 * 60 * MINUTE_MS;
    expect(await make().find(token)).to.equal(undefined);
  });
});
