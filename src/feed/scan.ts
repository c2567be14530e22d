/**
 * Reads on through a filter, in bounded steps. The position moves with what was scanned, matched
 * or not, so a filter that matches nothing neither burns the database in one turn nor falls out of
 * retention.
 */
import type { LogEvent, Position } from "../log/event.ts";
import type { CompiledFilter } from "../log/filter.ts";
import type { Read } from "../log/log.ts";

export type Scan =
  | {
      kind: "events";
      /** What matched, in order. */
      events: readonly LogEvent[];
      /** The last event scanned. */
      position: Position;
      /** The same as an event, matched or not; undefined when there was none after `from`. */
      last: LogEvent | undefined;
      atHead: boolean;
      /** True when a limit of the caller's ended the scan, rather than the bounds of a turn. */
      full: boolean;
    }
  | Exclude<Read, { kind: "events" }>;

export type Bounds = {
  filter: CompiledFilter;
  /** Events. */
  limit: number;
  /** Of envelopes; the event that reaches it is the last. */
  maxBytes: number;
};

/**
 * One turn: after this many scanned events, or this long (but not before one full read, or a slow
 * database would make every turn a short one), the caller gets what there is.
 */
const turnMaxEvents = 10_000;
const turnMaxMs = 50;

/**
 * Events per read. Reading starts with as many as are wanted, so that nothing is read in vain when
 * most of them match, and takes larger steps to this one while few do.
 */
const readMaxEvents = 1_000;

/**
 * Scans from `from`. `read` reads the log or a feed; its first answer decides alone whether the
 * position is still good.
 */
export async function scan(
  read: (after: Position, limit: number, maxBytes: number) => Read | Promise<Read>,
  from: Position,
  { filter, limit, maxBytes }: Bounds,
  now: () => number = () => performance.now(),
): Promise<Scan> {
  const events: LogEvent[] = [];
  let last: LogEvent | undefined;
  let bytes = 0;
  let scanned = 0;
  let step = { events: limit, bytes: maxBytes };
  const deadline = now() + turnMaxMs;

  for (;;) {
    if (filter.all) step = { events: limit - events.length, bytes: maxBytes - bytes };
    const answer = read(last ?? from, Math.min(step.events, readMaxEvents), step.bytes);
    const page = answer instanceof Promise ? await answer : answer;
    if (page.kind !== "events") return scanned === 0 ? page : found(false, false);
    for (const event of page.events) {
      last = event;
      if (!filter.matches(event)) continue;
      events.push(event);
      bytes += Buffer.byteLength(event.envelope);
      if (events.length === limit || bytes >= maxBytes) return found(false, true);
    }
    scanned += page.events.length;
    step = { events: step.events * 4, bytes: step.bytes * 4 };
    const late = scanned >= readMaxEvents && now() >= deadline;
    if (page.atHead || page.events.length === 0 || scanned >= turnMaxEvents || late) {
      return found(page.atHead, false);
    }
  }

  function found(atHead: boolean, full: boolean): Scan {
    // A copy: whoever keeps a position must not keep an event alive by it.
    const position = last === undefined ? from : { sequence: last.sequence, day: last.day };
    return { kind: "events", events, position, last, atHead, full };
  }
}
