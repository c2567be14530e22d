/**
 * Which events of a lane receipts have decided of since it was opened: those that are settled, and
 * those that are retries now. Numbers only, and not without a bound: a lane that would hold too many
 * is opened anew, with a position that has moved on meanwhile.
 */
import type { Sequence } from "../log/event.ts";
import type { Receipt } from "./receipts.ts";

/** About 2 MB. */
const sequencesMax = 20_000;

export function createOverruled() {
  const settled = new Set<Sequence>();
  const failed = new Set<Sequence>();
  let through = 0;

  return { add, isSettled, isKnown };

  /** `low`: up to where the lane needs none of them any more. False when they are too many. */
  function add(receipt: Receipt, low: Sequence): boolean {
    const { sequences } = receipt;
    if (sequences === null) return false;
    through = Math.max(through, receipt.through);
    const those = receipt.failed ? failed : settled;
    for (const sequence of sequences) those.add(sequence);
    if (settled.size + failed.size <= sequencesMax) return true;
    for (const some of [settled, failed]) {
      for (const sequence of some) if (sequence <= low) some.delete(sequence);
    }
    return settled.size + failed.size <= sequencesMax;
  }

  function isSettled(sequence: Sequence): boolean {
    return sequence <= through || settled.has(sequence);
  }

  /** Not to be sent out of the log. */
  function isKnown(sequence: Sequence): boolean {
    return isSettled(sequence) || failed.has(sequence);
  }
}
