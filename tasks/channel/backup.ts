import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { textPlace, type Restored } from "../../client";
import { connect } from "../chain/connect";
import type { Command } from "../command";
import { operationError } from "../errors";
import { openClient, withClient, type UserArgs } from "./open-client";

export interface BackupArgs extends UserArgs {
  file: string;
}

export interface RestoreArgs extends UserArgs {
  file?: string;
}

/** Nobody but the owner reads it, although only the owner's key opens it. */
const OWNER_ONLY = 0o600;

export const backupCommand: Command<BackupArgs> = (args, hre, terminal) =>
  withClient(args, hre, terminal, async ({ client, chain }) => {
    const { file } = args;
    if (existsSync(file)) throw operationError("FileExists", { file });
    const { blob, version, failed } = await client.backup();
    writeFileSync(file, `${blob}\n`, { mode: OWNER_ONLY, flag: "wx" });
    const missing = [...failed].map(([place, error]) => `There is none with ${place}: ${error.message}`);
    const lines = [
      `Backup ${version} of the channel of ${client.address} is in ${file}; only this user's key opens it.`,
      ...(missing.length === 0 ? ["The hub has one too."] : missing),
      "It is out of date after the next payment: what is restored from it asks hub and chain before it signs.",
      `Next: npx hardhat channel restore --user ${args.user} --file ${file} --network ${chain.network}`,
    ];
    const json = { user: client.address, file, version, missing: [...failed.keys()] };
    return { json, text: lines.join("\n") };
  });

export const restoreCommand: Command<RestoreArgs> = async (args, hre, terminal) => {
  const { file } = args;
  if (file !== undefined && !existsSync(file)) throw operationError("FileMissing", { file });
  const places = file === undefined ? [] : [textPlace(file, readFileSync(file, "utf8").trim())];
  const chain = await connect(hre);
  const client = await openClient(args, hre, chain, terminal, { restoreFrom: places });
  try {
    const { restored } = client;
    const lines = restored === undefined ? [] : linesOf(restored);
    const next = `Next: npx hardhat channel show --user ${args.user} --network ${chain.network}`;
    return { json: restored, text: [...lines, next].join("\n") };
  } finally {
    await client.stop();
  }
};

function linesOf({
  from,
  version,
  madeAtMs,
  nonce,
  newestNonce,
  isStale,
  places,
  outdated,
}: Restored): readonly string[] {
  const source =
    from === undefined
      ? "There is no backup: restored from the key, the chain and the hub."
      : `Restored from ${from}: backup ${version}, made ${new Date(madeAtMs ?? 0).toISOString()}, state ${nonce}.`;
  const refused = places.flatMap(({ place, problem }) =>
    problem === undefined ? [] : [`${place}: ${problem.message}`],
  );
  const stale = {
    true: `It is STALE: state ${newestNonce} is the newest that is known now. Nothing is signed below what was shown.`,
    false: "It is the newest: nobody shows anything above it.",
    undefined: "Nobody could say whether it is the newest; nothing is signed before the hub answers.",
  }[String(isStale) as "true" | "false" | "undefined"];
  return [
    source,
    ...refused,
    ...outdated.map((place) => `${place} has an older one.`),
    ...(from === undefined ? [] : [stale]),
  ];
}
