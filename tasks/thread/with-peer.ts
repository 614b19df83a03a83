import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { hasCode, type ConnextClient } from "../../client";
import type { Chain } from "../chain/identify-chain";
import { openClient, withClient, type Opened, type UserArgs } from "../channel/open-client";
import type { Terminal } from "../terminal";

/**
 * Opens a user's client, and for as long as the command runs that of the other party, if its key is at hand too: a step
 * that both sign needs both. Where the other party's client runs elsewhere, it answers itself.
 * @param peerOf Who the other party is; nothing if nobody else is needed.
 */
export async function withPeer<T>(
  args: UserArgs,
  hre: HardhatRuntimeEnvironment,
  terminal: Terminal,
  peerOf: (opened: Opened) => string | undefined,
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  return withClient(args, hre, terminal, async (opened) => {
    const peer = await openPeer(peerOf(opened), args, hre, opened.chain, terminal);
    try {
      return await use(opened);
    } finally {
      await peer?.level().catch(() => undefined); // what it is in the middle of comes first
      await peer?.stop();
    }
  });
}

/** Whoever has both keys here says yes for both. */
async function openPeer(
  user: string | undefined,
  { hub }: UserArgs,
  hre: HardhatRuntimeEnvironment,
  chain: Chain,
  terminal: Terminal,
): Promise<ConnextClient | undefined> {
  if (user === undefined) return undefined;
  try {
    return await openClient({ hub, user }, hre, chain, terminal, {
      acceptThread: () => true,
      acceptThreadUpdate: () => true,
    });
  } catch (error) {
    if (!hasCode(error, "AccountUnknown", "KeyInUse")) throw error;
    terminal.progress(`Waiting for ${user}, whose client runs elsewhere …`);
    return undefined;
  }
}
