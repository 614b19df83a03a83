import { expect } from "chai";
import { identifyChain, type Rpc } from "../../../tasks/chain/identify-chain";
import { expectCoded } from "../../support/expect-coded";

const GENESIS = `0x${"11".repeat(32)}`;

/** A node that answers what it is told to. */
function node(answers: Record<string, unknown>): Rpc {
  const all: Record<string, unknown> = { eth_chainId: "0x4", eth_getBlockByNumber: { hash: GENESIS }, ...answers };
  return {
    send: (method) => (all[method] instanceof Error ? Promise.reject(all[method]) : Promise.resolve(all[method])),
  };
}

const anvil = node({ web3_clientVersion: "anvil/v1.7.1" });

describe("identifyChain", () => {
  it("names the variable of a URL that is not set", async () => {
    const sepolia = await expectCoded(identifyChain({ name: "sepolia", url: "" }, anvil), "RpcUrlMissing");
    expect(sepolia.message).to.contain("npx hardhat vars set SEPOLIA_RPC_URL");
    const custom = await expectCoded(identifyChain({ name: "custom", url: "" }, anvil), "RpcUrlMissing");
    expect(custom.message).to.contain("RPC_URL=https://… npx hardhat");
  });

  it("shows the host of a node that does not answer, but not the key in its URL", async () => {
    const url = "https://node.example/v3/secret";
    const dead = node({ eth_chainId: new Error(`cannot connect to ${url}`) });
    const error = await expectCoded(identifyChain({ name: "sepolia", url }, dead), "NodeUnreachable");
    expect(error.message).to.contain("node.example").and.not.contain("secret");
    expect(JSON.stringify(error.details)).not.to.contain("secret");
  });

  it("takes Hardhat's complaint about another chain id for what it is", async () => {
    const complaint = Object.assign(new Error("HH101"), {
      number: 101,
      messageArguments: { configChainId: 11155111, connectionChainId: 1 },
    });
    const wrong = identifyChain({ name: "sepolia", url: "https://x.example" }, node({ eth_chainId: complaint }));
    const { details } = await expectCoded(wrong, "WrongNetwork");
    expect(details).to.deep.equal({ network: "sepolia", expectedChainId: 11155111, chainId: 1 });
  });

  it("calls a development node on an own host local, whatever its chain id", async () => {
    const chain = await identifyChain({ name: "custom", url: "http://127.0.0.1:1" }, anvil);
    expect(chain).to.include({
      network: "custom",
      chainId: 4,
      genesisHash: GENESIS,
      isLocal: true,
      isInProcess: false,
    });
  });

  it("calls a development node elsewhere live: it might be a trap", async () =>
    expect((await identifyChain({ name: "custom", url: "https://x.example" }, anvil)).isLocal).to.equal(false));

  it("calls any other node live, also one that hides its version", async () => {
    for (const version of ["Geth/v1.14", "not-anvil/1", new Error("no such method")]) {
      const chain = await identifyChain(
        { name: "custom", url: "http://127.0.0.1:1" },
        node({ web3_clientVersion: version }),
      );
      expect(chain.isLocal).to.equal(false);
    }
  });
});
