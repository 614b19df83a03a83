import { CONTRACT_NAMES } from "../address-book/contracts";
import { operationError } from "../errors";
import type { Terminal } from "../terminal";
import type { Deployed } from "./deploy";
import { constructorArguments } from "./module";

/** What hardhat-verify's task takes. */
export interface VerifyRequest {
  readonly address: string;
  readonly constructorArguments: readonly (string | number)[];
}

/**
 * Sends the sources of all that is deployed to the block explorer. One that is verified already is success.
 * @throws VerificationFailed
 */
export async function verifySources(
  { book, parameters }: Deployed,
  terminal: Terminal,
  verify: (request: VerifyRequest) => Promise<unknown>,
): Promise<void> {
  for (const name of CONTRACT_NAMES) {
    const address = book?.contracts[name]?.address;
    if (address === undefined) continue;
    terminal.progress(`${name}: verifying the sources`);
    await verify({ address, constructorArguments: constructorArguments(name, parameters) }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw operationError("VerificationFailed", { name, address, reason }, error);
    });
  }
}
