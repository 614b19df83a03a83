import { expect } from "chai";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { Signature, concat, getBytes, hexlify, toBeHex, toUtf8Bytes, type TypedDataDomain } from "ethers";
import { freshWorld, signUpdate, type World } from "../support/world";
import type { Terms } from "../support/states";
import { agree, recordOf, type Agreed } from "../support/threads";
import { CHANNEL_STATE, THREAD, THREAD_PAYMENT, THREAD_UPDATE } from "../support/typed-data";

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

type Sent = ReturnType<World["manager"]["challengeThread"]>;

/** A statement about a thread: what Alice signs of it, and how it is shown with a signature of hers. */
interface Kind {
  readonly name: string;
  readonly types: Record<string, { name: string; type: string }[]>;
  readonly overrides: Partial<Terms>;
  readonly message: (agreed: Agreed) => Record<string, unknown>;
  readonly show: (world: World, agreed: Agreed, signature: string) => Promise<Awaited<Sent>>;
}

const UPDATE = { nonce: 5n, balanceReceiver: 60n };

const KINDS: readonly Kind[] = [
  {
    name: "terms",
    types: THREAD,
    overrides: {},
    message: ({ thread }) => ({ ...thread }),
    show: ({ manager }, { signed }, sigSender) => manager.challengeThread({ ...signed, sigSender }),
  },
  {
    name: "a payment",
    types: THREAD_PAYMENT,
    overrides: {},
    message: ({ hash }) => ({ threadHash: hash, balanceReceiver: 60n }),
    show: ({ manager }, { signed }, signature) => manager.challengeThreadWithPayment(signed, 60n, signature),
  },
  {
    name: "an update",
    types: THREAD_UPDATE,
    overrides: { updatable: true },
    message: ({ hash, thread }) => ({ threadHash: hash, ...UPDATE, appStateHash: thread.appStateHash }),
    show: async (world, { signed, thread }, sigSender) => {
      const update = await signUpdate(world, world.alice, world.bob, thread, UPDATE);
      return world.manager.challengeThreadWithUpdate(signed, { ...update, sigSender });
    },
  },
];

/** What becomes of a good signature of 65 bytes. */
const MALFORMED: readonly [what: string, spoil: (signature: string) => string][] = [
  ["nothing", () => "0x"],
  ["64 zero bytes", () => `0x${"00".repeat(64)}`],
  ["65 zero bytes", () => `0x${"00".repeat(65)}`],
  ["two bytes less", (signature) => signature.slice(0, -4)],
  ["a byte more", (signature) => `${signature}00`],
  ["v of 0 or 1", (signature) => `${signature.slice(0, -2)}0${Signature.from(signature).yParity}`],
  ["v of 29", (signature) => `${signature.slice(0, -2)}1d`],
  ["the other v", (signature) => `${signature.slice(0, -2)}${signature.endsWith("1b") ? "1c" : "1b"}`],
  ["high s", (signature) => mirror(signature, true)],
  ["high s and the same v", (signature) => mirror(signature, false)],
  ["its own hex text", (signature) => hexlify(toUtf8Bytes(signature))],
];

/** The second solution of the curve equation: -s with the other v, or -s alone. */
function mirror(signature: string, otherV: boolean): string {
  const { r, s, v } = Signature.from(signature);
  const flipped = otherV ? 55 - v : v;
  return concat([r, toBeHex(CURVE_ORDER - BigInt(s), 32), toBeHex(flipped, 1)]);
}

describe("sig: statements about threads", () => {
  for (const kind of KINDS) {
    const setUp = async (): Promise<{
      world: World;
      agreed: Agreed;
      sign: (domain: TypedDataDomain) => Promise<string>;
    }> => {
      const world = await freshWorld();
      const agreed = await agree(world, kind.overrides);
      const sign = (domain: TypedDataDomain): Promise<string> =>
        world.alice.signTypedData(domain, kind.types, kind.message(agreed));
      return { world, agreed, sign };
    };

    const expectRefused = async (world: World, agreed: Agreed, signature: string): Promise<void> => {
      await expect(kind.show(world, agreed, signature), signature)
        .to.be.revertedWithCustomError(world.manager, "InvalidSignature")
        .withArgs(world.alice.address);
    };

    for (const [what, spoil] of MALFORMED) {
      it(`refuses ${kind.name} with ${what} for a signature`, async () => {
        const { world, agreed, sign } = await setUp();
        await expectRefused(world, agreed, spoil(await sign(world.domain)));
      });
    }

    it(`refuses ${kind.name} signed for another chain, contract, name or version`, async () => {
      const { world, agreed, sign } = await setUp();
      const others = [
        { chainId: 1n },
        { verifyingContract: world.bob.address },
        { name: "SignedApp" },
        { version: "2" },
      ];
      for (const other of others) {
        await expectRefused(world, agreed, await sign({ ...world.domain, ...other }));
      }
    });

    it(`refuses ${kind.name} signed as a message (EIP-191), which is what log-ins are`, async () => {
      const { world, agreed } = await setUp();
      await expectRefused(world, agreed, await world.alice.signMessage(getBytes(agreed.hash)));
    });

    it(`refuses ${kind.name} by the signature of any other kind of statement`, async () => {
      const { world, agreed } = await setUp();
      for (const signature of await otherStatements(world, world.alice, agreed, kind)) {
        await expectRefused(world, agreed, signature);
      }
    });

    it(`accepts ${kind.name} in 65 bytes or compact (EIP-2098), and so the refusals above are for their reason`, async () => {
      for (const shape of ["serialized", "compactSerialized"] as const) {
        const { world, agreed, sign } = await setUp();
        await kind.show(world, agreed, Signature.from(await sign(world.domain))[shape]);
        expect((await recordOf(world, agreed.hash)).deadline).not.to.equal(0n);
      }
    });
  }
});

/** What Alice signs elsewhere with words from the same thread. */
async function otherStatements(world: World, alice: HardhatEthersSigner, agreed: Agreed, own: Kind): Promise<string[]> {
  const others = KINDS.filter((kind) => kind !== own);
  const signatures = others.map((kind) => alice.signTypedData(world.domain, kind.types, kind.message(agreed)));
  const state = {
    user: alice.address,
    session: 0n,
    nonce: 5n,
    assets: [],
    threadRoot: agreed.hash,
    recipient: alice.address,
  };
  return Promise.all([...signatures, alice.signTypedData(world.domain, CHANNEL_STATE, state)]);
}
