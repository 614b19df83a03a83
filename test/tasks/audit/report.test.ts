import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { JsonFragment } from "ethers";
import { artifacts } from "hardhat";
import type { Artifact, BuildInfo } from "hardhat/types";
import { accessSection } from "../../../tasks/audit/access";
import { analyse } from "../../../tasks/audit/compile";
import { findExternalCalls } from "../../../tasks/audit/external-calls";
import { coverageSection, invariantsSection, sizeSection } from "../../../tasks/audit/figures";
import { auditReport } from "../../../tasks/audit/report";
import { readRuns, recordRun, runsDirectory } from "../../../tasks/audit/runs";
import { expectCoded } from "../../support/expect-coded";

const run = { name: "random walk", command: "npm run walk", finishedAt: "2026-01-01T00:00:00.000Z", passed: true };

describe("audit report", () => {
  let artifact: Artifact;
  let buildInfo: BuildInfo;
  let root: string;
  before(async () => {
    artifact = await artifacts.readArtifact("ChannelManager");
    buildInfo = (await artifacts.getBuildInfo("contracts/ChannelManager.sol:ChannelManager"))!;
  });
  beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "audit-"))));
  afterEach(() => rmSync(root, { recursive: true }));

  it("has every section, with the compiler's own figures", () => {
    const report = auditReport({ root, artifact, buildInfo, now: new Date(0) });
    const titles = [...report.matchAll(/^## \d+\. (.*)$/gm)].map(([, title]) => title);
    expect(titles).to.deep.equal([
      "Versions",
      "Size",
      "Storage layout",
      "Who may call what",
      "External calls",
      "Invariants",
      "Coverage",
      "Gas",
    ]);
    expect(report).to.contain(buildInfo.solcLongVersion);
    expect(report).to.contain("`_reserves` | `mapping(address => uint256)`");
    expect(report).to.match(/\| \d+ \| 0 \| 16 \| `balanceReceiver` \| `uint128` \|/); // packed, in its struct
    expect(report).to.contain(`${((artifact.deployedBytecode.length - 2) / 2).toLocaleString("en")} bytes deployed`);
  });

  it("fails when a function is added to the contract, or leaves it", async () => {
    const added = { type: "function", name: "pause", inputs: [], outputs: [], stateMutability: "nonpayable" };
    const abi = artifact.abi as JsonFragment[];
    const more = await expectCoded(() => accessSection([...abi, added]), "AccessUndeclared");
    expect(more.details).to.deep.equal({ functions: ["pause is not listed"] });
    const fewer = await expectCoded(
      () => accessSection(abi.filter(({ name }) => name !== "claim")),
      "AccessUndeclared",
    );
    expect(fewer.details).to.deep.equal({ functions: ["claim is listed but gone"] });
  });

  it("finds the calls that leave the contract, through libraries, and no others", () => {
    const file = "contracts/ChannelManager.sol";
    const found = findExternalCalls(analyse(buildInfo, file, "ChannelManager"), file, "ChannelManager");
    const [names, texts] = [found.map(({ inside }) => inside), found.map(({ text }) => text)];
    expect(names).to.include.members(["depositWithPermit", "depositWithAuthorization", "_safeTransferFrom"]);
    expect(texts.filter((text) => text.startsWith("staticcall("))).not.to.be.empty; // an app is asked
    expect(names).not.to.include("functionDelegateCall"); // in the library, but nothing leads there
    const permit = found.find(({ inside }) => inside === "depositWithPermit")!;
    const source = buildInfo.input.sources[permit.file]!.content.split("\n")[permit.line - 1];
    expect(source).to.contain("IERC20Permit(asset).permit(");
  });

  it("says how much size is left, or is lacking", () => {
    expect(sizeSection(`0x${"00".repeat(22_000)}`).body).to.contain("| budget | 22,000 | 0 |");
    expect(sizeSection(`0x${"00".repeat(25_000)}`).body).to.contain("| 24,576 | -424 |");
  });

  it("tells how to get what was not measured", () => {
    expect(coverageSection(root).body).to.contain("npm run coverage");
    expect(invariantsSection(root).body).to.contain("npm run invariants").and.contain("has no section");
  });

  it("shows the last coverage", () => {
    mkdirSync(join(root, "coverage"));
    const coverage = { l: { 1: 3, 7: 0 }, b: {}, branchMap: {} };
    const file = join(root, "coverage", "coverage-final.json");
    writeFileSync(file, JSON.stringify({ [join(root, "contracts", "A.sol")]: coverage }));
    expect(coverageSection(root).body).to.contain("| contracts/A.sol | 2 | 0 | 7 |");
  });

  it("shows the invariants of the protocol's description, and the last run of each check", () => {
    mkdirSync(join(root, "docs"));
    writeFileSync(
      join(root, "docs", "protocol.md"),
      "# P\n\n## The invariants\n\n1. One.\n\n### More\n\n## Next\n\nno",
    );
    recordRun(root, { ...run, passed: false });
    recordRun(root, { ...run, calls: 100_000, seed: "7" });
    const { body } = invariantsSection(root);
    expect(body).to.contain("1. One.").and.contain("### More").and.not.contain("no");
    expect(body).to.contain("| random walk | passed | 2026-01-01T00:00:00.000Z | 100,000 | 7 | `npm run walk` |");
    expect(body).not.to.contain("FAILED"); // a newer run takes the place of the one before
  });

  it("shows how many faults a mutation check planted and how many the tests noticed", () => {
    recordRun(root, { ...run, mutants: 800, killed: 796, survivors: ["a", "b", "c", "d"] });
    expect(invariantsSection(root).body).to.contain("| random walk | passed: 796 of 800 mutants killed | 2026-01-01");
  });

  it("names a record of a run that it cannot read", () => {
    recordRun(root, run);
    writeFileSync(join(runsDirectory(root), "broken.json"), "{");
    writeFileSync(join(runsDirectory(root), "other.json"), `{"name":"x"}`);
    expect(readRuns(root)).to.deep.equal({ runs: [run], unreadable: ["broken.json", "other.json"] });
    expect(invariantsSection(root).body).to.contain("`cache/runs/broken.json` is not readable");
  });
});
