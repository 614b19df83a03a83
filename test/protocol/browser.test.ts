import { expect } from "chai";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { preProcessFile } from "typescript";
import packageJson from "../../package.json";

const ROOT = join(__dirname, "../..");

/** Packages that run in a browser as they are. */
const BROWSER_PACKAGES = ["@noble/curves/", "@noble/hashes/", "hash-wasm", "typebox"];

interface Reached {
  readonly files: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
}

/** Every file and package that a bundler takes for a browser, from the public face on. */
function reach(file: string, files = new Set<string>(), packages = new Set<string>()): Reached {
  files.add(relative(ROOT, file));
  for (const { fileName } of preProcessFile(readFileSync(file, "utf8"), true, true).importedFiles) {
    const path = sourceOf(fileName, file);
    if (path === undefined) packages.add(fileName);
    else if (!files.has(relative(ROOT, path))) reach(path, files, packages);
  }
  return { files, packages };
}

function sourceOf(specifier: string, importer: string): string | undefined {
  if (specifier === "#curve") return join(ROOT, packageJson.imports["#curve"].default);
  return specifier.startsWith(".") ? `${join(dirname(importer), specifier)}.ts` : undefined;
}

describe("in a browser", () => {
  const { files, packages } = reach(join(ROOT, "protocol/index.ts"));

  it("the protocol reaches its own files only, and the pure curve", () => {
    expect([...files].filter((file) => !file.startsWith("protocol/"))).to.deep.equal([]);
    expect(files).to.include("protocol/curve/pure.ts");
    expect(files).not.to.include("protocol/curve/native.ts");
    expect(files.size).to.be.greaterThan(20);
  });

  it("the protocol needs only packages that run there", () => {
    expect(packages).to.include("@noble/curves/secp256k1.js");
    const others = [...packages].filter((name) => !BROWSER_PACKAGES.some((known) => name.startsWith(known)));
    expect(others).to.deep.equal([]);
  });

  it("the protocol names nothing that only Node has", () => {
    for (const file of files) {
      expect(readFileSync(join(ROOT, file), "utf8"), file).not.to.match(
        /\b(?:Buffer|process|require|__dirname|global)\b[.(]/,
      );
    }
  });

  it("Node takes the native curve from the same switch", () => {
    expect(packageJson.imports["#curve"].node).to.equal("./protocol/curve/native.ts");
  });
});
