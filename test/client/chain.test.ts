import { expect } from "chai";
import hre, { ethers } from "hardhat";
import { mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { JsonRpcProvider, type Provider } from "ethers";
import { ChainClient, type ClientView } from "../../client/chain";
import { openProviders } from "../../client/providers";
import { openSigner, type ClientSigner } from "../../client/signer";
import { ChannelManager__factory } from "../../typechain-types";
import {
  channelManagerDomain,
  hashState,
  parseAddress,
  unsignedState,
  ZERO_ADDRESS,
  type Address,
  type ChannelState,
  type Signature,
} from "../../protocol";
import { expectCoded } from "../support/expect-coded";
import { developmentKey, until } from "../support/hub";
import { serveRpc, type RpcTarget } from "../support/rpc-server";
import { exitToDeadline, freshWorld, unsigned, type World } from "../support/world";

const ETHER = 10n ** 18n;
const chain = hre.network.provider as unknown as RpcTarget;
const manager = ChannelManager__factory.createInterface();

/** A node that gives another answer to some questions. */
type Distortion = (method: string, params: readonly unknown[], answer: unknown) => unknown;

describe("client's chain", () => {
  let world: World;
  let signer: ClientSigner;
  let hubSigner: ClientSigner;
  let contract: Address;
  let token: Address;
  let user: Address;
  const closing: (() => unknown)[] = [];

  const node = async (distort: Distortion = (_method, _params, answer) => answer): Promise<JsonRpcProvider> => {
    const rpc = await serveRpc({
      send: async (method, params) => distort(method, params, await chain.send(method, params)),
    });
    const options = { staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1 };
    const provider = new JsonRpcProvider(rpc.url, 31337, options);
    provider.pollingInterval = 20;
    closing.push(
      () => provider.destroy(),
      () => rpc.close(),
    );
    return provider;
  };
  const open = async (confirmations = 1, ...providers: readonly Provider[]): Promise<ChainClient> => {
    const [first = await node(), ...others] = providers;
    return new ChainClient({ providers: [first, ...others], channelManager: contract, signer, confirmations });
  };
  const sign = async (state: ChannelState): Promise<[ChannelState, Signature, Signature]> => {
    const domain = channelManagerDomain(31337n, contract);
    return [state, await hubSigner.signState(state, domain), await signer.signState(state, domain)];
  };

  beforeEach(async () => {
    world = await freshWorld();
    // Carol: the others of the fixture have an allowance without end.
    await world.token.connect(world.carol).approve(world.address, 0);
    signer = await openSigner({ privateKey: developmentKey(5) });
    hubSigner = await openSigner({ privateKey: developmentKey(1) });
    contract = parseAddress(world.address);
    token = parseAddress(await world.token.getAddress());
    user = signer.address;
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  const allowance = (asset = world.token): Promise<bigint> => asset.allowance(user, contract);
  const row = (view: ClientView, asset: Address = ZERO_ADDRESS): unknown => view.ledgers.get(asset);

  describe("deposits", () => {
    it("ETH, and names the transaction at once", async () => {
      const client = await open();
      const sent = await client.deposit(ZERO_ADDRESS, ETHER);
      await sent.wait();
      expect((await ethers.provider.getTransactionReceipt(sent.transactionHash))?.status).to.equal(1);
      expect(row(await client.view(user, [ZERO_ADDRESS]))).to.deep.include({ depositedUser: ETHER, depositedHub: 0n });
    });

    it("on the hub's side when told so", async () => {
      const client = await open();
      await (await client.deposit(token, 5n, { forHub: true })).wait();
      expect(row(await client.view(user, [token]), token)).to.deep.include({ depositedUser: 0n, depositedHub: 5n });
    });

    it("W-8: a token by a permit over exactly the amount, in one transaction", async () => {
      const before = await ethers.provider.getTransactionCount(user);
      const client = await open();
      await (await client.deposit(token, 7n * ETHER)).wait();
      expect(row(await client.view(user, [token]), token)).to.deep.include({ depositedUser: 7n * ETHER });
      expect(await allowance()).to.equal(0n);
      expect(await ethers.provider.getTransactionCount(user)).to.equal(before + 1);
    });

    it("W-8: a token without permits by an allowance of exactly the amount, never more", async () => {
      const plain = await ethers.deployContract("PhantomToken");
      await plain.mint(user, 100n);
      const asset = parseAddress(await plain.getAddress());
      await plain.connect(world.carol).approve(contract, 3n);
      const client = await open();
      await (await client.deposit(asset, 10n)).wait();
      expect(row(await client.view(user, [asset]), asset)).to.deep.include({ depositedUser: 10n });
      const approvals = await plain.queryFilter(plain.filters.Approval(user, contract));
      expect(approvals.map(({ args }) => args[2])).to.deep.equal([3n, 0n, 10n]);
      expect(await plain.allowance(user, contract)).to.equal(0n);
    });

    it("W-8: uses an allowance that is there and asks for none", async () => {
      await world.token.connect(world.carol).approve(contract, 10n);
      await (await (await open()).deposit(token, 4n)).wait();
      expect(await allowance()).to.equal(6n);
    });

    it("W-8: signs no permit for another token, whatever a token says of itself", async () => {
      let typed = 0;
      const counting: ClientSigner = {
        ...signer,
        ethers: (provider) => {
          const wallet = signer.ethers!(provider);
          return new Proxy(wallet, {
            get: (target, name) => {
              if (name === "signTypedData") typed++;
              const value: unknown = Reflect.get(target, name, target);
              return typeof value === "function" ? (value.bind(target) as unknown) : value;
            },
          });
        },
      };
      // A token whose own description and separator are those of the real one.
      const plain = await ethers.deployContract("PhantomToken");
      await plain.mint(user, 100n);
      const asset = parseAddress(await plain.getAddress());
      const liar = await node((method, params, answer) => {
        const [call] = params as [{ to?: string; data?: string }?];
        if (method !== "eth_call" || call?.to?.toLowerCase() !== asset) return answer;
        const isPermit = ["nonces", "DOMAIN_SEPARATOR", "eip712Domain"].some((name) =>
          call.data?.startsWith(world.token.interface.getFunction(name as "nonces").selector),
        );
        return isPermit ? chain.send("eth_call", [{ ...call, to: token }, "latest"]) : answer;
      });
      const client = new ChainClient({
        providers: [liar],
        channelManager: contract,
        signer: counting,
        confirmations: 1,
      });
      await (await client.deposit(asset, 10n)).wait();
      expect(typed).to.equal(0);
      await (await client.deposit(token, 10n)).wait();
      expect(typed).to.equal(1);
    });

    it("not more than the account has", async () => {
      const error = await expectCoded((await open()).deposit(ZERO_ADDRESS, 10n ** 30n), "FundsTooLow");
      expect(error.details).to.deep.include({ asset: ZERO_ADDRESS, needed: 10n ** 30n });
      await expectCoded((await open()).deposit(token, 10n ** 40n), "FundsTooLow");
    });

    it("one after another when they are asked for at once", async () => {
      const client = await open();
      const sent = await Promise.all([1n, 2n, 3n].map((amount) => client.deposit(ZERO_ADDRESS, amount)));
      await Promise.all(sent.map((each) => each.wait()));
      expect(row(await client.view(user, [ZERO_ADDRESS]))).to.deep.include({ depositedUser: 6n });
    });
  });

  describe("takes the steps that need no hub", () => {
    const paid = (nonce: bigint, balanceUser: bigint): ChannelState => ({
      ...unsignedState(user, 0n, [ZERO_ADDRESS]),
      nonce,
      assets: [
        {
          ...unsignedState(user, 0n, [ZERO_ADDRESS]).assets[0]!,
          depositedUser: 10n,
          balanceUser,
          balanceHub: 10n - balanceUser,
        },
      ],
    });
    let session: bigint;
    const at = (nonce: bigint, balanceUser: bigint): ChannelState => ({ ...paid(nonce, balanceUser), session });
    let client: ChainClient;

    beforeEach(async () => {
      client = await open();
      await (await client.deposit(ZERO_ADDRESS, 10n)).wait();
      ({ session } = await client.view(user, [ZERO_ADDRESS]));
    });

    it("exit, challenge and settlement; and shows how the exit came to be", async () => {
      expect(await client.exitEvents(user)).to.deep.equal([]);
      const [old, newer] = [await sign(at(3n, 8n)), await sign(at(4n, 6n))];
      await (await client.startExit(...old)).wait();
      expect((await client.view(user, [])).exit?.nonce).to.equal(3n);
      await mine(2_500); // further back than one question for events goes
      await (await client.challenge(...newer)).wait();
      const { exit } = await client.view(user, []);
      expect(exit?.nonce).to.equal(4n);
      const events = await client.exitEvents(user);
      expect(
        events.map(({ name, nonce, stateHash, sigHub, sigUser }) => [name, nonce, stateHash, sigHub, sigUser]),
      ).to.deep.equal([
        ["ExitStarted", 3n, hashState(old[0]), old[1], old[2]],
        ["ExitChallenged", 4n, hashState(newer[0]), newer[1], newer[2]],
      ]);
      await time.increaseTo(exit!.deadline);
      await (await client.settle(...newer)).wait();
      const view = await client.view(user, [ZERO_ADDRESS]);
      expect(view.session).to.equal(session + 1n);
      expect(view).not.to.have.property("exit");
      expect(await client.exitEvents(user)).to.deep.equal([]);
    });

    it("withdrawal of what both signed", async () => {
      const state = at(3n, 6n);
      const assets = [{ ...state.assets[0]!, withdrawnUser: 4n, balanceHub: 0n }];
      await (await client.withdraw(...(await sign({ ...state, assets })))).wait();
      expect(row(await client.view(user, [ZERO_ADDRESS]))).to.deep.include({ withdrawnUser: 4n });
      const events = await client.events(user, 0);
      expect(events.map(({ name }) => name)).to.deep.equal(["Deposited", "Withdrawn"]);
    });

    it("and says what the contract says against them", async () => {
      const [state, sigHub, sigUser] = await sign(at(3n, 8n));
      await expectCoded(client.startExit(state, sigUser, sigHub), "InvalidSignature");
      await expectCoded(client.settle(state, sigHub, sigUser), "ChannelNotExiting");
      await expectCoded(client.claim(ZERO_ADDRESS, user), "NothingToClaim");
    });

    it("and says what the contract said when a transaction failed only on chain", async () => {
      // Without an estimate first, as a wallet may send it.
      const blind = await node();
      const careless: ClientSigner = {
        ...signer,
        ethers: (provider) => {
          const wallet = signer.ethers!(provider);
          const send = wallet.sendTransaction.bind(wallet);
          wallet.sendTransaction = (tx) => send({ ...tx, gasLimit: 1_000_000 });
          return wallet;
        },
      };
      await hre.network.provider.send("evm_setAutomine", [false]);
      try {
        const deps = { providers: [blind], channelManager: contract, signer: careless, confirmations: 1 } as const;
        const sent = await new ChainClient(deps).settle(...(await sign(at(3n, 8n))));
        const waited = expectCoded(sent.wait(), "ChannelNotExiting");
        await mine(1);
        await waited;
      } finally {
        await hre.network.provider.send("evm_setAutomine", [true]);
      }
    });

    it("not with a signer that only signs, or a wallet on another chain", async () => {
      const mute: ClientSigner = {
        address: user,
        signState: (state, domain) => signer.signState(state, domain),
        signStatement: (type, value, domain) => signer.signStatement(type, value, domain),
        signText: (text) => signer.signText(text),
      };
      const deps = { providers: [client.provider], channelManager: contract, confirmations: 1 } as const;
      await expectCoded(new ChainClient({ ...deps, signer: mute }).claim(ZERO_ADDRESS, user), "CannotSendTransactions");
      const elsewhere = await node((method, _params, answer) => (method === "eth_chainId" ? "0x1" : answer));
      const wallet = await openSigner({
        wallet: {
          request: ({ method, params = [] }) =>
            method === "eth_requestAccounts" ? Promise.resolve([user]) : elsewhere.send(method, params),
        },
      });
      const error = await expectCoded(
        new ChainClient({ ...deps, signer: wallet }).deposit(ZERO_ADDRESS, 1n),
        "WrongChain",
      );
      expect(error.details).to.deep.include({ expected: 31337, actual: 1 });
    });
  });

  describe("looks at a channel", () => {
    it("and counts a deposit at the depth that was asked for, a withdrawal and an exit at once", async () => {
      const [shallow, deep] = [await open(1), await open(3)];
      await (await shallow.deposit(ZERO_ADDRESS, 10n)).wait();
      expect(row(await shallow.view(user, [ZERO_ADDRESS]))).to.deep.include({ depositedUser: 10n });
      expect(row(await deep.view(user, [ZERO_ADDRESS]))).to.deep.include({ depositedUser: 0n });
      await mine(1);
      expect(row(await deep.view(user, [ZERO_ADDRESS]))).to.deep.include({ depositedUser: 0n });
      await mine(1);
      expect(row(await deep.view(user, [ZERO_ADDRESS]))).to.deep.include({ depositedUser: 10n });
      const { session } = await deep.view(user, []);
      await (await shallow.startExit(unsignedState(user, session, [ZERO_ADDRESS]), "0x", "0x")).wait();
      expect((await deep.view(user, [])).exit?.nonce).to.equal(0n);
    });

    /** A node that changes the words of what a view answers. */
    const lying = (
      name: "ledgerOf" | "channelOf",
      change: (words: bigint[]) => bigint[],
      under?: Distortion,
    ): Promise<Provider> =>
      node((method, params, answer) => {
        const given = under === undefined ? answer : under(method, params, answer);
        return changed(name, change)(method, params, given);
      });

    const deposited = async (): Promise<void> => {
      const client = await open();
      await (await client.deposit(ZERO_ADDRESS, 10n)).wait();
    };

    for (const order of ["first", "second"] as const) {
      const both = async (liar: Provider): Promise<ChainClient> => {
        const honest = await node();
        return order === "first" ? open(1, liar, honest) : open(1, honest, liar);
      };

      it(`W-11: does not believe a deposit that only one node reports (the ${order})`, async () => {
        await deposited();
        const liar = await lying("ledgerOf", bigger(1_000n, 0n));
        expect(row(await (await open(1, liar)).view(user, [ZERO_ADDRESS]))).to.deep.include({ depositedUser: 1_010n });
        expect(row(await (await both(liar)).view(user, [ZERO_ADDRESS]))).to.deep.include({ depositedUser: 10n });
      });

      it(`W-11: believes a withdrawal that only one node reports (the ${order})`, async () => {
        await deposited();
        const liar = await lying("ledgerOf", bigger(0n, 3n));
        expect(row(await (await both(liar)).view(user, [ZERO_ADDRESS]))).to.deep.include({ withdrawnUser: 3n });
      });

      it(`W-11: sees an exit and a settlement that one node hides (the ${order})`, async () => {
        await deposited();
        const { session } = await (await open()).view(user, []);
        const state = unsignedState(user, session, [ZERO_ADDRESS]);
        const blind = await lying("channelOf", ([, ...rest]) => [session, ...rest.map(() => 0n)]);
        await exitToDeadline(world, world.carol, unsigned({ ...state, assets: [...state.assets] }));
        const { exit } = await (await both(blind)).view(user, []);
        expect(exit?.deadline).to.be.greaterThan(0n);
        await (await (await open()).settle(state, "0x", "0x")).wait();
        expect((await (await both(blind)).view(user, [])).session).to.equal(session + 1n);
      });

      it(`W-11: believes no deposit of a session that one node does not know (the ${order})`, async () => {
        await deposited();
        const { session } = await (await open()).view(user, []);
        const ahead = changed("channelOf", ([, ...rest]) => [session + 1n, ...rest]);
        const rich = await lying("ledgerOf", bigger(1_000n, 0n), ahead);
        expect(row(await (await open(1, rich)).view(user, [ZERO_ADDRESS]))).to.deep.include({ depositedUser: 1_000n });
        const view = await (await both(rich)).view(user, [ZERO_ADDRESS]);
        expect(view.session).to.equal(session + 1n);
        expect(row(view)).to.deep.include({ depositedUser: 0n, depositedHub: 0n });
      });
    }

    it("W-11: takes the oldest head of its nodes: who hides new blocks is seen", async () => {
      const behind = await node((method, params, answer) =>
        method === "eth_getBlockByNumber" && params[0] === "latest" ? chain.send(method, ["0x5", false]) : answer,
      );
      await mine(10);
      const fifth = (await ethers.provider.getBlock(5))!;
      const view = await (await open(1, await node(), behind)).view(user, []);
      expect(view.headTimestamp).to.equal(fifth.timestamp);
    });

    it("and says so when a node does not answer", async () => {
      const broken = await node(() => {
        throw new Error("the disk is full");
      });
      await expectCoded((await open(1, await node(), broken)).view(user, []), "ChainUnreachable");
      await expectCoded((await open(1, broken)).events(user, 0), "ChainUnreachable");
    });

    it("block by block, until told to stop, and over failures", async () => {
      let isBroken = false;
      const moody = await node((_method, _params, answer) => {
        if (isBroken) throw new Error("later");
        return answer;
      });
      const [views, failures]: [ClientView[], unknown[]] = [[], []];
      const client = await open(1, moody);
      const stop = client.watchChannel(user, [ZERO_ADDRESS], (view) => void views.push(view), {
        intervalMs: 10,
        failed: (error) => failures.push(error),
      });
      closing.push(stop);
      await until("the first view", () => views.length === 1);
      await world.manager.connect(world.carol).deposit(user, ZERO_ADDRESS, 10n, false, { value: 10n });
      await until("the second view", () => views.length === 2);
      expect(row(views[1]!)).to.deep.include({ depositedUser: 10n });
      isBroken = true;
      await until("a failure", () => failures.length > 0);
      await mine(1);
      isBroken = false;
      await until("the third view", () => views.length === 3);
      stop();
      await mine(1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(views).to.have.length(3);
    });
  });

  describe("knows its contract", () => {
    it("by what every node says of it", async () => {
      const { hub, challengePeriodSeconds } = await (await open(1, await node(), await node())).contractFacts();
      expect([hub, challengePeriodSeconds]).to.deep.equal([world.hub.address.toLowerCase(), 86_400]);
    });

    it("and does not take one that is not there, or that nodes disagree about", async () => {
      const deps = { providers: [await node()] as [Provider], signer, confirmations: 1 };
      const nowhere = new ChainClient({ ...deps, channelManager: parseAddress(`0x${"33".repeat(20)}`) });
      await expectCoded(nowhere.contractFacts(), "ContractMissing");
      const { selector } = manager.getFunction("hub");
      const liar = await node((method, params, answer) =>
        method === "eth_call" && (params[0] as { data?: string }).data === selector
          ? ethers.zeroPadValue(user, 32)
          : answer,
      );
      const error = await expectCoded((await open(1, await node(), liar)).contractFacts(), "WrongContract");
      expect(error.details).to.deep.include({ field: "hub", actual: user });
    });
  });

  describe("finds its nodes", () => {
    const hubUrl = "http://127.0.0.1:9";
    const opened = async (options: Partial<Parameters<typeof openProviders>[0]>): Promise<readonly Provider[]> => {
      const providers = await openProviders({ hubUrl, ...options }, 31337);
      closing.push(() => providers.forEach((provider) => provider.destroy()));
      return providers;
    };
    const served = async (target: RpcTarget = chain): Promise<string> => {
      const rpc = await serveRpc(target);
      closing.push(() => rpc.close());
      return rpc.url;
    };

    it("by URL, as providers and as wallets, all of them", async () => {
      const [one, two] = [await served(), await served()];
      const wallet = {
        request: ({ method, params = [] }: { method: string; params?: unknown[] }) => chain.send(method, params),
      };
      const providers = await opened({ ethUrl: [one, two], ethProvider: [await node(), wallet] });
      expect(providers).to.have.length(4);
      for (const provider of providers) expect(await provider.getBlockNumber()).to.be.greaterThan(0);
    });

    it("W-11: not at the hub, unless told to trust it, and then says so", async () => {
      await expectCoded(opened({}), "HubTrustedForChain");
      await expectCoded(opened({ ethUrl: [] }), "HubTrustedForChain");
      const lines: string[] = [];
      const error = opened({ trustHubChain: true, logger: (line) => lines.push(line) });
      await expectCoded(error, "ChainUnreachable"); // there is no hub here
      expect(lines.join()).to.match(/trusted/);
    });

    it("not on another chain", async () => {
      const other = await served({
        send: (method, params) => (method === "eth_chainId" ? Promise.resolve("0x1") : chain.send(method, params)),
      });
      const error = await expectCoded(opened({ ethUrl: [await served(), other] }), "WrongChain");
      expect(error.details).to.deep.include({ expected: 31337, actual: 1 });
    });
  });
});

/** Another answer to one view of the contract, word by word. */
function changed(name: "ledgerOf" | "channelOf", change: (words: bigint[]) => bigint[]): Distortion {
  const { selector } = manager.getFunction(name);
  return (method, params, answer) => {
    const [call] = params as [{ data?: string }?];
    if (method !== "eth_call" || call?.data?.startsWith(selector) !== true) return answer;
    const words = (answer as string).slice(2).match(/.{64}/g) ?? [];
    const given = change(words.map((word) => BigInt(`0x${word}`)));
    return `0x${given.map((word) => word.toString(16).padStart(64, "0")).join("")}`;
  };
}

/** More deposited and withdrawn on the user's side than there is. */
function bigger(deposited: bigint, withdrawn: bigint): (words: bigint[]) => bigint[] {
  return ([depositedHub = 0n, withdrawnHub = 0n, depositedUser = 0n, withdrawnUser = 0n]) => [
    ...[depositedHub, withdrawnHub, depositedUser + deposited, withdrawnUser + withdrawn],
  ];
}
