import { secp256k1 } from "@noble/curves/secp256k1.js";
import type { Curve } from "./curve";

/** secp256k1 in JavaScript, for browsers and for machines without the native binding. */
export const curve: Curve = {
  name: "pure",
  sign: (digest, privateKey) => {
    const recovered = secp256k1.sign(digest, privateKey, { prehash: false, lowS: true, format: "recovered" });
    return { signature: recovered.subarray(1), recovery: recovered[0] ?? 0 };
  },
  recover: (digest, signature, recovery) => {
    const recovered = new Uint8Array(65);
    recovered[0] = recovery;
    recovered.set(signature, 1);
    return secp256k1.Signature.fromBytes(recovered, "recovered").recoverPublicKey(digest).toBytes(false);
  },
  publicKeyOf: (privateKey) => secp256k1.getPublicKey(privateKey, false),
};
