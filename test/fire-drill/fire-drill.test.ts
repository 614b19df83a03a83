import { describeDrills } from "./describe-drills";

describeDrills("every state of a short history is used to cheat", { rounds: 1, everyPresence: false });
