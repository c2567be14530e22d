/**
 * Ordering by subject: the subjects that a lane is behind with. One whose event has failed becomes
 * a position of its own, kept in `blocked_subjects`; the lane's own position passes over its
 * events, which are read here, one at a time and in order, until there are no more. Then the
 * subject is merged back.
 *
 *     blocked ──► waiting (for a retry) ──► in flight ──► ready (has a next) ──► in flight …
 *                        ▲                      │            │
 *                        └──────(it failed)─────┘            └─ caught up ──► merged
 *
 * A subject is merged only when the lane's low-water mark has reached it: what the lane scans again
 * after a step back, or a crash, must not hold events that were delivered here.
 */
import type { BlockedSubject, SettledTo, SubjectMove } from "../deliveries/ledger.ts";
import type { LogEvent, Sequence } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Endpoint } from "./endpoints.ts";

export type Subjects = ReturnType<typeof createSubjects>;

export type SubjectEvent = {
  readonly event: LogEvent;
  /** It was attempted before: its next attempt comes from `retries`. */
  readonly isRetry: boolean;
  readonly isSettled: boolean;
};

export type SubjectItem = { readonly event: LogEvent; readonly previous: Sequence };

/** An endpoint that is behind with more begins no further events before some are merged. */
const subjectsMax = 1_000;

/** Read ahead for each subject. */
const eventsMax = 20;

/** Under way at once, of one lane. */
const readsMax = 4;

/** Pause after a read that failed. */
const readPauseMs = 500;

type Stream = {
  readonly subject: string;
  settled: SettledTo;
  /** The event whose next attempt comes with the retries, while it waits for that. */
  head: Sequence | undefined;
  state: "unread" | "reading" | "waiting" | "in flight" | "ready" | "caught up";
  /** Read ahead, in order. */
  events: SubjectItem[];
  /** The lane has passed over events since the last read began. */
  more: boolean;
  /** Counts the reads: of two, the older may not have seen what was settled between them. */
  readings: number;
};

/** How the events of a blocked subject are read, for one endpoint. */
export type SubjectReads = (endpoint: Endpoint) => {
  read: (
    subject: string,
    after: SettledTo,
    through: Sequence,
    limit: number,
  ) => Promise<SubjectEvent[]>;
  /** Those of these that are for the endpoint, each with the event before it that was. */
  match: (events: readonly LogEvent[], after: SettledTo) => Promise<SubjectItem[]>;
};

/** What is written when a subject has come to this event. */
export function moveTo(subject: string, { sequence, day }: LogEvent) {
  return { subject, settled: { sequence, day, matched: sequence } };
}

export function createSubjects(
  options: ReturnType<SubjectReads> & {
    blocked: readonly BlockedSubject[];
    log: Logger;
    /** Up to where the lane has scanned, and up to where all is settled. */
    scanned: () => Sequence;
    low: () => Sequence;
    /**
     * The last event that had an outcome when the lane was opened. As long as the lane is before it, a
     * retry that is the next event of a subject may not have been found.
     */
    known: () => Sequence;
    /** All events of the log go in its order, whatever their subject. */
    inOrder: boolean;
    /** `take` has something to give. */
    ready: () => void;
    merged: (move: SubjectMove) => void;
  },
) {
  const { log, scanned, low, known, inOrder, read, match, ready, merged } = options;
  const streams = new Map<string, Stream>();
  const unread = new Set<Stream>();
  const readyOnes = new Set<Stream>();
  const caughtUp = new Set<Stream>();
  /** To be read again after a pause. */
  const failed = new Set<Stream>();
  let reads = 0;
  let paused = false;
  /** One event is wanted although it is paused. */
  let hastened = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  for (const { subject, settled } of options.blocked) open(subject, settled);

  return {
    block,
    owns,
    isAhead,
    isBlocked: (subject: string) => streams.has(subject),
    written,
    take,
    drop,
    begin,
    giveBack,
    settle,
    advance,
    size: () => streams.size,
    /** Those that are only waited for by the low-water mark are behind with nothing. */
    behind,
    isFull: () => behind() >= subjectsMax,
    hasten,
    pause,
    resume,
    close,
  };

  function open(subject: string, settled: SettledTo): Stream {
    const stream: Stream = {
      subject,
      settled,
      head: undefined,
      state: "unread",
      events: [],
      more: true,
      readings: 0,
    };
    streams.set(subject, stream);
    unread.add(stream);
    return stream;
  }

  /** The subject's event has failed and is a retry now: the rest of the subject waits for it. */
  function block(subject: string, { event, previous }: SubjectItem): SubjectMove {
    const settled = { sequence: event.sequence - 1, day: event.day, matched: previous };
    const stream = open(subject, settled);
    unread.delete(stream);
    stream.state = "waiting";
    stream.head = event.sequence;
    return { subject, settled };
  }

  /** Whether the event, which the lane comes past, is delivered from here. */
  function owns({ subject }: Pick<LogEvent, "subject">): boolean {
    // Under `fifo` it keeps its place in the log.
    const stream = subject === null || inOrder ? undefined : streams.get(subject);
    if (stream === undefined) return false;
    stream.more = true;
    // Read by the next `advance`, when the lane has scanned so far, and not before.
    if (stream.state === "caught up") toUnread(stream);
    return true;
  }

  /** Whether a retry is the next event of a subject that is blocked. */
  function isAhead({ subject, sequence }: Pick<LogEvent, "subject" | "sequence">): boolean {
    const stream = subject === null ? undefined : streams.get(subject);
    return stream?.head === sequence;
  }

  function take(): SubjectItem | undefined {
    for (const stream of readyOnes) {
      readyOnes.delete(stream);
      const item = stream.events.shift();
      if (item === undefined) continue;
      stream.head = item.event.sequence;
      stream.state = "in flight";
      return item;
    }
    return undefined;
  }

  /** A retry of the subject is under way. */
  function begin(subject: string): void {
    const stream = streams.get(subject);
    if (stream === undefined) return;
    // A read may not see what becomes of it: what that finds is not taken.
    unread.delete(stream);
    stream.state = "in flight";
  }

  /**
   * The outcome of a retry is written: a read before that found it to be a retry still, or is about to.
   * The subject is undefined when the event is gone.
   */
  function written(sequence: Sequence, subject: string | null | undefined): void {
    for (const stream of streams.values()) {
      if (subject !== undefined && stream.subject !== subject) continue;
      const isWaiting = stream.state === "waiting" && stream.head === sequence;
      if (isWaiting || stream.state === "reading") wantRead(stream);
    }
  }

  /** Lets go of what is over, and reads on behind it. */
  function drop(isOver: (sequence: Sequence) => boolean): void {
    for (const stream of streams.values()) {
      const { state, head } = stream;
      const holdsSome = stream.events.some(({ event }) => isOver(event.sequence));
      if (holdsSome) stream.events = [];
      const waitsForNone = state === "waiting" && head !== undefined && isOver(head);
      if (waitsForNone || state === "reading" || (state === "ready" && holdsSome)) {
        readyOnes.delete(stream);
        toUnread(stream);
      }
    }
    advance();
  }

  /** What `take` or a retry gave was not attempted. */
  function giveBack(item: SubjectItem, isRetry: boolean): void {
    const stream = streams.get(item.event.subject ?? "");
    if (stream === undefined) return;
    if (isRetry) {
      stream.state = "waiting";
      return;
    }
    stream.events.unshift(item);
    stream.state = "ready";
    readyOnes.add(stream);
  }

  /** The subject's event has failed again, or is over: then the subject has come so far (`moveTo`). */
  function settle({ event }: SubjectItem, failed: boolean): SubjectMove | undefined {
    const stream = streams.get(event.subject ?? "");
    if (stream === undefined) return undefined;
    if (failed) {
      stream.state = "waiting";
      return undefined;
    }
    const move = moveTo(stream.subject, event);
    stream.settled = move.settled;
    stream.head = undefined;
    if (stream.events.length > 0 && !paused) {
      stream.state = "ready";
      readyOnes.add(stream);
    } else {
      wantRead(stream);
    }
    return move;
  }

  function wantRead(stream: Stream): void {
    toUnread(stream);
    advance();
  }

  function toUnread(stream: Stream): void {
    stream.state = "unread";
    caughtUp.delete(stream);
    unread.add(stream);
  }

  function behind(): number {
    return streams.size - caughtUp.size;
  }

  /** Makes ready the next event of one subject, also while paused; false when there is none. */
  function hasten(): boolean {
    if (reads > 0 || readyOnes.size > 0 || failed.size > 0) return true;
    const [stream] = unread;
    if (stream === undefined) return false;
    unread.delete(stream);
    hastened = true;
    void readOn(stream);
    return true;
  }

  /** Reads what is wanted, and merges what may be. To be called when the lane has come further. */
  function advance(): void {
    if (closed || paused) return;
    for (const stream of caughtUp) {
      if (Math.max(stream.settled.sequence, known()) > low()) continue;
      caughtUp.delete(stream);
      streams.delete(stream.subject);
      merged({ subject: stream.subject, settled: null });
    }
    for (const stream of unread) {
      if (reads >= readsMax) return;
      unread.delete(stream);
      void readOn(stream);
    }
  }

  async function readOn(stream: Stream): Promise<void> {
    reads += 1;
    stream.state = "reading";
    stream.more = false;
    const reading = (stream.readings += 1);
    const isWanted = () => stream.state === "reading" && stream.readings === reading;
    try {
      const found = await read(stream.subject, stream.settled, scanned(), eventsMax);
      // The head's next attempt comes with the retries; what is behind it is read when it is over.
      const open = found.filter(({ isSettled }) => !isSettled);
      const retryAt = open.findIndex(({ isRetry }) => isRetry);
      const head = retryAt === 0 ? open[0]?.event.sequence : undefined;
      const events = (retryAt === -1 ? open : open.slice(0, retryAt)).map(({ event }) => event);
      const items = await match(events, stream.settled);
      const last = retryAt === -1 ? found.at(-1)?.event : events.at(-1);
      if (isWanted()) place(stream, { head, items, last });
    } catch (error) {
      log.warn({ err: error }, "events of a subject not read, trying again");
      if (isWanted()) {
        stream.state = "unread";
        failed.add(stream);
      }
      if (!closed) timer ??= setTimeout(readFailed, readPauseMs);
    }
    reads -= 1;
    advance();
    if (paused) ready();
  }

  function readFailed(): void {
    timer = undefined;
    for (const stream of failed) unread.add(stream);
    failed.clear();
    advance();
    if (paused) ready();
  }

  function place(
    stream: Stream,
    {
      head,
      items,
      last,
    }: { head: Sequence | undefined; items: SubjectItem[]; last?: LogEvent | undefined },
  ): void {
    stream.head = head;
    if (head !== undefined) {
      stream.state = "waiting";
      return;
    }
    // None of them is for the endpoint: there may be some behind.
    if (items.length === 0 && last !== undefined) {
      stream.settled = { ...stream.settled, sequence: last.sequence, day: last.day };
    }
    if (items.length > 0 && (!paused || hastened)) {
      hastened = false;
      stream.events = items;
      stream.state = "ready";
      readyOnes.add(stream);
      ready();
    } else if (items.length > 0 || last !== undefined || stream.more) {
      stream.state = "unread";
      unread.add(stream);
    } else {
      stream.state = "caught up";
      caughtUp.add(stream);
      // What waits for those that are behind may go on.
      ready();
    }
  }

  /** Lets go of what was read ahead. */
  function pause(): void {
    paused = true;
    hastened = false;
    for (const stream of streams.values()) {
      stream.events = [];
      if (stream.state !== "ready") continue;
      readyOnes.delete(stream);
      stream.state = "unread";
      unread.add(stream);
    }
  }

  function resume(): void {
    paused = false;
    advance();
  }

  function close(): void {
    closed = true;
    clearTimeout(timer);
  }
}
