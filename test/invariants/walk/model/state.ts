import { ZERO_ADDRESS, ZERO_HASH, digestOf, type AssetState } from "../../../../protocol";
import { hub } from "../actors";
import type { Ledger } from "./books";
import type { Refusal, SignedState } from "../calls";
import { stateHashOf } from "../signatures";
import { broken, type Model } from "./model";

const MAX_ASSETS = 8;

/** The specification's "one internal verifier": what a state must fulfil wherever it is used. */
export function brokenByState(model: Model, signed: SignedState): readonly Refusal[] {
  const { state } = signed;
  const { session } = model.books.channel.get(state.user);
  return [
    ...broken(!model.hasChannel(state.user), "InvalidUser", state.user),
    ...broken(state.session !== session, "SessionMismatch", session, state.session),
    ...brokenByRows(signed),
    ...state.assets.flatMap((row) => brokenOnChain(row, model.books.ledger.get(state.user, session, row.asset))),
    ...(state.nonce === 0n ? brokenByUnsigned(signed) : brokenBySigners(model, signed)),
  ];
}

function brokenByRows({ state: { assets, threadRoot } }: SignedState): readonly Refusal[] {
  const isLocked = assets.some((row) => row.locked > 0n);
  return [
    ...broken(assets.length > MAX_ASSETS, "TooManyAssets", BigInt(assets.length), BigInt(MAX_ASSETS)),
    ...assets.slice(1).flatMap((next, i) => {
      const previous = assets[i]!;
      return broken(BigInt(previous.asset) >= BigInt(next.asset), "AssetsNotAscending", previous.asset, next.asset);
    }),
    ...assets.flatMap((row) => broken(!isConserved(row), "NotConserved", row.asset)),
    ...broken((threadRoot === ZERO_HASH) === isLocked, "ThreadRootMismatch", threadRoot),
  ];
}

function isConserved(row: AssetState): boolean {
  const held = row.balanceHub + row.balanceUser + row.locked;
  return held === row.depositedHub + row.depositedUser - row.withdrawnHub - row.withdrawnUser;
}

function brokenOnChain(row: AssetState, ledger: Ledger): readonly Refusal[] {
  const { depositedHub, depositedUser, withdrawnHub, withdrawnUser } = ledger;
  const isBacked = row.depositedHub <= depositedHub && row.depositedUser <= depositedUser;
  const isFresh = row.withdrawnHub >= withdrawnHub && row.withdrawnUser >= withdrawnUser;
  return [
    ...broken(!isBacked, "NotBacked", row.asset, depositedHub, depositedUser),
    ...broken(!isFresh, "NotFresh", row.asset, withdrawnHub, withdrawnUser),
  ];
}

function brokenByUnsigned({ state }: SignedState): readonly Refusal[] {
  const isZero = state.assets.every((row) => isConserved(row) && row.depositedHub === 0n && row.depositedUser === 0n);
  const isNobodys = state.recipient === ZERO_ADDRESS && state.threadRoot === ZERO_HASH;
  return broken(!isZero || !isNobodys, "UnsignedStateNotZero");
}

function brokenBySigners({ world, signatures }: Model, { state, sigHub, sigUser }: SignedState): readonly Refusal[] {
  const digest = digestOf(world.domain, stateHashOf(state));
  return [
    ...broken(!signatures.isValid(sigHub, hub.address, digest), "InvalidSignature", hub.address),
    ...broken(!signatures.isValid(sigUser, state.user, digest), "InvalidSignature", state.user),
  ];
}
