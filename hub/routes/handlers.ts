import type { Address, InputOf, OperationName, OutputOf } from "../../protocol";

/** Who asks. */
export interface Caller {
  /** Signed in as. */
  readonly address?: Address;
  /** The token of that session. */
  readonly token?: string;
  readonly isAdmin: boolean;
}

/** What the hub does for each operation. Access and form of the input are checked before. */
export type Handlers = {
  readonly [Name in OperationName]: (input: InputOf<Name>, caller: Caller) => Promise<OutputOf<Name>>;
};
