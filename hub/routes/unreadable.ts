import type { Socket } from "node:net";
import { hubError } from "../../protocol";

const STATUS_LINES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** Answers what is not HTTP at all. */
export function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  hangUp(socket, "it is not HTTP", STATUS_LINES[error.code ?? ""]);
}

/** Answers where nobody else can any more, in the form of every other answer, and closes the connection. */
export function hangUp(socket: Socket, reason: string, statusLine = "400 Bad Request"): void {
  const { code, message, details } = hubError("MalformedRequest", { reason });
  const body = JSON.stringify({ code, message, details });
  socket.write(
    `HTTP/1.1 ${statusLine}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  socket.destroySoon(); // not `end`: that would leave it to the other side when the connection ends
}
