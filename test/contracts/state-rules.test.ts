import { expect } from "chai";
import { ZeroAddress, ZeroHash, dataSlice, getAddress, id } from "ethers";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { ETH, row, state, type AssetRow, type State } from "../support/states";
import { USES, verifierScene, withRows, type Scene, type Use } from "../support/verifier-scene";
import { PERIOD, collateralize, deposit, freshWorld, signState, unsigned } from "../support/world";

type Refusal = readonly [error: string, ...args: unknown[]];

interface Rule {
  readonly title: string;
  readonly breakIt: (scene: Scene) => State;
  readonly refusal: (scene: Scene) => Refusal;
  /** Functions that find something wrong before they look at the rule. */
  readonly sooner?: Partial<Record<Use["name"], Refusal>>;
}

const NOT_EXITING: Rule["sooner"] = { challenge: ["ChannelNotExiting"], settle: ["ChannelNotExiting"] };

const MAX = 2n ** 128n - 1n;

/** An asset that nobody ever deposited; they ascend with `n`. */
const junk = (n: number): AssetRow => row({ asset: getAddress(`0x${String(n).padStart(40, "f")}`) });

const withAssets = ({ good }: Scene, ...more: AssetRow[]): State => ({ ...good, assets: [...good.assets, ...more] });

const AMOUNTS = [
  "balanceHub",
  "balanceUser",
  "locked",
  "depositedHub",
  "depositedUser",
  "withdrawnHub",
  "withdrawnUser",
] as const;

const CONSERVATION: readonly Rule[] = AMOUNTS.flatMap((amount) => [
  {
    title: `${amount} of ether is a wei too high`,
    breakIt: ({ good }) => withRows(good, { [amount]: BigInt(good.assets[0]![amount]) + 1n }),
    refusal: () => ["NotConserved", ETH],
  },
  {
    title: `${amount} of the second asset is a unit too high`,
    breakIt: ({ good }) => withRows(good, {}, { [amount]: BigInt(good.assets[1]![amount]) + 1n }),
    refusal: ({ asset }) => ["NotConserved", asset],
  },
]);

const RULES: readonly Rule[] = [
  ...CONSERVATION,
  {
    title: "the sums agree in 128 bits only",
    breakIt: ({ good }) => withRows(good, { balanceUser: MAX, balanceHub: 850n + 385n + 1n }),
    refusal: () => ["NotConserved", ETH],
  },
  {
    title: "it names a deposit of the user that is not there",
    breakIt: ({ good }) => withRows(good, { depositedUser: 1_001n, balanceUser: 851n }),
    refusal: () => ["NotBacked", ETH, 400n, 1_000n],
  },
  {
    title: "it names a deposit of the hub that is not there",
    breakIt: ({ good }) => withRows(good, {}, { depositedHub: 801n, balanceHub: 900n }),
    refusal: ({ asset }) => ["NotBacked", asset, 800n, 2_000n],
  },
  {
    title: "it names deposits of an asset that has none",
    breakIt: (scene) => withAssets(scene, { ...junk(1), depositedUser: 1n, balanceUser: 1n }),
    refusal: () => ["NotBacked", junk(1).asset, 0n, 0n],
  },
  {
    title: "it forgets an executed withdrawal of the user",
    breakIt: ({ good }) => withRows(good, { withdrawnUser: 29n, balanceUser: 874n }),
    refusal: () => ["NotFresh", ETH, 7n, 30n],
  },
  {
    title: "it forgets an executed withdrawal of the hub",
    breakIt: ({ good }) => withRows(good, {}, { withdrawnHub: 2n, balanceHub: 901n }),
    refusal: ({ asset }) => ["NotFresh", asset, 3n, 11n],
  },
  {
    title: "something is locked without a thread root",
    breakIt: ({ good }) => ({ ...good, threadRoot: ZeroHash }),
    refusal: () => ["ThreadRootMismatch", ZeroHash],
  },
  {
    title: "something is locked in the second asset alone, without a thread root",
    breakIt: ({ good }) => ({
      ...withRows(good, { locked: 0n, balanceUser: 950n }, { locked: 1n, balanceUser: 1_883n }),
      threadRoot: ZeroHash,
    }),
    refusal: () => ["ThreadRootMismatch", ZeroHash],
  },
  {
    title: "there is a thread root and nothing locked",
    breakIt: ({ good }) => withRows(good, { locked: 0n, balanceUser: 950n }),
    refusal: ({ good }) => ["ThreadRootMismatch", good.threadRoot],
  },
  {
    title: "N-4: there are nine assets",
    breakIt: (scene) => withAssets(scene, ...[1, 2, 3, 4, 5, 6, 7].map(junk)),
    refusal: () => ["TooManyAssets", 9n, 8n],
  },
  {
    title: "the assets descend",
    breakIt: ({ good }) => ({ ...good, assets: [...good.assets].reverse() }),
    refusal: ({ asset }) => ["AssetsNotAscending", asset, ETH],
  },
  {
    title: "the last two assets descend",
    breakIt: ({ good }) => ({ ...good, assets: [good.assets[0]!, junk(1), good.assets[1]!] }),
    refusal: ({ asset }) => ["AssetsNotAscending", junk(1).asset, asset],
  },
  {
    title: "an asset stands there twice",
    breakIt: ({ good }) => ({ ...good, assets: [...good.assets, good.assets[1]!] }),
    refusal: ({ asset }) => ["AssetsNotAscending", asset, asset],
  },
  {
    title: "it is for a later session",
    breakIt: ({ good }) => ({ ...good, session: 1n }),
    refusal: () => ["SessionMismatch", 0n, 1n],
  },
  {
    title: "its user is the zero address",
    breakIt: ({ good }) => ({ ...good, user: ZeroAddress }),
    refusal: () => ["InvalidUser", ZeroAddress],
    sooner: NOT_EXITING,
  },
  {
    title: "its user is the hub",
    breakIt: ({ good, hub }) => ({ ...good, user: hub.address }),
    refusal: ({ hub }) => ["InvalidUser", hub.address],
    sooner: NOT_EXITING,
  },
  {
    title: "its user is the contract",
    breakIt: ({ good, address }) => ({ ...good, user: address }),
    refusal: ({ address }) => ["InvalidUser", address],
    sooner: NOT_EXITING,
  },
  {
    title: "its user is somebody else",
    breakIt: ({ good, bob }) => ({ ...good, user: bob.address }),
    refusal: () => ["NotBacked", ETH, 0n, 0n],
    sooner: NOT_EXITING,
  },
];

for (const { name, arrange, act } of USES) {
  describe(`the rules of a state: ${name}`, () => {
    for (const { title, breakIt, refusal, sooner } of RULES) {
      it(`refuses where ${title}, although both signed`, async () => {
        const scene = await verifierScene();
        await arrange(scene);
        const [error, ...args] = sooner?.[name] ?? refusal(scene);
        await expect(act(scene, await signState(scene, scene.alice, breakIt(scene))))
          .to.be.revertedWithCustomError(scene.manager, error)
          .withArgs(...args);
      });
    }

    it("accepts eight assets, and rows of assets that nobody ever deposited", async () => {
      const scene = await verifierScene();
      const eight = { ...scene, good: withAssets(scene, ...[1, 2, 3, 4, 5, 6].map(junk)) };
      expect(eight.good.assets).to.have.lengthOf(8);
      await arrange(eight);
      await expect(act(eight, await signState(eight, eight.alice, eight.good))).not.to.be.reverted;
    });

    it("accepts a state whose deposits lag behind and whose withdrawals are those of the chain", async () => {
      const scene = await verifierScene();
      const changed = withRows(
        scene.good,
        { depositedUser: 990n, withdrawnUser: 30n, withdrawnHub: 7n, balanceUser: 868n },
        { depositedHub: 799n, withdrawnUser: 11n, withdrawnHub: 3n, balanceUser: 1_886n },
      );
      const lagging = { ...scene, good: changed };
      await arrange(lagging);
      await expect(act(lagging, await signState(lagging, lagging.alice, changed))).not.to.be.reverted;
    });
  });
}

/** Nonce 0 with something in it, signed by both or not. */
const NOT_ZERO: readonly (readonly [
  title: string,
  assets: Partial<AssetRow>[],
  overrides: Partial<State>,
  refusal: Refusal,
])[] = [
  ["a balance of the user", [{ depositedUser: 1n, balanceUser: 1n }], {}, ["UnsignedStateNotZero"]],
  ["a balance of the hub", [{ depositedHub: 1n, balanceHub: 1n }], {}, ["UnsignedStateNotZero"]],
  ["a withdrawal of the user", [{ depositedUser: 1n, withdrawnUser: 1n }], {}, ["UnsignedStateNotZero"]],
  ["a withdrawal of the hub", [{ depositedHub: 1n, withdrawnHub: 1n }], {}, ["UnsignedStateNotZero"]],
  ["something locked", [{ depositedUser: 1n, locked: 1n }], { threadRoot: id("root") }, ["UnsignedStateNotZero"]],
  ["a balance in the second row", [{}, { depositedUser: 2n, balanceHub: 2n }], {}, ["UnsignedStateNotZero"]],
  ["a balance in the first row of two", [{ depositedUser: 2n, balanceHub: 2n }, {}], {}, ["UnsignedStateNotZero"]],
  ["a recipient", [{}], { recipient: dataSlice(id("x"), 0, 20) }, ["UnsignedStateNotZero"]],
  ["a thread root", [{}], { threadRoot: id("root") }, ["ThreadRootMismatch", id("root")]],
  ["a balance out of nothing", [{ balanceUser: 1n }], {}, ["NotConserved", ETH]],
];

describe("nonce 0, the state before anything was signed", () => {
  /** Alice has deposited 100 of each asset and the hub 40; nothing is signed. */
  async function unsignedScene(): Promise<Scene> {
    const world = await freshWorld();
    const asset = await world.token.getAddress();
    for (const of of [ETH, asset]) {
      await deposit(world, world.alice, 100n, { asset: of });
      await collateralize(world, world.alice, 40n, of);
    }
    return { ...world, asset, good: state(world.alice.address, [row(), row({ asset })], { nonce: 0n }) };
  }

  async function exiting(scene: Scene): Promise<void> {
    await scene.manager.connect(scene.alice).startExit(...unsigned(scene.good));
    await time.increase(PERIOD);
  }

  for (const { name, act } of USES.filter((use) => use.name !== "challenge")) {
    const arrange = (scene: Scene): Promise<void> => (name === "settle" ? exiting(scene) : Promise.resolve());

    for (const [title, rows, overrides, [error, ...args]] of NOT_ZERO) {
      it(`${name} refuses it with ${title}, signed or not`, async () => {
        const scene = await unsignedScene();
        await arrange(scene);
        const assets = rows.map((changes, i) => row({ asset: i === 0 ? ETH : scene.asset, ...changes }));
        const given = state(scene.alice.address, assets, { nonce: 0n, ...overrides });
        for (const signed of [unsigned(given), await signState(scene, scene.alice, given)]) {
          await expect(act(scene, signed))
            .to.be.revertedWithCustomError(scene.manager, error)
            .withArgs(...args);
        }
      });
    }

    it(`${name} accepts it without signatures and does not read any`, async () => {
      for (const signature of ["0x", "0x1234", `0x${"ff".repeat(65)}`]) {
        const scene = await unsignedScene();
        await arrange(scene);
        await expect(act(scene, [scene.good, signature, signature])).not.to.be.reverted;
      }
    });
  }

  it("challenges nothing, because nothing is lower", async () => {
    const scene = await unsignedScene();
    await scene.manager.connect(scene.alice).startExit(...unsigned(scene.good));
    await expect(scene.manager.connect(scene.carol).challenge(...unsigned(scene.good)))
      .to.be.revertedWithCustomError(scene.manager, "NonceNotHigher")
      .withArgs(0n, 0n);
  });

  it("is refused once a withdrawal was executed", async () => {
    const scene = await unsignedScene();
    const { manager, alice, carol } = scene;
    const withdrawn = row({ depositedUser: 100n, balanceUser: 98n, withdrawnUser: 2n });
    await manager.connect(carol).withdraw(...(await signState(scene, alice, state(alice.address, [withdrawn]))));
    await expect(manager.connect(alice).startExit(...unsigned(scene.good)))
      .to.be.revertedWithCustomError(manager, "NotFresh")
      .withArgs(ETH, 0n, 2n);
  });

  it("needs both signatures from nonce 1 on, even where all is zero", async () => {
    const scene = await unsignedScene();
    const { manager, alice, hub } = scene;
    await expect(manager.connect(alice).startExit(...unsigned({ ...scene.good, nonce: 1n })))
      .to.be.revertedWithCustomError(manager, "InvalidSignature")
      .withArgs(hub.address);
  });
});
