/**
 * Leaves out as many items as it can, large pieces first, such that the rest still fails. The last item stays: it is the
 * one that showed the failure.
 */
export async function shrink<T>(
  items: readonly T[],
  fails: (some: readonly T[]) => Promise<boolean>,
  hasTime: () => boolean,
): Promise<readonly T[]> {
  let kept = items;
  for (let size = kept.length >> 1; size > 0; size >>= 1) {
    for (let start = 0; start + 1 < kept.length && hasTime();) {
      const fewer = kept.filter((_, i) => i < start || i >= start + size || i === kept.length - 1);
      if (fewer.length < kept.length && (await fails(fewer))) kept = fewer;
      else start += size;
    }
  }
  return kept;
}
