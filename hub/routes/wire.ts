import { formatState, parseState, type Address, type Signature, type WireSync } from "../../protocol";
import type { DoubleSigned } from "../store/channel-store";

type WireSigned = NonNullable<WireSync["doubleSigned"]>;

export function wireSigned({ state, sigHub, sigUser }: DoubleSigned): WireSigned {
  return { state: formatState(state), sigHub, sigUser };
}

/** @throws InvalidValue */
export function parseSigned({ state, sigHub, sigUser }: WireSigned, path: string): DoubleSigned {
  return {
    state: parseState(state, `${path}.state`),
    sigHub: sigHub.toLowerCase() as Signature,
    sigUser: sigUser.toLowerCase() as Signature,
  };
}

/** Amounts by asset, as the wire lists them. */
export function wireAmounts(amounts: Iterable<readonly [Address, bigint]>): { asset: string; amount: string }[] {
  return [...amounts].map(([asset, amount]) => ({ asset, amount: amount.toString() }));
}
