import { expect } from "chai";
import { addUpTables, printTable, withoutTables } from "../../scripts/forge-table";

const OUTPUT = `
[PASS] invariant_one() (runs: 1, calls: 15, reverts: 4)

╭----------+----------+-------+---------+----------╮
| Contract | Selector | Calls | Reverts | Discards |
+==================================================+
| Handler  | settle   | 10    | 4       | 0        |
|----------+----------+-------+---------+----------|
| Handler  | deposit  | 5     | 0       | 0        |
╰----------+----------+-------+---------+----------╯

[PASS] invariant_two() (runs: 1, calls: 3, reverts: 2)

╭----------+----------+-------+---------+----------╮
| Contract | Selector | Calls | Reverts | Discards |
+==================================================+
| Handler  | settle   | 3     | 2       | 0        |
╰----------+----------+-------+---------+----------╯
`;

describe("forge's tables", () => {
  it("are added up by function, and a reverted call did not succeed", () => {
    expect(addUpTables(OUTPUT)).to.deep.equal([
      { name: "deposit", calls: 5, succeeded: 5 },
      { name: "settle", calls: 13, succeeded: 7 },
    ]);
  });

  it("are printed once, with the total last", () => {
    const lines = printTable(addUpTables(OUTPUT)).split("\n");
    expect(lines).to.have.length(4);
    expect(lines.at(-1)).to.match(/^total +18 +12$/);
  });

  it("are taken out of what else forge says", () => {
    expect(withoutTables(OUTPUT)).to.match(/^\n\[PASS\] invariant_one.*\n\n\[PASS\] invariant_two.*\n\n$/);
  });
});
