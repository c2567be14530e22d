/**
 * Handles each push at once, whatever is missing before it, and closes holes beside that. The
 * position moves over what is handled without a hole; what is handled above it is known by its
 * record. An event that `handle` refuses is tried again, by itself, and holds up only the position.
 */
import { backoffMs } from "../backoff.ts";
import type { TidegateEvent } from "../event.ts";
import { handleBackoff, recordsKept, type Engine, type EngineTimes } from "./engine.ts";
import { isFurther, type Handling, type Verdict } from "./handling.ts";
import type { Page } from "./pages.ts";
import type { Push } from "./push.ts";
import type { Receipts } from "./receipts.ts";
import {
  contiguous,
  recordsShown,
  type HandledEvent,
  type InboxState,
  type InboxStore,
  type Position,
} from "./store.ts";

/** Records above the position are bounded by this: what is further ahead must come again. */
const aheadMax = 100_000;

/** Events out of pages that wait for another try; beyond it no page is read. */
const owedMax = 1_000;

/** The position is moved for many events at once. */
const sweepEveryMs = 250;

type Owed = {
  readonly event: TidegateEvent;
  readonly record: HandledEvent;
  tries: number;
  dueAt: number;
};

export function createUnordered(options: {
  readonly state: InboxState;
  readonly store: Pick<InboxStore, "open" | "settle">;
  readonly handling: Handling;
  readonly receipts: Receipts;
  /** Tells that there is something to read, or to tend to. */
  readonly wake: () => void;
  readonly times: EngineTimes;
}): Engine {
  const { store, handling, receipts, wake, times } = options;
  const { name } = handling;
  let { position } = options.state;
  const owed = new Map<string, Owed>();
  /** Read up to here; the position stays behind while an event is owed. */
  let scanned = position;
  let sweepAt = Infinity;
  /** The highest sequence that was too far ahead. */
  let refused = 0;
  /** Since when there has been a hole after `scanned`. */
  let hole: { after: number; since: number; end: number } | undefined;
  /** Something was pulled since the last receipt. */
  let pulled = false;
  let isClosed = false;

  return {
    ...{ accept, begin, take, skipTo, tend, tendAt },
    sequence: () => position.sequence,
    holeAt: () => (hole === undefined ? Infinity : hole.since + times.patienceMs),
    holeEnd: () => hole?.end ?? scanned.sequence,
    readyAt: () => (owed.size >= owedMax ? Infinity : 0),
    close() {
      isClosed = true;
    },
  };

  async function accept(push: Push): Promise<Verdict> {
    const { event, sequence, previous, cursor, attempt, replay } = push;
    if (sequence > position.sequence + aheadMax && previous > position.sequence) {
      refused = Math.max(refused, sequence);
      noteHole(refused);
      wake();
      return "later";
    }
    const also = replay === undefined ? undefined : `${event.id}@${replay}`;
    const entry = { id: event.id, sequence, previous, cursor, as: "any", also } as const;
    const { kind } = await handling.once(event, entry, { by: "push", attempt });
    if (kind === "failed" || kind === "conflict" || kind === "hole") {
      // It comes again; if not, it is a hole as soon as a later one is handled.
      return "failed";
    }
    if (kind === "handled") {
      sweepAt = Math.min(sweepAt, Date.now() + sweepEveryMs);
      wake();
    }
    return kind;
  }

  function noteHole(end: number): void {
    const isKnown = hole?.after === scanned.sequence;
    hole = { after: scanned.sequence, since: (isKnown && hole?.since) || Date.now(), end };
  }

  /** Moves the position as far as what is handled goes. */
  async function sweep(): Promise<void> {
    sweepAt = Infinity;
    const state = await store.open(name);
    if (state === undefined) return;
    const { position: next, missing } = contiguous(state);
    if (next.sequence > state.position.sequence) {
      await store.settle(name, next, next.sequence - recordsKept);
    }
    moveTo(next);
    const ahead = contiguous({ position: scanned, handled: state.handled });
    scanned = ahead.position;
    const end = ahead.missing ?? refused;
    if (end <= scanned.sequence) hole = undefined;
    else noteHole(end);
    const shownAll = state.handled.length < recordsShown;
    if (!shownAll && missing === undefined) sweepAt = 0;
  }

  function moveTo(next: Position): void {
    if (next.sequence < position.sequence) return;
    const hasMoved = next.cursor !== undefined && next.cursor !== position.cursor;
    position = { sequence: next.sequence, cursor: next.cursor ?? position.cursor };
    if (owed.size === 0 || scanned.sequence < position.sequence) scanned = position;
    if (!hasMoved || position.cursor === undefined) return;
    receipts.through(position.sequence, position.cursor, pulled);
    pulled = false;
  }

  async function begin(forHole: boolean): Promise<Position | undefined> {
    await sweep();
    return forHole && hole === undefined ? undefined : scanned;
  }

  async function take(page: Page, from: Position): Promise<boolean> {
    let previous = from.sequence;
    for (const [index, event] of page.events.entries()) {
      if (isClosed) return false;
      const sequence = Number(event.sequence);
      const cursor = index === page.events.length - 1 ? page.cursor : undefined;
      const record = { id: event.id, sequence, previous, cursor };
      previous = sequence;
      if (sequence <= position.sequence) continue;
      const isDone = await handle({ event, record, tries: 0, dueAt: 0 });
      if (isDone === "conflict") return false;
    }
    scanned = {
      sequence: Math.max(page.complete, from.sequence),
      cursor: page.cursor ?? from.cursor,
    };
    const before = hole;
    if (!page.hasMore) refused = 0;
    await sweep();
    // What is still missing is no new hole.
    if (hole !== undefined && before !== undefined) hole = { ...hole, since: before.since };
    await settleAt(scanned, page.events.at(-1));
    return true;
  }

  /** The page's own end is further than its last event, unless something before it is open. */
  async function settleAt(end: Position, last: TidegateEvent | undefined): Promise<void> {
    const isBehind = owed.size > 0 || position.sequence < Number(last?.sequence ?? 0);
    if (isBehind || !isFurther(end, position)) return;
    await store.settle(name, end, end.sequence - recordsKept);
    moveTo(end);
  }

  async function handle(one: Owed): Promise<"done" | "owed" | "conflict"> {
    const { event, record } = one;
    const { kind } = await handling.once(event, { ...record, as: "any" }, { by: "pull" });
    if (kind === "conflict") return "conflict";
    if (kind === "failed") {
      one.tries += 1;
      one.dueAt = Date.now() + backoffMs(one.tries, 0.5 + Math.random() / 2, handleBackoff);
      owed.set(event.id, one);
      return "owed";
    }
    owed.delete(event.id);
    pulled = true;
    if (kind === "handled") receipts.handled(event.id, record.sequence);
    return "done";
  }

  async function tend(now: number): Promise<void> {
    for (const one of [...owed.values()]) {
      if (isClosed) return;
      if (one.dueAt > now) continue;
      if ((await handle(one)) === "done") sweepAt = 0;
    }
    if (sweepAt <= now) await sweep();
  }

  function tendAt(): number {
    let at = sweepAt;
    for (const { dueAt } of owed.values()) at = Math.min(at, dueAt);
    return at;
  }

  async function skipTo(cursor: string): Promise<void> {
    await store.settle(name, { sequence: position.sequence, cursor }, 0);
    position = { sequence: position.sequence, cursor };
    scanned = { sequence: Math.max(scanned.sequence, position.sequence), cursor };
  }
}
