import { Wallet } from "ethers";
import { formatSignIn, parseAddress } from "../../protocol";

/** Signs in to a hub as a program of one's own would, with nothing of the client's. @returns The session's token. */
export async function signInToken(hubUrl: string, privateKey: string, chainId: number): Promise<string> {
  const wallet = new Wallet(privateKey);
  const address = parseAddress(wallet.address);
  const { nonce } = (await post(hubUrl, "challenge", { address })) as { nonce: string };
  const message = formatSignIn({
    domain: new URL(hubUrl).host,
    address,
    uri: hubUrl,
    chainId,
    nonce,
    issuedAt: new Date().toISOString(),
    expirationTime: new Date(Date.now() + 60_000).toISOString(),
  });
  const signature = await wallet.signMessage(message);
  return ((await post(hubUrl, "response", { message, signature })) as { token: string }).token;
}

async function post(hubUrl: string, what: string, body: object): Promise<unknown> {
  const response = await fetch(`${hubUrl}/api/hub/auth/${what}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return response.json();
}
