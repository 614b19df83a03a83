import { expect } from "chai";
import { parseAddress } from "../../protocol";
import { fundAlice, register, stateAt, towerScene } from "../support/tower";

describe("a watchtower's storage", () => {
  it("is constant: as many rows and bytes a channel after 500 updates as after one", async () => {
    const scene = await towerScene();
    try {
      await fundAlice(scene);
      const user = parseAddress(scene.world.alice.address);
      const measure = async (nonce: bigint): Promise<{ rows: number; bytes: number }> => {
        await register(scene, await stateAt(scene, nonce, 100n));
        return scene.store.footprint(user);
      };
      const first = await measure(1_000n); // as many digits as the last
      for (let nonce = 1_001n; nonce < 1_500n; nonce++) await measure(nonce);
      const last = await measure(1_500n);
      console.log(
        `      ${first.bytes} bytes in ${first.rows} row after 1 update, ${last.bytes} in ${last.rows} after 501`,
      );
      expect(last).to.deep.equal(first);
    } finally {
      await scene.close();
    }
  });
});
