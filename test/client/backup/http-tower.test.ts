import { expect } from "chai";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { httpTower } from "../../../client/backup/http-tower";
import { openSigner } from "../../../client/signer";
import {
  blobHashOf,
  checkSignature,
  hashTowerBackup,
  hashTowerBackupRequest,
  watchtowerDomain,
  type Signature,
} from "../../../protocol";
import { expectCoded } from "../../support/expect-coded";
import { DOMAIN, USER, USER_KEY } from "../engine/scene";

/** What the orders look like on the wire; the tower itself is tested with its own routes. */
describe("backups at a tower over HTTP", () => {
  const towerDomain = watchtowerDomain(DOMAIN.chainId, DOMAIN.verifyingContract);
  let server: Server;
  let url: string;
  let seen: { method?: string; url?: string; body: string }[];
  let answer: { status: number; body: string };

  beforeEach(async () => {
    seen = [];
    answer = { status: 200, body: "{}" };
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        seen.push({ method: request.method ?? "", url: request.url ?? "", body });
        response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const tower = async (): Promise<ReturnType<typeof httpTower>> =>
    httpTower({
      url,
      signer: await openSigner({ privateKey: USER_KEY }),
      domain: DOMAIN,
      now: () => 7_000,
      timeoutMs: 500,
    });

  it("puts one on an order that the user signs over its version and its bytes", async () => {
    answer.body = '{"version":"8"}';
    await (await tower()).putBackup(USER, { blob: "sealed", version: 8n });
    const [{ method, url: path, body } = { body: "" }] = seen;
    expect([method, path]).to.deep.equal(["POST", `/api/watchtower/backup/${USER}`]);
    const { version, blob, signature } = JSON.parse(body) as { version: string; blob: string; signature: Signature };
    expect([version, blob]).to.deep.equal(["8", "sealed"]);
    const order = hashTowerBackup({ user: USER, version: 8n, blobHash: blobHashOf("sealed") });
    expect(checkSignature(USER, order, signature, towerDomain)).to.equal(undefined);
  });

  it("gets it on an order that the user signs over the time", async () => {
    answer.body = '{"backup":{"version":"8","blob":"sealed"}}';
    expect(await (await tower()).getBackup(USER)).to.deep.equal({ blob: "sealed", version: 8n });
    const query = new URL(seen[0]?.url ?? "", url).searchParams;
    const signature = query.get("signature") as Signature;
    expect(query.get("at")).to.equal("7");
    expect(checkSignature(USER, hashTowerBackupRequest({ user: USER, at: 7n }), signature, towerDomain)).to.equal(
      undefined,
    );
  });

  it("passes the tower's own errors on, and names a tower that is none", async () => {
    answer = { status: 409, body: '{"code":"BackupNotNewer","message":"A. Why: b. What to do: c.","details":{}}' };
    await expectCoded((await tower()).putBackup(USER, { blob: "x", version: 1n }), "BackupNotNewer");
    answer = { status: 502, body: "<html>" };
    await expectCoded((await tower()).getBackup(USER), "TowerUnreachable");
    answer = { status: 200, body: '{"backup":{"version":"-1","blob":"x"}}' };
    await expectCoded((await tower()).getBackup(USER), "InvalidValue");
  });
});
