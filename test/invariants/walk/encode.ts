import type { Interface } from "ethers";
import type { Address, Hex } from "../../../protocol";
import { wordOf, type Encoder } from "./abi";
import type { Call, ManagerCall, OutsideCalls } from "./calls";
import type { World } from "./world";

export interface Transaction {
  readonly to?: Address;
  readonly data: string;
}

/** How to speak to the contracts of a step. */
export interface Contracts {
  readonly world: World;
  readonly manager: Encoder;
  readonly multicall: Encoder;
  readonly token: Encoder;
  readonly rogue: Encoder;
  readonly receiver: Encoder;
  readonly managerInterface: Interface;
  readonly managerBytecode: Hex;
  readonly forcedEtherBytecode: Hex;
}

/** The transaction of a step, without its sender. */
export function encodeCall(contracts: Contracts, call: Call): Transaction {
  if (isManagerCall(call)) return { to: contracts.world.manager, data: encodeManagerCall(contracts, call) };
  const encode = OUTSIDE[call.fn] as (contracts: Contracts, args: typeof call.args) => Transaction;
  return encode(contracts, call.args);
}

const OUTSIDE: {
  readonly [F in keyof OutsideCalls]: (contracts: Contracts, args: OutsideCalls[F]) => Transaction;
} = {
  deploy: ({ managerBytecode, managerInterface }, { hub, treasury, challengePeriodSeconds }) => ({
    data: managerBytecode + managerInterface.encodeDeploy([hub, treasury, challengePeriodSeconds]).slice(2),
  }),
  plainEther: ({ world }) => ({ to: world.manager, data: "0x" }),
  forceEther: ({ world, forcedEtherBytecode }) => ({ data: forcedEtherBytecode + wordOf(world.manager) }),
  donateToken: ({ world, token }, { asset, amount }) => ({
    to: asset,
    data: token("transfer", [world.manager, amount]),
  }),
  approve: ({ world, token }, { asset, amount }) => ({ to: asset, data: token("approve", [world.manager, amount]) }),
  permit: ({ world, token }, { owner, amount, deadline, v, r, s }) => ({
    to: world.dollar,
    data: token("permit", [owner, world.manager, amount, deadline, v, r, s]),
  }),
  setTrick: (contracts, { trick, nested }) => ({
    to: contracts.world.rogue,
    data: contracts.rogue("setTrick", [trick, ...nestedCall(contracts, nested)]),
  }),
  setBalance: ({ world, rogue }, { holder, amount }) => ({
    to: world.rogue,
    data: rogue("setBalance", [holder, amount]),
  }),
  setManner: (contracts, { receiver, manner, nested }) => ({
    to: receiver,
    data: contracts.receiver("setManner", [manner, ...nestedCall(contracts, nested)]),
  }),
  batch: (contracts, { calls }) => ({ to: contracts.world.multicall, data: encodeBatch(contracts, calls) }),
};

function isManagerCall(call: Call): call is ManagerCall {
  return !(call.fn in OUTSIDE);
}

function encodeManagerCall({ manager }: Contracts, { fn, args }: ManagerCall): string {
  return manager(fn, { ...args });
}

function nestedCall(contracts: Contracts, nested: ManagerCall | undefined): readonly [target: Address, data: string] {
  return [contracts.world.manager, nested === undefined ? "0x" : encodeManagerCall(contracts, nested)];
}

function encodeBatch(contracts: Contracts, calls: OutsideCalls["batch"]["calls"]): string {
  const target = contracts.world.manager;
  const lines = calls.map(({ call, allowFailure }) => ({
    target,
    allowFailure,
    callData: encodeManagerCall(contracts, call),
  }));
  return contracts.multicall("aggregate3", [lines]);
}
