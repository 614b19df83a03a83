import { expect } from "chai";
import { summarize } from "../../scripts/check-coverage";

describe("scripts/check-coverage", () => {
  const branchMap = { "1": { line: 7 } };

  it("names the lines that were not reached", () => {
    const summary = summarize({ l: { "5": 0, "7": 2, "12": 0 }, b: { "1": [1, 1] }, branchMap });
    expect(summary).to.deep.equal({ lines: 3, branches: 2, missed: [5, 12] });
  });

  it("names the line of a branch with an arm that was not taken", () => {
    const summary = summarize({ l: { "7": 2 }, b: { "1": [2, 0] }, branchMap });
    expect(summary).to.deep.equal({ lines: 1, branches: 2, missed: [7] });
  });

  it("misses nothing where all was reached", () => {
    const summary = summarize({ l: { "7": 2 }, b: { "1": [1, 1] }, branchMap });
    expect(summary.missed).to.deep.equal([]);
  });
});
