import { Wallet } from "ethers";
import type { ConnextClient } from "../../client";
import { hasCode } from "../../client";
import { rowOf, ZERO_ADDRESS, type Address } from "../../protocol";
import { ETHER, keyOf, type Stage } from "./stage";

/** A balance and what the story makes it, in base units. */
export interface Check {
  readonly what: string;
  readonly expected: bigint;
  readonly actual: bigint;
}

type Say = (line: string) => void;

const STEP_MS = 50;
const LIMIT_MS = 30_000;
const LUSD = ETHER;

/** Tells and does: everything that hub and client are for, and how one leaves when the hub cheats. */
export async function tellStory(stage: Stage, say: Say): Promise<readonly Check[]> {
  const bobsAddress = new Wallet(keyOf(4)).address;
  const alice = await stage.open(3);
  const checks: Check[] = [];
  const check = (what: string, actual: bigint, expected: bigint): void => void checks.push({ what, actual, expected });

  await payWhileAway(stage, alice, bobsAddress, say, check);
  const bob = await payEveryWay(stage, alice, bobsAddress, say, check);
  await payOut(stage, bob, say, check);
  await leaveACheat(stage, alice, bob, say, check);
  return checks;
}

type Checker = (what: string, actual: bigint, expected: bigint) => void;

async function payWhileAway(stage: Stage, alice: ConnextClient, bob: string, say: Say, check: Checker): Promise<void> {
  say("1. Alice deposits 10 ETH. One transaction; hub and Alice then sign the state with it.");
  await alice.deposit({ amountWei: 10n * ETHER });
  check("Alice's channel after the deposit", alice.balanceOf(), 10n * ETHER);

  say(
    "2. Alice pays 1 ETH to Bob, who has never been here. The hub lacks collateral in his channel, and moves some from",
  );
  say("   its reserve, without Bob; then the payment goes through.");
  await alice.buy({ payments: [{ recipient: bob, amount: { amountWei: ETHER } }] });
  check("Alice's channel after paying Bob", alice.balanceOf(), 9n * ETHER);

  say("3. Alice sells 0.05 ETH to the hub for 100 LUSD, on a quote that the hub signed.");
  await alice.exchange(ETHER / 20n, ZERO_ADDRESS, stage.tokenAddress);
  check("Alice's LUSD after the exchange", alice.balanceOf(stage.tokenAddress), 100n * LUSD);
}

async function payEveryWay(
  stage: Stage,
  alice: ConnextClient,
  bobsAddress: string,
  say: Say,
  check: Checker,
): Promise<ConnextClient> {
  const { tokenAddress: token } = stage;
  say("4. Alice pays Bob 2 LUSD custodially, 3 LUSD optimistically, and puts 0.5 ETH into a link.");
  await alice.buy({ payments: [{ type: "PT_CUSTODIAL", recipient: bobsAddress, asset: token, amount: 2n * LUSD }] });
  await alice.buy({ payments: [{ type: "PT_OPTIMISTIC", recipient: bobsAddress, asset: token, amount: 3n * LUSD }] });
  const link = await alice.createLink({ amountWei: ETHER / 2n });

  say("5. Bob comes online: he verifies what piled up, signs the newest state, and redeems the link.");
  const bob = await stage.open(4);
  await bob.redeem(link.secret);
  await until(() => bob.balanceOf() === (3n * ETHER) / 2n && bob.balanceOf(token) === 3n * LUSD);
  await until(() => bob.getState().isDoubleSigned);
  check("Bob's ETH: the payment and the link", bob.balanceOf(), (3n * ETHER) / 2n);
  check("Bob's LUSD: the optimistic payment", bob.balanceOf(token), 3n * LUSD);
  check("what the hub owes Bob", (await bob.getCustodialBalance()).get(token) ?? 0n, 2n * LUSD);

  say("6. Bob moves what the hub owes him into his channel.");
  await patiently(
    () => bob.withdrawCustodial({ amount: { asset: token, amount: 2n * LUSD }, id: "demo" }),
    "InsufficientCollateral",
  );
  await until(() => bob.balanceOf(token) === 5n * LUSD && bob.getState().isDoubleSigned);
  check("Bob's LUSD with it", bob.balanceOf(token), 5n * LUSD);
  return bob;
}

async function payOut(stage: Stage, bob: ConnextClient, say: Say, check: Checker): Promise<void> {
  const target = Wallet.createRandom().address;
  say("7. Bob withdraws 1 ETH to a new address, selling 5 LUSD on the way. One transaction; the hub sends it.");
  await bob.withdraw({ recipient: target, amountWei: ETHER, tokensToSell: 5n * LUSD });
  check("the new address", await stage.provider.getBalance(target), ETHER + (5n * ETHER) / 2_000n);
  check("Bob's ETH in the channel", bob.balanceOf(), ETHER / 2n);
  check("Bob's LUSD in the channel", bob.balanceOf(stage.tokenAddress), 0n);
}

async function leaveACheat(
  stage: Stage,
  alice: ConnextClient,
  bob: ConnextClient,
  say: Say,
  check: Checker,
): Promise<void> {
  const { manager, provider, token, hubKey } = stage;
  const old = alice.exportEvidence().doubleSigned;
  if (old === undefined) throw new Error("Alice has signed nothing");
  say("8. Bob pays Alice 0.4 ETH.");
  await bob.buy({ payments: [{ recipient: alice.address, amount: { amountWei: (2n * ETHER) / 5n } }] });
  await until(() => alice.getState().isDoubleSigned && alice.balanceOf() === (885n * ETHER) / 100n);
  const { state } = alice.getState();
  check("Alice's ETH in the channel", alice.balanceOf(), (885n * ETHER) / 100n);

  say("9. The hub turns. It stops answering, and exits Alice's channel with the state from before that payment.");
  await stage.stopHub();
  const cheat = manager.connect(new Wallet(hubKey, provider));
  await (await cheat.startExit(old.state as never, old.sigHub, old.sigUser)).wait();

  say("10. Alice's client sees it on chain and shows the newer state. It needs nobody for that.");
  await until(async () => (await manager.channelOf(alice.address)).exitNonce === state.nonce);

  say("11. A day passes. Her client settles: the chain pays what the newest state says.");
  const tokensBefore = await token.balanceOf(alice.address);
  await stage.passWindow();
  await until(async () => (await manager.channelOf(alice.address)).session === 1n);
  const paid = async (asset: Address): Promise<bigint> => {
    const events = await manager.queryFilter(manager.filters.AssetSettled(alice.address, asset));
    return events.reduce((sum, { args }) => sum + args.amountUser, 0n);
  };
  check("ETH that the settlement paid Alice", await paid(ZERO_ADDRESS), rowOf(state, ZERO_ADDRESS).balanceUser);
  check("LUSD in Alice's account", (await token.balanceOf(alice.address)) - tokensBefore, 95n * LUSD);
  await checkHoldings(stage, bob, check);
}

/** Nothing is lost and nothing is made: what the contract holds is the reserve and what is Bob's channel. */
async function checkHoldings(
  { manager, token, provider, tokenAddress }: Stage,
  bob: ConnextClient,
  check: Checker,
): Promise<void> {
  const address = await manager.getAddress();
  for (const [what, asset, held] of [
    ["ETH", ZERO_ADDRESS, await provider.getBalance(address)],
    ["LUSD", tokenAddress, await token.balanceOf(address)],
  ] as const) {
    const ledger = await manager.ledgerOf(bob.address, 0n, asset);
    const inChannel = ledger.depositedHub + ledger.depositedUser - ledger.withdrawnHub - ledger.withdrawnUser;
    check(
      `${what} that the contract holds: reserve and Bob's channel`,
      held,
      (await manager.reserveOf(asset)) + inChannel,
    );
  }
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + LIMIT_MS;
  while (!(await isTrue())) {
    if (Date.now() > giveUpAt) throw new Error(`a step of the story did not end within ${LIMIT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}

/** Again while the hub says that something is on its way. */
async function patiently<T>(act: () => Promise<T>, code: string): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (!hasCode(error, code) || attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2 * STEP_MS));
    }
  }
}
