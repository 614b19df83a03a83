import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CodedError, ERRORS, isProtocolError, protocolError, ZERO_ADDRESS, ZERO_HASH } from "../../protocol";

const INTERFACE = join(__dirname, "../../contracts/interfaces/IChannelManager.sol");

/** Found by this code alone; the contract computes or cannot receive these. */
const OWN_CODES = [
  "InvalidValue",
  "MalformedSignature",
  "InvalidPrivateKey",
  "TooManyThreads",
  "DuplicateThread",
  "ThreadHashMismatch",
  "OutOfSync",
  "NonceTooLow",
  "NonceTooHigh",
  "WrongAuthor",
  "BalanceTooLow",
  "CounterLowered",
  "NothingMoves",
  "SameAsset",
  "ExchangeRateWrong",
  "QuoteExpired",
  "WithdrawalPending",
];

/** Known here but not to the contract, beside its own arguments. */
const OWN_DETAILS = ["reason", "recovered"];

function contractErrors(): Map<string, string[]> {
  const declarations = readFileSync(INTERFACE, "utf8").matchAll(/^ *error (\w+)\(([^)]*)\);/gm);
  return new Map([...declarations].map(([, name, args]) => [name!, args!.split(",").flatMap(argumentName)]));
}

function argumentName(argument: string): string[] {
  const name = argument.trim().split(" ")[1];
  return name === undefined ? [] : [name];
}

/** Which details a message reads: those it was not given come out as zeros. */
function detailsRead(code: keyof typeof ERRORS): string[] {
  const read: string[] = [];
  const details = new Proxy({}, { get: (_, name) => (read.push(String(name)), 0n) });
  (ERRORS[code].what as (details: object) => string)(details);
  return read;
}

describe("errors", () => {
  it("has every custom error of the contract, and beside them only its own", () => {
    expect(Object.keys(ERRORS).sort()).to.deep.equal([...contractErrors().keys(), ...OWN_CODES].sort());
  });

  for (const [code, args] of contractErrors()) {
    it(`says ${code} in the contract's own arguments`, () => {
      const others = detailsRead(code as keyof typeof ERRORS).filter((name) => !OWN_DETAILS.includes(name));
      expect(args).to.include.members(others);
    });
  }

  for (const [code, { why, remedy }] of Object.entries(ERRORS)) {
    it(`says why ${code} is refused and what to do, as parts of a sentence`, () => {
      for (const part of [why, remedy]) expect(part).to.match(/^(?:`|[a-z]|EIP|\d).*[^.]$/);
    });
  }

  it("puts what, why and what to do into the message, and keeps code, details and cause", () => {
    const cause = new Error("below");
    const error = protocolError("NotConserved", { asset: ZERO_ADDRESS }, cause);
    expect(error).to.be.instanceOf(CodedError);
    expect(error.name).to.equal("CodedError");
    expect(error.code).to.equal("NotConserved");
    expect(error.details).to.deep.equal({ asset: ZERO_ADDRESS });
    expect(error.cause).to.equal(cause);
    expect(error.message).to.equal(
      `The row of asset ${ZERO_ADDRESS} does not add up. Why: balanceHub + balanceUser + locked must equal deposits ` +
        "minus withdrawals. What to do: do not sign it; recompute it from the last state both signed.",
    );
  });

  it("has no cause where none was given", () => {
    expect(protocolError("ZeroAmount", {})).not.to.have.property("cause");
  });

  it("shows dates beside Unix seconds, up to the end of the calendar and beyond", () => {
    expect(protocolError("DeadlinePassed", { deadline: 0n }).message).to.contain("0 (1970-01-01T00:00:00.000Z)");
    expect(protocolError("DeadlinePassed", { deadline: 8_640_000_000_000n }).message).to.contain("+275760");
    expect(protocolError("DeadlinePassed", { deadline: 2n ** 64n }).message).to.contain("at 18446744073709551616.");
    expect(protocolError("DeadlinePassed", { deadline: -(2n ** 64n) }).message).to.contain("at -18446744073709551616.");
  });

  it("tells a thread that nobody showed from one whose window is open", () => {
    const message = (deadline: bigint): string =>
      protocolError("ThreadNotFinal", { threadHash: ZERO_HASH, deadline }).message;
    expect(message(0n)).to.contain("nobody has shown it");
    expect(message(1n)).to.contain("before 1 (1970");
  });

  const shown: [unknown, string][] = [
    ["x", 'is "x"'],
    ["x".repeat(1_000_000), `is "${"x".repeat(137)}..."`],
    [5n, "is 5n"],
    [5, "is 5"],
    [null, "is null"],
    [undefined, "is undefined"],
    [true, "is true"],
    [[1, 2], "is a list of 2"],
    [{ a: 1 }, "is an object"],
    [(): void => undefined, "is a function"],
    [Symbol("s"), "is a symbol"],
  ];
  for (const [given, text] of shown) {
    it(`shows a bad value briefly: ${text.slice(0, 30)}`, () => {
      expect(protocolError("InvalidValue", { path: "p", expected: "e", given }).message).to.contain(`${text}. Why`);
    });
  }

  it("recognises its own errors, and those of one code", () => {
    const error: unknown = protocolError("ZeroAmount", {});
    expect(isProtocolError(error)).to.equal(true);
    expect(isProtocolError(error, "ZeroAmount")).to.equal(true);
    expect(isProtocolError(error, "NotHub")).to.equal(false);
    expect(isProtocolError(new CodedError("HubOnly", "m", {}))).to.equal(false);
    expect(isProtocolError(new Error("ZeroAmount"), "ZeroAmount")).to.equal(false);
    expect(isProtocolError(undefined)).to.equal(false);
  });
});
