import { TypedDataEncoder } from "ethers";
import type { Address, Hash, Hex } from "../../../../protocol";
import type { AuthorizedDeposit, OutsideCalls, Refusal } from "../calls";
import type { World } from "../world";
import type { Model } from "./model";

type Permit = OutsideCalls["permit"];

const uint256 = (name: string): { name: string; type: string } => ({ name, type: "uint256" });
const address = (name: string): { name: string; type: string } => ({ name, type: "address" });

const PERMIT = {
  Permit: [address("owner"), address("spender"), uint256("value"), uint256("nonce"), uint256("deadline")],
};

const RECEIVE = {
  ReceiveWithAuthorization: [
    address("from"),
    address("to"),
    uint256("value"),
    uint256("validAfter"),
    uint256("validBefore"),
    { name: "nonce", type: "bytes32" },
  ],
};

const domainOf = (world: World): object => ({
  name: "Walk Dollar",
  version: "1",
  chainId: world.chainId,
  verifyingContract: world.dollar,
});

/** What an owner signs so that the ChannelManager may pull (ERC-2612). */
export function permitDigest(
  world: World,
  owner: Address,
  permit: { readonly value: bigint; readonly nonce: bigint; readonly deadline: bigint },
): Hash {
  return TypedDataEncoder.hash(domainOf(world), PERMIT, { owner, spender: world.manager, ...permit }) as Hash;
}

/** What a payer signs so that the ChannelManager receives (EIP-3009). */
export function authorizationDigest(
  world: World,
  { from, amount: value, validAfter, validBefore, authorizationNonce: nonce }: Omit<AuthorizedDeposit, "v" | "r" | "s">,
): Hash {
  const message = { from, to: world.manager, value, validAfter, validBefore, nonce };
  return TypedDataEncoder.hash(domainOf(world), RECEIVE, message) as Hash;
}

/** The dollar's `permit`, for the ChannelManager as spender. */
export function usePermit(model: Model, permit: Permit): readonly Refusal[] {
  const { world, bank } = model;
  const { owner, amount, deadline } = permit;
  if (model.now > deadline) return [{ name: "ERC2612ExpiredSignature", args: [deadline] }];
  const nonce = bank.permitNonce.get(owner);
  const digest = permitDigest(world, owner, { value: amount, nonce, deadline });
  if (!isSigned(model, permit, owner, digest)) return [{ name: "ERC2612InvalidSigner", args: "any" }];
  bank.permitNonce.set(nonce + 1n, owner);
  bank.dollarAllowance.set(amount, owner, world.manager);
  return [];
}

/** The dollar's `receiveWithAuthorization`. */
export function useAuthorization(model: Model, args: AuthorizedDeposit): Refusal | undefined {
  const { bank, world, now } = model;
  const { from, amount, validAfter, validBefore, authorizationNonce } = args;
  if (now <= validAfter || now >= validBefore)
    return { name: "AuthorizationNotValid", args: [validAfter, validBefore] };
  const isUsed = bank.authorizationUsed.get(from, authorizationNonce);
  if (isUsed) return { name: "AuthorizationUsed", args: [from, authorizationNonce] };
  if (!isSigned(model, args, from, authorizationDigest(world, args))) {
    return { name: "AuthorizationNotSigned", args: [from] };
  }
  bank.authorizationUsed.set(true, from, authorizationNonce);
  return bank.moveDollars(from, world.manager, amount);
}

function isSigned(model: Model, { v, r, s }: { v: bigint; r: Hash; s: Hash }, signer: Address, digest: Hash): boolean {
  const signature = `${r}${s.slice(2)}${v.toString(16).padStart(2, "0")}` as Hex;
  return model.signatures.isValid(signature, signer, digest);
}
