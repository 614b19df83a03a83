import { Type, type Static } from "typebox";
import { addressSchema, hashSchema } from "../../protocol/wire/schemas";
import { CONTRACT_NAMES, type ContractName } from "./contracts";

const entrySchema = Type.Object(
  {
    address: addressSchema,
    /** Keccak-256 of the code on chain, which contains hub, treasury and challenge period. */
    codeHash: hashSchema,
    /** Keccak-256 of the compiler's creation code, to notice that the sources have changed since. */
    creationCodeHash: hashSchema,
    transactionHash: hashSchema,
    /** Where a watcher of its events begins. */
    blockNumber: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);

const optionalEntries = Object.fromEntries(CONTRACT_NAMES.map((name) => [name, Type.Optional(entrySchema)])) as Record<
  ContractName,
  ReturnType<typeof Type.Optional<typeof entrySchema>>
>;

/** The file `deployments/chain-<id>.json`, or `deployments/local/chain-<id>.json`. */
export const addressBookSchema = Type.Object(
  {
    chainId: Type.Integer({ minimum: 1 }),
    genesisHash: hashSchema,
    contracts: Type.Object(optionalEntries, { additionalProperties: false }),
    /** Being deployed: a run that was cut short resumes these instead of beginning them anew. */
    pending: Type.Array(Type.Union(CONTRACT_NAMES.map((name) => Type.Literal(name)))),
    /** What a redeployment replaced. Their channels go on: this keeps their addresses. */
    replaced: Type.Array(
      Type.Object({ name: Type.String(), ...entrySchema.properties }, { additionalProperties: false }),
    ),
  },
  { additionalProperties: false },
);

export type Entry = Static<typeof entrySchema>;

/** What is deployed on one chain. Deleting an entry makes the next `deploy` deploy that contract again. */
export interface AddressBook {
  readonly chainId: number;
  readonly genesisHash: string;
  readonly contracts: Readonly<Partial<Record<ContractName, Entry>>>;
  readonly pending: readonly ContractName[];
  readonly replaced: readonly (Entry & { readonly name: string })[];
}

export function emptyAddressBook({ chainId, genesisHash }: Pick<AddressBook, "chainId" | "genesisHash">): AddressBook {
  return { chainId, genesisHash, contracts: {}, pending: [], replaced: [] };
}
