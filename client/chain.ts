import type { ContractTransactionResponse, Provider, Signer } from "ethers";
import type { ChannelManager } from "../typechain-types";
import { channelManagerAt } from "../protocol/chain/contract";
import {
  ZERO_ADDRESS,
  type Address,
  type ChannelState,
  type Hash,
  type Ledger,
  type Ledgers,
  type Signature,
} from "../protocol";
import { payoutGasLimit } from "../protocol/chain/payout-gas";
import { readCautiously, readChannel, readHead, type ChannelView } from "../protocol/chain/channel-view";
import { CHANNEL_TOPICS, decodeEvent, type ChainEvent } from "../protocol/chain/events";
import { clientError, hasCode, messageOf } from "./errors";
import { onIdleTimer, type Schedule } from "./schedule";
import { sendFailure, sentOf, type Sent } from "./sent";
import type { ClientSigner } from "./signer";
import { allowanceOf, balanceOf, signPermit, tokenAt, type Allowance } from "./token-allowance";

export type { Sent } from "./sent";

/** The chain as this side sees it: what it may count on. */
export interface ClientView {
  readonly session: bigint;
  readonly exit?: { readonly nonce: bigint; readonly deadline: bigint };
  readonly ledgers: Ledgers;
  readonly headNumber: number;
  /** Unix seconds; of several nodes, the oldest. */
  readonly headTimestamp: number;
}

export interface ChainDeps {
  /** Each is asked; the lower deposit and the higher withdrawal count (W-11). The first one sends. */
  readonly providers: readonly [Provider, ...Provider[]];
  readonly channelManager: Address;
  readonly signer: ClientSigner;
  readonly confirmations: number;
}

export interface ContractFacts {
  readonly hub: string;
  readonly challengePeriodSeconds: number;
}

export type ExitEvent = Extract<ChainEvent, { readonly name: "ExitStarted" | "ExitChallenged" }>;

export interface WatchOptions {
  readonly intervalMs: number;
  readonly failed: (error: unknown) => void;
  /** Default: timers that do not keep a process from ending. */
  readonly schedule?: Schedule;
}

/** Blocks in one question for events: what public nodes answer. */
const EVENT_BLOCKS = 2_000;

/** The client's own way to the contract: reading, and every step that needs no hub. */
export class ChainClient {
  readonly #deps: ChainDeps;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(deps: ChainDeps) {
    this.#deps = deps;
  }

  get provider(): Provider {
    return this.#deps.providers[0];
  }

  get channelManager(): Address {
    return this.#deps.channelManager;
  }

  /** Depth at which this side counts on what it sees. */
  get confirmations(): number {
    return this.#deps.confirmations;
  }

  /** For reading. */
  contract(): ChannelManager {
    return channelManagerAt(this.#deps.channelManager, this.provider);
  }

  /** A channel as far as this side may count on it. @throws ChainUnreachable */
  view(user: Address, assets: readonly Address[]): Promise<ClientView> {
    const { providers, channelManager, confirmations } = this.#deps;
    return reading(async () => {
      const seen = await Promise.all(
        providers.map(async (provider) => {
          const head = await readHead(provider);
          const view = await readCautiously(provider, channelManager, user, assets, head.number, confirmations);
          return { head, view };
        }),
      );
      const { session, exitNonce, exitDeadline, ledgers } = seen.map(({ view }) => view).reduce(cautious);
      return {
        session,
        ledgers,
        ...(exitDeadline === 0n ? {} : { exit: { nonce: exitNonce, deadline: exitDeadline } }),
        headNumber: Math.min(...seen.map(({ head }) => head.number)),
        headTimestamp: Math.min(...seen.map(({ head }) => head.timestamp)),
      };
    });
  }

  /**
   * Deposits on the user's side, or on the hub's in the user's channel. A token is permitted or allowed exactly this
   * amount (W-8).
   * @throws FundsTooLow, the contract's error, TransactionFailed, SignatureRefused, CannotSendTransactions, WrongChain
   */
  async deposit(asset: Address, amount: bigint, { forHub = false } = {}): Promise<Sent> {
    const { address: user } = this.#deps.signer;
    await this.#requireFunds(asset, amount);
    if (asset === ZERO_ADDRESS) {
      return this.transact((manager) => manager.deposit(user, asset, amount, forHub, { value: amount }));
    }
    const permit = await this.#allow(asset, amount);
    if (permit === undefined) return this.transact((manager) => manager.deposit(user, asset, amount, forHub));
    const { deadline, v, r, s } = permit;
    return this.transact((manager) => manager.depositWithPermit(user, asset, amount, forHub, deadline, v, r, s));
  }

  withdraw(state: ChannelState, sigHub: Signature, sigUser: Signature): Promise<Sent> {
    return this.transact((manager) =>
      manager.withdraw(structOf(state), sigHub, sigUser, { gasLimit: payoutGasLimit(state) }),
    );
  }

  startExit(state: ChannelState, sigHub: Signature, sigUser: Signature): Promise<Sent> {
    return this.transact((manager) => manager.startExit(structOf(state), sigHub, sigUser));
  }

  challenge(state: ChannelState, sigHub: Signature, sigUser: Signature): Promise<Sent> {
    return this.transact((manager) => manager.challenge(structOf(state), sigHub, sigUser));
  }

  settle(state: ChannelState, sigHub: Signature, sigUser: Signature): Promise<Sent> {
    return this.transact((manager) =>
      manager.settle(structOf(state), sigHub, sigUser, { gasLimit: payoutGasLimit(state) }),
    );
  }

  claim(asset: Address, to: Address): Promise<Sent> {
    return this.transact((manager) => manager.claim(asset, to));
  }

  reclaim(user: Address, session: bigint, asset: Address): Promise<Sent> {
    const gasLimit = payoutGasLimit({ assets: [{ asset }] });
    return this.transact((manager) => manager.reclaim(user, session, asset, { gasLimit }));
  }

  /** Events of a user's channel from a block on, oldest first. @throws ChainUnreachable */
  events(user: Address, fromBlock: number): Promise<readonly ChainEvent[]> {
    return reading(async () => {
      const { number } = await readHead(this.provider);
      const found: ChainEvent[] = [];
      for (let from = fromBlock; from <= number; from += EVENT_BLOCKS) {
        found.push(...(await this.#eventsIn(user, from, Math.min(number, from + EVENT_BLOCKS - 1))));
      }
      return found;
    });
  }

  /**
   * How the exit that is running came to be, oldest first: hash, nonce and signatures of each state it was given. Nothing
   * when none is.
   * @throws ChainUnreachable
   */
  exitEvents(user: Address): Promise<readonly ExitEvent[]> {
    return reading(async () => {
      const { number } = await readHead(this.provider);
      const { session, exitDeadline } = await readChannel(this.provider, this.#deps.channelManager, user, [], number);
      let found: readonly ExitEvent[] = [];
      const isWhole = (): boolean => found.some(({ name }) => name === "ExitStarted");
      for (let to = number; exitDeadline > 0n && to >= 0 && !isWhole(); to -= EVENT_BLOCKS) {
        const events = await this.#eventsIn(user, Math.max(0, to - EVENT_BLOCKS + 1), to);
        found = [...events.filter(isExitEvent).filter((event) => event.session === session), ...found];
      }
      return found;
    });
  }

  /** Tells of every new head what the channel is like. @returns What ends it. */
  watchChannel(
    user: Address,
    assets: readonly Address[],
    seen: (view: ClientView) => void,
    { intervalMs, failed, schedule = onIdleTimer }: WatchOptions,
  ): () => void {
    let isOver = false;
    let lastHead: Hash | undefined;
    let callOff: () => void = () => undefined;
    const look = async (): Promise<void> => {
      const { hash } = await readHead(this.provider);
      if (hash === lastHead) return;
      const view = await this.view(user, assets);
      lastHead = hash;
      if (!isOver) seen(view);
    };
    const again = (): void => {
      if (isOver) return;
      callOff = schedule(() => void look().catch(failed).finally(again), intervalMs);
    };
    void look().catch(failed).finally(again);
    return () => {
      isOver = true;
      callOff();
    };
  }

  /** What never changes, as every node has it. @throws ContractMissing, WrongContract, ChainUnreachable */
  contractFacts(): Promise<ContractFacts> {
    const { providers, channelManager } = this.#deps;
    return reading(async () => {
      const [first, ...others] = await Promise.all(providers.map((provider) => factsOf(provider, channelManager)));
      for (const field of ["hub", "challengePeriodSeconds"] as const) {
        const other = others.find((facts) => facts[field] !== first?.[field]);
        if (other === undefined) continue;
        const [expected, actual] = [String(first?.[field]), String(other[field])];
        throw clientError("WrongContract", { address: channelManager, field, expected, actual });
      }
      return first as ContractFacts;
    });
  }

  destroy(): void {
    for (const provider of this.#deps.providers) provider.destroy();
  }

  async #eventsIn(user: Address, fromBlock: number, toBlock: number): Promise<readonly ChainEvent[]> {
    const topics: (string | string[])[] = [[...CHANNEL_TOPICS], `0x${user.slice(2).padStart(64, "0")}`];
    const logs = await this.provider.getLogs({ address: this.#deps.channelManager, topics, fromBlock, toBlock });
    return logs.flatMap((log) => decodeEvent(log) ?? []);
  }

  /** A wallet's own node may be on another chain, where the same call would send money to nobody. */
  async #sender(): Promise<Signer> {
    const { signer } = this.#deps;
    if (signer.ethers === undefined) throw clientError("CannotSendTransactions", {});
    const sender = signer.ethers(this.provider);
    const networks = [this.provider.getNetwork(), (sender.provider ?? this.provider).getNetwork()] as const;
    const [expected, actual] = (await Promise.all(networks)).map(({ chainId }) => Number(chainId)) as [number, number];
    if (actual !== expected) throw clientError("WrongChain", { expected, actual, where: "the wallet" });
    return sender;
  }

  /** One after another: two at once would take one nonce of the account. @throws the contract's own error by its name */
  transact(make: (manager: ChannelManager) => Promise<ContractTransactionResponse>): Promise<Sent> {
    return this.#inTurn(async () => make(channelManagerAt(this.#deps.channelManager, await this.#sender())));
  }

  #inTurn(make: () => Promise<ContractTransactionResponse>): Promise<Sent> {
    const sent = this.#sending.then(make).then(sentOf, (error: unknown) => {
      throw sendFailure(error);
    });
    this.#sending = sent.catch(() => undefined);
    return sent;
  }

  async #requireFunds(asset: Address, needed: bigint): Promise<void> {
    const { address } = this.#deps.signer;
    const sender = await this.#sender();
    const balance = await reading(() =>
      asset === ZERO_ADDRESS ? this.provider.getBalance(address) : balanceOf(asset, address, sender),
    );
    if (balance < needed) throw clientError("FundsTooLow", { asset, balance, needed });
  }

  /** A permit to send with the deposit, or nothing once the contract is allowed to take the amount. */
  async #allow(asset: Address, amount: bigint): Promise<Awaited<ReturnType<typeof signPermit>>> {
    const allowance = { asset, amount, owner: this.#deps.signer.address, spender: this.#deps.channelManager };
    const sender = await this.#sender();
    let allowed: bigint;
    try {
      allowed = await allowanceOf(allowance, sender);
      if (allowed >= amount) return undefined;
      const permit = await signPermit(allowance, sender);
      if (permit !== undefined) return permit;
    } catch (error) {
      throw sendFailure(error);
    }
    if (allowed > 0n) await this.#approve(allowance, 0n, sender); // some tokens refuse to change one that is not zero
    await this.#approve(allowance, amount, sender);
    return undefined;
  }

  async #approve({ asset, spender }: Allowance, amount: bigint, sender: Signer): Promise<void> {
    const approve = tokenAt(asset, sender).getFunction("approve");
    const sent = await this.#inTurn(() => approve.send(spender, amount));
    await sent.wait();
  }
}

async function factsOf(provider: Provider, address: Address): Promise<ContractFacts> {
  if ((await provider.getCode(address)) === "0x") throw clientError("ContractMissing", { address });
  const manager = channelManagerAt(address, provider);
  const [hub, period] = await Promise.all([manager.hub(), manager.challengePeriodSeconds()]);
  return { hub: hub.toLowerCase(), challengePeriodSeconds: Number(period) };
}

/** @throws ChainUnreachable for whatever a node or the way to it does instead of answering */
export async function reading<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    throw hasCode(error) ? error : clientError("ChainUnreachable", { reason: messageOf(error) }, error);
  }
}

function isExitEvent(event: ChainEvent): event is ExitEvent {
  return event.name === "ExitStarted" || event.name === "ExitChallenged";
}

/** Of two nodes, what neither denies: fewer deposits, more withdrawals, the later session, any exit. */
function cautious(a: ChannelView, b: ChannelView): ChannelView {
  if (a.session !== b.session) return withoutDeposits(a.session > b.session ? a : b);
  const ledgers = [...a.ledgers].map(([asset, own]): readonly [Address, Ledger] => {
    const other = b.ledgers.get(asset) ?? own;
    return [
      asset,
      {
        depositedHub: min(own.depositedHub, other.depositedHub),
        depositedUser: min(own.depositedUser, other.depositedUser),
        withdrawnHub: max(own.withdrawnHub, other.withdrawnHub),
        withdrawnUser: max(own.withdrawnUser, other.withdrawnUser),
      },
    ];
  });
  const { exitNonce, exitDeadline } = b.exitDeadline > a.exitDeadline || b.exitNonce > a.exitNonce ? b : a;
  return { session: a.session, exitNonce, exitDeadline, ledgers: new Map(ledgers) };
}

/** A session that one node does not know yet has no deposits there. */
function withoutDeposits(view: ChannelView): ChannelView {
  const ledgers = [...view.ledgers].map(([asset, ledger]): readonly [Address, Ledger] => {
    return [asset, { ...ledger, depositedHub: 0n, depositedUser: 0n }];
  });
  return { ...view, ledgers: new Map(ledgers) };
}

function structOf(state: ChannelState): Parameters<ChannelManager["withdraw"]>[0] {
  return { ...state, assets: [...state.assets] };
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
