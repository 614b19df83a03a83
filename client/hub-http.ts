import { hubError, type Operation, type OperationName, type WireError } from "../protocol";
import { clientError, errorFromWire, hasCode, messageOf } from "./errors";

/** What an operation takes, by where HTTP carries it. */
export interface RawInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

export interface HttpRequest {
  /** Without a path and without a slash at its end. */
  readonly hubUrl: string;
  readonly name: OperationName;
  readonly operation: Operation;
  readonly input: RawInput;
  readonly token?: string;
  readonly timeoutMs: number;
  /** Ends the request early. */
  readonly signal: AbortSignal;
}

/** Failures in which no byte of the request was sent. Browsers do not tell; there it counts as unknown. */
const NOT_SENT: readonly unknown[] = [
  ...["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"],
];

/**
 * Asks a hub one thing over HTTP.
 * @throws the hub's CodedError, HubUnreachable, AnswerUnknown, AnswerMalformed (an answer that no hub gives)
 */
export async function askByHttp(request: HttpRequest): Promise<unknown> {
  const { hubUrl, name, signal, timeoutMs } = request;
  const ending = new AbortController();
  const end = (reason: string): void => ending.abort(new Error(reason));
  const stop = (): void => end("the client stopped");
  const timer = setTimeout(() => end(`no answer within ${timeoutMs} ms`), timeoutMs);
  signal.addEventListener("abort", stop);
  try {
    return await readAnswer(name, await send(request, ending.signal));
  } catch (error) {
    if (hasCode(error)) throw error;
    const reason = reasonOf(error);
    if (isNotSent(error)) throw clientError("HubUnreachable", { url: hubUrl, reason }, error);
    throw clientError("AnswerUnknown", { operation: name, reason }, error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

function send({ hubUrl, operation, input, token }: HttpRequest, signal: AbortSignal): Promise<Response> {
  const { method } = operation;
  const isPost = method === "POST";
  return fetch(`${hubUrl}/api/hub${pathOf(operation, input)}`, {
    method,
    redirect: "error", // what is signed for one hub is not for whoever it points at
    headers: {
      ...(isPost ? { "content-type": "application/json" } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(isPost ? { body: JSON.stringify(input.body ?? {}) } : {}),
    signal,
  });
}

function pathOf({ path }: Operation, { params = {}, query = {} }: RawInput): string {
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return search === "" ? filled : `${filled}?${search}`;
}

async function readAnswer(name: OperationName, response: Response): Promise<unknown> {
  const { ok, status } = response;
  const text = await response.text();
  const body = parsed(text);
  if (ok && body !== undefined) return body;
  const { code, message, details } = (body ?? {}) as Partial<Record<keyof WireError, unknown>>;
  if (typeof code === "string" && typeof message === "string") throw errorFromWire({ code, message, details });
  if (status === 429) throw hubError("TooManyRequests", { retryAfterSeconds: retryAfterOf(response) });
  const problem = `status ${status} with ${text.length} characters that are no answer of a hub`;
  // A gateway between that gives up does not know what the hub did.
  if (status >= 500) throw clientError("AnswerUnknown", { operation: name, reason: problem });
  throw clientError("AnswerMalformed", { operation: name, problem });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // the caller says so, with the status
  }
}

/** Seconds; the form with a date is rare, and then one second is as good as any. */
function retryAfterOf({ headers }: Response): number {
  return Number(headers.get("retry-after")) || 1;
}

/** `fetch` fails with one sentence for everything; what happened is in its cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error && cause.message !== "" ? cause.message : messageOf(error);
}

/** With several addresses to try, Node gives one failure for each. */
function isNotSent(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown; errors?: readonly { code?: unknown }[] } };
  const codes = cause?.errors?.map(({ code }) => code) ?? [cause?.code];
  return codes.length > 0 && codes.every((code) => NOT_SENT.includes(code));
}
