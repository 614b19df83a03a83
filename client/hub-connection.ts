import type { InputOf, OperationName, OutputOf, SocketPush } from "../protocol";

/** The wire to one hub. Knows nothing of channels; every answer has passed its schema. */
export interface HubConnection {
  /**
   * Asks one thing of the hub. Signs in by itself where the operation needs it.
   * @throws The hub's own CodedError; HubUnreachable when it certainly did not arrive; AnswerUnknown when it may have
   * (time-out, connection lost): ask by id, or repeat it, which is safe for every operation.
   */
  call<Name extends OperationName>(name: Name, input: InputOf<Name>): Promise<OutputOf<Name>>;

  /** Pushes of the subscribed topics, from the cursor on; reconnects and resumes by itself until `close`. */
  subscribe(listener: HubListener, cursor?: bigint): void;

  close(): Promise<void>;
}

export interface HubListener {
  push(push: SocketPush): void;
  /** The socket is up (again): whatever was missed without a cursor must be asked for. */
  connected(): void;
  disconnected(reason: string): void;
}
