/** How a run of events fits onto what a reader already has. Sequences make this arithmetic. */
import type { Sequence } from "../log/event.ts";

export type Splice =
  /** It continues what is there; its first `skip` events are there already. */
  | { kind: "next"; skip: number }
  /** All of it is there already. */
  | { kind: "repeat" }
  /** Something is missing in between. */
  | { kind: "gap" };

/** How the run `first` … `last` fits behind `end`, the last sequence there. */
export function splice(end: Sequence, first: Sequence, last: Sequence): Splice {
  if (last <= end) return { kind: "repeat" };
  if (first > end + 1) return { kind: "gap" };
  return { kind: "next", skip: end + 1 - first };
}
