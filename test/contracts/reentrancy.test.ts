import { expect } from "chai";
import { ethers } from "hardhat";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { ZeroHash, type ContractTransactionResponse } from "ethers";
import type { ReentrantToken } from "../../typechain-types";
import { expectMoved } from "../support/books";
import { hostileScene, type HostileScene } from "../support/hostile-scene";
import { ETH, row, state, terms } from "../support/states";
import { PERIOD, deposit, exitAndSettle, exitToDeadline, signState, unsigned } from "../support/world";

interface Scene extends HostileScene {
  readonly reentrant: ReentrantToken;
}

async function reentrantScene(): Promise<Scene> {
  const scene = await hostileScene("ReentrantToken");
  return { ...scene, reentrant: await ethers.getContractAt("ReentrantToken", scene.asset) };
}

interface Outer {
  readonly name: string;
  /** By how much the call changes what the contract holds of the token. */
  readonly change: bigint;
  readonly prepare?: (scene: Scene) => Promise<unknown>;
  readonly act: (scene: Scene) => Promise<ContractTransactionResponse>;
}

const NO_PERMIT = [0n, 0, ZeroHash, ZeroHash] as const;
const NO_AUTHORIZATION = [0n, 0n, ZeroHash, 0, ZeroHash, ZeroHash] as const;

/** Every function that lets a token run. */
const OUTERS: readonly Outer[] = [
  {
    name: "deposit",
    change: 10n,
    act: ({ manager, alice, asset }) => manager.connect(alice).deposit(alice, asset, 10n, false),
  },
  {
    name: "depositWithPermit",
    change: 10n,
    act: ({ manager, alice, asset }) =>
      manager.connect(alice).depositWithPermit(alice, asset, 10n, false, ...NO_PERMIT),
  },
  {
    name: "depositWithAuthorization",
    change: 10n,
    act: ({ manager, alice, asset }) => manager.depositWithAuthorization(alice, asset, 10n, ...NO_AUTHORIZATION),
  },
  { name: "fundReserve", change: 10n, act: ({ manager, hub, asset }) => manager.connect(hub).fundReserve(asset, 10n) },
  {
    name: "recallReserve",
    change: -10n,
    prepare: ({ manager, hub, asset }) => manager.connect(hub).fundReserve(asset, 10n),
    act: ({ manager, hub, asset }) => manager.connect(hub).recallReserve(asset, 10n),
  },
  { name: "withdraw", change: -30n, act: ({ manager, carol, signed }) => manager.connect(carol).withdraw(...signed) },
  {
    name: "claim",
    change: -30n,
    prepare: async (scene) => {
      const { manager, address, alice, signed } = scene;
      const toNobody = await signState(scene, alice, { ...signed[0], recipient: address });
      await manager.withdraw(...toNobody);
    },
    act: ({ manager, alice, asset }) => manager.connect(alice).claim(asset, alice),
  },
  {
    name: "settle",
    change: -310n,
    prepare: (scene) => exitToDeadline(scene, scene.alice, scene.signed),
    act: ({ manager, carol, signed }) => manager.connect(carol).settle(...signed),
  },
  {
    name: "reclaim",
    change: -300n,
    prepare: (scene) => exitAndSettle(scene, scene.alice, unsigned(state(scene.alice.address, [row()], { nonce: 0n }))),
    act: ({ manager, alice, carol, asset }) => manager.connect(carol).reclaim(alice, 0n, asset),
  },
];

/** Every function that moves money, as calldata. */
function innerCalls({ manager, alice, bob, asset, signed }: Scene): Record<string, string> {
  const face = manager.interface;
  return {
    deposit: face.encodeFunctionData("deposit", [alice.address, asset, 1n, false]),
    depositWithPermit: face.encodeFunctionData("depositWithPermit", [alice.address, asset, 1n, false, ...NO_PERMIT]),
    depositWithAuthorization: face.encodeFunctionData("depositWithAuthorization", [
      alice.address,
      asset,
      1n,
      ...NO_AUTHORIZATION,
    ]),
    fundReserve: face.encodeFunctionData("fundReserve", [asset, 1n]),
    recallReserve: face.encodeFunctionData("recallReserve", [asset, 1n]),
    withdraw: face.encodeFunctionData("withdraw", signed),
    claim: face.encodeFunctionData("claim", [asset, bob.address]),
    settle: face.encodeFunctionData("settle", signed),
    reclaim: face.encodeFunctionData("reclaim", [alice.address, 0n, asset]),
    settleThread: face.encodeFunctionData("settleThread", [alice.address, 0n, terms(alice.address, bob.address), []]),
  };
}

const INNERS = [...OUTERS.map(({ name }) => name), "settleThread"];

for (const { name, change, prepare, act } of OUTERS) {
  describe(`a token that calls back from within ${name}`, () => {
    for (const inner of INNERS) {
      it(`into ${inner} is refused, and moves what it should, once`, async () => {
        const scene = await reentrantScene();
        const { manager, address, hostile, reentrant, asset } = scene;
        await prepare?.(scene);
        await reentrant.setCall(address, innerCalls(scene)[inner]!);
        await hostile.turn(true);
        await expectMoved(act(scene), asset, [[address, change]]);
        expect(await reentrant.called()).to.be.true;
        expect(await reentrant.succeeded()).to.be.false;
        expect(await reentrant.answer()).to.equal(manager.interface.getError("ReentrancyGuardReentrantCall")!.selector);
      });
    }
  });
}

describe("a token that calls what needs no lock", () => {
  it("finds the books written before anybody is paid: after a settlement nothing is left to challenge", async () => {
    const scene = await reentrantScene();
    const { manager, address, alice, carol, hostile, reentrant, signed } = scene;
    const newer = await signState(scene, alice, { ...signed[0], nonce: 2n });
    await exitToDeadline(scene, alice, signed);
    await reentrant.setCall(address, manager.interface.encodeFunctionData("challenge", newer));
    await hostile.turn(true);
    await manager.connect(carol).settle(...signed);
    expect(await reentrant.called()).to.be.true;
    expect(await reentrant.answer()).to.equal(manager.interface.getError("ChannelNotExiting")!.selector);
    expect(await manager.channelOf(alice)).to.deep.equal([1n, 0n, 0n]);
  });

  it("may challenge somebody else's exit, like anybody", async () => {
    const scene = await reentrantScene();
    const { manager, address, bob, carol, hostile, reentrant, asset, signed } = scene;
    await deposit(scene, bob, 9n);
    const rows = [row({ depositedUser: 9n, balanceUser: 9n })];
    await manager.connect(bob).startExit(...(await signState(scene, bob, state(bob.address, rows))));
    const newer = await signState(scene, bob, state(bob.address, rows, { nonce: 2n }));
    await reentrant.setCall(address, manager.interface.encodeFunctionData("challenge", newer));
    await hostile.turn(true);
    await expectMoved(manager.connect(carol).withdraw(...signed), asset, [[address, -30n]]);
    expect(await reentrant.succeeded()).to.be.true;
    expect((await manager.channelOf(bob)).exitNonce).to.equal(2n);
    await time.increase(PERIOD);
    await expectMoved(manager.connect(carol).settle(...newer), ETH, [[bob, 9n]]);
  });
});
