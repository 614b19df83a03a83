import { expect } from "chai";
import { isOwnHost } from "../../../tasks/chain/own-host";

describe("isOwnHost", () => {
  const own = ["http://127.0.0.1:8545", "http://localhost:8545", "http://[::1]:8545", "http://chain:8545"];
  own.push("http://10.0.0.7", "http://192.168.1.2:1", "http://172.16.0.1", "http://172.31.255.1", "http://a.localhost");
  for (const url of own) it(`trusts ${url}`, () => expect(isOwnHost(url)).to.equal(true));

  const strange = ["https://sepolia.infura.io/v3/key", "https://127.0.0.1.example.com", "https://10.example.com"];
  strange.push(
    "http://172.32.0.1",
    "http://8.8.8.8",
    "http://[2001:db8::1]",
    "http://localhost.example.com",
    "",
    "nonsense",
  );
  for (const url of strange) it(`does not trust "${url}"`, () => expect(isOwnHost(url)).to.equal(false));
});
