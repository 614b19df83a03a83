// Wrote the JSON files beside it, once: `npx ts-node test/vectors/write-vectors.ts && npm run format`. They are frozen:
// a difference after running it again means that a signed type changed, and with it what every signature ever given
// means. It shares no code with protocol/: types, hashes and signatures are ethers', the tree is its own.
import {
  concat,
  keccak256,
  SigningKey,
  TypedDataEncoder,
  computeAddress,
  toUtf8Bytes,
  ZeroAddress,
  ZeroHash,
} from "ethers";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

type Fields = Record<string, { name: string; type: string }[]>;
type Message = Record<string, unknown>;

interface Kind {
  readonly file: string;
  readonly primaryType: string;
  readonly types: Fields;
  readonly domain: { name: string; version: string; chainId: string; verifyingContract: string };
  readonly signers: Readonly<Record<string, string>>;
  readonly messages: Readonly<Record<string, Message>>;
}

const KEYS = { hub: key("hub"), user: key("user"), payee: key("payee"), arbiter: key("arbiter") };
const [USER, PAYEE] = [addressOf(KEYS.user), addressOf(KEYS.payee)];
const CONTRACT = address("contract");
const APP = address("app");
const TOKEN = address("token");
const MAX64 = String(2n ** 64n - 1n);
const MAX128 = String(2n ** 128n - 1n);

const DOMAIN = { name: "ChannelManager", version: "1", chainId: "31337", verifyingContract: CONTRACT };

const ASSET_STATE = struct(
  "address asset,uint128 balanceHub,uint128 balanceUser,uint128 locked,uint128 depositedHub,uint128 depositedUser,uint128 withdrawnHub,uint128 withdrawnUser",
);

const ZERO_ROW = row(ZeroAddress, ["0", "0", "0", "0", "0", "0", "0"]);
const ZERO_STATE = { user: USER, session: "0", nonce: "0", assets: [], threadRoot: ZeroHash, recipient: ZeroAddress };
const TERMS = {
  ...{ salt: hash("salt"), sender: USER, receiver: PAYEE, asset: ZeroAddress },
  ...{ balanceSender: "1000", balanceReceiver: "0", updatable: false, expiry: "1800000000" },
  ...{ app: ZeroAddress, appStateHash: ZeroHash },
};

const KINDS: readonly Kind[] = [
  {
    file: "channel-states",
    primaryType: "ChannelState",
    types: {
      ChannelState: struct(
        "address user,uint64 session,uint64 nonce,AssetState[] assets,bytes32 threadRoot,address recipient",
      ),
      AssetState: ASSET_STATE,
    },
    domain: DOMAIN,
    signers: { hub: KEYS.hub, user: KEYS.user },
    messages: {
      "the unsigned zero": ZERO_STATE,
      "the unsigned zero with ETH": { ...ZERO_STATE, assets: [ZERO_ROW] },
      "one ETH deposit": {
        ...{ ...ZERO_STATE, nonce: "1" },
        assets: [row(ZeroAddress, ["0", "1000000000000000000", "0", "0", "1000000000000000000", "0", "0"])],
      },
      "ETH and a token, threads open, withdrawing": {
        ...{ user: USER, session: "3", nonce: "7", threadRoot: hash("root"), recipient: PAYEE },
        assets: [
          row(ZeroAddress, ["40", "50", "10", "100", "30", "20", "10"]),
          row(TOKEN, ["1", "2", "3", "10", "20", "11", "13"]),
        ],
      },
      "every field at its limit, eight assets": {
        ...{ user: USER, session: MAX64, nonce: MAX64, threadRoot: `0x${"ff".repeat(32)}` },
        recipient: `0x${"ff".repeat(20)}`,
        assets: Array.from({ length: 8 }, (_, i) =>
          row(`0x${"f".repeat(39)}${(i + 8).toString(16)}`, Array<string>(7).fill(MAX128)),
        ),
      },
      "every field different": {
        ...{ user: USER, session: number("session"), nonce: number("nonce"), threadRoot: hash("different root") },
        recipient: address("different recipient"),
        assets: [
          row(
            address("different asset"),
            ["a", "b", "c", "d", "e", "f", "g"].map((name) => number(name, 16)),
          ),
        ],
      },
    },
  },
  {
    file: "threads",
    primaryType: "Thread",
    types: {
      Thread: struct(
        "bytes32 salt,address sender,address receiver,address asset,uint128 balanceSender,uint128 balanceReceiver,bool updatable,uint64 expiry,address app,bytes32 appStateHash",
      ),
    },
    domain: DOMAIN,
    signers: { sender: KEYS.user, receiver: KEYS.payee },
    messages: {
      "a payment stream": TERMS,
      "the same with another salt": { ...TERMS, salt: hash("another salt") },
      updatable: { ...TERMS, updatable: true, balanceReceiver: "500" },
      "an app over a token": { ...TERMS, asset: TOKEN, app: APP, appStateHash: hash("app state") },
      "every field at its limit": {
        ...{ ...TERMS, salt: `0x${"ff".repeat(32)}`, asset: `0x${"ff".repeat(20)}`, app: `0x${"ff".repeat(20)}` },
        ...{ balanceSender: MAX128, balanceReceiver: MAX128, updatable: true, expiry: MAX64 },
        appStateHash: `0x${"ff".repeat(32)}`,
      },
      "every field different": {
        ...{
          ...TERMS,
          asset: address("thread asset"),
          app: address("thread app"),
          appStateHash: hash("thread app state"),
        },
        ...{ balanceSender: number("sender", 16), balanceReceiver: number("receiver", 16), expiry: number("expiry") },
      },
    },
  },
  {
    file: "thread-payments",
    primaryType: "ThreadPayment",
    types: { ThreadPayment: struct("bytes32 threadHash,uint128 balanceReceiver") },
    domain: DOMAIN,
    signers: { sender: KEYS.user },
    messages: {
      nothing: { threadHash: ZeroHash, balanceReceiver: "0" },
      some: { threadHash: hash("thread"), balanceReceiver: number("payment", 16) },
      "the limit": { threadHash: `0x${"ff".repeat(32)}`, balanceReceiver: MAX128 },
    },
  },
  {
    file: "thread-updates",
    primaryType: "ThreadUpdate",
    types: { ThreadUpdate: struct("bytes32 threadHash,uint64 nonce,uint128 balanceReceiver,bytes32 appStateHash") },
    domain: DOMAIN,
    signers: { sender: KEYS.user, receiver: KEYS.payee },
    messages: {
      "the first": { threadHash: hash("thread"), nonce: "1", balanceReceiver: "0", appStateHash: ZeroHash },
      some: {
        ...{ threadHash: hash("thread"), nonce: number("update nonce"), balanceReceiver: number("update", 16) },
        appStateHash: hash("update app state"),
      },
      "the final one, at the limit": {
        ...{ threadHash: `0x${"ff".repeat(32)}`, nonce: MAX64, balanceReceiver: MAX128 },
        appStateHash: `0x${"ff".repeat(32)}`,
      },
    },
  },
  {
    file: "resolutions",
    primaryType: "Resolution",
    types: { Resolution: struct("address channelManager,bytes32 threadHash,uint128 balanceReceiver") },
    domain: { name: "SignedApp", version: "1", chainId: "31337", verifyingContract: APP },
    signers: { arbiter: KEYS.arbiter },
    messages: {
      "everything to the receiver": { channelManager: CONTRACT, threadHash: hash("thread"), balanceReceiver: "1000" },
      "the limit": {
        ...{ channelManager: `0x${"ff".repeat(20)}`, threadHash: `0x${"ff".repeat(32)}`, balanceReceiver: MAX128 },
      },
    },
  },
];

function vectorsOf({ primaryType, types, domain, signers, messages }: Kind): object {
  const encoder = new TypedDataEncoder(types);
  const vectors = Object.entries(messages).map(([name, message]) => {
    const structHash = encoder.hashStruct(primaryType, message);
    const digest = TypedDataEncoder.hash(domain, types, message);
    const signatures = Object.fromEntries(
      Object.entries(signers).map(([signer, of]) => [signer, new SigningKey(of).sign(digest).serialized]),
    );
    return { name, message, structHash, digest, signatures };
  });
  const addresses = Object.fromEntries(Object.entries(signers).map(([name, of]) => [name, addressOf(of)]));
  const typeString = encoder.encodeType(primaryType);
  const typeHash = keccak256(toUtf8Bytes(typeString));
  return {
    primaryType,
    typeString,
    typeHash,
    domain,
    separator: TypedDataEncoder.hashDomain(domain),
    keys: signers,
    addresses,
    vectors,
  };
}

function merkleVectors(): object {
  const vectors = [0, 1, 2, 3, 5, 6, 7, 11, 64].map((size) => {
    const threadHashes = Array.from({ length: size }, (_, i) => hash(`thread ${size}.${i}`));
    const layers = treeOf(threadHashes);
    const proofs = threadHashes.map((threadHash) => proofOf(layers, keccak256(threadHash)));
    return { size, threadHashes, root: layers.at(-1)?.[0] ?? ZeroHash, proofs };
  });
  return { vectors };
}

function treeOf(threadHashes: readonly string[]): string[][] {
  const layers = [threadHashes.map((threadHash) => keccak256(threadHash)).sort()];
  while (layers.at(-1)!.length > 1) {
    const below = layers.at(-1)!;
    const pairs = below.filter((_, i) => i % 2 === 0).map((left, i) => [left, below[2 * i + 1]] as const);
    layers.push(pairs.map(([left, right]) => (right === undefined ? left : keccak256(concat([left, right].sort())))));
  }
  return layers;
}

function proofOf(layers: readonly string[][], leaf: string): string[] {
  let index = layers[0]!.indexOf(leaf);
  return layers.slice(0, -1).flatMap((layer) => {
    const sibling = layer[index % 2 === 0 ? index + 1 : index - 1];
    index = Math.floor(index / 2);
    return sibling === undefined ? [] : [sibling];
  });
}

function struct(fields: string): { name: string; type: string }[] {
  return fields.split(",").map((field) => ({ type: field.split(" ")[0]!, name: field.split(" ")[1]! }));
}

function row(asset: string, amounts: readonly string[]): Message {
  const names = ASSET_STATE.slice(1).map(({ name }) => name);
  return { asset, ...Object.fromEntries(names.map((name, i) => [name, amounts[i]])) };
}

function hash(text: string): string {
  return keccak256(toUtf8Bytes(text));
}

function key(text: string): string {
  return hash(`key of the ${text}`);
}

function addressOf(privateKey: string): string {
  return computeAddress(privateKey).toLowerCase();
}

function address(text: string): string {
  return hash(`address of ${text}`).slice(0, 42);
}

function number(text: string, bytes = 8): string {
  return BigInt(hash(`number ${text}`).slice(0, 2 + 2 * bytes)).toString();
}

function write(file: string, content: object): void {
  writeFileSync(join(__dirname, `${file}.json`), `${JSON.stringify(content, null, 2)}\n`);
}

if (require.main === module) {
  for (const kind of KINDS) write(kind.file, vectorsOf(kind));
  write("merkle", merkleVectors());
}
