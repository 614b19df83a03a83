import hre from "hardhat";

/** Questions whose answers change only when something is sent to the chain. */
const READS: ReadonlySet<string> = new Set([
  ...["eth_blockNumber", "eth_call", "eth_estimateGas", "eth_feeHistory", "eth_gasPrice", "eth_getBalance"],
  ...["eth_getBlockByHash", "eth_getBlockByNumber", "eth_getCode", "eth_getLogs", "eth_getTransactionByHash"],
  ...["eth_getTransactionCount", "eth_getTransactionReceipt", "eth_maxPriorityFeePerGas", "eth_chainId"],
]);

interface Question {
  readonly method: string;
  readonly params?: unknown;
}

interface Chain {
  send(method: string, params?: unknown[]): Promise<unknown>;
  request(question: Question): Promise<unknown>;
}

const answers = new Map<string, Promise<unknown>>();
let isInstalled = false;

/**
 * Has the in-process chain answer each question once between two changes. It mines only what it is sent, so nothing else
 * changes it; a hub, its clients and a tower in one process ask it the same again and again.
 */
export function cacheChain(): void {
  if (isInstalled) return;
  isInstalled = true;
  const chain = hre.network.provider as unknown as Chain;
  const request = chain.request.bind(chain);
  const cached = (question: Question): Promise<unknown> => {
    if (!READS.has(question.method)) {
      answers.clear();
      return request(question).finally(() => answers.clear());
    }
    const key = JSON.stringify([question.method, question.params]);
    const known = answers.get(key) ?? request(question);
    answers.set(key, known);
    return known;
  };
  chain.request = cached;
  chain.send = (method, params = []) => cached({ method, params });
}
