import { ethers } from "hardhat";
import { Wallet } from "ethers";
import { TransactionSender, type SenderDeps } from "../../../hub/chain/transaction-sender";
import type { OutgoingRequest } from "../../../hub/services/outgoing";
import type { TransactionRow } from "../../../hub/store/transaction-store";
import { parseAddress } from "../../../protocol";
import { ETH } from "../../support/states";
import { chainScene, rpc, type ChainScene } from "./chain-scene";

/** The hub's key of the test world: the second development account. */
const HUB_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

export const GWEI = 10n ** 9n;
export const BUMP_AFTER_MS = 60_000;

export interface SenderScene extends ChainScene {
  /** Ends that were told: `id status`, with the error if there is one. */
  readonly ends: string[];
  /** A sender on the open store. */
  sender(overrides?: Partial<SenderDeps>): TransactionSender;
  /** Funds the reserve with so many wei: how much has arrived says how often it was executed. */
  fund(id: string, amount: bigint, overrides?: Partial<OutgoingRequest>): OutgoingRequest;
  recall(id: string, amount: bigint, overrides?: Partial<OutgoingRequest>): OutgoingRequest;
  reserve(): Promise<bigint>;
  row(id: string): Promise<TransactionRow>;
  /** Nonces that the hub's account has used. */
  used(): Promise<number>;
}

export async function senderScene(): Promise<SenderScene> {
  const scene = await chainScene();
  const wallet = new Wallet(HUB_KEY);
  const { manager } = scene.world;
  const ends: string[] = [];
  const senders: TransactionSender[] = [];
  const call = (id: string, data: string, valueWei = 0n): OutgoingRequest => {
    return { id, to: scene.manager, data, valueWei, kind: "normal" };
  };
  return {
    ...scene,
    ends,
    sender: (overrides = {}) => {
      const sender = new TransactionSender({
        provider: scene.node.provider,
        store: scene.store(),
        clock: scene.clock,
        log: scene.log,
        signer: { address: parseAddress(wallet.address), signTransaction: (given) => wallet.signTransaction(given) },
        chainId: 31_337,
        confirmations: 1,
        pollIntervalMs: 10,
        maxFeePerGasCap: 500n * GWEI,
        disputeFeePerGasCap: 2_000n * GWEI,
        bumpAfterMs: BUMP_AFTER_MS,
        onFinal: ({ id, status, error }) => {
          ends.push(`${id} ${status}${error === undefined ? "" : ` ${error}`}`);
          return Promise.resolve();
        },
        ...overrides,
      });
      senders.push(sender);
      return sender;
    },
    fund: (id, amount, overrides) => {
      const data = manager.interface.encodeFunctionData("fundReserve", [ETH, amount]);
      return { ...call(id, data, amount), ...overrides };
    },
    recall: (id, amount, overrides) => {
      return { ...call(id, manager.interface.encodeFunctionData("recallReserve", [ETH, amount])), ...overrides };
    },
    reserve: () => manager.reserveOf(ETH),
    row: async (id) => (await scene.store().transactions.find(id))!,
    used: () => ethers.provider.getTransactionCount(wallet.address, "latest"),
    close: async () => {
      for (const sender of senders) await sender.close();
      await rpc("hardhat_setNextBlockBaseFeePerGas", "0x3b9aca00");
      await scene.close();
    },
  };
}
