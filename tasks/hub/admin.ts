import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { errorFromWire } from "../../client/errors";
import { OPERATIONS, validate, type InputOf, type Operation, type OperationName, type OutputOf } from "../../protocol";
import { connect } from "../chain/connect";
import type { Chain } from "../chain/identify-chain";
import { operationError } from "../errors";
import { filesOf, readAdminKey } from "./files";

/** Asks a running hub as its operator. */
export interface Admin {
  readonly chain: Chain;
  call<Name extends OperationName>(name: Name, input: InputOf<Name>): Promise<OutputOf<Name>>;
}

/** @throws AdminKeyMissing */
export async function adminOf(hre: HardhatRuntimeEnvironment, url: string): Promise<Admin> {
  const chain = await connect(hre);
  const key = readAdminKey(filesOf(hre, chain));
  return {
    chain,
    call: async (name, input) => {
      const operation: Operation = OPERATIONS[name];
      const { params = {}, query = {}, body } = input as RawInput;
      const path = operation.path.replace(/:(\w+)/g, (_, part: string) => encodeURIComponent(params[part] ?? ""));
      const search = new URLSearchParams(query).toString();
      const answer = await ask(
        `${url}/api/hub${path}${search === "" ? "" : `?${search}`}`,
        operation.method,
        key,
        body,
      );
      return validate(operation.response, answer, name) as never;
    },
  };
}

interface RawInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Record<string, string>;
  readonly body?: object;
}

async function ask(url: string, method: string, key: string, body: object | undefined): Promise<unknown> {
  const headers = {
    authorization: `Bearer ${key}`,
    ...(method === "POST" ? { "content-type": "application/json" } : {}),
  };
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      ...(method === "POST" ? { body: JSON.stringify(body ?? {}) } : {}),
    });
  } catch (error) {
    throw operationError("HubNotRunning", { url: new URL(url).origin }, error);
  }
  const answer = (await response.json()) as never;
  if (response.ok) return answer;
  throw errorFromWire(answer);
}
