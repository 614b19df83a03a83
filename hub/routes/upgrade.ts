import { ServerResponse, type IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import { hubError } from "../../protocol";
import type { WebSocketServer, WebSocket } from "ws";
import { hangUp } from "./unreadable";

interface Handshake {
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

  app.server.on("upgrade", (request, _stream, head) => {
    const { socket } = request;
    socket.on("error", () => socket.destroy()); // Node takes its own listener away before it emits this
    if (request.method !== "GET") {
      hangUp(socket, "only GET can ask for a WebSocket");
      return;
    }
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on("finish", () => socket.destroySoon());
    handshakes.set(request, { head, response });
    app.routing(request, response);
  });
  server.on("wsClientError", (error, _stream, { socket }) => hangUp(socket, error.message));

  return (request, opened) => {
    const handshake = handshakes.get(request);
    if (handshake === undefined) throw hubError("MalformedRequest", { reason: "this is a WebSocket" });
    const { head, response } = handshake;
    response.detachSocket(request.socket);
    server.handleUpgrade(request, request.socket, head, opened);
  };
}
