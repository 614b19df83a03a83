import { ExecutionEventType, type ExecutionEventListener } from "@nomicfoundation/ignition-core";
import type { Terminal } from "../terminal";
import { contractOf } from "./module";

/** Says what Ignition does, on stderr; its own display writes to stdout. */
export function progressListener(terminal: Terminal): ExecutionEventListener {
  const spoken: Partial<ExecutionEventListener> = {
    transactionSend: ({ futureId, hash }) => {
      terminal.progress(`${contractOf(futureId)}: sent ${hash}`);
    },
    transactionConfirm: ({ futureId }) => {
      terminal.progress(`${contractOf(futureId)}: confirmed`);
    },
    onchainInteractionBumpFees: ({ futureId }) => {
      terminal.progress(`${contractOf(futureId)}: not mined yet, sending it again with a higher fee`);
    },
  };
  return { ...silence(), ...spoken };
}

/** A listener with every method, none of which does anything: `TRANSACTION_SEND` is heard by `transactionSend`. */
function silence(): ExecutionEventListener {
  const methods = Object.values(ExecutionEventType).map((type) =>
    type.toLowerCase().replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase()),
  );
  return Object.fromEntries(methods.map((method) => [method, () => undefined])) as unknown as ExecutionEventListener;
}
