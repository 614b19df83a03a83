import { threadRoot, type Hash } from "../../protocol";

/**
 * The threads that a root is made of. A session may have been settled with a state that is a step or two away from the
 * newest one this side knows: a thread that was being opened or closed.
 * @param likely Those that were open in the newest state. @param others Others that ever were in the session.
 * @returns Nothing where no such set is found.
 */
export function threadsOfRoot(
  root: Hash,
  likely: readonly Hash[],
  others: readonly Hash[],
): readonly Hash[] | undefined {
  const fits = (list: readonly Hash[]): boolean => threadRoot(list) === root;
  if (fits(likely)) return likely;
  const known = [...likely, ...others];
  const near = known.map((hash) => toggled(likely, hash));
  const found = near.find(fits);
  if (found !== undefined) return found;
  for (const list of near) {
    const further = known.map((hash) => toggled(list, hash)).find(fits);
    if (further !== undefined) return further;
  }
  return undefined;
}

function toggled(list: readonly Hash[], hash: Hash): readonly Hash[] {
  return list.includes(hash) ? list.filter((each) => each !== hash) : [...list, hash];
}
