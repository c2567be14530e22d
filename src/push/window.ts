/**
 * Which events of a lane are not settled, and how far its position may be moved: everything up to
 * the low-water mark is settled. Only numbers are kept, not the events, because one delivery that
 * hangs keeps all that is settled behind it here.
 */
import type { SettledTo } from "../deliveries/ledger.ts";
import type { LogEvent, Position, Sequence } from "../log/event.ts";

export function createWindow(position: Position, lastMatched: Sequence) {
  /** In the order of the log. */
  const open = new Map<Sequence, { day: string; settled: boolean }>();
  let scanned = position;
  let matched = lastMatched;
  let low: SettledTo = { ...position, matched };

  return {
    add,
    skip,
    settle,
    moveTo,
    low: () => low,
    scanned: () => scanned,
    size: () => open.size,
  };

  /** Takes in an event that matches; answers the one before it that did. */
  function add(event: Pick<LogEvent, "sequence" | "day">): Sequence {
    open.set(event.sequence, { day: event.day, settled: false });
    return skip(event);
  }

  /** As `add`, for an event whose outcome is recorded already. */
  function skip({ sequence }: Pick<LogEvent, "sequence">): Sequence {
    const previous = matched;
    matched = sequence;
    return previous;
  }

  function settle(sequence: Sequence): void {
    const entry = open.get(sequence);
    if (entry === undefined) return;
    entry.settled = true;
    moveLow();
  }

  /** All up to here has been scanned, and what matched was added. */
  function moveTo(position: Position): void {
    scanned = { sequence: position.sequence, day: position.day };
    moveLow();
  }

  function moveLow() {
    for (const [sequence, { day, settled }] of open) {
      if (!settled) return;
      open.delete(sequence);
      low = { sequence, day, matched: sequence };
    }
    low = { ...scanned, matched };
  }
}
