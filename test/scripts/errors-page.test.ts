import { expect } from "chai";
import { readFileSync } from "node:fs";
import { ERRORS_PAGE, errorsPage } from "../../scripts/errors-page";

describe("docs/errors.md", () => {
  it("says what the registries of errors say; after changing one run `npm run docs:errors`", async () => {
    expect(readFileSync(ERRORS_PAGE, "utf8")).to.equal(await errorsPage());
  });
});
