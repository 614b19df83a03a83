import type { Analysis, StorageLayout } from "./compile";
import { code, table, type Section } from "./markdown";

const LOCK =
  "Immutables take no slot. The transient lock of OpenZeppelin's ReentrancyGuardTransient lives in a slot derived from " +
  "a hash (ERC-7201).";

/** Every slot of the contract and of its structs, as the compiler lays them out. */
export function storageSection({ storage, transient }: Analysis): Section {
  const parts = [tableOf(storage.storage, storage), ...structTables(storage), LOCK];
  if (transient.storage.length > 0) parts.push("Transient:", tableOf(transient.storage, transient));
  return { title: "Storage layout", body: parts.join("\n\n") };
}

function structTables(layout: StorageLayout): string[] {
  return Object.values(layout.types ?? {}).flatMap(({ label, members }) =>
    members === undefined ? [] : [`${code(label)}:`, tableOf(members, layout)],
  );
}

function tableOf(variables: StorageLayout["storage"], { types }: StorageLayout): string {
  const rows = variables.map(({ label, slot, offset, type }) => {
    const { label: name = type, numberOfBytes = "" } = types?.[type] ?? {};
    return [slot, String(offset), numberOfBytes, code(label), code(name)];
  });
  return table(["slot", "offset", "bytes", "variable", "type"], rows);
}
