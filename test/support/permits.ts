import { Signature, type TypedDataDomain } from "ethers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import type { World } from "./world";

const PERMIT = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

const AUTHORIZATION = {
  ReceiveWithAuthorization: [
    { name: "from", type: "address" },
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "validAfter", type: "uint256" },
    { name: "validBefore", type: "uint256" },
    { name: "nonce", type: "bytes32" },
  ],
};

/** The last four arguments of `depositWithPermit`. */
export type Permit = [deadline: bigint, v: number, r: string, s: string];

/** The last six arguments of `depositWithAuthorization`. */
export type Authorization = [validAfter: bigint, validBefore: bigint, nonce: string, v: number, r: string, s: string];

const FOREVER = 2n ** 64n;

async function tokenDomain(world: World): Promise<TypedDataDomain> {
  return {
    name: "Local Dollar",
    version: "1",
    chainId: world.domain.chainId!,
    verifyingContract: await world.token.getAddress(),
  };
}

/** An ERC-2612 permit of `owner` for the ChannelManager over `value` of the local token. */
export async function signPermit(world: World, owner: HardhatEthersSigner, value: bigint): Promise<Permit> {
  const nonce = await world.token.nonces(owner);
  const statement = { owner: owner.address, spender: world.address, value, nonce, deadline: FOREVER };
  const { v, r, s } = Signature.from(await owner.signTypedData(await tokenDomain(world), PERMIT, statement));
  return [FOREVER, v, r, s];
}

/** An EIP-3009 authorisation of `from`, made out to `to`, over `value` of the local token. */
export async function signAuthorization(
  world: World,
  from: HardhatEthersSigner,
  value: bigint,
  overrides: { to?: string; nonce?: string; validBefore?: bigint } = {},
): Promise<Authorization> {
  const { to = world.address, nonce = `0x${"11".repeat(32)}`, validBefore = FOREVER } = overrides;
  const statement = { from: from.address, to, value, validAfter: 0n, validBefore, nonce };
  const { v, r, s } = Signature.from(await from.signTypedData(await tokenDomain(world), AUTHORIZATION, statement));
  return [0n, validBefore, nonce, v, r, s];
}
