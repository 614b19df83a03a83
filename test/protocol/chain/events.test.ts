import { expect } from "chai";
import { Log, type Interface, type Provider } from "ethers";
import { ethers } from "hardhat";
import { ChannelManager__factory } from "../../../typechain-types";
import { parseAddress, ZERO_ADDRESS } from "../../../protocol";
import { CHANNEL_TOPICS, decodeEvent, partiesOf } from "../../../protocol/chain/events";
import { party } from "../fixtures";
import { freshWorld } from "../../support/world";

const manager: Interface = ChannelManager__factory.createInterface();
const USER = party(0x22).address;
const HASH = `0x${"AB".repeat(32)}`;

/** A log of an event with a value of its type everywhere. */
function logOf(name: string, overrides: object = {}): Log {
  const fragment = manager.getEvent(name)!;
  const values = fragment.inputs.map(({ type }) => {
    if (type === "address") return USER;
    if (type === "bool") return true;
    if (type === "bytes32") return HASH;
    return type === "bytes" ? "0xabcd" : 7n;
  });
  const place = { blockNumber: 5, blockHash: HASH, index: 3, transactionHash: HASH, transactionIndex: 0 };
  const log = { ...manager.encodeEventLog(fragment, values), address: USER, removed: false, ...place };
  return new Log({ ...log, ...overrides }, null as unknown as Provider);
}

const NAMES: string[] = [];
manager.forEachEvent(({ name }) => {
  if (name !== "EIP712DomainChanged") NAMES.push(name); // OpenZeppelin's; the domain never changes
});

describe("decodeEvent", () => {
  for (const name of NAMES) {
    it(`knows ${name}, with every value under its name in the contract`, () => {
      const event = decodeEvent(logOf(name)) as unknown as Record<string, unknown>;
      expect(event).to.include({ name, blockNumber: 5, logIndex: 3, blockHash: HASH.toLowerCase() });
      for (const { name: field, type } of manager.getEvent(name)!.inputs) {
        const value = event[field];
        if (type === "address") expect(value).to.equal(USER);
        else if (type.startsWith("uint")) expect(value).to.equal(7n);
        else expect(value, field).to.equal({ bool: true, bytes: "0xabcd", bytes32: HASH.toLowerCase() }[type]);
      }
    });
  }

  it("decodes what a chain has logged", async () => {
    const { manager: contract, alice, bob } = await freshWorld();
    await contract.connect(bob).deposit(alice, ZERO_ADDRESS, 5n, true, { value: 5n });
    const { number, hash } = (await ethers.provider.getBlock("latest"))!;
    const [log] = await ethers.provider.getLogs({ address: contract, fromBlock: number });
    const [user, payer] = [alice, bob].map(({ address }) => parseAddress(address));
    expect(decodeEvent(log!)).to.deep.equal({
      ...{ name: "Deposited", user, asset: ZERO_ADDRESS, payer, session: 0n, forHub: true, amount: 5n },
      ...{ blockNumber: number, blockHash: hash, logIndex: log!.index, transactionHash: log!.transactionHash },
    });
  });

  it("leaves logs of others alone, and refuses one that only looks like ours", () => {
    expect(decodeEvent(logOf("Settled", { topics: [HASH] }))).to.equal(undefined);
    expect(() => decodeEvent(logOf("Settled", { data: "0x01" }))).to.throw();
  });

  it("says whom an event is about", () => {
    const parties = (name: string): readonly string[] => partiesOf(decodeEvent(logOf(name))!);
    expect(parties("Settled")).to.deep.equal([USER]);
    expect(parties("Claimed")).to.deep.equal([USER]);
    expect(parties("ThreadChallenged")).to.deep.equal([USER, USER]);
    expect(parties("ReserveFunded")).to.deep.equal([]);
  });

  it("lists the topics of events that carry their user first", () => {
    const names = CHANNEL_TOPICS.map((topic) => manager.getEvent(topic)?.name);
    expect(names).to.include.members(["Deposited", "Settled", "ExitStarted", "Withdrawn", "PayoutFailed"]);
    expect(names).to.not.include.members(["ThreadSettled"]);
    expect(names).to.not.include("Claimed");
  });
});
