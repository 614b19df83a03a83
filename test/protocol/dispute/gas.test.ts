import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { MEASURED_GAS } from "../../../protocol/dispute";

describe("gas of disputes", () => {
  it("is what the journal measured", () => {
    const journal = JSON.parse(readFileSync(join(__dirname, "../../gas/gas.json"), "utf8")) as Record<string, number>;
    for (const [scenario, gas] of Object.entries(MEASURED_GAS)) expect(gas, scenario).to.equal(journal[scenario]);
  });
});
