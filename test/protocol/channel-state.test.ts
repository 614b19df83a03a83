import { expect } from "chai";
import { checkState, unsignedState, zeroAsset, ZERO_ADDRESS, ZERO_HASH } from "../../protocol";
import { context, ledger, TOKEN, USER } from "./fixtures";

describe("channel state", () => {
  it("builds the unsigned state of a session, sorted, all zero", () => {
    expect(unsignedState(USER.address, 3n, [TOKEN, ZERO_ADDRESS])).to.deep.equal({
      user: USER.address,
      session: 3n,
      nonce: 0n,
      assets: [zeroAsset(ZERO_ADDRESS), zeroAsset(TOKEN)],
      threadRoot: ZERO_HASH,
      recipient: ZERO_ADDRESS,
    });
  });

  it("builds one that a party can exit with", () => {
    const ledgers = new Map([[TOKEN, ledger({ withdrawnHub: 0n, withdrawnUser: 0n })]]);
    expect(checkState(unsignedState(USER.address, 3n, [TOKEN]), context({ ledgers }))).to.equal(undefined);
  });
});
