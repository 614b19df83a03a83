import { WebSocket } from "ws";
import { getConnextClient, type ClientOptions, type ConnextClient } from "../get-connext-client";
import type { SignerOptions } from "../signer";
import { sqliteStore } from "./sqlite-store";

/** `getConnextClient` with what Node has: `ws` for the socket and a SQLite file for the record. */
export function getNodeClient(
  options: Omit<ClientOptions, "store"> & SignerOptions & { readonly file: string },
): Promise<ConnextClient> {
  const { file, ...rest } = options;
  const webSocket = options.webSocket ?? WebSocket;
  return getConnextClient({ ...rest, webSocket, store: sqliteStore(file) });
}

export { sqliteStore };
