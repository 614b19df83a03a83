import {
  Contract,
  Signature as EthersSignature,
  type ContractTransactionResponse,
  type Provider,
  type Signer,
} from "ethers";
import { ChannelManager__factory, type ChannelManager } from "../typechain-types";
import {
  ZERO_ADDRESS,
  type Address,
  type ChannelState,
  type Hash,
  type Ledger,
  type Ledgers,
  type Signature,
} from "../protocol";
import { readCautiously, readHead, type ChannelView } from "../protocol/chain/channel-view";
import { refusalOf } from "../protocol/chain/contract-error";
import { decodeEvent, type ChainEvent } from "../protocol/chain/events";
import { clientError } from "./errors";
import type { ClientSigner } from "./signer";

/** The chain as this side sees it: what it may count on. */
export interface ClientView {
  readonly session: bigint;
  readonly exit?: { readonly nonce: bigint; readonly deadline: bigint };
  readonly ledgers: Ledgers;
  readonly headNumber: number;
  /** Unix seconds. */
  readonly headTimestamp: number;
}

export interface ChainDeps {
  /** Each is asked; the lower deposit and the higher withdrawal count (W-11). The first one sends. */
  readonly providers: readonly [Provider, ...Provider[]];
  readonly channelManager: Address;
  readonly signer: ClientSigner;
  readonly confirmations: number;
}

/** A transaction on its way. */
export interface Sent {
  readonly transactionHash: Hash;
  /** Resolves when it is as deep as asked. @throws the contract's error, TimedOut */
  wait(confirmations?: number): Promise<void>;
}

const TOKEN_ABI = [
  "function allowance(address owner, address spender) view returns (uint256)",
  "function approve(address spender, uint256 amount) returns (bool)",
  "function nonces(address owner) view returns (uint256)",
  "function eip712Domain() view returns (bytes1, string name, string version, uint256 chainId, address verifyingContract, bytes32, uint256[])",
  "function balanceOf(address owner) view returns (uint256)",
];

const PERMIT_TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

const PERMIT_SECONDS = 3_600;
const WAIT_MS = 180_000;

/** The client's own way to the contract: reading, and every step that needs no hub. */
export class ChainClient {
  readonly #deps: ChainDeps;

  constructor(deps: ChainDeps) {
    this.#deps = deps;
  }

  get provider(): Provider {
    return this.#deps.providers[0];
  }

  /** A channel as far as this side may count on it. */
  async view(user: Address, assets: readonly Address[]): Promise<ClientView> {
    const { providers, channelManager, confirmations } = this.#deps;
    const seen = await Promise.all(
      providers.map(async (provider) => {
        const head = await readHead(provider);
        const view = await readCautiously(provider, channelManager, user, assets, head.number, confirmations);
        return { head, view };
      }),
    );
    const newest = seen.reduce((a, b) => (b.view.session > a.view.session ? b : a));
    const view = seen.map(({ view: each }) => each).reduce(cautious);
    const { session, exitNonce, exitDeadline, ledgers } = view;
    return {
      session,
      ledgers,
      ...(exitDeadline === 0n ? {} : { exit: { nonce: exitNonce, deadline: exitDeadline } }),
      headNumber: newest.head.number,
      headTimestamp: Math.min(...seen.map(({ head }) => head.timestamp)),
    };
  }

  /** Deposits on the user's side, with an exact permit or allowance for a token (W-8). */
  async deposit(asset: Address, amount: bigint, forHub = false): Promise<Sent> {
    const user = this.#deps.signer.address;
    const manager = this.#manager();
    if (asset === ZERO_ADDRESS)
      return this.#send(() => manager.deposit(user, asset, amount, forHub, { value: amount }));
    const permit = await this.#permit(asset, amount);
    if (permit !== undefined) {
      const { deadline, v, r, s } = permit;
      return this.#send(() => manager.depositWithPermit(user, asset, amount, forHub, deadline, v, r, s));
    }
    await this.#allow(asset, amount);
    return this.#send(() => manager.deposit(user, asset, amount, forHub));
  }

  withdraw(state: ChannelState, sigHub: Signature, sigUser: Signature): Promise<Sent> {
    return this.#send(() => this.#manager().withdraw(structOf(state), sigHub, sigUser));
  }

  startExit(state: ChannelState, sigHub: Signature, sigUser: Signature): Promise<Sent> {
    return this.#send(() => this.#manager().startExit(structOf(state), sigHub, sigUser));
  }

  challenge(state: ChannelState, sigHub: Signature, sigUser: Signature): Promise<Sent> {
    return this.#send(() => this.#manager().challenge(structOf(state), sigHub, sigUser));
  }

  settle(state: ChannelState, sigHub: Signature, sigUser: Signature): Promise<Sent> {
    return this.#send(() => this.#manager().settle(structOf(state), sigHub, sigUser));
  }

  claim(asset: Address, to: Address): Promise<Sent> {
    return this.#send(() => this.#manager().claim(asset, to));
  }

  reclaim(user: Address, session: bigint, asset: Address): Promise<Sent> {
    return this.#send(() => this.#manager().reclaim(user, session, asset));
  }

  /** Events of a user's channel from a block on, oldest first. */
  async events(user: Address, fromBlock: number): Promise<readonly ChainEvent[]> {
    const logs = await this.provider.getLogs({ address: this.#deps.channelManager, fromBlock, toBlock: "latest" });
    return logs.flatMap((log) => decodeEvent(log) ?? []).filter((event) => event.user === user);
  }

  async contractFacts(): Promise<{ readonly hub: string; readonly challengePeriodSeconds: number }> {
    const { channelManager } = this.#deps;
    if ((await this.provider.getCode(channelManager)) === "0x")
      throw clientError("ContractMissing", { address: channelManager });
    const manager = ChannelManager__factory.connect(channelManager, this.provider);
    const [hub, period] = await Promise.all([manager.hub(), manager.challengePeriodSeconds()]);
    return { hub: hub.toLowerCase(), challengePeriodSeconds: Number(period) };
  }

  destroy(): void {
    for (const provider of this.#deps.providers) provider.destroy();
  }

  #sender(): Signer {
    const { signer } = this.#deps;
    if (signer.ethers === undefined) throw clientError("CannotSendTransactions", {});
    return signer.ethers(this.provider);
  }

  #manager(): ChannelManager {
    return ChannelManager__factory.connect(this.#deps.channelManager, this.#sender());
  }

  /** @throws the contract's own error under its name */
  async #send(make: () => Promise<ContractTransactionResponse>): Promise<Sent> {
    let response: ContractTransactionResponse;
    try {
      response = await make();
    } catch (error) {
      throw namedOr(error);
    }
    return {
      transactionHash: response.hash as Hash,
      wait: async (confirmations = 1) => {
        try {
          await response.wait(confirmations, WAIT_MS);
        } catch (error) {
          if ((error as { code?: unknown }).code !== "TIMEOUT") throw namedOr(error);
          throw clientError("TimedOut", { what: `transaction ${response.hash}`, seconds: WAIT_MS / 1000 }, error);
        }
      },
    };
  }

  /** ERC-2612 over exactly the amount, where the token has it and says how (EIP-5267). */
  async #permit(
    asset: Address,
    value: bigint,
  ): Promise<{ deadline: number; v: number; r: string; s: string } | undefined> {
    const signer = this.#sender();
    const token = new Contract(asset, TOKEN_ABI, signer);
    const owner = this.#deps.signer.address;
    const spender = this.#deps.channelManager;
    try {
      const [nonce, domain] = await Promise.all([
        token.getFunction("nonces").staticCall(owner) as Promise<bigint>,
        token.getFunction("eip712Domain").staticCall() as Promise<{
          name: string;
          version: string;
          chainId: bigint;
          verifyingContract: string;
        }>,
      ]);
      const { name, version, chainId, verifyingContract } = domain;
      const { timestamp } = await readHead(this.provider);
      const deadline = timestamp + PERMIT_SECONDS;
      const statement = { owner, spender, value, nonce, deadline };
      const text = await signer.signTypedData({ name, version, chainId, verifyingContract }, PERMIT_TYPES, statement);
      return { deadline, ...EthersSignature.from(text).toJSON() } as never;
    } catch (error) {
      if (refusalOf(error).error === undefined) return undefined; // no such functions: an ordinary allowance then
      throw error;
    }
  }

  async #allow(asset: Address, amount: bigint): Promise<void> {
    const token = new Contract(asset, TOKEN_ABI, this.#sender());
    const spender = this.#deps.channelManager;
    const allowed = (await token.getFunction("allowance").staticCall(this.#deps.signer.address, spender)) as bigint;
    if (allowed >= amount) return;
    const sent = await this.#send(() => token.getFunction("approve").send(spender, amount));
    await sent.wait();
  }
}

/** Of two nodes, what neither denies: fewer deposits, more withdrawals, the later session, any exit. */
function cautious(a: ChannelView, b: ChannelView): ChannelView {
  if (a.session !== b.session) return a.session > b.session ? a : b;
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
  const exiting = b.exitDeadline > a.exitDeadline || b.exitNonce > a.exitNonce ? b : a;
  const { exitNonce, exitDeadline } = exiting;
  return { session: a.session, exitNonce, exitDeadline, ledgers: new Map(ledgers) };
}

function structOf(state: ChannelState): Parameters<ChannelManager["withdraw"]>[0] {
  return { ...state, assets: [...state.assets] };
}

function namedOr(error: unknown): Error {
  return refusalOf(error).error ?? (error instanceof Error ? error : new Error(String(error)));
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
