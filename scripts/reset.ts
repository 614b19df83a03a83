import { rmSync } from "node:fs";
import { join } from "node:path";

/** `npm run reset`: forgets the local chain, its deployment, and what hub and clients kept for it. Live chains stay. */
const LOCAL_CHAIN_ID = 31337;

const FORGOTTEN = [
  join("data", `chain-${LOCAL_CHAIN_ID}`),
  join("data", "local-chain.json"),
  join("deployments", "local"),
  join("cache", "start"),
];

for (const path of FORGOTTEN) rmSync(path, { recursive: true, force: true });
console.log(`Forgotten: ${FORGOTTEN.join(", ")}.\nNext: npm start`);
