import { custody } from "./custody";
import { exit } from "./exit";
import type { Rules } from "./model";
import { outside } from "./outside";
import { threads } from "./threads";

/** The whole specification. */
export const RULES: Rules = { ...custody, ...exit, ...threads, ...outside };
