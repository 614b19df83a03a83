import { describeDrills } from "./describe-drills";

// The long form: npm run drill. DRILL_ROUNDS=20: a longer history still.
describeDrills("every state of a long history is used to cheat", {
  rounds: Number(process.env.DRILL_ROUNDS ?? 8),
  everyPresence: true,
});
