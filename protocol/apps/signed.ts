import { parseAddress, type Address } from "../address";
import { signedAppDomain, type Domain } from "../eip712/domain";
import { digestOf, hashResolution, hashThread } from "../eip712/hash";
import type { Hex } from "../hex";
import { signDigest, type Signature } from "../signature";
import { threadSum, type Thread } from "../thread";
import { verifyResolution } from "../verify-thread";

// SignedApp.sol: what a named arbiter signs. App state is `abi.encode(address)`, the resolver
// `abi.encode(uint128, bytes)`; here only their canonical spelling is read, which is what `encode*` writes.

const WORD = 64;

/** App state that names the arbiter. */
export function signedAppState(arbiter: Address): Hex {
  return `0x${arbiter.slice(2).padStart(WORD, "0")}`;
}

/** The arbiter's statement, as a resolver. @param domain Of the ChannelManager. @param arbiterKey 32 bytes */
export function signOutcome(
  thread: Thread,
  balanceReceiver: bigint,
  arbiterKey: Uint8Array,
  { chainId, verifyingContract }: Domain,
): Hex {
  const resolution = { channelManager: verifyingContract, threadHash: hashThread(thread), balanceReceiver };
  const digest = digestOf(signedAppDomain(chainId, thread.app), hashResolution(resolution));
  return signedResolver(balanceReceiver, signDigest(digest, arbiterKey));
}

/** `abi.encode(uint128 balanceReceiver, bytes signature)` */
export function signedResolver(balanceReceiver: bigint, signature: Signature): Hex {
  const bytes = signature.slice(2);
  const words = [balanceReceiver, 0x40n, BigInt(bytes.length / 2)].map((word) => word.toString(16).padStart(WORD, "0"));
  return `0x${words.join("")}${bytes.padEnd(Math.ceil(bytes.length / WORD) * WORD, "0")}`;
}

/** What `SignedApp.resolve` answers; nothing where it reverts, or above the sum, where the contract refuses it. */
export function resolveSigned(thread: Thread, appState: Hex, resolver: Hex, domain: Domain): bigint | undefined {
  const [arbiter, given] = [arbiterOf(appState), readResolver(resolver)];
  if (arbiter === undefined || given === undefined || given.balanceReceiver > threadSum(thread)) return undefined;
  const { balanceReceiver, signature } = given;
  const channelManager = domain.verifyingContract;
  const resolution = { channelManager, threadHash: hashThread(thread), balanceReceiver };
  const appDomain = signedAppDomain(domain.chainId, thread.app);
  return verifyResolution(thread, resolution, signature, arbiter, appDomain) === undefined
    ? balanceReceiver
    : undefined;
}

function arbiterOf(appState: Hex): Address | undefined {
  return /^0x0{24}[0-9a-f]{40}$/.test(appState) ? parseAddress(`0x${appState.slice(26)}`) : undefined;
}

function readResolver(resolver: Hex): { readonly balanceReceiver: bigint; readonly signature: Signature } | undefined {
  const match = /^0x([0-9a-f]{64})0{62}40([0-9a-f]{64})((?:[0-9a-f]{64})+)$/.exec(resolver);
  if (match === null) return undefined;
  const [, balance = "", length = "", data = ""] = match;
  if (BigInt(`0x${length}`) > 65n) return undefined;
  const signature = `0x${data.slice(0, Number(BigInt(`0x${length}`)) * 2)}` as const;
  const balanceReceiver = BigInt(`0x${balance}`);
  const isCanonical = signedResolver(balanceReceiver, signature) === resolver;
  return isCanonical ? { balanceReceiver, signature } : undefined;
}
