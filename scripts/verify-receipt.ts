// Verifies receipts of a watchtower with ethers alone: nothing of this repository's protocol code is used, so that it can be
// copied and read by itself.
//
//   npx ts-node scripts/verify-receipt.ts receipts.json [--tower 0x…]
//
// `receipts.json` is what `POST /api/watchtower/channel` answered (or `npx hardhat watchtower receipts --json`).
import { readFileSync } from "node:fs";
import { getAddress, verifyTypedData, type TypedDataDomain, type TypedDataField } from "ethers";

const field = (type: string, name: string): TypedDataField => ({ type, name });

const STATE: Record<string, TypedDataField[]> = {
  WatchReceipt: [
    field("address", "tower"),
    field("address", "user"),
    field("uint64", "session"),
    field("uint64", "nonce"),
    field("bytes32", "stateHash"),
    field("uint64", "receivedAt"),
  ],
};

const THREAD: Record<string, TypedDataField[]> = {
  WatchThreadReceipt: [
    field("address", "tower"),
    field("address", "user"),
    field("bytes32", "threadHash"),
    field("uint128", "payment"),
    field("uint64", "updateNonce"),
    field("uint128", "updateBalance"),
    field("bytes32", "resolverHash"),
    field("uint64", "receivedAt"),
  ],
};

interface Signed {
  readonly receipt: Readonly<Record<string, string>>;
  readonly signature: string;
}

export interface Receipts extends Signed {
  readonly domain: TypedDataDomain;
  readonly threads: readonly Signed[];
}

/** One line for each receipt that counts. @param tower Whose they must be. @throws Error naming the first that does not */
export function verifyReceipts({ domain, threads, ...state }: Receipts, tower?: string): readonly string[] {
  const expected = getAddress(tower ?? state.receipt.tower ?? "");
  const lines = [{ types: STATE, ...state }, ...threads.map((each) => ({ types: THREAD, ...each }))];
  return lines.map(({ types, receipt, signature }) => {
    const signer = verifyTypedData(domain, types, receipt, signature);
    const what =
      receipt.threadHash === undefined
        ? `nonce ${receipt.nonce} of session ${receipt.session}`
        : `thread ${receipt.threadHash}`;
    if (signer !== expected || getAddress(receipt.tower ?? "") !== expected) {
      throw new Error(`the receipt for ${what} is signed by ${signer}, not by ${expected}`);
    }
    const at = new Date(Number(receipt.receivedAt) * 1000).toISOString();
    return `${expected} guards ${what} of ${receipt.user} since ${at}`;
  });
}

function main([file, flag, tower]: readonly string[]): void {
  if (file === undefined || (flag !== undefined && flag !== "--tower")) {
    throw new Error("usage: npx ts-node scripts/verify-receipt.ts receipts.json [--tower 0x…]");
  }
  const receipts = JSON.parse(readFileSync(file, "utf8")) as Receipts;
  for (const line of verifyReceipts(receipts, tower)) console.log(line);
}

if (require.main === module) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
