import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Anything that answers JSON-RPC: Hardhat's in-process chain, or something that distorts it. */
export interface RpcTarget {
  send(method: string, params: unknown[]): Promise<unknown>;
}

interface RpcRequest {
  readonly id: number;
  readonly method: string;
  readonly params?: unknown[];
}

/** Serves a chain over HTTP on a free loopback port, as a node does. */
export async function serveRpc(target: RpcTarget): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as RpcRequest | RpcRequest[];
      const answers = Array.isArray(body)
        ? Promise.all(body.map((each) => answer(target, each)))
        : answer(target, body);
      void answers.then((result) => {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(result));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(target: RpcTarget, { id, method, params }: RpcRequest): Promise<object> {
  try {
    return { jsonrpc: "2.0", id, result: await target.send(method, params ?? []) };
  } catch (error) {
    const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown };
    const base = { code: typeof code === "number" ? code : -32603, message: String(message) };
    return { jsonrpc: "2.0", id, error: data === undefined ? base : { ...base, data } };
  }
}
