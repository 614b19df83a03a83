import { readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import {
  channelManagerDomain,
  digestOf,
  formatState,
  formatThreadEvidence,
  formatUpdate,
  hashState,
  hashThread,
  hashThreadPayment,
  hasErrors,
  next,
  parseAddress,
  parseEvidence,
  readEvidence,
  signDigest,
  threadRoot,
  verifyEvidence,
  ZERO_ADDRESS,
  ZERO_HASH,
  zeroAsset,
  type ChannelState,
  type Evidence,
  type Hash,
  type Signature,
  type Thread,
  type Update,
} from "../../protocol";
import { hexToBytes } from "../../protocol/hex";
import { EVIDENCE_SCHEMA_FILE, evidenceSchemaText } from "../../scripts/evidence-schema";
import { computeAddress } from "ethers";

const keyOf = (digit: string): Uint8Array => hexToBytes(`0x${digit.repeat(64)}`);
const addressFor = (digit: string) => parseAddress(computeAddress(`0x${digit.repeat(64)}`));
const [HUB, USER, OTHER] = ["1", "2", "3"] as const;
const CONTRACT = parseAddress(`0x${"5".repeat(40)}`);
const DOMAIN = channelManagerDomain(31_337n, CONTRACT);
const sign = (hash: Hash, key: string): Signature => signDigest(digestOf(DOMAIN, hash), keyOf(key));

interface Shape {
  readonly deposit: bigint;
  readonly pays: readonly bigint[];
  readonly stakes: readonly bigint[];
  readonly paid: bigint;
}

const shapes = fc.record({
  deposit: fc.bigInt(1_000n, 10n ** 24n),
  pays: fc.array(fc.bigInt(0n, 100n), { maxLength: 3 }),
  stakes: fc.array(fc.bigInt(1n, 100n), { maxLength: 3 }),
  paid: fc.bigInt(0n, 1n),
});

/** As a client writes it: a state with threads, and what either side has signed on top. */
function evidenceOf({ deposit, pays, stakes, paid }: Shape): Evidence {
  const threads = stakes.map((stake, i) => threadOf(stake, i));
  const locked = stakes.reduce((sum, stake) => sum + stake, 0n);
  const row = { ...zeroAsset(ZERO_ADDRESS), depositedUser: deposit, balanceUser: deposit - locked, locked };
  const root = threadRoot(threads.map(hashThread));
  const base: ChannelState = {
    user: addressFor(USER),
    session: 3n,
    nonce: 9n,
    assets: [row],
    threadRoot: root,
    recipient: ZERO_ADDRESS,
  };
  const userSigned = pays.map((amount, i) => signedPayment(base, amount, 10n + BigInt(i)));
  return {
    ...{ kind: "channel-evidence", version: 1, chainId: 31_337, channelManager: CONTRACT, hub: addressFor(HUB) },
    ...{ user: addressFor(USER), session: "3" },
    doubleSigned: {
      state: formatState(base),
      sigHub: sign(hashState(base), HUB),
      sigUser: sign(hashState(base), USER),
    },
    ...{ hubSigned: [], userSigned },
    threads: threads.map((thread) => threadEvidence(thread, paid)),
  };
}

function threadOf(balanceSender: bigint, i: number): Thread {
  const terms = {
    salt: `0x${(i + 1).toString(16).padStart(64, "0")}` as const,
    sender: addressFor(USER),
    receiver: addressFor(OTHER),
  };
  const kind = { updatable: false, expiry: 2_000_000_000n, app: ZERO_ADDRESS, appStateHash: ZERO_HASH };
  return { ...terms, asset: ZERO_ADDRESS, balanceSender, balanceReceiver: 0n, ...kind };
}

function threadEvidence(thread: Thread, paid: bigint): Evidence["threads"][number] {
  const hash = hashThread(thread);
  const payment = { threadHash: hash, balanceReceiver: paid };
  const signed = { payment, sigSender: sign(hashThreadPayment(payment), USER) };
  return formatThreadEvidence({
    thread,
    sigSender: sign(hash, USER),
    sigReceiver: sign(hash, OTHER),
    ...(paid === 0n ? {} : { payment: signed }),
  });
}

function signedPayment(base: ChannelState, amount: bigint, nonce: bigint): Evidence["userSigned"][number] {
  const args = { recipient: "hub" as const, asset: ZERO_ADDRESS, amount, payments: [] };
  const update: Update = { reason: "Payment", args, nonce, previous: hashState(base) };
  return formatUpdate({ ...update, sigUser: sign(hashState(next(base, update)), USER) });
}

/** Whether anybody would notice: it is no evidence, or evidence with an error, or means the very same. */
function isHarmless(text: string, original: Evidence): boolean {
  try {
    const evidence = readEvidence(text);
    return hasErrors(verifyEvidence(evidence)) || isSame(evidence, original);
  } catch (error) {
    expect((error as { code?: string }).code).to.equal("InvalidValue");
    return true;
  }
}

function isSame(a: Evidence, b: Evidence): boolean {
  const flat = (evidence: Evidence): string =>
    JSON.stringify(parseEvidence(evidence), (_key, value: unknown) =>
      typeof value === "bigint" ? `${value}n` : value,
    );
  return flat(a) === flat(b);
}

describe("evidence", () => {
  it("is of the published form", async () => {
    expect(readFileSync(EVIDENCE_SCHEMA_FILE, "utf8")).to.equal(await evidenceSchemaText());
  });

  it("verifies as a client writes it", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const evidence = evidenceOf(shape);
        expect(
          verifyEvidence(readEvidence(JSON.stringify(evidence))).filter(({ level }) => level === "error"),
        ).to.deep.equal([]);
      }),
      { numRuns: 25 },
    );
  });

  it("shows every flipped bit", function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(shapes, fc.nat(), fc.nat(7), (shape, position, bit) => {
        const evidence = evidenceOf(shape);
        const bytes = Buffer.from(JSON.stringify(evidence));
        const at = position % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const text = bytes.toString("latin1");
        expect(
          isHarmless(text, evidence),
          `byte ${at}, bit ${bit}: ${text.slice(Math.max(0, at - 40), at + 20)}`,
        ).to.equal(true);
      }),
      { numRuns: 400 },
    );
  });

  const chain = { chainId: 31_337n, hub: addressFor(HUB), session: 3n, exitNonce: 0n, exitDeadline: 0n };
  const evidence = evidenceOf({ deposit: 5_000n, pays: [], stakes: [5n, 6n], paid: 1n });
  const counters = { depositedHub: 0n, depositedUser: 5_000n, withdrawnHub: 0n, withdrawnUser: 0n };
  const codesWith = (view: Partial<typeof chain>, ledger: Partial<typeof counters> = {}): readonly string[] => {
    const ledgers = new Map([[ZERO_ADDRESS, { ...counters, ...ledger }]]);
    return verifyEvidence(evidence, { chain: { ...chain, ...view, ledgers } }).map(({ code }) => code);
  };

  it("is held against the chain where there is one", () => {
    expect(codesWith({})).to.deep.equal([]);
    expect(codesWith({}, { depositedUser: 4_999n })).to.deep.equal(["NotBacked"]);
    expect(codesWith({}, { withdrawnUser: 1n })).to.deep.equal(["NotFresh"]);
    expect(codesWith({ session: 4n })).to.deep.equal(["SessionMismatch"]);
    expect(codesWith({ hub: addressFor(OTHER) })).to.include("InvalidValue");
    expect(codesWith({ exitNonce: 3n, exitDeadline: 1n })).to.deep.equal(["NewerThanExit"]);
    expect(codesWith({ exitNonce: 30n, exitDeadline: 1n })).to.deep.equal(["OlderThanExit"]);
  });

  it("names a thread that is missing", () => {
    const found = verifyEvidence({ ...evidence, threads: evidence.threads.slice(1) });
    expect(found.map(({ code }) => code)).to.include("ThreadRootMismatch");
  });
});
