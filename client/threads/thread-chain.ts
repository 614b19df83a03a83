import { AbiCoder } from "ethers";
import { IThreadApp__factory } from "../../typechain-types";
import type { SignedThreadStruct } from "../../typechain-types/contracts/ChannelManager";
import {
  threadSum,
  type Address,
  type Hash,
  type Hex,
  type SignedThreadPayment,
  type SignedThreadUpdate,
  type Thread,
  type ThreadEvidence,
  type ThreadResolution,
} from "../../protocol";
import {
  readThreadRecord,
  readThreadView,
  type ThreadRecord,
  type ThreadView,
} from "../../protocol/chain/thread-record";
import { payoutGasLimit } from "../../protocol/chain/payout-gas";
import { isRevert } from "../../protocol/chain/contract-error";
import { reading, type ChainClient, type Sent } from "../chain";

type SignedTerms = Pick<ThreadEvidence, "thread" | "sigSender" | "sigReceiver">;

/** What the contract allows an app, see `APP_GAS`. */
const APP_GAS = 500_000n;

/** A resolution's most: the app's, what the EVM keeps back of it, checking the evidence and writing the record. */
const RESOLVE_GAS = 900_000n;

/** The contract's part of threads, by this side's own node and its own transactions: none of it needs the hub. */
export class ThreadChain {
  readonly #chain: ChainClient;

  constructor(chain: ChainClient) {
    this.#chain = chain;
  }

  /** What the newest block knows of a thread. @throws ChainUnreachable */
  recordOf(hash: Hash): Promise<ThreadRecord | undefined> {
    return reading(() => readThreadRecord(this.#chain.provider, this.#chain.channelManager, hash));
  }

  /** The same, and what no reorganisation takes back once it is final. @throws ChainUnreachable */
  viewOf(hash: Hash, thread: Thread): Promise<ThreadView> {
    const { provider, channelManager, confirmations } = this.#chain;
    return reading(() => readThreadView(provider, channelManager, hash, thread, confirmations));
  }

  /** Opens the record with the terms alone. @throws the contract's error by its name, TransactionFailed */
  challenge(terms: SignedTerms): Promise<Sent> {
    return this.#chain.transact((manager) => manager.challengeThread(structOf(terms)));
  }

  challengeWithPayment(terms: SignedTerms, { payment, sigSender }: SignedThreadPayment): Promise<Sent> {
    const { balanceReceiver } = payment;
    return this.#chain.transact((manager) =>
      manager.challengeThreadWithPayment(structOf(terms), balanceReceiver, sigSender),
    );
  }

  challengeWithUpdate(terms: SignedTerms, update: SignedThreadUpdate): Promise<Sent> {
    return this.#chain.transact((manager) => manager.challengeThreadWithUpdate(structOf(terms), updateOf(update)));
  }

  /** Lets the app decide, about the update if there is one, otherwise about the terms. */
  resolve(evidence: ThreadEvidence & { readonly resolution: ThreadResolution }): Promise<Sent> {
    const { update } = evidence;
    const { appState, resolver } = evidence.resolution;
    const gas = { gasLimit: RESOLVE_GAS + 16n * BigInt((appState.length + resolver.length) / 2) };
    return this.#chain.transact((manager) =>
      update === undefined
        ? manager.resolveThread(structOf(evidence), appState, resolver, gas)
        : manager.resolveThreadWithUpdate(structOf(evidence), updateOf(update), appState, resolver, gas),
    );
  }

  /** Pays one leg of a final thread out of an ended session. */
  settle(user: Address, session: bigint, thread: Thread, proof: readonly Hash[]): Promise<Sent> {
    const gas = { gasLimit: payoutGasLimit({ assets: [thread] }) };
    return this.#chain.transact((manager) => manager.settleThread(user, session, thread, [...proof], gas));
  }

  /** What an app was shown of a thread in these blocks, newest first. @throws ChainUnreachable */
  resolversOf(hash: Hash, fromBlock: number, toBlock: number): Promise<readonly Hex[]> {
    return reading(async () => {
      const contract = this.#chain.contract();
      const events = await contract.queryFilter(contract.filters.ThreadResolved(hash), fromBlock, toBlock);
      return events.map(({ args }) => args.resolver.toLowerCase() as Hex).reverse();
    });
  }

  /** The root that a session was settled with. */
  threadRootOf(user: Address, session: bigint): Promise<Hash> {
    return reading(async () => (await this.#chain.contract().threadRootOf(user, session)).toLowerCase() as Hash);
  }

  /** What an app answers to a resolution; nothing where the contract would not take its answer. */
  askApp(thread: Thread, { appState, resolver }: ThreadResolution): Promise<bigint | undefined> {
    return reading(async () => {
      const app = IThreadApp__factory.connect(thread.app, this.#chain.provider);
      const data = app.interface.encodeFunctionData("resolve", [thread, appState, resolver]);
      const gasLimit = APP_GAS + intrinsicGas(data);
      const call = { to: thread.app, from: this.#chain.channelManager, gasLimit, data };
      try {
        return answerOf(await this.#chain.provider.call(call), thread);
      } catch (error) {
        if (isRevert(error)) return undefined;
        throw error;
      }
    });
  }
}

/** What a call costs before the app runs; inside the contract it is not the app's. */
function intrinsicGas(data: string): bigint {
  return 21_000n + 16n * BigInt(data.length / 2);
}

/** One word, at most what the thread holds. */
function answerOf(data: string, thread: Thread): bigint | undefined {
  if (data.length !== "0x".length + 64) return undefined;
  const [balance] = AbiCoder.defaultAbiCoder().decode(["uint256"], data) as unknown as [bigint];
  return balance <= threadSum(thread) ? balance : undefined;
}

function structOf({ thread, sigSender, sigReceiver }: SignedTerms): SignedThreadStruct {
  return { thread: { ...thread }, sigSender, sigReceiver };
}

function updateOf({ update, sigSender, sigReceiver }: SignedThreadUpdate): {
  nonce: bigint;
  balanceReceiver: bigint;
  appStateHash: string;
  sigSender: string;
  sigReceiver: string;
} {
  const { nonce, balanceReceiver, appStateHash } = update;
  return { nonce, balanceReceiver, appStateHash, sigSender, sigReceiver };
}
