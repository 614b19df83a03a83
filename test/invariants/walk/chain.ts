import { id } from "ethers";
import type { EthereumProvider } from "hardhat/types";
import type { Address } from "../../../protocol";
import { wordOf, wordsOf, type ErrorDecoder, type EventDecoder, type Log } from "./abi";
import type { LoggedEvent, Outcome, Refusal, Step } from "./calls";
import { encodeCall, type Contracts } from "./encode";
import type { KeyPart } from "./model/books";
import type { World } from "./world";

interface Receipt {
  readonly logs: readonly Log[];
}

/** What a view reads. */
export interface Question {
  readonly target: Address;
  readonly view: string;
  readonly key: readonly KeyPart[];
}

/** As much as one transaction may have. */
const PLENTY_OF_GAS = 2n ** 24n - 1n;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** The in-process chain, as plain requests: ethers' signers and receipts would take most of the time. */
export class Chain {
  constructor(
    readonly provider: EthereumProvider,
    readonly contracts: Contracts,
    private readonly decode: { readonly event: EventDecoder; readonly error: ErrorDecoder },
  ) {}

  get world(): World {
    return this.contracts.world;
  }

  /** Mines a step in a block of its own. */
  async run({ at, from, value, gas = PLENTY_OF_GAS, call }: Step): Promise<Outcome> {
    await this.provider.send("evm_setNextBlockTimestamp", [hex(at)]);
    const price = { value: hex(value), gas: hex(gas), gasPrice: "0x0" };
    try {
      const hash: unknown = await this.provider.send("eth_sendTransaction", [
        { from, ...price, ...encodeCall(this.contracts, call) },
      ]);
      const receipt = (await this.provider.send("eth_getTransactionReceipt", [hash])) as Receipt;
      return { ok: true, events: this.#eventsOf(receipt) };
    } catch (error) {
      return { ok: false, reasons: [this.#reasonOf(revertDataOf(error))] };
    }
  }

  /** Reads many views at once. A struct comes as its words, everything else as one word. */
  async read(questions: readonly Question[]): Promise<readonly (readonly bigint[])[]> {
    if (questions.length === 0) return [];
    const calls = questions.map((question) => ({
      target: question.target,
      allowFailure: false,
      callData: callData(question),
    }));
    const data = this.contracts.multicall("aggregate3", [calls]);
    const answer = (await this.provider.send("eth_call", [{ to: this.world.multicall, data }, "latest"])) as string;
    return resultsOf(wordsOf(answer));
  }

  #eventsOf({ logs }: Receipt): LoggedEvent[] {
    return logs.filter((log) => log.address === this.world.manager).map(this.decode.event);
  }

  #reasonOf(data: string): Refusal {
    const { name, args } = this.decode.error(data);
    if (name !== "CallFailed") return { name, args };
    return { name, args: [args[0], this.#reasonOf(args[1] as string)] };
  }
}

function revertDataOf(error: unknown): string {
  const data = (error as { readonly data?: string | { readonly data?: string } | null }).data;
  const revertData = typeof data === "object" ? data?.data : data;
  if (typeof revertData !== "string") throw error; // not the contract's answer
  return revertData;
}

const selectors = new Map<string, string>();

function callData({ view, key }: Question): string {
  let selector = selectors.get(view);
  if (selector === undefined) selectors.set(view, (selector = id(view).slice(0, 10)));
  return key.reduce<string>((data, part) => data + wordOf(part), selector);
}

/** `Result[]` as `aggregate3` encodes it, read by hand: a full comparison has thousands, which takes ethers seconds. */
function resultsOf(words: readonly bigint[]): (readonly bigint[])[] {
  const at = (index: number): number => Number(words[index]);
  const start = at(0) / 32 + 1; // behind the array's length
  return Array.from({ length: at(start - 1) }, (_, i) => {
    const result = start + at(start + i) / 32; // success, offset of the bytes, their length, the bytes
    return words.slice(result + 3, result + 3 + at(result + 2) / 32);
  });
}
