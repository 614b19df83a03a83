import { expect } from "chai";
import Module from "node:module";
import { curve as pure } from "../../../protocol/curve/pure";

const NATIVE = require.resolve("../../../protocol/curve/native");

type Load = (request: string, ...rest: unknown[]) => unknown;

/** Loads native.ts anew, as a machine without the binding would. */
function loadWithoutBinding(): unknown {
  const loader = Module as unknown as { _load: Load };
  const load = loader._load;
  const cached = require.cache[NATIVE];
  loader._load = (request, ...rest) => {
    if (request === "secp256k1/bindings") throw new Error("No native build was found");
    return load(request, ...rest);
  };
  try {
    Reflect.deleteProperty(require.cache, NATIVE);
    return (load(NATIVE, module, false) as { curve: unknown }).curve;
  } finally {
    loader._load = load;
    require.cache[NATIVE] = cached;
  }
}

describe("curve/native", () => {
  it("hands over to the pure one where the binding does not load, and says so", () => {
    expect(loadWithoutBinding()).to.equal(pure);
    expect(pure.name).to.equal("pure");
  });
});
