/**
 * The recent end of one tenant's log, in memory, for those who follow it live: a bounded run of
 * events without holes. Frames may come repeated, out of order or not at all; what cannot be
 * fitted restarts the run behind the hole, and whoever needs what lies in the hole reads the log.
 */
import type { LogEvent, Sequence } from "../log/event.ts";
import { splice } from "./splice.ts";

/** A run of a log as a frame carries it; without events when they were too large to carry. */
export type Run = {
  readonly first: Sequence;
  readonly last: Sequence;
  readonly events: readonly LogEvent[] | null;
};

export type Tail = ReturnType<typeof createTail>;

/** Some tenths of a second at full speed: whoever is further behind reads the log in pages. */
const ringMaxEvents = 4_096;
const ringMaxBytes = 4 << 20;

/**
 * With several api processes about a tenth of the frames arrive ahead of one that another process
 * published; nearly all of these gaps close by themselves within 4 ms.
 */
const aheadHoldMs = 25;

/** More than this ahead is not a race between two publishers but a loss. */
const aheadMaxFrames = 64;

/**
 * `wake` is called when the log is known to have grown, `weigh` whenever the run got heavier or
 * lighter by so many bytes, `gap` when it had to go on behind a hole. None may throw.
 */
export function createTail(
  wake: () => void,
  weigh: (bytes: number) => void,
  gap: () => void = () => {},
) {
  let events: LogEvent[] = [];
  let bytes = 0;
  /** The last sequence known to exist; undefined until the first news. */
  let end: Sequence | undefined;
  let ahead: Run[] = [];
  let holding: NodeJS.Timeout | undefined;

  return {
    offer,
    learn,
    slice,
    clear,
    flush,
    close: flush,
    size: () => bytes,
    /** The last sequence known to exist. */
    end: () => end,
  };

  /** Takes a run that a frame brought. */
  function offer(run: Run): void {
    if (take(run, hold)) {
      fitAhead(hold);
      wake();
    }
  }

  /** Takes notice that the log reaches to `head`: frames were lost when that is news. */
  function learn(head: Sequence): boolean {
    if (end !== undefined && head <= end) return false;
    if (end !== undefined) gap();
    restart({ first: head, last: head, events: null });
    fitAhead(hold);
    wake();
    return true;
  }

  /** Up to `limit` events after `after`, none at the end; undefined when the log must be read. */
  function slice(after: Sequence, limit: number): readonly LogEvent[] | undefined {
    if (end === undefined || after > end) return undefined;
    const start = events.length - (end - after);
    if (start < 0) return undefined;
    return events.slice(start, start + limit);
  }

  function clear(): void {
    events = [];
    addBytes(-bytes);
  }

  /**
   * Knows nothing any more: the next read goes to the log. It wakes nobody, since nothing was
   * appended.
   */
  function flush(): void {
    clear();
    end = undefined;
    ahead = [];
    clearTimeout(holding);
    holding = undefined;
  }

  function addBytes(more: number) {
    bytes += more;
    weigh(more);
  }

  function take(run: Run, onGap: (run: Run) => void): boolean {
    if (end === undefined) {
      restart(run);
      return true;
    }
    const fit = splice(end, run.first, run.last);
    switch (fit.kind) {
      case "repeat":
        return false;
      case "gap":
        onGap(run);
        return false;
      case "next":
        if (run.events === null) restart(run);
        else extend(run.events, fit.skip, run.last);
        return true;
    }
  }

  function hold(run: Run) {
    ahead.push(run);
    if (ahead.length > aheadMaxFrames) giveUpHolding();
    else holding ??= setTimeout(giveUpHolding, aheadHoldMs);
  }

  /** The gaps did not close: go on behind the last. Readers find what is missing in the log. */
  function giveUpHolding() {
    fitAhead((run) => {
      gap();
      restart(run);
    });
    wake();
  }

  /** Fits in what was held. `onGap` gets what is still ahead. */
  function fitAhead(onGap: (run: Run) => void) {
    const runs = ahead.toSorted((a, b) => a.first - b.first);
    clearTimeout(holding);
    holding = undefined;
    ahead = [];
    for (const run of runs) take(run, onGap);
  }

  function restart(run: Run) {
    clear();
    end = run.last;
    if (run.events !== null) extend(run.events, 0, run.last);
  }

  function extend(more: readonly LogEvent[], skip: number, last: Sequence) {
    let added = 0;
    for (let index = skip; index < more.length; index += 1) {
      const event = more[index];
      if (event === undefined) break;
      events.push(event);
      added += event.envelope.length;
    }
    addBytes(added);
    end = last;
    trim();
  }

  /** Lets go of the oldest half when full: event by event would copy the ring each time. */
  function trim() {
    if (events.length <= ringMaxEvents && bytes <= ringMaxBytes) return;
    const dropped = events.splice(0, Math.ceil(events.length / 2));
    addBytes(-dropped.reduce((sum, event) => sum + event.envelope.length, 0));
    trim();
  }
}
