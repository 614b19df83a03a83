import { parseAddress, type Signature } from "../../protocol";
import { MAX_UNCOUNTERSIGNED } from "../services/channel";
import type { Services } from "../services/services";
import { MAX_PAYMENTS } from "../../protocol";
import type { Handlers } from "./handlers";

type PublicOperation =
  | "getConfig"
  | "createChallenge"
  | "answerChallenge"
  | "getAuthStatus"
  | "signOut"
  | "getExchangeRates"
  | "getGasPrice";

/** What concerns nobody's channel. */
export function publicHandlers(services: Services): Pick<Handlers, PublicOperation> {
  const { config, sessions, rates, gasPrice, signer, contract } = services;
  return {
    getConfig: () =>
      Promise.resolve({
        channelManager: config.channelManager,
        hub: signer.address,
        treasury: contract.treasury,
        chainId: config.chainId,
        challengePeriodSeconds: contract.challengePeriodSeconds,
        confirmations: config.confirmations,
        assets: config.assets.map((asset) => ({
          ...asset,
          minimumPayment: asset.minimumPayment.toString(),
          collateralCeiling: asset.collateralCeiling.toString(),
          collateralFloor: asset.collateralFloor.toString(),
        })),
        limits: {
          maxPaymentsPerPurchase: MAX_PAYMENTS,
          maxUncountersigned: MAX_UNCOUNTERSIGNED,
          maxQuoteSeconds: config.maxQuoteSeconds,
          optimisticSeconds: config.optimisticSeconds,
          linkSeconds: config.linkSeconds,
        },
        exchangePairs: rates.current().rates.map(({ sellAsset, buyAsset }) => ({ sellAsset, buyAsset })),
        depositsPaused: services.depositsPaused(),
        apps: { ...config.apps },
      }),

    createChallenge: ({ body }) => sessions.challenge(parseAddress(body.address, "body.address")),
    answerChallenge: ({ body }) => sessions.answer(body.message, body.signature.toLowerCase() as Signature),
    getAuthStatus: async (_input, { token }) => {
      const session = token === undefined ? undefined : await sessions.find(token);
      if (session === undefined) return { signedIn: false };
      return { signedIn: true, address: session.address, expiresAtMs: session.expiresAtMs };
    },
    signOut: async (_input, { token }) => {
      if (token !== undefined) await sessions.signOut(token);
      return { signedIn: false };
    },

    getExchangeRates: () => {
      const { rates: current, asOfMs } = rates.current();
      return Promise.resolve({ rates: current.map((each) => ({ ...each, rate: each.rate.toString() })), asOfMs });
    },
    getGasPrice: () => {
      const { maxFeePerGas, maxPriorityFeePerGas, asOfMs } = gasPrice.current();
      return Promise.resolve({
        maxFeePerGas: maxFeePerGas.toString(),
        maxPriorityFeePerGas: maxPriorityFeePerGas.toString(),
        asOfMs,
      });
    },
  };
}
