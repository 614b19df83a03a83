import { expect } from "chai";
import { OPERATIONS, type Operation, type OperationName } from "../../../protocol";
import { party } from "../../protocol/fixtures";
import { sampleOf, type Schema } from "../api-fuzz/sample";
import { seededRandom } from "../api-fuzz/random";
import { ADMIN_KEY, openEdge, type Edge, type TestSocket } from "../edge";

const OWNER = party(0x11);
const OTHER = party(0x22);

/** Whoever opens another operation to everybody has to say so here as well. */
const PUBLIC: readonly OperationName[] = [
  "getConfig",
  "createChallenge",
  "answerChallenge",
  "getAuthStatus",
  "getExchangeRates",
  "getGasPrice",
  "getLink",
];

const ROLES = ["nobody", "a stranger's token", "another user", "the owner", "the admin"] as const;
type Role = (typeof ROLES)[number];

/** What a role meets before any handler runs; undefined: the handler. */
function refusalOf({ access }: Operation, role: Role): number | undefined {
  const isUser = role === "another user" || role === "the owner";
  switch (access) {
    case "public":
      return undefined;
    case "signedIn":
      return isUser ? undefined : 401;
    case "owner":
      return role === "the owner" ? undefined : isUser ? 403 : 401;
    case "admin":
      return role === "the admin" ? undefined : 403;
  }
}

const CODES: Readonly<Record<string, readonly string[]>> = { 401: ["NotSignedIn"], 403: ["NotYours", "NotAdmin"] };

describe("access to operations", () => {
  let edge: Edge;
  let tokens: Readonly<Record<Role, string | undefined>>;
  const reached: string[] = [];

  before(async () => {
    const spies = Object.keys(OPERATIONS).map((name) => [
      name,
      () => {
        reached.push(name);
        return Promise.resolve({ reached: name });
      },
    ]);
    edge = await openEdge({ handlers: Object.fromEntries(spies) as object });
    tokens = {
      nobody: undefined,
      "a stranger's token": "0123456789abcdef".repeat(4),
      "another user": await edge.signIn(OTHER),
      "the owner": await edge.signIn(OWNER),
      "the admin": ADMIN_KEY,
    };
  });

  after(() => edge.close());

  it("H-4: is open to everybody only where this list says so", () => {
    const open = Object.entries(OPERATIONS).filter(([, { access }]) => access === "public");
    expect(open.map(([name]) => name)).to.have.members([...PUBLIC]);
  });

  it("H-4: is the owner's wherever a path names a user, but for what says otherwise", () => {
    const named = Object.entries(OPERATIONS).filter(([, { path }]) => path.includes(":user"));
    const others = named.filter(([, { access }]) => access !== "owner").map(([name]) => name);
    expect(others).to.have.members(["getChannel", "getProfile", "setProfile"]);
    for (const operation of Object.values(OPERATIONS) as Operation[]) {
      if (operation.access === "owner") expect(operation.path).to.include(":user");
    }
  });

  for (const [name, operation] of Object.entries(OPERATIONS) as [OperationName, Operation][]) {
    for (const role of ROLES) {
      const status = refusalOf(operation, role);
      it(`H-4: ${operation.method} ${operation.path} for ${role}: ${status ?? "answers"}`, async () => {
        const input = inputOf(operation);
        reached.length = 0;
        const path = `/api/hub${operation.path.replace(/:(\w+)/g, (_, key: string) => String(input.params[key]))}`;
        const answer =
          operation.method === "GET"
            ? await edge.get(path, tokens[role])
            : await edge.post(path, input.body ?? {}, tokens[role]);
        expect(answer.status, answer.text).to.equal(status ?? 200);
        expect(reached).to.deep.equal(status === undefined ? [name] : []);
        if (status !== undefined) expect(CODES[status]).to.include(answer.body.code);
      });
    }
  }

  it("H-4: is the same over the socket", async () => {
    for (const role of ROLES) {
      const socket = await edge.connect();
      const token = tokens[role];
      if (token !== undefined) await socket.ask("authenticate", { token });
      for (const [name, operation] of Object.entries(OPERATIONS) as [OperationName, Operation][]) {
        await expectSame(socket, role, name, operation);
      }
    }
  });

  it("H-4: has no admin while no key is set, whatever is sent", async () => {
    const keyless = await openEdge({ config: { adminKey: "" } });
    for (const key of [undefined, "", "undefined", "null", "foo", ADMIN_KEY]) {
      expect((await keyless.get("/api/hub/admin/status", key)).status).to.equal(403);
    }
    await keyless.close();
  });

  it("knows its owner in whichever spelling, and nobody by a wrong checksum", async () => {
    const path = (user: string): string => `/api/hub/channel/${user}/sync`;
    const upper = `0x${OWNER.address.slice(2).toUpperCase()}`;
    expect((await edge.get(path(upper), tokens["the owner"])).status).to.equal(200);
    expect((await edge.get(path(upper), tokens["another user"])).status).to.equal(403);
  });

  async function expectSame(socket: TestSocket, role: Role, name: OperationName, operation: Operation): Promise<void> {
    reached.length = 0;
    const answer = await socket.ask(name, inputOf(operation));
    const status = refusalOf(operation, role);
    expect(reached, `${name} for ${role}`).to.deep.equal(status === undefined ? [name] : []);
    if (status !== undefined) expect(CODES[status]).to.include((answer.error as { code: string }).code);
    if (name === "signOut" && status === undefined) await socket.ask("authenticate", { token: tokens[role] });
  }
});

function inputOf({ params, body }: Operation): {
  readonly params: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
} {
  const random = seededRandom(7);
  const sample = (schema: unknown): object => sampleOf(schema as Schema, random) as object;
  return {
    params:
      params === undefined
        ? {}
        : { ...sample(params), ...("user" in properties(params) ? { user: OWNER.address } : {}) },
    ...(body === undefined ? {} : { body: sample(body) }),
  };
}

function properties(schema: object): object {
  return (schema as { readonly properties?: object }).properties ?? {};
}
