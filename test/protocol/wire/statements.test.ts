import { expect } from "chai";
import fc from "fast-check";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import {
  channelStateSchema,
  formatResolution,
  formatState,
  formatThread,
  formatThreadPayment,
  formatThreadUpdate,
  parseResolution,
  parseState,
  parseThread,
  parseThreadPayment,
  parseThreadUpdate,
  resolutionSchema,
  threadPaymentSchema,
  threadSchema,
  threadUpdateSchema,
  ZERO_ADDRESS,
} from "../../../protocol";
import * as arbitrary from "../arbitraries";
import { channelState, expectThrow, row, thread, TOKEN } from "../fixtures";

type Parse = (given: unknown) => object;
type Format = (value: never) => object;

/** Kind, its wire functions, its schema, random values. */
const KINDS: [string, Parse, Format, TSchema, fc.Arbitrary<object>][] = [
  ["ChannelState", parseState, formatState, channelStateSchema, arbitrary.channelState],
  ["Thread", parseThread, formatThread, threadSchema, arbitrary.thread],
  ["ThreadPayment", parseThreadPayment, formatThreadPayment, threadPaymentSchema, arbitrary.threadPayment],
  ["ThreadUpdate", parseThreadUpdate, formatThreadUpdate, threadUpdateSchema, arbitrary.threadUpdate],
  ["Resolution", parseResolution, formatResolution, resolutionSchema, arbitrary.resolution],
];

/** A state as JSON with one place changed. */
function changed(path: string, value: unknown): unknown {
  const json = JSON.parse(JSON.stringify(formatState(channelState()))) as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop()!;
  const parent = keys.reduce((node, key) => node[key] as Record<string, unknown>, json);
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = value;
  return json;
}

describe("wire", () => {
  const schema = Compile(channelStateSchema);
  const nine = Array.from({ length: 9 }, () => formatState(channelState()).assets[0]);

  /** Refused by both, schema and parser. */
  const shapes: [string, string, unknown][] = [
    ["a number for an amount", "assets.1.balanceHub", 5],
    ["a negative amount", "assets.0.locked", "-1"],
    ["a leading zero", "assets.0.locked", "01"],
    ["a plus sign", "nonce", "+1"],
    ["a fraction", "nonce", "1.0"],
    ["an exponent", "nonce", "1e3"],
    ["hex for an amount", "nonce", "0x1"],
    ["an empty amount", "nonce", ""],
    ["a space", "nonce", " 1"],
    ["a line end", "nonce", "1\n"],
    ["digits of another script", "nonce", "\u0661"],
    ["more digits than 64 bits have", "nonce", "1".repeat(21)],
    ["more digits than 128 bits have", "assets.0.locked", "1".repeat(40)],
    ["a million digits", "nonce", "9".repeat(1_000_000)],
    ["null", "session", null],
    ["a missing field", "recipient", undefined],
    ["a missing field of a row", "assets.1.withdrawnUser", undefined],
    ["an object for a list", "assets", { 0: 1 }],
    ["a row that is no object", "assets.0", "row"],
    ["a row that is null", "assets.0", null],
    ["a row that is a list", "assets.0", []],
    ["nine assets", "assets", nine],
    ["a short address", "user", "0x00"],
    ["an address without prefix", "user", TOKEN.slice(2)],
    ["a short hash", "threadRoot", "0x00"],
    ["a number for a hash", "threadRoot", 0],
  ];
  for (const [what, path, value] of shapes) {
    it(`refuses ${what}, naming state.${path}`, () => {
      expectThrow(() => parseState(changed(path, value)), "InvalidValue", { path: `state.${path}` });
      expect(schema.Check(changed(path, value))).to.equal(false);
    });
  }

  it("refuses fields too many, also inside, also __proto__", () => {
    const details = { expected: "absent", given: "1" };
    for (const path of ["extra", "assets.1.balanceThread"]) {
      expectThrow(() => parseState(changed(path, "1")), "InvalidValue", { path: `state.${path}`, ...details });
      expect(schema.Check(changed(path, "1"))).to.equal(false);
    }
    const polluted: unknown = JSON.parse(JSON.stringify(formatState(channelState())).replace("{", '{"__proto__":"1",'));
    expectThrow(() => parseState(polluted), "InvalidValue", { path: "state.__proto__" });
  });

  for (const given of [undefined, null, 5, "state", [], true]) {
    it(`refuses ${typeof given} ${JSON.stringify(given)} as a whole`, () => {
      expectThrow(() => parseState(given), "InvalidValue", { path: "state", given });
      expectThrow(() => parseThread(given, "args.thread"), "InvalidValue", { path: "args.thread", given });
      expect(schema.Check(given)).to.equal(false);
    });
  }

  it("refuses values that only their range rules out", () => {
    const tooLarge: [string, bigint][] = [
      ["nonce", 2n ** 64n],
      ["session", 2n ** 64n],
      ["assets.0.balanceUser", 2n ** 128n],
    ];
    for (const [path, value] of tooLarge) {
      const expected = `a decimal string from 0 to ${value - 1n}`;
      expectThrow(() => parseState(changed(path, `${value}`)), "InvalidValue", { path: `state.${path}`, expected });
      expect(() => parseState(changed(path, `${value - 1n}`))).not.to.throw();
    }
  });

  it("refuses a wrong checksum, and reads a right one into the one spelling", () => {
    const user = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    expectThrow(() => parseState(changed("user", user.replace("aA", "AA"))), "InvalidValue", { path: "state.user" });
    expect(parseState(changed("user", user)).user).to.equal(user.toLowerCase());
  });

  it("reads hashes in either case into the one spelling", () => {
    const upper = `0x${"AB".repeat(32)}`;
    expect(parseState(changed("threadRoot", upper)).threadRoot).to.equal(upper.toLowerCase());
  });

  it("refuses a text or a number for true", () => {
    for (const updatable of ["true", 1, null]) {
      const given = { ...formatThread(thread()), updatable };
      expectThrow(() => parseThread(given), "InvalidValue", { path: "thread.updatable", expected: "a boolean" });
    }
  });

  it("writes integers as decimal strings, fields in signing order", () => {
    const json = JSON.stringify(formatState(channelState({ assets: [row({ asset: ZERO_ADDRESS })] })));
    expect(json).to.match(/^{"user":"0x[0-9a-f]{40}","session":"3","nonce":"7","assets":\[{"asset":"0x0{40}",/);
    expect(json).to.contain('"balanceHub":"40","balanceUser":"50","locked":"10","depositedHub":"100"');
  });

  for (const [name, parse, format, kindSchema, values] of KINDS) {
    it(`gives every ${name} back from JSON, in a form its schema knows`, () => {
      const compiled = Compile(kindSchema);
      fc.assert(
        fc.property(values, (value) => {
          const json: unknown = JSON.parse(JSON.stringify(format(value as never)));
          expect(compiled.Check(json)).to.equal(true);
          expect(parse(json)).to.deep.equal(value);
        }),
      );
    });

    it(`${name}: what the parser takes, the schema takes`, () => {
      const compiled = Compile(kindSchema);
      const strange = fc.oneof(fc.jsonValue(), fc.bigInt().map(String), arbitrary.address, arbitrary.hash);
      const spoiled = fc.tuple(values, fc.nat(20), strange).map(([value, index, replacement]) => {
        const json = JSON.parse(JSON.stringify(format(value as never))) as Record<string, unknown>;
        const keys = Object.keys(json);
        return { ...json, [keys[index % keys.length]!]: replacement };
      });
      fc.assert(
        fc.property(spoiled, (json) => {
          if (accepts(() => parse(json))) expect(compiled.Check(json)).to.equal(true);
        }),
        { numRuns: 300 },
      );
    });
  }
});

function accepts(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}
