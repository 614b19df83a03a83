import { expect } from "chai";
import { inProcessMessaging, type UserMessage } from "../../../hub/messaging/messaging";
import type { Address, SocketPush } from "../../../protocol";
import { party } from "../../protocol/fixtures";

const [ALICE, BOB] = [party(0x11).address, party(0x22).address];

describe("in-process messaging", () => {
  const listener = (user?: Address) => {
    const heard: (UserMessage | SocketPush)[] = [];
    const subscriber = {
      ...(user === undefined ? {} : { user }),
      ofUser: (message: UserMessage) => void heard.push(message),
      ofTopic: (push: SocketPush) => void heard.push(push),
    };
    return { heard, subscriber };
  };

  it("delivers to whoever listens for the user, and public topics to all", () => {
    const messaging = inProcessMessaging();
    const [alice, bob, anybody] = [listener(ALICE), listener(BOB), listener()];
    for (const { subscriber } of [alice, bob, anybody]) messaging.subscribe(subscriber);
    messaging.publishTo(ALICE, { kind: "outbox" });
    messaging.publish({ topic: "gas-price", data: 1 });
    expect(alice.heard).to.deep.equal([{ kind: "outbox" }, { topic: "gas-price", data: 1 }]);
    expect(bob.heard).to.deep.equal([{ topic: "gas-price", data: 1 }]);
    expect(anybody.heard).to.deep.equal([{ topic: "gas-price", data: 1 }]);
  });

  it("knows who is connected until the last of them is gone", () => {
    const messaging = inProcessMessaging();
    const ends = [listener(ALICE), listener(ALICE)].map(({ subscriber }) => messaging.subscribe(subscriber));
    expect([messaging.isConnected(ALICE), messaging.isConnected(BOB)]).to.deep.equal([true, false]);
    ends[0]!();
    ends[0]!(); // again: nothing happens
    expect(messaging.isConnected(ALICE)).to.be.true;
    ends[1]!();
    expect(messaging.isConnected(ALICE)).to.be.false;
    messaging.publishTo(ALICE, { kind: "outbox" }); // to nobody
  });
});
