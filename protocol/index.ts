// The public face of the protocol: what hub, client, watchtower and tasks import.

export * from "./address";
export * from "./balance-rules";
export * from "./channel-state";
export * from "./coded-error";
export * from "./eip712/domain";
export * from "./eip712/hash";
export * from "./eip712/statements";
export * from "./eip712/typed-data";
export * from "./errors";
export * from "./hex";
export * from "./ledger";
export * from "./merkle";
export * from "./payouts";
export * from "./signature";
export * from "./thread";
export * from "./uint";
export * from "./verify-signature";
export * from "./verify-state";
export * from "./verify-thread";
export * from "./wire/json";
export * from "./wire/parse";
export * from "./wire/schemas";
export * from "./wire/statements";
