// The client's public face: everything an application needs, for Node and browsers. Node adds `client/node`.

export * from "./amounts";
export type { Backup } from "./backup/backups";
export { textPlace, towerPlace, type BackupPlace, type KeptBackup, type TowerBackups } from "./backup/places";
export type { Found, Restored } from "./backup/restore";
export * from "./connext-client";
export { CLIENT_ERRORS, hasCode } from "./errors";
export type { ClientEvents } from "./engine/events";
export type { Evidence } from "../protocol";
export { getConnextClient, type ClientOptions, type HubFacts } from "./get-connext-client";
export { indexedDbStore } from "./indexed-db-store";
export { memoryStore } from "./memory-store";
export type { ClientStore } from "./store";
export type { OwnThread } from "./threads/own-thread";
export { linkPair, portLink, type PeerLink, type Port } from "./threads/peer-link";
export type { OfAsset, SwapWish } from "./threads/swaps";
export type { TermsPolicy } from "./threads/terms";
export type { OpenThreadInput } from "./threads/thread-input";
export type { UpdateOffer, UpdatePolicy, UpdateWish } from "./threads/update-rules";
export { webSocketLink } from "./threads/web-socket-link";
export { TowerGuard, type TowerAlarm, type TowerOptions, type TowerReceipts } from "./watchtower";
