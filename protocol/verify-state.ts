import { ZERO_ADDRESS, type Address } from "./address";
import { checkBalances } from "./balance-rules";
import type { ChannelState } from "./channel-state";
import type { Domain } from "./eip712/domain";
import { hashState } from "./eip712/hash";
import { protocolError, type ProtocolError } from "./errors";
import type { Ledgers } from "./ledger";
import type { Signature } from "./signature";
import { answer, checkSignature } from "./verify-signature";

/** What the chain knows about the channel, as this side sees it. */
export interface ChannelContext {
  readonly domain: Domain;
  readonly hub: Address;
  /** The channel's current session. */
  readonly session: bigint;
  /** Counters of that session. */
  readonly ledgers: Ledgers;
}

/**
 * What the contract would say to this state, with both signatures: the same rules in the same order, so that no side
 * ever keeps a state that could not be exited. Signatures of the unsigned state (nonce 0) are not looked at.
 * @returns The contract's error, or InvalidValue for what it could not even be sent; nothing if the state is good.
 */
export function verifyState(
  state: ChannelState,
  sigHub: Signature,
  sigUser: Signature,
  context: ChannelContext,
): ProtocolError | undefined {
  return checkState(state, context) ?? answer(() => checkSignatures(state, sigHub, sigUser, context));
}

/** Everything of `verifyState` but the signatures: what a side asks before it gives its own. */
export function checkState(state: ChannelState, context: ChannelContext): ProtocolError | undefined {
  return answer(() => {
    hashState(state); // first, because it refuses every field that does not fit its type
    return checkUser(state.user, context) ?? checkSession(state, context) ?? checkBalances(state, context.ledgers);
  });
}

function checkUser(user: Address, { hub, domain }: ChannelContext): ProtocolError | undefined {
  const isValid = user !== ZERO_ADDRESS && user !== hub && user !== domain.verifyingContract;
  return isValid ? undefined : protocolError("InvalidUser", { user });
}

function checkSession(state: ChannelState, { session }: ChannelContext): ProtocolError | undefined {
  if (state.session === session) return undefined;
  return protocolError("SessionMismatch", { current: session, given: state.session });
}

function checkSignatures(
  state: ChannelState,
  sigHub: Signature,
  sigUser: Signature,
  { domain, hub }: ChannelContext,
): ProtocolError | undefined {
  if (state.nonce === 0n) return undefined;
  const structHash = hashState(state);
  return checkSignature(hub, structHash, sigHub, domain) ?? checkSignature(state.user, structHash, sigUser, domain);
}
