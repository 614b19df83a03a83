import type { Address, SocketPush } from "../../protocol";

/** Delivers to whoever listens now. One process: in memory; several: over NATS. Nothing here is kept. */
export interface Messaging {
  /** Whether somebody listens for a user anywhere. */
  isConnected(user: Address): boolean;
  /** To whoever listens for the user. */
  publishTo(user: Address, message: UserMessage): void;
  /** To everybody who listens for a public topic. */
  publish(push: SocketPush): void;
  /** @returns What ends it. */
  subscribe(subscriber: Subscriber): () => void;
}

/** `outbox`: something was kept for the user; `push`: this, a `ChannelEvent` as JSON. */
export type UserMessage = { readonly kind: "outbox" } | { readonly kind: "push"; readonly event: string };

export interface Subscriber {
  /** Absent: public topics only. */
  readonly user?: Address;
  ofUser(message: UserMessage): void;
  ofTopic(push: SocketPush): void;
}

/** The backend for one process. */
export function inProcessMessaging(): Messaging {
  const byUser = new Map<Address, Set<Subscriber>>();
  const all = new Set<Subscriber>();
  return {
    isConnected: (user) => byUser.has(user),
    publishTo: (user, message) => byUser.get(user)?.forEach((subscriber) => subscriber.ofUser(message)),
    publish: (push) => all.forEach((subscriber) => subscriber.ofTopic(push)),
    subscribe: (subscriber) => {
      all.add(subscriber);
      const { user } = subscriber;
      if (user !== undefined) byUser.set(user, (byUser.get(user) ?? new Set()).add(subscriber));
      return () => {
        all.delete(subscriber);
        const own = user === undefined ? undefined : byUser.get(user);
        own?.delete(subscriber);
        if (user !== undefined && own?.size === 0) byUser.delete(user);
      };
    },
  };
}
