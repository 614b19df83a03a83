import { expect } from "chai";
import {
  assetStateType,
  bytesToHex,
  channelManagerDomain,
  channelStateType,
  checkSignature,
  digestOf,
  domainSeparator,
  hashResolution,
  hashState,
  hashThread,
  hashThreadPayment,
  hashThreadUpdate,
  hexToBytes,
  parseAddress,
  parseResolution,
  parseState,
  parseThread,
  parseThreadPayment,
  parseThreadUpdate,
  proveThread,
  resolutionType,
  signDigest,
  signedAppDomain,
  threadPaymentType,
  threadRoot,
  threadType,
  threadUpdateType,
  verifyProof,
  type Hash,
  type Hex,
  type Signature,
} from "../../protocol";
import { keccakOfText } from "../../protocol/keccak";
import channelStates from "../vectors/channel-states.json";
import merkle from "../vectors/merkle.json";
import resolutions from "../vectors/resolutions.json";
import threadPayments from "../vectors/thread-payments.json";
import threadUpdates from "../vectors/thread-updates.json";
import threads from "../vectors/threads.json";

interface Vectors {
  readonly primaryType: string;
  readonly typeString: string;
  readonly typeHash: string;
  readonly domain: { readonly name: string; readonly chainId: string; readonly verifyingContract: string };
  readonly separator: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly addresses: Readonly<Record<string, string>>;
  readonly vectors: readonly Vector[];
}

interface Vector {
  readonly name: string;
  readonly message: unknown;
  readonly structHash: string;
  readonly digest: string;
  readonly signatures: Readonly<Record<string, string>>;
}

/** File, its type here, from JSON to struct hash. */
const KINDS: [Vectors, { readonly name: string; readonly typeString: string }, (message: unknown) => Hash][] = [
  [channelStates, channelStateType, (message) => hashState(parseState(message))],
  [threads, threadType, (message) => hashThread(parseThread(message))],
  [threadPayments, threadPaymentType, (message) => hashThreadPayment(parseThreadPayment(message))],
  [threadUpdates, threadUpdateType, (message) => hashThreadUpdate(parseThreadUpdate(message))],
  [resolutions, resolutionType, (message) => hashResolution(parseResolution(message))],
];

// Frozen, made by an independent implementation: they hold what every signature ever given means.
describe("vectors", () => {
  for (const [file, type, hashMessage] of KINDS) {
    describe(file.primaryType, () => {
      const { name, chainId, verifyingContract } = file.domain;
      const makeDomain = name === "SignedApp" ? signedAppDomain : channelManagerDomain;
      const domain = makeDomain(BigInt(chainId), verifyingContract);

      it("has the frozen type and the frozen domain", () => {
        expect(type.name).to.equal(file.primaryType);
        expect(type.typeString).to.equal(file.typeString);
        expect(bytesToHex(keccakOfText(type.typeString))).to.equal(file.typeHash);
        expect(bytesToHex(domainSeparator(domain))).to.equal(file.separator);
        expect(file.vectors).not.to.be.empty;
      });

      for (const vector of file.vectors) {
        it(`hashes and signs as frozen: ${vector.name}`, () => {
          const structHash = hashMessage(vector.message);
          expect(structHash).to.equal(vector.structHash);
          expect(digestOf(domain, structHash)).to.equal(vector.digest);
          for (const [signer, signature] of Object.entries(vector.signatures)) {
            const key = hexToBytes(file.keys[signer] as Hex);
            expect(signDigest(digestOf(domain, structHash), key)).to.equal(signature);
            const expected = parseAddress(file.addresses[signer]);
            expect(checkSignature(expected, structHash, signature as Signature, domain)).to.equal(undefined);
          }
        });
      }
    });
  }

  it("holds the type of rows inside that of states", () => {
    expect(channelStates.typeString.endsWith(assetStateType.typeString)).to.equal(true);
  });

  for (const { size, threadHashes, root, proofs } of merkle.vectors) {
    it(`A-9: has the frozen root and proofs of ${size} threads`, () => {
      const hashes = threadHashes as Hash[];
      expect(threadRoot(hashes)).to.equal(root);
      for (const [i, threadHash] of hashes.entries()) {
        expect(proveThread(hashes, threadHash)).to.deep.equal(proofs[i]);
        expect(verifyProof(root as Hash, threadHash, proofs[i] as Hash[])).to.equal(true);
      }
    });
  }
});
