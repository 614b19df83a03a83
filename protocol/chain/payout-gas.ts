import { ZERO_ADDRESS } from "../address";
import type { AssetState } from "../channel-state";

/** Checking a state of eight assets and writing its books. */
const BASE_GAS = 300_000n;

/** A payout's fixed allowance (docs/protocol.md "Custody") and what the EVM keeps back of it, with something to spare. */
const ETHER_GAS = 120_000n;
const TOKEN_GAS = 330_000n;

/**
 * A gas limit that `withdraw` and `settle` of a state never exceed; what is not used costs nothing. Nodes search for the
 * least limit at which a call goes through, and a contract that insists on gas in reserve leads some of them astray.
 */
export function payoutGasLimit({ assets }: { readonly assets: readonly Pick<AssetState, "asset">[] }): bigint {
  return assets.reduce((sum, { asset }) => sum + (asset === ZERO_ADDRESS ? ETHER_GAS : TOKEN_GAS), BASE_GAS);
}
