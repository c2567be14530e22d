/**
 * Which events of a lane are not settled, and how far its position may be moved: everything up to
 * the low-water mark is settled. Only numbers are kept, not the events, because one delivery that
 * hangs keeps all that is settled behind it here.
 */
import type { SettledTo } from "../deliveries/ledger.ts";
import type { LogEvent, Position, Sequence } from "../log/event.ts";

export type Window = ReturnType<typeof createWindow>;

export function createWindow(position: Position, lastMatched: Sequence) {
  /** In the order of the log. */
  const open = new Map<Sequence, { day: string; settled: boolean }>();
  let scanned = position;
  let matched = lastMatched;
  let low: SettledTo = { ...position, matched };
  /** What kept the mark from moving on when it was last tried. */
  let blocker: Sequence | undefined;

  return {
    add,
    skip,
    settle,
    forget,
    moveTo,
    skipTo,
    moveBack,
    low: () => low,
    scanned: () => scanned,
    size: () => open.size,
  };

  /**
   * Takes in an event that matches: the one before it that did, and whether it is to be delivered.
   * It is not when it is here already, read again after `moveBack`.
   */
  function add(event: Pick<LogEvent, "sequence" | "day">): { previous: Sequence; isNew: boolean } {
    const known = open.get(event.sequence);
    const previous = skip(event);
    // To the end of the order in which the log is read.
    open.set(event.sequence, known ?? { day: event.day, settled: false });
    return { previous, isNew: known === undefined };
  }

  /** As `add`, for an event that is accounted for elsewhere. */
  function skip({ sequence }: Pick<LogEvent, "sequence">): Sequence {
    const previous = matched;
    matched = sequence;
    // Kept over a step back, out of order now: it would carry the mark over what lies before it.
    open.delete(sequence);
    return previous;
  }

  function settle(sequence: Sequence): void {
    const entry = open.get(sequence);
    if (entry === undefined) return;
    entry.settled = true;
    // Of those that are under way together nearly each has one before it that is not settled.
    if (blocker === undefined || blocker === sequence || !open.has(blocker)) moveLow();
  }

  /** As if it had not been added, which it will be: it lies before what is scanned next. */
  function forget(sequence: Sequence): void {
    open.delete(sequence);
  }

  /** All up to here has been scanned, and what matched was added. */
  function moveTo(position: Position): void {
    scanned = { sequence: position.sequence, day: position.day };
    moveLow();
  }

  /** All up to here is settled, but for what was added; `lastMatched` is the last there that was. */
  function skipTo(position: Position, last: Sequence): void {
    matched = Math.max(matched, last);
    moveTo(position);
  }

  /**
   * Forgets events that were added and not begun, in the order of the log, each with the one before
   * it that matched. All from the first of them on is scanned again.
   */
  function moveBack(
    dropped: readonly { event: Pick<LogEvent, "sequence" | "day">; previous: Sequence }[],
  ): void {
    const [first] = dropped;
    if (first === undefined) return;
    for (const { event } of dropped) open.delete(event.sequence);
    // The day may be a later one than that of the event before: nothing lies between the two.
    scanned = { sequence: first.event.sequence - 1, day: first.event.day };
    matched = first.previous;
    moveLow();
  }

  function moveLow() {
    blocker = undefined;
    for (const [sequence, { day, settled }] of open) {
      // Kept over a step back, and not come to again.
      if (sequence > scanned.sequence) continue;
      if (!settled) {
        blocker = sequence;
        return;
      }
      open.delete(sequence);
      low = { sequence, day, matched: sequence };
    }
    if (scanned.sequence >= low.sequence) low = { ...scanned, matched };
  }
}
