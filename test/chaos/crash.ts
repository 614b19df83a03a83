import { describeCrashes } from "./crash-runs";
import { SCENARIOS } from "./scenarios";

const only = process.env.CHAOS_ONLY;

describeCrashes(
  "either side dies at any point of any protocol",
  only === undefined ? SCENARIOS : SCENARIOS.filter(({ name }) => name.includes(only)),
);
