import { expect } from "chai";
import { CodedError } from "../../protocol/coded-error";
import { decodeContractError } from "../../tasks/contract-errors";
import { ETH } from "../support/states";
import { freshWorld } from "../support/world";

async function failureOf(run: Promise<unknown>): Promise<unknown> {
  try {
    await run;
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

describe("decodeContractError", () => {
  it("gives a refusal of the contract its name and values, whether called or sent", async () => {
    const { manager, hub, alice } = await freshWorld();
    const called = await failureOf(manager.connect(hub).recallReserve.staticCall(ETH, 5n));
    const sent = await failureOf(manager.connect(hub).recallReserve(ETH, 5n));
    for (const failure of [called, sent]) {
      const error = decodeContractError(failure, "recall");
      expect(error).to.deep.include({ code: "ReserveTooLow", details: { asset: ETH, reserve: 0n, needed: 5n } });
      expect(error.cause).to.equal(failure);
    }
    const stranger = decodeContractError(await failureOf(manager.connect(alice).collateralize([])), "collateralize");
    expect(stranger).to.deep.include({ code: "NotHub", details: { caller: alice.address.toLowerCase() } });
  });

  it("names a token's refusal", async () => {
    const { token, alice, bob } = await freshWorld();
    const failure = await failureOf(token.connect(bob).transferFrom(alice, bob, 1n));
    const error = decodeContractError(failure, "pull");
    expect(error).to.deep.include({ code: "TransactionFailed" });
    expect(error.message).to.contain(`ERC20InsufficientAllowance(${bob.address}, 0, 1)`);
  });

  it("keeps the words of a failure that has no name, and of one that is named already", () => {
    const error = decodeContractError(new Error("nonce too low"), "fund 1 ETH");
    expect(error).to.deep.include({ code: "TransactionFailed" });
    expect(error.message).to.contain("fund 1 ETH").and.contain("nonce too low");
    const named = new CodedError("NotHub", "…", {});
    expect(decodeContractError(named, "x")).to.equal(named);
  });
});
