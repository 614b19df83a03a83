import { expect } from "chai";
import { ethers, network } from "hardhat";
import type { JsonRpcNode } from "../../../hub/routes/eth-forwarder";
import { ask, openEdge, type Answer, type Edge } from "../edge";

describe("/api/eth", () => {
  let edge: Edge;
  let sent: string[];
  const node: JsonRpcNode = {
    send: (method, params) => {
      sent.push(method);
      return network.provider.send(method, [...params]) as Promise<unknown>;
    },
  };

  before(async () => (edge = await openEdge({ node })));
  beforeEach(() => (sent = []));
  after(() => edge.close());

  const post = (body: unknown): Promise<Answer> => edge.post("/api/eth", body);
  const call = (method: string, ...params: readonly unknown[]): Promise<Answer> =>
    post({ jsonrpc: "2.0", id: 7, method, params });
  const codeOf = ({ body }: Answer): unknown => (body.error as { code?: number } | undefined)?.code;

  describe("refuses, without asking the node,", () => {
    const methods = [
      ...["eth_accounts", "eth_sendTransaction", "eth_sign", "eth_signTypedData_v4", "eth_getProof", "eth_newFilter"],
      ...["personal_unlockAccount", "debug_traceTransaction", "hardhat_setBalance", "evm_increaseTime", "anvil_mine"],
      ...["admin_peers", "txpool_content", "miner_start", "__proto__", "constructor", "ETH_CALL", " eth_call", ""],
    ];
    for (const method of methods) {
      it(`the method "${method}"`, async () => {
        expect(codeOf(await call(method))).to.equal(-32601);
        expect(sent).to.deep.equal([]);
      });
    }

    const malformed: [string, unknown][] = [
      ["what is no request", { id: 1 }],
      ["another version", { jsonrpc: "1.0", id: 1, method: "eth_chainId" }],
      ["a notification", { jsonrpc: "2.0", method: "eth_chainId" }],
      ["parameters by name", { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: {} }],
      ["an empty batch", []],
      ["a batch of 21", Array.from({ length: 21 }, (_, id) => ({ jsonrpc: "2.0", id, method: "eth_chainId" }))],
      ["null", null],
    ];
    for (const [what, body] of malformed) {
      it(what, async () => {
        expect(codeOf(await post(body))).to.equal(-32600);
        expect(sent).to.deep.equal([]);
      });
    }

    it("too large a body, JSON that is none, and another content type: all as JSON-RPC errors", async () => {
      const send = (body: string, type = "application/json"): Promise<Answer> =>
        ask(`${edge.url}/api/eth`, { method: "POST", headers: { "content-type": type }, body });
      const answers = [await send("x".repeat(300_000)), await send("{"), await send("{}", "text/plain")];
      expect(answers.map(({ status }) => status)).to.deep.equal([413, 400, 400]);
      expect(answers.map(codeOf)).to.deep.equal([-32600, -32700, -32600]);
    });
  });

  describe("bounds the interval of logs:", () => {
    const head = 20_000;
    const wide: [string, object][] = [
      ["more than 10,000 blocks", { fromBlock: "0x0", toBlock: "0x2711" }],
      ["from the beginning", { fromBlock: "earliest", toBlock: "latest" }],
      ["to the head without saying so", { fromBlock: "0x1" }],
      ["a number that is none", { fromBlock: "0x00000000000000000000000001", toBlock: "0x2" }],
      ["a list", { fromBlock: ["0x0"], toBlock: "0x1" }],
    ];
    const narrow: [string, object][] = [
      ["10,000 blocks", { fromBlock: "0x1", toBlock: "0x2711" }],
      ["the head alone", {}],
      ["the last blocks up to the head", { fromBlock: "0x4e00", toBlock: "latest" }],
      ["one block by its hash", { blockHash: `0x${"11".repeat(32)}` }],
    ];
    let logs: Edge;

    before(async () => {
      const answers = (method: string): unknown => (method === "eth_blockNumber" ? `0x${head.toString(16)}` : []);
      logs = await openEdge({ node: { send: (method) => Promise.resolve(answers(method)) } });
    });
    after(() => logs.close());

    for (const [filters, isServed] of [
      [wide, false],
      [narrow, true],
    ] as const) {
      for (const [what, filter] of filters) {
        it(`${isServed ? "serves" : "refuses"} ${what}`, async () => {
          const answer = await logs.post("/api/eth", {
            jsonrpc: "2.0",
            id: 1,
            method: "eth_getLogs",
            params: [filter],
          });
          if (isServed) expect(answer.body.result).to.deep.equal([]);
          else expect(codeOf(answer)).to.equal(-32602);
        });
      }
    }
  });

  it("reads the chain, one request or several at a time, each answer with its id", async () => {
    const one = await call("eth_chainId");
    expect(one.body).to.deep.equal({ jsonrpc: "2.0", id: 7, result: "0x7a69" });
    const batch = await post([
      { jsonrpc: "2.0", id: "a", method: "eth_chainId", params: [] },
      { jsonrpc: "2.0", id: null, method: "eth_accounts", params: [] },
    ]);
    const [first, second] = batch.body as unknown as [object, { error: { code: number } }];
    expect(first).to.deep.equal({ jsonrpc: "2.0", id: "a", result: "0x7a69" });
    expect(second.error.code).to.equal(-32601);
  });

  it("sends what a wallet has signed itself", async () => {
    const [funder] = await ethers.getSigners();
    const wallet = ethers.Wallet.createRandom(ethers.provider);
    await funder!.sendTransaction({ to: wallet.address, value: ethers.parseEther("1") });
    const raw = await wallet.signTransaction(await wallet.populateTransaction({ to: funder!.address, value: 5n }));
    const { body } = await call("eth_sendRawTransaction", raw);
    expect(body.result).to.equal(ethers.Transaction.from(raw).hash);
  });

  it("passes on what the node says against it, and nothing of the way to the node", async () => {
    const reverting = await call("eth_call", { to: ethers.ZeroAddress, data: "0xzz" }, "latest");
    expect(codeOf(reverting)).to.be.a("number");
    const failing = await openEdge({
      node: { send: () => Promise.reject(new Error("connect http://key@node refused")) },
    });
    const answer = await failing.post("/api/eth", { jsonrpc: "2.0", id: 1, method: "eth_chainId" });
    expect(answer.body.error).to.deep.equal({ code: -32000, message: "the node did not answer" });
    await failing.close();
  });

  it("counts every request of a batch", async () => {
    const limited = await openEdge({ node, config: { requestsPerMinute: 5 } });
    const batch = (count: number): object[] =>
      Array.from({ length: count }, (_, id) => ({ jsonrpc: "2.0", id, method: "eth_chainId" }));
    expect((await limited.post("/api/eth", batch(5))).status).to.equal(200);
    const refused = await limited.post("/api/eth", batch(1));
    expect([refused.status, codeOf(refused)]).to.deep.equal([429, -32005]);
    expect(Number(refused.headers.get("retry-after"))).to.be.within(1, 60);
    await limited.close();
  });
});
