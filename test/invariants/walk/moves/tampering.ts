import {
  UINT128_MAX,
  UINT64_MAX,
  ZERO_HASH,
  type Address,
  type AssetState,
  type ChannelState,
} from "../../../../protocol";
import type { Scene } from "./scene";

/** The state with one thing changed. */
export function tampered(scene: Scene, state: ChannelState): ChannelState {
  const { random, salt } = { random: scene.random, salt: scene.salt() };
  const { assets } = state;
  const [first] = assets;
  const changes: (() => ChannelState)[] = [
    () => ({ ...state, nonce: random.pick([0n, state.nonce + 1n, UINT64_MAX]) & UINT64_MAX }),
    () => ({ ...state, session: state.session + (random.chance(0.5) || state.session === 0n ? 1n : -1n) }),
    () => ({ ...state, user: scene.mostly(scene.user(), [scene.oddUser()], 0.5) }),
    () => ({ ...state, threadRoot: state.threadRoot === ZERO_HASH ? salt : ZERO_HASH }),
    () => ({ ...state, recipient: scene.user() }),
    () => ({ ...state, assets: assets.slice(1) }),
    () => ({ ...state, assets: Array.from({ length: 9 }, (_, i) => zeroRow(i)) }),
  ];
  if (first !== undefined) {
    changes.push(() => ({ ...state, assets: [first, ...assets] }));
    changes.push(() => ({ ...state, assets: [...assets].reverse() }));
    for (let i = 0; i < 3; i++) changes.push(() => ({ ...state, assets: tamperedRows(scene, assets) }));
  }
  return random.pick(changes)();
}

const zeroRow = (i: number): AssetState => ({
  asset: `0x${(i + 1).toString(16).padStart(40, "0")}` as Address,
  balanceHub: 0n,
  balanceUser: 0n,
  locked: 0n,
  depositedHub: 0n,
  depositedUser: 0n,
  withdrawnHub: 0n,
  withdrawnUser: 0n,
});

const AMOUNTS = [
  "balanceHub",
  "balanceUser",
  "locked",
  "depositedHub",
  "depositedUser",
  "withdrawnHub",
  "withdrawnUser",
] as const;

function tamperedRows({ random }: Scene, assets: readonly AssetState[]): AssetState[] {
  const chosen = random.below(assets.length);
  return assets.map((row, i) => {
    if (i !== chosen) return row;
    const [field, other] = [random.pick(AMOUNTS), random.pick(AMOUNTS)];
    const changed = { ...row, [field]: row[field] < UINT128_MAX ? row[field] + 1n : 0n };
    if (!random.chance(0.5) || changed[other] === 0n) return changed;
    return { ...changed, [other]: changed[other] - 1n };
  });
}
