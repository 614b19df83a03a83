import { describeCrashes } from "./crash-runs";
import { SCENARIOS } from "./scenarios";

/** The rest of them takes minutes: `npm run chaos`. */
describeCrashes("either side dies at any point of a payment", {
  scenarios: SCENARIOS.filter(({ name }) => name === "payment PT_CHANNEL"),
});
