import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { JsonRpcProvider, Wallet } from "ethers";
import { systemClock } from "../../hub/clock";
import { completeConfig } from "../../hub/config";
import { createHub } from "../../hub/create-hub";
import { silentLog } from "../../hub/log";
import { SignerRecord } from "../../hub/signer/signer-record";
import { openSqliteStore } from "../../hub/store/sqlite/open-store";
import { hexToBytes, parseAddress } from "../../protocol";
import { completeTowerConfig } from "../../watchtower/config";
import { createWatchtower } from "../../watchtower/create-watchtower";
import { openTowerStore } from "../../watchtower/store/sqlite/tower-store";
import { developmentKey, testAssets } from "../support/hub";
import { towerScene } from "../support/tower";

describe("a watchtower in the hub's process", () => {
  it("starts and ends with the hub, on a key, a file and a port of its own", async () => {
    const scene = await towerScene();
    const { rpcUrl, folder, world, domain } = scene;
    const chainId = Number(domain.chainId);
    const channelManager = parseAddress(world.address);
    const node = (): JsonRpcProvider => new JsonRpcProvider(rpcUrl, chainId, { staticNetwork: true, batchMaxCount: 1 });
    const watchtower = await createWatchtower({
      config: completeTowerConfig({ chainId, channelManager, pollIntervalMs: 50 }),
      store: openTowerStore(join(folder, "embedded.sqlite")),
      privateKey: Wallet.createRandom().privateKey,
      ...{ provider: node(), clock: systemClock, log: silentLog },
    });
    const lines: string[] = [];
    const provider = node();
    const hub = await createHub({
      config: completeConfig({
        chainId,
        channelManager,
        assets: testAssets(parseAddress(await world.token.getAddress())),
      }),
      store: openSqliteStore(join(folder, "hub.sqlite")),
      signerRecord: new SignerRecord(join(folder, "signer.sqlite")),
      hubKey: hexToBytes(developmentKey(1)),
      ...{ provider, clock: systemClock, randomBytes, watchtower },
      node: { send: (method, params) => provider.send(method, [...params]) as Promise<unknown> },
      log: { ...silentLog, info: (line) => lines.push(line) },
    });
    await hub.start();
    const url = /watchtower .* (http:\S+)$/.exec(lines.join("\n"))?.[1] ?? "";
    const answer = await fetch(`${url}/api/watchtower/config`);
    expect(await answer.json()).to.include({ tower: watchtower.address, hub: parseAddress(world.hub.address) });
    await hub.close();
    expect(await fetch(url).catch(() => "closed")).to.equal("closed");
    await scene.close();
  });
});
