import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JsonRpcProvider } from "ethers";
import { ChainClient } from "../../client/chain";
import { Events } from "../../client/engine/events";
import { sqliteStore } from "../../client/node/sqlite-store";
import { onIdleTimer } from "../../client/schedule";
import { openSigner, type ClientSigner } from "../../client/signer";
import { newOwnThread, type OwnThread } from "../../client/threads/own-thread";
import { openThreadWorks, type ThreadWorks } from "../../client/threads/thread-works";
import { acceptsGains } from "../../client/threads/update-rules";
import {
  addressOfPrivateKey,
  bytesToHex,
  channelManagerDomain,
  digestOf,
  parseAddress,
  signDigest,
  UINT64_MAX,
  ZERO_ADDRESS,
  ZERO_HASH,
  type Address,
  type Signature,
  type Thread,
} from "../../protocol";

type Name = "sender" | "receiver";

/** A client's threads on a file of their own. Chain and hub are not there: a stream needs neither. */
export interface BenchPerson {
  readonly works: ThreadWorks;
  readonly events: Events;
  close(): Promise<void>;
}

const CONTRACT = parseAddress(`0x${"c0".repeat(20)}`);
const KEYS: Readonly<Record<Name, Uint8Array>> = {
  sender: new Uint8Array(32).fill(0x51),
  receiver: new Uint8Array(32).fill(0x52),
};

export async function benchPerson(name: Name): Promise<BenchPerson> {
  const folder = mkdtempSync(join(tmpdir(), `bench-threads-${name}-`));
  const store = sqliteStore(join(folder, "client.sqlite"));
  const signer = await openSigner({ privateKey: bytesToHex(KEYS[name]) });
  const events = new Events(console.error);
  const provider = new JsonRpcProvider("http://127.0.0.1:1", 1, { staticNetwork: true });
  const chain = new ChainClient({ providers: [provider], channelManager: CONTRACT, signer, confirmations: 1 });
  const works = await openThreadWorks({
    ...{ store, signer, events, chain, apps: {}, policy: acceptsGains, schedule: onIdleTimer, log: console.error },
    ...{ domain: channelManagerDomain(1n, CONTRACT), challengePeriodSeconds: 86_400n, answerMs: 5_000 },
    hub: { call: () => Promise.reject(new Error("there is no hub here")) },
  });
  return {
    ...{ works, events },
    close: async () => {
      await works.book.idle();
      await store.close();
      provider.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function keyOf(name: Name): { readonly address: Address; sign: ClientSigner["signStatement"] } {
  return {
    address: addressOfPrivateKey(KEYS[name]),
    sign: (type, value, domain) => {
      const signature: Signature = signDigest(digestOf(domain, bytesToHex(type.hash(value))), KEYS[name]);
      return Promise.resolve(signature);
    },
  };
}

/** A stream with room for any run. */
export function benchThread(): { readonly thread: Thread; readonly own: OwnThread } {
  const thread: Thread = {
    ...{ salt: ZERO_HASH, sender: keyOf("sender").address, receiver: keyOf("receiver").address, asset: ZERO_ADDRESS },
    ...{ balanceSender: UINT64_MAX, balanceReceiver: 0n, updatable: false, expiry: 10_000_000_000n },
    ...{ app: ZERO_ADDRESS, appStateHash: ZERO_HASH },
  };
  return { thread, own: newOwnThread(thread) };
}
