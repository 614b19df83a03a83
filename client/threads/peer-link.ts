/** A way to the other party of a thread, given by whoever made it. Messages are texts; they may be lost, never changed. */
export interface PeerLink {
  /** Resolves when the link takes more. A link that is closed loses what it is given. */
  send(text: string): Promise<void> | void;

  /** One listener. */
  onMessage(listener: (text: string) => void): void;

  close(): void;
}

/** What a `MessagePort` is, of worker threads and of pages alike. */
export interface Port {
  postMessage(message: string): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  close(): void;
}

/** A link over one end of a `MessageChannel`. */
export function portLink(port: Port): PeerLink {
  return {
    send: (text) => port.postMessage(text),
    onMessage: (listener) => {
      port.onmessage = ({ data }) => {
        if (typeof data === "string") listener(data);
      };
    },
    close: () => port.close(),
  };
}

/** Two ends of a link within one process. */
export function linkPair(): readonly [PeerLink, PeerLink] {
  const { port1, port2 } = new MessageChannel();
  return [portLink(port1 as unknown as Port), portLink(port2 as unknown as Port)];
}
