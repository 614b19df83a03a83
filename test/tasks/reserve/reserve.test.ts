import { expect } from "chai";
import { ethers } from "hardhat";
import { setBalance } from "@nomicfoundation/hardhat-network-helpers";
import { emptyAddressBook } from "../../../tasks/address-book/address-book";
import { planFund } from "../../../tasks/reserve/fund";
import { moveReserve, type Movement } from "../../../tasks/reserve/move";
import { planRecall } from "../../../tasks/reserve/recall";
import type { ReserveDeps } from "../../../tasks/reserve/reserve";
import { reserveStatus } from "../../../tasks/reserve/status";
import { inProcessChain, LIVE, scriptedTerminal } from "../../support/deployment";
import { expectCoded } from "../../support/expect-coded";
import { ETH } from "../../support/states";
import { freshWorld, type World } from "../../support/world";

const LUSD = 10n ** 18n;
const SEND = { isDryRun: false, agreed: false };

async function depsFor(world: World, overrides: Partial<ReserveDeps> = {}): Promise<ReserveDeps> {
  const chain = overrides.chain ?? (await inProcessChain());
  const entry = (address: string): object => ({ address, blockNumber: 0 });
  const contracts = { ChannelManager: entry(world.address), LocalToken: entry(await world.token.getAddress()) };
  const signers = await ethers.getSigners();
  return {
    chain,
    provider: ethers.provider,
    terminal: scriptedTerminal(),
    book: { ...emptyAddressBook(chain), contracts: contracts as ReserveDeps["book"]["contracts"] },
    directory: "deployments",
    accounts: signers.map(({ address }) => address),
    signerOf: (account) => ethers.getSigner(account),
    ...overrides,
  };
}

describe("reserve", () => {
  let world: World;
  let deps: ReserveDeps;
  let token: string;
  beforeEach(async () => {
    world = await freshWorld();
    deps = await depsFor(world);
    token = await world.token.getAddress();
  });

  const hubIndex = "1";
  const fund = async (text: string, options = SEND): Promise<Movement> => {
    const movement = await planFund(deps, text, undefined, hubIndex);
    await moveReserve(deps, movement, options);
    return movement;
  };
  const sentBy = (address: string): Promise<number> => ethers.provider.getTransactionCount(address);

  it("needs a deployment", async () => {
    const empty = { ...deps, book: emptyAddressBook(deps.chain) };
    const error = await expectCoded(reserveStatus(empty, undefined), "NotDeployed");
    expect(error.message).to.contain("npx hardhat deploy --network hardhat");
  });

  describe("fund", () => {
    it("refuses an account without a key", async () => {
      await expectCoded(planFund(deps, "1eth", undefined, "999"), "AccountUnknown");
      await expectCoded(planFund(deps, "1eth", undefined, world.address), "AccountUnknown");
      await expectCoded(planFund({ ...deps, accounts: [] }, "1eth", undefined, undefined), "DeployerKeyMissing");
    });

    it("refuses a token that is none", async () => {
      await expectCoded(planFund(deps, "1", world.alice.address, undefined), "TokenUnreadable");
      await expectCoded(planFund(deps, "1", world.address, undefined), "TokenUnreadable");
    });

    it("refuses more than the account can pay, before anything is sent", async () => {
      await setBalance(world.hub.address, LUSD);
      const before = await sentBy(world.hub.address);
      const movement = await planFund(deps, "1eth", undefined, hubIndex); // leaves nothing for the fee
      await expectCoded(moveReserve({ ...deps, provider: pricey(deps) }, movement, SEND), "Underfunded");
      expect(await sentBy(world.hub.address)).to.equal(before);
    });

    it("refuses more of a live chain's token than the account has", async () => {
      const live = { ...deps, chain: await inProcessChain(LIVE) };
      const { details } = await expectCoded(planFund(live, "7lusd", undefined, "19"), "TokenBalanceTooLow");
      expect(details).to.deep.include({ balance: "0 LUSD", needed: "7 LUSD" });
    });

    it("asks on a live chain, and sends nothing without a yes", async () => {
      const before = await sentBy(world.hub.address);
      const chain = await inProcessChain(LIVE);
      const movement = await planFund(deps, "1eth", undefined, hubIndex);
      await expectCoded(moveReserve({ ...deps, chain }, movement, SEND), "ConfirmationNeeded");
      const terminal = scriptedTerminal(false);
      await expectCoded(moveReserve({ ...deps, chain, terminal }, movement, SEND), "Declined");
      expect(terminal.said.at(-1)).to.match(/^fund 1 ETH and spend up to 0\.\d+ ETH of 0x.+ on sepolia/);
      expect(await sentBy(world.hub.address)).to.equal(before);
      await moveReserve({ ...deps, chain }, movement, { ...SEND, agreed: true });
      expect(await world.manager.reserveOf(ETH)).to.equal(LUSD);
    });

    it("puts ether into the reserve", async () => {
      await fund("3.14eth");
      expect(await world.manager.reserveOf(ETH)).to.equal(3_140_000_000_000_000_000n);
      expect(await ethers.provider.getBalance(world.address)).to.equal(3_140_000_000_000_000_000n);
    });

    it("approves a token for exactly the amount, and leaves no allowance", async () => {
      await world.token.connect(world.hub).approve(world.address, 0n);
      const { steps } = await fund("1000lusd");
      expect(steps.map(({ what }) => what)).to.deep.equal(["approve 1000 LUSD", "fund 1000 LUSD"]);
      expect(await world.manager.reserveOf(token)).to.equal(1000n * LUSD);
      expect(await world.token.allowance(world.hub, world.address)).to.equal(0n);
    });

    it("clears another allowance first, because some tokens insist on it", async () => {
      await world.token.connect(world.hub).approve(world.address, 5n);
      const { steps } = await fund("1lusd");
      expect(steps.map(({ what }) => what)).to.deep.equal(["clear the old allowance", "approve 1 LUSD", "fund 1 LUSD"]);
      expect(await world.token.allowance(world.hub, world.address)).to.equal(0n);
    });

    it("uses an allowance that is exactly right", async () => {
      await world.token.connect(world.hub).approve(world.address, 5n);
      const movement = await planFund(deps, "5", token, hubIndex);
      expect(movement.steps.map(({ what }) => what)).to.deep.equal(["fund 0.000000000000000005 LUSD"]);
    });

    it("mints what is missing of the local token, on a local chain", async () => {
      const payer = deps.accounts[19]!;
      const movement = await planFund(deps, "2lusd", undefined, payer.toLowerCase());
      expect(movement.steps[0]!.what).to.equal("mint 2 LUSD of the local token");
      await moveReserve(deps, movement, SEND);
      expect(await world.manager.reserveOf(token)).to.equal(2n * LUSD);
      expect(await world.token.balanceOf(payer)).to.equal(0n);
    });

    it("says in a dry run what it would send, and sends nothing", async () => {
      const before = await sentBy(world.hub.address);
      const movement = await planFund(deps, "1eth", undefined, hubIndex);
      const { json, text } = await moveReserve(deps, movement, { ...SEND, isDryRun: true });
      const data = world.manager.interface.encodeFunctionData("fundReserve", [ETH, LUSD]);
      expect(json).to.deep.include({ isDryRun: true, amount: LUSD, account: world.hub.address });
      expect(text).to.contain(data).and.contain("Nothing was sent");
      expect(await sentBy(world.hub.address)).to.equal(before);
    });
  });

  describe("recall", () => {
    beforeEach(() => fund("3eth"));

    it("refuses more than there is, with the contract's own name for it", async () => {
      const { details } = await expectCoded(planRecall(deps, "4eth", undefined, false), "ReserveTooLow");
      expect(details).to.deep.equal({ asset: ETH, reserve: 3n * LUSD, needed: 4n * LUSD });
      await expectCoded(planRecall(deps, "all", token, false), "NothingToRecall");
    });

    it("needs a key of the hub or the treasury, except for a dry run", async () => {
      const outsider = { ...deps, accounts: [world.alice.address] };
      const { details } = await expectCoded(planRecall(outsider, "1eth", undefined, false), "SenderUnavailable");
      expect(details).to.deep.equal({
        wanted: [world.hub.address, world.treasury.address],
        available: [world.alice.address],
      });
      const movement = await planRecall(outsider, "1eth", undefined, true);
      expect(movement.account).to.equal(world.treasury.address);
      const { text } = await moveReserve(outsider, movement, { ...SEND, isDryRun: true });
      expect(text).to.contain(world.manager.interface.encodeFunctionData("recallReserve", [ETH, LUSD]));
    });

    for (const [role, index] of [
      ["hub", 1],
      ["treasury", 2],
    ] as const) {
      it(`pays the treasury with the ${role}'s key`, async () => {
        const caller = { ...deps, accounts: [deps.accounts[index]!] };
        const movement = await planRecall(caller, "1eth", undefined, false);
        expect(movement.account).to.equal(world[role].address);
        const before = await ethers.provider.getBalance(world.treasury);
        await moveReserve(caller, movement, SEND);
        const gained = (await ethers.provider.getBalance(world.treasury)) - before;
        expect(gained).to.be.within(LUSD - LUSD / 100n, LUSD); // the treasury pays its own gas
        expect(await world.manager.reserveOf(ETH)).to.equal(2n * LUSD);
      });
    }

    it("recalls everything when asked for all", async () => {
      await moveReserve(deps, await planRecall(deps, "all", undefined, false), SEND);
      expect(await world.manager.reserveOf(ETH)).to.equal(0n);
    });

    it("names what the contract refused after the look", async () => {
      const movement = await planRecall(deps, "3eth", undefined, false);
      await moveReserve(deps, await planRecall(deps, "1eth", undefined, false), SEND);
      const { details } = await expectCoded(moveReserve(deps, movement, SEND), "ReserveTooLow");
      expect(details).to.deep.equal({ asset: ETH, reserve: 2n * LUSD, needed: 3n * LUSD });
    });
  });

  describe("status", () => {
    it("shows every asset of the reserve, and who decides over it", async () => {
      const other = await ethers.deployContract("LocalToken", ["Other", "OTHER"]);
      await other.mint(world.hub, 5n);
      await other.connect(world.hub).approve(world.address, 5n);
      await world.manager.connect(world.hub).fundReserve(other, 5n);
      await fund("2eth");
      const { json, text } = await reserveStatus(deps, undefined);
      const { hub, treasury, address } = world;
      expect(json).to.deep.include({ channelManager: address, hub: hub.address, treasury: treasury.address });
      const line = (asset: string, symbol: string, reserve: bigint): object => ({
        asset,
        symbol,
        decimals: 18,
        reserve,
        claimable: 0n,
      });
      expect((json as { assets: object[] }).assets).to.have.deep.members([
        line(ETH, "ETH", 2n * LUSD),
        line(token, "LUSD", 0n),
        line(await other.getAddress(), "OTHER", 5n),
      ]);
      expect(text).to.contain("2 ETH").and.contain("0.000000000000000005 OTHER");
    });

    it("goes on without the search when the node refuses it, and says so", async () => {
      const terminal = scriptedTerminal();
      const provider = Object.create(deps.provider, {
        getLogs: { value: () => Promise.reject(new Error("range too wide")) },
      }) as ReserveDeps["provider"];
      const { json } = await reserveStatus({ ...deps, provider, terminal }, token);
      expect((json as { assets: object[] }).assets).to.have.length(2);
      expect(terminal.said).to.have.length(1);
      expect(terminal.said[0]).to.contain("range too wide").and.contain("--token");
    });
  });
});

/** The same chain at a price at which a transaction costs an ether. */
function pricey({ provider }: ReserveDeps): ReserveDeps["provider"] {
  return Object.create(provider, {
    getFeeData: { value: () => Promise.resolve({ maxFeePerGas: 10n ** 14n, gasPrice: null }) },
    estimateGas: { value: () => Promise.resolve(50_000n) },
  }) as ReserveDeps["provider"];
}
