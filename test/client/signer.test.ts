import { expect } from "chai";
import { ethers } from "hardhat";
import { type HDNodeWallet, Wallet, type Signer } from "ethers";
import { openSigner, type ClientSigner, type Eip1193Wallet, type SignerOptions } from "../../client/signer";
import {
  channelManagerDomain,
  checkSignature,
  digestOf,
  hashState,
  parseAddress,
  personalDigest,
  recoverAddress,
  unsignedState,
  ZERO_ADDRESS,
  type Signature,
} from "../../protocol";
import { expectCoded } from "../support/expect-coded";
import { developmentKey } from "../support/hub";

const MNEMONIC = "test test test test test test test test test test test junk";
const TEXT = "Sign in, ключ 🔑";
const domain = channelManagerDomain(31337n, `0x${"22".repeat(20)}`);

type Asked = { readonly method: string; readonly params?: unknown[] };

/** A page's wallet over a key, which a test can make misbehave. */
function walletOf(
  key: Wallet | HDNodeWallet,
  change: (answer: string, asked: Asked) => unknown = (same) => same,
): Eip1193Wallet & {
  readonly asked: Asked[];
} {
  const asked: Asked[] = [];
  return {
    asked,
    request: async (given) => {
      asked.push(given);
      return change(await answerOf(key, given), given);
    },
  };
}

async function answerOf(key: Wallet | HDNodeWallet, { method, params = [] }: Asked): Promise<string> {
  if (method === "personal_sign") return key.signMessage(ethers.getBytes(params[0] as string));
  if (method !== "eth_signTypedData_v4") return [key.address] as never;
  const { types, message, ...rest } = JSON.parse(params[1] as string) as {
    domain: object;
    types: Record<string, { name: string; type: string }[]>;
    message: Record<string, unknown>;
  };
  const own = Object.fromEntries(Object.entries(types).filter(([name]) => name !== "EIP712Domain"));
  return key.signTypedData(rest.domain, own, message);
}

describe("client signer", () => {
  const key = new Wallet(developmentKey(3));
  const address = key.address.toLowerCase();
  const state = { ...unsignedState(parseAddress(key.address), 1n, [ZERO_ADDRESS]), nonce: 5n };

  async function expectSigns(signer: ClientSigner): Promise<void> {
    const digest = digestOf(domain, hashState(state));
    const signature = await signer.signState(state, domain);
    expect(checkSignature(signer.address, hashState(state), signature, domain)).to.equal(undefined);
    expect(recoverAddress(digest, signature)).to.equal(signer.address);
    expect(recoverAddress(personalDigest(TEXT), await signer.signText(TEXT))).to.equal(signer.address);
  }

  const sources: readonly (readonly [name: string, make: () => Promise<SignerOptions>])[] = [
    ["a private key", () => Promise.resolve({ privateKey: key.privateKey })],
    [
      "a private key without 0x, in upper case",
      () => Promise.resolve({ privateKey: key.privateKey.slice(2).toUpperCase() }),
    ],
    ["an ethers signer", async () => ({ signer: (await ethers.getSigner(key.address)) as unknown as Signer })],
    ["a wallet in a page", () => Promise.resolve({ wallet: walletOf(key) })],
    [
      "a wallet that gives v as 0 or 1",
      () => {
        const low = (answer: unknown): unknown =>
          typeof answer === "string" ? answer.replace(/1b$/, "00").replace(/1c$/, "01") : answer;
        return Promise.resolve({ wallet: walletOf(key, low) });
      },
    ],
  ];

  for (const [name, make] of sources) {
    it(`signs states and texts by ${name}`, async () => {
      const signer = await openSigner(await make());
      expect(signer.address).to.equal(address);
      await expectSigns(signer);
    });
  }

  it("takes the first Ethereum account of a mnemonic, as every wallet does", async () => {
    const signer = await openSigner({ mnemonic: MNEMONIC });
    expect(signer.address).to.equal("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    await expectSigns(signer);
  });

  it("gives the same signature of a state by a key and by a wallet", async () => {
    const [own, page] = [await openSigner({ privateKey: key.privateKey }), await openSigner({ wallet: walletOf(key) })];
    expect(await own.signState(state, domain)).to.equal(await page.signState(state, domain));
    expect(await own.signText(TEXT)).to.equal(await page.signText(TEXT));
  });

  describe("refuses", () => {
    it("to be without a key", async () => {
      await expectCoded(openSigner({} as never), "NoSigner");
    });

    it("what is no key or phrase, and never shows it", async () => {
      const nearly = key.privateKey.slice(0, -1);
      for (const privateKey of [nearly, `${nearly}g`, `0x${"00".repeat(32)}`, `0x${"ff".repeat(32)}`, "", 5 as never]) {
        const error = await expectCoded(openSigner({ privateKey }), "InvalidPrivateKey");
        expect(JSON.stringify([error.message, error.details, String(error.cause)])).not.to.include(nearly.slice(4, 20));
      }
      const phrase = MNEMONIC.replace("junk", "secretword");
      const error = await expectCoded(openSigner({ mnemonic: phrase }), "MnemonicInvalid");
      expect(JSON.stringify([error.message, error.details, String(error.cause)])).not.to.include("secretword");
    });

    it("a wallet that signs as somebody else, or something else", async () => {
      const other = walletOf(new Wallet(developmentKey(4)), (answer, { method }) =>
        method === "eth_requestAccounts" ? [key.address] : answer,
      );
      const signer = await openSigner({ wallet: other });
      const error = await expectCoded(signer.signState(state, domain), "SignatureRefused");
      expect(error.message).to.include(new Wallet(developmentKey(4)).address.toLowerCase());
      await expectCoded(signer.signText(TEXT), "SignatureRefused");
    });

    it("a wallet that declines, shows no account, or answers with no signature", async () => {
      const declines: Eip1193Wallet = {
        // as wallets do: a plain object
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        request: () => Promise.reject({ code: 4001, message: "User rejected" }),
      };
      expect((await expectCoded(openSigner({ wallet: declines }), "SignatureRefused")).message).to.include(
        "User rejected",
      );
      await expectCoded(openSigner({ wallet: { request: () => Promise.resolve([]) } }), "SignatureRefused");
      const odd = walletOf(key, (answer, { method }) => (method === "eth_requestAccounts" ? answer : "0x1234"));
      await expectCoded((await openSigner({ wallet: odd })).signState(state, domain), "SignatureRefused");
      const high = walletOf(key, (answer, { method }) => (method === "personal_sign" ? mirrored(answer) : answer));
      await expectCoded((await openSigner({ wallet: high })).signText(TEXT), "SignatureRefused");
    });
  });

  it("asks a wallet with the parameters of EIP-712 and EIP-191", async () => {
    const wallet = walletOf(key);
    const signer = await openSigner({ wallet });
    await signer.signState(state, domain);
    await signer.signText("hello");
    expect(wallet.asked.map(({ method }) => method)).to.deep.equal([
      ...["eth_requestAccounts", "eth_signTypedData_v4", "personal_sign"],
    ]);
    expect(wallet.asked[1]?.params?.[0]).to.equal(address);
    expect(JSON.parse(wallet.asked[1]?.params?.[1] as string)).to.deep.include({ primaryType: "ChannelState" });
    expect(wallet.asked[2]?.params).to.deep.equal(["0x68656c6c6f", address]);
  });
});

/** The other signature that the curve accepts, which the contract does not. */
function mirrored(signature: string): Signature {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = order - BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.endsWith("1b") ? "1c" : "1b";
  return `0x${signature.slice(2, 66)}${s.toString(16).padStart(64, "0")}${v}`;
}
