import { describeCrashes } from "./crash-runs";
import { SCENARIOS } from "./scenarios";

// CHAOS_ONLY=link: protocols with that in their name. CHAOS_AGAIN=2: whoever dies does so twice, two points apart.
const { CHAOS_ONLY = "", CHAOS_AGAIN, CHAOS_LOUD } = process.env;

describeCrashes("either side dies at any point of any protocol", {
  scenarios: SCENARIOS.filter(({ name }) => name.includes(CHAOS_ONLY)),
  isLoud: CHAOS_LOUD !== undefined,
  ...(CHAOS_AGAIN === undefined ? {} : { again: Number(CHAOS_AGAIN) }),
});
