import type { Provider, Signer } from "ethers";
import { decodeContractError } from "../contract-errors";
import type { Terminal } from "../terminal";
import type { Spending } from "./spending";

/** A transaction to be sent, with its purpose in words. */
export interface Step {
  readonly what: string;
  readonly to: string;
  readonly data: string;
  readonly valueWei: bigint;
  /** Where an estimate would lead astray: the contract insists on gas in reserve. */
  readonly gasLimit?: bigint;
}

/** A step that was mined. */
export interface SentStep {
  readonly what: string;
  readonly hash: string;
}

/** What a step is taken to need when it cannot be tried yet, because it builds on the one before. */
const LATER_STEP_GAS = 200_000n;

/**
 * Tries the first step and prices all of them. Nothing is sent.
 * @throws what the contract would refuse with
 */
export async function estimateSteps(provider: Provider, account: string, steps: readonly Step[]): Promise<Spending> {
  const [first, ...later] = steps;
  const gas = first === undefined ? 0n : await estimate(provider, account, first);
  const { maxFeePerGas, gasPrice } = await provider.getFeeData();
  return {
    account,
    gas: gas + BigInt(later.length) * LATER_STEP_GAS,
    feePerGasWei: maxFeePerGas ?? gasPrice ?? 0n,
    valueWei: steps.reduce((sum, { valueWei }) => sum + valueWei, 0n),
    balanceWei: await provider.getBalance(account),
  };
}

/** Sends the steps one after the other, each when the one before is mined. @throws what the contract refuses with */
export async function sendSteps(signer: Signer, steps: readonly Step[], terminal: Terminal): Promise<SentStep[]> {
  const sent: SentStep[] = [];
  for (const { what, to, data, valueWei, gasLimit } of steps) {
    try {
      const transaction = await signer.sendTransaction({
        to,
        data,
        value: valueWei,
        ...(gasLimit === undefined ? {} : { gasLimit }),
      });
      terminal.progress(`${what}: sent ${transaction.hash}`);
      await transaction.wait();
      sent.push({ what, hash: transaction.hash });
    } catch (error) {
      throw decodeContractError(error, what);
    }
  }
  return sent;
}

/** One line for each step: what a cold wallet or a multisignature contract has to send. */
export function describeSteps(steps: readonly Step[]): string[] {
  return steps.map(({ what, to, data, valueWei }) => `  ${what}: to ${to}, value ${valueWei} wei, data ${data}`);
}

async function estimate(provider: Provider, account: string, { what, to, data, valueWei }: Step): Promise<bigint> {
  try {
    return await provider.estimateGas({ from: account, to, data, value: valueWei });
  } catch (error) {
    throw decodeContractError(error, what);
  }
}
