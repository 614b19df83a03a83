import type { FastifyInstance } from "fastify";
import { Type, type Static } from "typebox";
import { Value } from "typebox/value";
import { CodedError } from "../../protocol/coded-error";
import { isHubError } from "../../protocol";

/** Asks the chain's node one thing. Rejects with what the node said. */
export interface JsonRpcNode {
  send(method: string, params: readonly unknown[]): Promise<unknown>;
}

const requestSchema = Type.Object({
  jsonrpc: Type.Literal("2.0"),
  id: Type.Union([Type.Number(), Type.String({ maxLength: 128 }), Type.Null()]),
  method: Type.String({ maxLength: 64 }),
  params: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 8 })),
});

type Request = Static<typeof requestSchema>;

/** What a wallet needs to read the chain and to send what it has signed itself. Nothing that uses the node's keys. */
const METHODS = new Set([
  "eth_blockNumber",
  "eth_call",
  "eth_chainId",
  "eth_estimateGas",
  "eth_feeHistory",
  "eth_gasPrice",
  "eth_getBalance",
  "eth_getBlockByHash",
  "eth_getBlockByNumber",
  "eth_getCode",
  "eth_getLogs",
  "eth_getStorageAt",
  "eth_getTransactionByHash",
  "eth_getTransactionCount",
  "eth_getTransactionReceipt",
  "eth_maxPriorityFeePerGas",
  "eth_sendRawTransaction",
  "eth_syncing",
  "net_version",
  "web3_clientVersion",
]);

const MAX_BATCH = 20;
const MAX_LOG_BLOCKS = 10_000n;
const TIMEOUT_MS = 15_000;

/**
 * `/api/eth`: the chain's JSON-RPC for sending and display. A client decides over money by a node of its own
 * (docs/protocol.md "Whose eyes").
 */
export function registerEthForwarder(
  app: FastifyInstance,
  node: JsonRpcNode,
  countRequest: (ip: string) => Promise<void>,
): void {
  app.setErrorHandler((error, _request, reply) => {
    const { status, code, message } = refusalOf(error);
    const { retryAfterSeconds } = (error as { details?: { retryAfterSeconds?: number } }).details ?? {};
    if (retryAfterSeconds !== undefined) void reply.header("retry-after", String(retryAfterSeconds));
    return reply.status(status).send(failure(null, code, message));
  });
  app.post("/api/eth", { schema: { hide: true } }, async ({ body, ip }) => {
    if (!Array.isArray(body)) return answer(node, body);
    if (body.length === 0 || body.length > MAX_BATCH)
      return failure(null, -32600, `a batch has 1 to ${MAX_BATCH} requests`);
    for (let i = 1; i < body.length; i++) await countRequest(ip); // the first is counted as the request itself
    return Promise.all(body.map((each) => answer(node, each)));
  });
}

/** What did not become a JSON-RPC request: its HTTP status, and the codes of JSON-RPC 2.0 section 5.1. */
function refusalOf(error: unknown): { readonly status: number; readonly code: number; readonly message: string } {
  if (isHubError(error, "TooManyRequests")) return { status: 429, code: -32005, message: error.message };
  if (error instanceof CodedError) return { status: 400, code: -32700, message: error.message };
  const { statusCode = 500 } = error as { statusCode?: number };
  if (statusCode >= 400 && statusCode < 500) {
    return { status: statusCode === 413 ? 413 : 400, code: -32600, message: (error as Error).message };
  }
  return { status: 500, code: -32603, message: "the hub failed at this request" };
}

async function answer(node: JsonRpcNode, given: unknown): Promise<object> {
  if (!Value.Check(requestSchema, given)) return failure(null, -32600, "not a JSON-RPC 2.0 request");
  const request = given;
  const { id, method, params = [] } = request;
  if (!METHODS.has(method)) return failure(id, -32601, `${method} is not served here`);
  try {
    if (method === "eth_getLogs" && (await isTooWide(params[0], node))) {
      return failure(id, -32602, `an interval of logs has at most ${MAX_LOG_BLOCKS} blocks`);
    }
    return { jsonrpc: "2.0", id, result: await within(TIMEOUT_MS, node.send(method, params)) };
  } catch (error) {
    return { jsonrpc: "2.0", id, error: rpcErrorOf(error) };
  }
}

function failure(id: Request["id"], code: number, message: string): object {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

const NEAR_HEAD = new Set<unknown>(["latest", "pending", "safe", "finalized"]);

async function isTooWide(filter: unknown, node: JsonRpcNode): Promise<boolean> {
  if (typeof filter !== "object" || filter === null) return true;
  const { fromBlock = "latest", toBlock = "latest", blockHash } = filter as Record<string, unknown>;
  if (blockHash !== undefined || NEAR_HEAD.has(fromBlock)) return false;
  if (!isNumber(fromBlock) && fromBlock !== "earliest") return true; // whatever a node would make of it
  const to = isNumber(toBlock) ? toBlock : await within(TIMEOUT_MS, node.send("eth_blockNumber", []));
  const from = isNumber(fromBlock) ? fromBlock : "0x0";
  return !isNumber(to) || BigInt(to) - BigInt(from) > MAX_LOG_BLOCKS;
}

function isNumber(block: unknown): block is string {
  return typeof block === "string" && /^0x[0-9a-f]{1,15}$/i.test(block);
}

/** The node's code, message and data; never the way to the node, which may carry a key. */
function rpcErrorOf(error: unknown): object {
  const inner =
    (error as { error?: unknown; info?: { error?: unknown } }).info?.error ??
    (error as { error?: unknown }).error ??
    error;
  const { code, message, data } = inner as { code?: unknown; message?: unknown; data?: unknown };
  return {
    code: typeof code === "number" ? code : -32000,
    message:
      typeof code === "number" && typeof message === "string" ? message.slice(0, 500) : "the node did not answer",
    ...(typeof data === "string" ? { data } : {}),
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("time is up")), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
