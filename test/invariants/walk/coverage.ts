import { Interface, type InterfaceAbi } from "ethers";
import type { CallName, Outcome, Step } from "./calls";

/** How often which function succeeded and failed, and with which errors. */
export class Coverage {
  readonly #calls = new Map<CallName, { succeeded: number; failed: number; readonly errors: Map<string, number> }>();
  #refusals = 0;
  #exactRefusals = 0;
  #littleGas = 0;

  count({ call, gas }: Step, model: Outcome | undefined, chain: Outcome): void {
    const counts = this.#calls.get(call.fn) ?? { succeeded: 0, failed: 0, errors: new Map<string, number>() };
    this.#calls.set(call.fn, counts);
    if (gas !== undefined) this.#littleGas++;
    if (chain.ok) {
      counts.succeeded++;
      return;
    }
    counts.failed++;
    const { name, args } = chain.reasons[0]!;
    const inner = name === "CallFailed" && Array.isArray(args) ? (args[1] as { name: string }).name : name;
    counts.errors.set(inner, (counts.errors.get(inner) ?? 0) + 1);
    if (model?.ok !== false) return;
    this.#refusals++;
    if (model.reasons.length === 1) this.#exactRefusals++;
  }

  /** What a long walk must have met and did not. */
  gaps(abi: InterfaceAbi): string[] {
    const manager = Interface.from(abi);
    const seen = new Set([...this.#calls.values()].flatMap(({ errors }) => [...errors.keys()]));
    const functions: readonly string[] = [...this.#managerFunctions(manager)];
    return [
      ...functions.flatMap((name) => {
        const { succeeded = 0, failed = 0 } = this.#calls.get(name as CallName) ?? {};
        return [
          ...(succeeded === 0 ? [`${name} never succeeded`] : []),
          ...(failed === 0 ? [`${name} never failed`] : []),
        ];
      }),
      ...errorNames(manager)
        .filter((name) => !seen.has(name))
        .map((name) => `${name} was never seen`),
    ];
  }

  /** Lines for people: function, calls, share that succeeded, errors. */
  table(): string[] {
    const rows = [...this.#calls]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { succeeded, failed, errors }]) => {
        const share = Math.round((100 * succeeded) / (succeeded + failed));
        const names = [...errors]
          .sort(([, a], [, b]) => b - a)
          .map(([error, count]) => `${error || "(no reason)"} ${count}`);
        return `${name.padEnd(28)}${String(succeeded).padStart(8)}${String(failed).padStart(8)}${String(share).padStart(5)} %  ${names.join(", ")}`;
      });
    return [
      `${"function".padEnd(28)}${"success".padStart(8)}${"failure".padStart(8)}${"share".padStart(7)}  errors`,
      ...rows,
      `refusals ${this.#refusals}, of these ${this.#exactRefusals} with one possible reason; steps with little gas ${this.#littleGas}`,
    ];
  }

  #managerFunctions(manager: Interface): string[] {
    const names: string[] = [];
    manager.forEachFunction((fragment) => {
      if (fragment.stateMutability !== "view" && fragment.stateMutability !== "pure") names.push(fragment.name);
    });
    return names;
  }
}

/** The errors that the contract's own interface declares, and the library's that its rules rely on. */
function errorNames(manager: Interface): string[] {
  const names: string[] = [];
  manager.forEachError((fragment) => names.push(fragment.name));
  return names.filter((name) => !UNREACHABLE.has(name));
}

/** Errors of OpenZeppelin that the ABI lists, though nothing here can raise them. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  "InvalidShortString", // a domain name of more than 31 bytes
  "StringTooLong", // the same
  "InsufficientBalance", // sending ether that the contract does not have: the equation excludes it
]);
