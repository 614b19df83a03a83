import { createHash } from "node:crypto";
import { AbiCoder } from "ethers";
import {
  UINT128_MAX,
  digestOf,
  hashResolution,
  hexToBytes,
  type Address,
  type Hex,
  type Thread,
} from "../../../../protocol";
import { threadHashOf } from "../signatures";
import type { Model } from "./model";

/** The numbers of `HostileApp.Trick`. */
export enum AppTrick {
  Answer,
  AnswerGasLeft,
  Write,
  Fail,
  BurnGas,
}

type App = (model: Model, thread: Thread, appState: Hex, resolver: Hex) => bigint | undefined;

/** What the thread's app answers, if it answers with one `uint128`. */
export function askApp(model: Model, thread: Thread, appState: Hex, resolver: Hex): bigint | undefined {
  const { hashlock, signedApp, hostileApp } = model.world;
  const apps: Readonly<Record<Address, App>> = {
    [hashlock]: askHashlock,
    [signedApp]: askSigned,
    [hostileApp]: askHostile,
  };
  return apps[thread.app]?.(model, thread, appState, resolver);
}

const askHashlock: App = (_, thread, appState, resolver) => {
  const preimage = hexToBytes(resolver);
  const isPreimage =
    preimage.length === 32 && createHash("sha256").update(preimage).digest("hex") === appState.slice(2);
  return isPreimage ? thread.balanceSender + thread.balanceReceiver : undefined;
};

const askSigned: App = ({ world, signatures }, thread, appState, resolver) => {
  const statement = decode(["uint128", "bytes"], resolver) as readonly [bigint, Hex] | undefined;
  const arbiter = decode(["address"], appState) as readonly [string] | undefined;
  if (statement === undefined || arbiter === undefined) return undefined;
  const [balanceReceiver, signature] = statement;
  const threadHash = threadHashOf(thread);
  const structHash = hashResolution({ channelManager: world.manager, threadHash, balanceReceiver });
  const digest = digestOf(world.signedAppDomain, structHash);
  return signatures.isValid(signature, arbiter[0].toLowerCase() as Address, digest) ? balanceReceiver : undefined;
};

const askHostile: App = (_, _thread, _appState, resolver) => {
  const order = decode(["uint8", "uint256", "uint256"], resolver) as readonly [bigint, bigint, bigint] | undefined;
  if (order === undefined) return undefined;
  const [trick, word, length] = order;
  return trick === BigInt(AppTrick.Answer) && length === 32n && word <= UINT128_MAX ? word : undefined;
};

function decode(types: readonly string[], data: Hex): readonly unknown[] | undefined {
  try {
    return AbiCoder.defaultAbiCoder().decode(types, data).toArray() as unknown[];
  } catch {
    return undefined;
  }
}
