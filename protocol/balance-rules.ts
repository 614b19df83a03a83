import { ZERO_ADDRESS } from "./address";
import { MAX_ASSETS, type AssetState, type ChannelState } from "./channel-state";
import { protocolError, type ProtocolError } from "./errors";
import { ZERO_HASH } from "./hex";
import { ledgerOf, type Ledger, type Ledgers } from "./ledger";

// The same rules, in the same order and with the same names, as contracts/libraries/BalanceRules.sol.
// A check answers with what is wrong, or with nothing.

/** The rules that a state fulfils by itself: order, conservation, thread root, the unsigned zero. */
export function checkWellFormed(state: ChannelState): ProtocolError | undefined {
  return checkRows(state, () => undefined);
}

/** The same, and that each row's deposits are on chain and no executed withdrawal is forgotten. */
export function checkBalances(state: ChannelState, ledgers: Ledgers): ProtocolError | undefined {
  return checkRows(state, (row) => checkOnChain(row, ledgerOf(ledgers, row.asset)));
}

type RowCheck = (row: AssetState) => ProtocolError | undefined;

function checkRows(state: ChannelState, checkChain: RowCheck): ProtocolError | undefined {
  if (state.assets.length > MAX_ASSETS) {
    return protocolError("TooManyAssets", { count: BigInt(state.assets.length), limit: BigInt(MAX_ASSETS) });
  }
  for (const [i, row] of state.assets.entries()) {
    const error = checkAscending(state.assets[i - 1], row) ?? checkConserved(row) ?? checkChain(row);
    if (error) return error;
  }
  return checkThreadRoot(state) ?? checkUnsigned(state);
}

/** The rules that tie a row to the chain: deposits are there, no executed withdrawal is forgotten. */
export function checkOnChain(row: AssetState, ledger: Ledger): ProtocolError | undefined {
  const { asset } = row;
  if (row.depositedHub > ledger.depositedHub || row.depositedUser > ledger.depositedUser) {
    const { depositedHub: onChainHub, depositedUser: onChainUser } = ledger;
    return protocolError("NotBacked", { asset, onChainHub, onChainUser });
  }
  if (row.withdrawnHub < ledger.withdrawnHub || row.withdrawnUser < ledger.withdrawnUser) {
    const { withdrawnHub: onChainHub, withdrawnUser: onChainUser } = ledger;
    return protocolError("NotFresh", { asset, onChainHub, onChainUser });
  }
  return undefined;
}

function checkAscending(previous: AssetState | undefined, next: AssetState): ProtocolError | undefined {
  if (previous === undefined || previous.asset < next.asset) return undefined;
  return protocolError("AssetsNotAscending", { previous: previous.asset, next: next.asset });
}

function checkConserved(row: AssetState): ProtocolError | undefined {
  const accounted = row.balanceHub + row.balanceUser + row.locked + row.withdrawnHub + row.withdrawnUser;
  if (accounted === row.depositedHub + row.depositedUser) return undefined;
  return protocolError("NotConserved", { asset: row.asset });
}

function checkThreadRoot({ threadRoot, assets }: ChannelState): ProtocolError | undefined {
  const nothingLocked = assets.every((row) => row.locked === 0n);
  if ((threadRoot === ZERO_HASH) === nothingLocked) return undefined;
  return protocolError("ThreadRootMismatch", { threadRoot });
}

/** Amounts are never negative and rows conserved, so a row without deposits is all zero. */
function checkUnsigned(state: ChannelState): ProtocolError | undefined {
  const isZero = state.assets.every((row) => row.depositedHub + row.depositedUser === 0n);
  if (state.nonce !== 0n || (isZero && state.recipient === ZERO_ADDRESS)) return undefined;
  return protocolError("UnsignedStateNotZero", {});
}
