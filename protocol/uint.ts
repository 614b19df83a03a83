/** Session, nonce and expiry are `uint64` in the contract. */
export const UINT64_MAX = 2n ** 64n - 1n;

/** Amounts and counters are `uint128` in the contract; sums are wider. */
export const UINT128_MAX = 2n ** 128n - 1n;

/** Deadlines are `uint40` in the contract. */
export const UINT40_MAX = 2n ** 40n - 1n;

/** The widest integer of the EVM. */
export const UINT256_MAX = 2n ** 256n - 1n;
