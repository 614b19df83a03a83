import { expect } from "chai";
import {
  Signature,
  TypedDataEncoder,
  ZeroHash,
  concat,
  getBytes,
  hexlify,
  id,
  toBeHex,
  toUtf8Bytes,
  type TypedDataDomain,
} from "ethers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { terms, type State } from "../support/states";
import { CHANNEL_STATE, THREAD, THREAD_PAYMENT, THREAD_UPDATE } from "../support/typed-data";
import { USES, verifierScene, withRows, type Scene } from "../support/verifier-scene";
import { signState } from "../support/world";

type Sign = (scene: Scene, signer: HardhatEthersSigner) => Promise<string>;

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const inDomain =
  (change: (scene: Scene) => TypedDataDomain): Sign =>
  (scene, signer) =>
    signer.signTypedData({ ...scene.domain, ...change(scene) }, CHANNEL_STATE, scene.good);

const good: Sign = inDomain(() => ({}));

const reshaped =
  (reshape: (signature: Signature) => string): Sign =>
  async (scene, signer) =>
    reshape(Signature.from(await good(scene, signer)));

/** The same signature with another v; `Signature` itself would refuse it. */
const withV = (v: number): Sign => reshaped(({ r, s }) => concat([r, s, toBeHex(v, 1)]));

const cut = (length: number): Sign =>
  reshaped(({ serialized }) => concat([serialized, serialized]).slice(0, 2 + 2 * length));

/** Everything that is not the party's signature over this state for this contract. */
const BROKEN: readonly (readonly [title: string, sign: Sign])[] = [
  ["for another chain", inDomain(() => ({ chainId: 1n }))],
  ["for another contract", inDomain(({ bob }) => ({ verifyingContract: bob.address }))],
  ["in a domain of another name", inDomain(() => ({ name: "ChannelManager2" }))],
  ["in a domain of another version", inDomain(() => ({ version: "2" }))],
  ["of a stranger", (scene) => good(scene, scene.carol)],
  ["of the other party", (scene, signer) => good(scene, signer === scene.hub ? scene.alice : scene.hub)],
  [
    "over the state at another nonce",
    ({ domain, good: state }, signer) => signer.signTypedData(domain, CHANNEL_STATE, { ...state, nonce: 6n }),
  ],
  [
    "over the state in another session",
    ({ domain, good: state }, signer) => signer.signTypedData(domain, CHANNEL_STATE, { ...state, session: 1n }),
  ],
  [
    "over another user's state",
    ({ domain, good: state, bob }, signer) =>
      signer.signTypedData(domain, CHANNEL_STATE, { ...state, user: bob.address }),
  ],
  [
    "over a thread",
    ({ domain, alice, bob }, signer) => signer.signTypedData(domain, THREAD, terms(alice.address, bob.address)),
  ],
  [
    "over a payment",
    ({ domain }, signer) =>
      signer.signTypedData(domain, THREAD_PAYMENT, { threadHash: id("thread"), balanceReceiver: 5n }),
  ],
  [
    "over an update",
    ({ domain, good: state }, signer) =>
      signer.signTypedData(domain, THREAD_UPDATE, {
        threadHash: TypedDataEncoder.hashStruct("ChannelState", CHANNEL_STATE, state),
        nonce: 5n,
        balanceReceiver: 5n,
        appStateHash: ZeroHash,
      }),
  ],
  [
    "over the digest as a personal message",
    ({ domain, good: state }, signer) =>
      signer.signMessage(getBytes(TypedDataEncoder.hash(domain, CHANNEL_STATE, state))),
  ],
  [
    "over the digest's hex text",
    ({ domain, good: state }, signer) => signer.signMessage(TypedDataEncoder.hash(domain, CHANNEL_STATE, state)),
  ],
  ["as hex text", reshaped(({ serialized }) => hexlify(toUtf8Bytes(serialized)))],
  ["with a high s", reshaped(({ r, s, v }) => concat([r, toBeHex(CURVE_ORDER - BigInt(s), 32), toBeHex(v ^ 7, 1)]))],
  ...[0, 1, 26, 29, 255].map((v) => [`with v = ${v}`, withV(v)] as const),
  ["with the other v", reshaped(({ r, s, v }) => concat([r, s, toBeHex(v ^ 7, 1)]))],
  [
    "compact with the other parity",
    reshaped(({ r, yParityAndS }) => concat([r, toBeHex(BigInt(yParityAndS) ^ (1n << 255n), 32)])),
  ],
  ...[0, 1, 32, 63, 66, 96, 130].map((length) => [`cut or stretched to ${length} bytes`, cut(length)] as const),
  ["of 65 zeros, which recovers the zero address", () => Promise.resolve(`0x${"00".repeat(65)}`)],
  ["of 64 zeros, which recovers the zero address", () => Promise.resolve(`0x${"00".repeat(64)}`)],
];

/** Every field of what was signed, changed afterwards so that all other rules still hold. */
const ALTERED: readonly (readonly [title: string, alter: (scene: Scene) => State])[] = [
  ["a wei moved from hub to user", ({ good: state }) => withRows(state, { balanceHub: 384n, balanceUser: 851n })],
  ["a wei moved from user to hub", ({ good: state }) => withRows(state, { balanceHub: 386n, balanceUser: 849n })],
  ["a wei unlocked", ({ good: state }) => withRows(state, { locked: 99n, balanceUser: 851n })],
  ["a deposit of the user forgotten", ({ good: state }) => withRows(state, { depositedUser: 999n, balanceUser: 849n })],
  ["a deposit of the hub forgotten", ({ good: state }) => withRows(state, { depositedHub: 399n, balanceHub: 384n })],
  ["a withdrawal of the user added", ({ good: state }) => withRows(state, { withdrawnUser: 54n, balanceUser: 849n })],
  ["a withdrawal of the hub added", ({ good: state }) => withRows(state, { withdrawnHub: 13n, balanceHub: 384n })],
  [
    "a unit moved in the second asset",
    ({ good: state }) => withRows(state, {}, { balanceHub: 898n, balanceUser: 1_885n }),
  ],
  ["a row dropped", ({ good: state }) => ({ ...state, assets: state.assets.slice(0, 1) })],
  ["another thread root", ({ good: state }) => ({ ...state, threadRoot: id("another root") })],
  ["another recipient", ({ good: state, bob }) => ({ ...state, recipient: bob.address })],
];

for (const { name, arrange, act } of USES) {
  describe(`sig: ${name}`, () => {
    async function arranged(): Promise<Scene> {
      const scene = await verifierScene();
      await arrange(scene);
      return scene;
    }

    for (const [title, sign] of BROKEN) {
      it(`refuses a signature ${title}, be it the hub's or the user's`, async () => {
        const scene = await arranged();
        const { manager, hub, alice } = scene;
        await expect(act(scene, [scene.good, await sign(scene, hub), await good(scene, alice)]))
          .to.be.revertedWithCustomError(manager, "InvalidSignature")
          .withArgs(hub.address);
        await expect(act(scene, [scene.good, await good(scene, hub), await sign(scene, alice)]))
          .to.be.revertedWithCustomError(manager, "InvalidSignature")
          .withArgs(alice.address);
      });
    }

    it("refuses swapped signatures", async () => {
      const scene = await arranged();
      const { manager, hub, alice } = scene;
      await expect(act(scene, [scene.good, await good(scene, alice), await good(scene, hub)]))
        .to.be.revertedWithCustomError(manager, "InvalidSignature")
        .withArgs(hub.address);
    });

    for (const [title, alter] of ALTERED) {
      it(`refuses a state altered after signing: ${title}`, async () => {
        const scene = await arranged();
        const { manager, hub, alice } = scene;
        await expect(act(scene, [alter(scene), await good(scene, hub), await good(scene, alice)]))
          .to.be.revertedWithCustomError(manager, "InvalidSignature")
          .withArgs(hub.address);
      });
    }

    it("accepts the state with both signatures", async () => {
      const scene = await arranged();
      await expect(act(scene, await signState(scene, scene.alice, scene.good))).not.to.be.reverted;
    });

    for (const [hubCompact, userCompact] of [
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const whose = hubCompact && userCompact ? "both" : hubCompact ? "the hub" : "the user";
      it(`accepts compact signatures (EIP-2098) of ${whose}`, async () => {
        const scene = await arranged();
        const compact = reshaped(({ compactSerialized }) => compactSerialized);
        const sigHub = await (hubCompact ? compact : good)(scene, scene.hub);
        const sigUser = await (userCompact ? compact : good)(scene, scene.alice);
        await expect(act(scene, [scene.good, sigHub, sigUser])).not.to.be.reverted;
      });
    }
  });
}
