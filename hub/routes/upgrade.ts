import { ServerResponse, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyInstance } from "fastify";
import { hubError } from "../../protocol";
import type { WebSocketServer, WebSocket } from "ws";
import { hangUp } from "./unreadable";

interface Handshake {
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly response: ServerResponse;
}

/**
 * Lets requests that ask for a WebSocket go the way of all others (limits, errors, closing) before they become one.
 * @returns Turns such a request into its WebSocket. @throws MalformedRequest (from what it returns) for any other request
 */
export function acceptUpgrades(
  app: FastifyInstance,
  server: WebSocketServer,
): (request: IncomingMessage, opened: (socket: WebSocket) => void) => void {
  const handshakes = new WeakMap<IncomingMessage, Handshake>();

  app.server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy()); // Node takes its own listener away before it emits this
    if (request.method !== "GET") return hangUp(socket, "only GET can ask for a WebSocket");
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Parameters<ServerResponse["assignSocket"]>[0]);
    response.on("finish", () => socket.end());
    handshakes.set(request, { socket, head, response });
    app.routing(request, response);
  });
  server.on("wsClientError", (error, socket) => hangUp(socket, error.message));

  return (request, opened) => {
    const handshake = handshakes.get(request);
    if (handshake === undefined) throw hubError("MalformedRequest", { reason: "this is a WebSocket" });
    const { socket, head, response } = handshake;
    response.detachSocket(socket as Parameters<ServerResponse["detachSocket"]>[0]);
    server.handleUpgrade(request, socket, head, opened);
  };
}
