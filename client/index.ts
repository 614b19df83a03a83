// The client's public face: everything an application needs, for Node and browsers. Node adds `client/node`.

export * from "./amounts";
export * from "./connext-client";
export { CLIENT_ERRORS, hasCode } from "./errors";
export type { ClientEvents } from "./engine/events";
export type { Evidence } from "./evidence";
export { getConnextClient, type ClientOptions, type HubFacts } from "./get-connext-client";
export { indexedDbStore } from "./indexed-db-store";
export { memoryStore } from "./memory-store";
export type { ClientStore } from "./store";
