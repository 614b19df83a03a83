import { Type, type Static } from "typebox";
import { uint64Schema } from "../wire/schemas";
import { closed, oneOf, syncSchema } from "./schemas";
import { threadEventSchema } from "./thread-operations";

// The socket at `/api/hub/subscribe`: requests with an id and their answers, and pushes.

/**
 * Client to hub. `authenticate` and `subscribe` belong to the socket itself; every other `op` is an operation of
 * `OPERATIONS` by name, with the same input as over HTTP.
 */
export const socketRequestSchema = closed({
  id: Type.Integer({ minimum: 0 }),
  op: Type.String({ maxLength: 64 }),
  input: Type.Optional(Type.Unknown()),
});

/** `authenticate`: the token of `answerChallenge`, never in a URL, where logs would keep it. */
export const authenticateInputSchema = closed({ token: Type.String({ maxLength: 256 }) });

/** Answer of `authenticate`. */
export const authenticateOutputSchema = closed({ signedIn: Type.Boolean() });

export const TOPICS = ["exchange-rates", "gas-price", "channel"] as const;

/** `subscribe`: `channel` needs a sign-in; with a cursor, everything after it comes first; without one, what is new. */
export const subscribeInputSchema = closed({
  topics: Type.Array(oneOf(TOPICS), { maxItems: TOPICS.length }),
  cursor: Type.Optional(uint64Schema),
});

/** Answer of `subscribe`. `cursor`: where to resume if nothing is pushed before the connection ends. */
export const subscribeOutputSchema = closed({ subscribed: Type.Array(oneOf(TOPICS)), cursor: uint64Schema });

/** The `id` of an answer to a message that could not be read so far. */
export const UNREADABLE_ID = -1;

export type SocketRequest = Static<typeof socketRequestSchema>;

export const wireErrorSchema = closed({
  code: Type.String(),
  message: Type.String(),
  details: Type.Optional(Type.Unknown()),
});

export type WireError = Static<typeof wireErrorSchema>;

export const socketResponseSchema = Type.Union([
  closed({ id: Type.Integer(), output: Type.Unknown() }),
  closed({ id: Type.Integer(), error: wireErrorSchema }),
]);

/**
 * What is pushed about a user's own channel. Each has a cursor; a client resumes after the last one it has handled. A
 * `sync` is not kept, so it comes with the cursor of what was pushed before it: whoever missed one asks for a sync.
 */
export const channelEventSchema = Type.Union([
  closed({ kind: Type.Literal("sync"), sync: syncSchema }, "the channel changed: everything not countersigned yet"),
  closed({ kind: Type.Literal("payment"), payment: Type.Unknown() }, "a payment from or to the user changed"),
  closed({ kind: Type.Literal("collateral"), asset: Type.String(), amount: Type.String(), status: Type.String() }),
  threadEventSchema,
  closed({ kind: Type.Literal("dispute"), event: Type.String(), nonce: Type.String(), deadline: Type.String() }),
]);

export type ChannelEvent = Static<typeof channelEventSchema>;

export const socketPushSchema = Type.Union([
  closed({ topic: Type.Literal("channel"), cursor: uint64Schema, data: channelEventSchema }),
  closed({ topic: Type.Literal("exchange-rates"), data: Type.Unknown() }),
  closed({ topic: Type.Literal("gas-price"), data: Type.Unknown() }),
]);

export type SocketPush = Static<typeof socketPushSchema>;
