import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apply, mutantsOf, titleOf, type Mutant } from "../../scripts/mutation/mutants";
import { dependents, generalFirst, importersOf, nearestFirst, usersOf } from "../../scripts/mutation/relations";
import { scoreOf, sentenceOf } from "../../scripts/mutation/report";
import { compileAll } from "../../scripts/mutation/solidity";
import type { Verdict } from "../../scripts/mutation/verdict";

// The arrow in the comment is three bytes long: solc counts bytes.
const BANK = `// SPDX-License-Identifier: MIT
pragma solidity 0.8.37; // →
import {Odd, Rules} from "./Rules.sol";
contract Bank {
    uint256 private constant CAP = 2 days;
    uint256 private amountHub;
    uint256 private amountUser;
    modifier nonReentrant() { _; }
    function pay(bool isHub, uint128 given) external nonReentrant {
        if (msg.sender == address(this) || given > CAP) revert Odd();
        if (isHub) amountHub += given;
        else amountUser = Rules.half(given, isHub);
    }
}
`;

const RULES = `// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;
error Odd();
library Rules {
    function half(uint128 whole, bool isStrict) internal pure returns (uint128) {
        if (isStrict && whole % 2 != 0) revert Odd();
        return !isStrict ? whole / 2 : type(uint128).max;
    }
}
`;

describe("scripts/mutation", () => {
  const directory = mkdtempSync(join(tmpdir(), "mutation-test-"));
  writeFileSync(join(directory, "Bank.sol"), BANK);
  writeFileSync(join(directory, "Rules.sol"), RULES);
  const { asts } = compileAll(directory, ["Bank.sol", "Rules.sol"]);
  const mutants = (file: string): Mutant[] => mutantsOf(file, readFileSync(join(directory, file)), asts.get(file)!);

  after(() => rmSync(directory, { recursive: true }));

  it("changes constants, guards, choices, sides and statements of a contract, each alone", () => {
    expect(mutants("Bank.sol").map(titleOf)).to.deep.equal([
      "Bank.sol:5 CAP: 2 days → (2 days + 1)",
      "Bank.sol:9 pay: nonReentrant removed",
      "Bank.sol:10 pay: msg.sender → tx.origin",
      "Bank.sol:10 pay: msg.sender == address(this) → msg.sender != address(this)",
      "Bank.sol:10 pay: msg.sender == address(this) || given > CAP → false",
      "Bank.sol:10 pay: msg.sender == address(this) || given > CAP → msg.sender == address(this) && given > CAP",
      "Bank.sol:10 pay: msg.sender == address(this) || given > CAP → msg.sender == address(this)",
      "Bank.sol:10 pay: msg.sender == address(this) || given > CAP → given > CAP",
      "Bank.sol:10 pay: given > CAP → given >= CAP",
      "Bank.sol:11 pay: isHub → false",
      "Bank.sol:11 pay: isHub → true",
      "Bank.sol:11 pay: amountHub → amountUser",
      "Bank.sol:11 pay: amountHub += given → amountHub -= given",
      "Bank.sol:11 pay: amountHub += given → amountHub = given",
      "Bank.sol:11 pay: amountHub += given; removed",
      "Bank.sol:12 pay: amountUser → amountHub",
      "Bank.sol:12 pay: amountUser = Rules.half(given, isHub); removed",
    ]);
  });

  it("changes comparisons, conditions, operands and arms of a library", () => {
    expect(mutants("Rules.sol").map(titleOf)).to.deep.equal([
      "Rules.sol:6 half: isStrict && whole % 2 != 0 → false",
      "Rules.sol:6 half: isStrict && whole % 2 != 0 → isStrict || whole % 2 != 0",
      "Rules.sol:6 half: isStrict && whole % 2 != 0 → isStrict",
      "Rules.sol:6 half: isStrict && whole % 2 != 0 → whole % 2 != 0",
      "Rules.sol:6 half: whole % 2 != 0 → whole % 2 == 0",
      "Rules.sol:6 half: 2 → (2 + 1)",
      "Rules.sol:6 half: 0 → 1",
      "Rules.sol:7 half: !isStrict → isStrict",
      "Rules.sol:7 half: !isStrict ? whole / 2 : type(uint128).max → !isStrict ? type(uint128).max : whole / 2",
      "Rules.sol:7 half: whole / 2 → whole * 2",
      "Rules.sol:7 half: 2 → (2 + 1) (2)",
      "Rules.sol:7 half: type(uint128).max → (type(uint128).max - 1)",
    ]);
  });

  it("changes nothing but the piece that it names", () => {
    const [cap] = mutants("Bank.sol");
    expect(apply(cap!, Buffer.from(BANK)).toString()).to.equal(BANK.replace("2 days", "(2 days + 1)"));
  });

  it("recompiles what imports the changed source, and nothing else", () => {
    const importers = importersOf(asts);
    expect(dependents(importers, "Rules.sol")).to.deep.equal(["Rules.sol", "Bank.sol"]);
    expect(dependents(importers, "Bank.sol")).to.deep.equal(["Bank.sol"]);
  });

  it("begins with the tests of the function itself, then those of its callers", () => {
    const { declarationId: id, declaration: name } = mutants("Rules.sol")[0]!;
    const files = ["t/claim.test.js", "t/pay.test.js", "t/pay-day.test.js", "t/half.test.js", "t/payouts.test.js"];
    expect(nearestFirst(files, { id, name }, usersOf(asts.values()))).to.deep.equal([
      "t/half.test.js",
      "t/pay.test.js",
      "t/pay-day.test.js",
      "t/claim.test.js",
      "t/payouts.test.js",
    ]);
  });

  it("goes on with the tests of no function in particular", () => {
    const files = ["t/pay.test.js", "t/payouts.test.js", "t/half-way.test.js", "t/reentrancy.test.js"];
    expect(generalFirst(files, asts.values())).to.deep.equal([
      "t/payouts.test.js",
      "t/reentrancy.test.js",
      "t/pay.test.js",
      "t/half-way.test.js",
    ]);
  });

  it("counts a timeout as killed, and what does not compile not at all", () => {
    const [mutant] = mutants("Bank.sol");
    const trial = { mutant: mutant!, sources: [], tests: [] };
    const verdicts: Verdict[] = [
      { outcome: "killed", by: "a test", message: "" },
      { outcome: "timeout" },
      { outcome: "survived", passed: 7 },
      { outcome: "invalid" },
    ];
    const score = scoreOf(verdicts.map((verdict) => ({ trial, verdict })));
    expect(score).to.deep.equal({ mutants: 3, killed: 2, survivors: [titleOf(mutant!)] });
    expect(sentenceOf(score)).to.equal("2 of 3 killed (66.7 %)");
  });
});
