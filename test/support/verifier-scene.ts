import { time } from "@nomicfoundation/hardhat-network-helpers";
import type { ContractTransactionResponse } from "ethers";
import { id } from "ethers";
import { row, state, type AssetRow, type State } from "./states";
import { PERIOD, collateralize, deposit, freshWorld, signState, type SignedState, type World } from "./world";

/** A channel in which every rule of the verifier bites, and a state that keeps them all. */
export interface Scene extends World {
  readonly asset: string;
  readonly good: State;
}

const ETHER = {
  depositedUser: 1_000n,
  depositedHub: 400n,
  balanceUser: 850n,
  balanceHub: 385n,
  locked: 100n,
  withdrawnUser: 53n,
  withdrawnHub: 12n,
};

/**
 * Alice's channel: 1000 wei of hers and 400 of the hub's, of which 30 and 7 are withdrawn; 2000 units of the token of
 * hers and 800 of the hub's, of which 11 and 3 are withdrawn.
 */
export async function verifierScene(): Promise<Scene> {
  const world = await freshWorld();
  const { manager, alice, carol } = world;
  const asset = await world.token.getAddress();
  await deposit(world, alice, 1_000n);
  await collateralize(world, alice, 400n);
  await deposit(world, alice, 2_000n, { asset });
  await collateralize(world, alice, 800n, asset);
  const token = { asset, depositedUser: 2_000n, depositedHub: 800n, balanceHub: 899n };
  const executed = [
    row({
      depositedUser: 1_000n,
      depositedHub: 400n,
      balanceUser: 963n,
      balanceHub: 400n,
      withdrawnUser: 30n,
      withdrawnHub: 7n,
    }),
    row({ ...token, balanceUser: 1_887n, withdrawnUser: 11n, withdrawnHub: 3n }),
  ];
  await manager.connect(carol).withdraw(...(await signState(world, alice, state(alice.address, executed))));
  const rows = [row(ETHER), row({ ...token, balanceUser: 1_884n, withdrawnUser: 13n, withdrawnHub: 4n })];
  return { ...world, asset, good: state(alice.address, rows, { nonce: 5n, threadRoot: id("root") }) };
}

/** The scene's state with changed rows: the first is ether, the second the token. */
export function withRows(good: State, ether: Partial<AssetRow>, token: Partial<AssetRow> = {}): State {
  const [first, second] = good.assets;
  return { ...good, assets: [row({ ...first, ...ether }), row({ ...second, ...token })] };
}

/** One of the four functions that use a state. */
export interface Use {
  readonly name: "withdraw" | "startExit" | "challenge" | "settle";
  /** Brings the channel to where the scene's state is accepted. */
  readonly arrange: (scene: Scene) => Promise<void>;
  readonly act: (scene: Scene, signed: SignedState) => Promise<ContractTransactionResponse>;
}

export const USES: readonly Use[] = [
  {
    name: "withdraw",
    arrange: () => Promise.resolve(),
    act: ({ manager, carol }, signed) => manager.connect(carol).withdraw(...signed),
  },
  {
    name: "startExit",
    arrange: () => Promise.resolve(),
    act: ({ manager, hub }, signed) => manager.connect(hub).startExit(...signed),
  },
  {
    name: "challenge",
    arrange: async (scene) => {
      const older = await signState(scene, scene.alice, { ...scene.good, nonce: 4n });
      await scene.manager.connect(scene.alice).startExit(...older);
    },
    act: ({ manager, carol }, signed) => manager.connect(carol).challenge(...signed),
  },
  {
    name: "settle",
    arrange: async (scene) => {
      await scene.manager.connect(scene.alice).startExit(...(await signState(scene, scene.alice, scene.good)));
      await time.increase(PERIOD);
    },
    act: ({ manager, carol }, signed) => manager.connect(carol).settle(...signed),
  },
];
