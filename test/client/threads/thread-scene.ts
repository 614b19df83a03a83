import { type ClientOptions, type ConnextClient } from "../../../client";
import type { OwnThread } from "../../../client/threads/own-thread";
import { linkPair } from "../../../client/threads/peer-link";
import { parseAddress, type Address } from "../../../protocol";
import { hubWorld, until, type HubWorld, type HubWorldOptions } from "../../support/hub";
import { freshWorld } from "../../support/world";

export const ETHER = 10n ** 18n;

/** Two users with money at a real hub, and the prebuilt apps on its chain. */
export interface ThreadScene {
  readonly world: HubWorld;
  readonly alice: ConnextClient;
  readonly bob: ConnextClient;
  readonly hashlock: Address;
  readonly signed: Address;
  /** Lets the two talk without the hub. @returns What ends that. */
  link(): () => void;
  /** Alice's stream to Bob, open. */
  stream(amount?: bigint): Promise<OwnThread>;
  close(): Promise<void>;
}

type Overrides = Partial<ClientOptions>;

export async function threadScene(
  options: HubWorldOptions & { readonly alice?: Overrides; readonly bob?: Overrides } = {},
): Promise<ThreadScene> {
  const apps = await freshWorld(); // the same snapshot again, so the same addresses
  const hashlock = parseAddress(await apps.hashlock.getAddress());
  const signed = parseAddress(await apps.signedApp.getAddress());
  const world = await hubWorld({ ...options, config: { ...options.config, apps: { hashlock, signed } } });
  const alice = await world.client(3, options.alice);
  const bob = await world.client(4, options.bob);
  for (const client of [alice, bob]) await client.deposit({ amountWei: 10n * ETHER });
  await bob.requestCollateral({ amountWei: 9n * ETHER });
  await until("Bob can receive", async () => {
    return (await alice.recipientNeedsCollateral(bob.address, { amountWei: 5n * ETHER })) === 0n;
  });
  return {
    ...{ world, alice, bob, hashlock, signed },
    link: () => {
      const [ofAlice, ofBob] = linkPair();
      const ends = [alice.connectPeer(bob.address, ofAlice), bob.connectPeer(alice.address, ofBob)];
      return () => {
        for (const end of ends) end();
        ofAlice.close();
        ofBob.close();
      };
    },
    stream: (amount = ETHER) => alice.openThread({ to: bob.address, amount: { amountWei: amount } }),
    close: () => world.close(),
  };
}

/** What a client knows of a thread. */
export function knows(client: ConnextClient, { hash }: Pick<OwnThread, "hash">): OwnThread {
  const found = client.listThreads().find((each) => each.hash === hash);
  if (found === undefined) throw new Error(`${client.address} does not know thread ${hash}`);
  return found;
}
