import type { PeerLink } from "./peer-link";

/** What a `WebSocket` is, in browsers, in Node and in `ws`. */
export interface Socket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(text: string): void;
  close(): void;
  onmessage: ((event: never) => void) | null;
}

const OPEN = 1;

/** More than this waits in the socket's own buffer before the sender of a stream has to wait too. */
const MAX_BUFFERED_BYTES = 1 << 20;
const DRAIN_MS = 5;

/** A link over a WebSocket that is open, either side of it. Who listens and who connects is for its users to say. */
export function webSocketLink(socket: Socket): PeerLink {
  return {
    send: (text) => {
      if (socket.readyState !== OPEN) return undefined;
      socket.send(text);
      return socket.bufferedAmount > MAX_BUFFERED_BYTES ? drained(socket) : undefined;
    },
    onMessage: (listener) => {
      socket.onmessage = ({ data }: { readonly data: unknown }) => {
        if (typeof data === "string") listener(data);
      };
    },
    close: () => socket.close(),
  };
}

async function drained(socket: Socket): Promise<void> {
  while (socket.readyState === OPEN && socket.bufferedAmount > MAX_BUFFERED_BYTES / 2) {
    await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
  }
}
