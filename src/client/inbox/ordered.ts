/**
 * Handles events in the order of their sequence, one at a time, over all processes that share the
 * store. A push whose turn has not come waits in memory for those before it, but no longer than the
 * gateway waits for its answer; then it is told to come again, and a page brings what is missing.
 * An event that `handle` refuses holds up all behind it until it is handled.
 */
import { backoffMs, pause } from "../backoff.ts";
import type { TidegateEvent } from "../event.ts";
import { handleBackoff, recordsKept, type Engine, type EngineTimes } from "./engine.ts";
import { furthest, isFurther, type Arrival, type Handling, type Verdict } from "./handling.ts";
import type { Page } from "./pages.ts";
import type { Push } from "./push.ts";
import type { Receipts } from "./receipts.ts";
import { contiguous, type InboxState, type InboxStore, type Position } from "./store.ts";

/** Pushes in memory; an endpoint has 50 in flight unless it is set otherwise. */
const waitingMax = 256;

/** What is missing may have been handled by another process: how soon the store is looked at. */
const lookFirstMs = 10;
const lookMaxMs = 250;

/** Between two sweeps of records that are not needed any more. */
const forgetEvery = 256;

type Waiting = { readonly push: Push; readonly answer: ((verdict: Verdict) => void)[] };

export function createOrdered(options: {
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
  /** As far as this process knows; the store may be further. */
  let { position } = options.state;
  const waiting = new Map<number, Waiting>();
  let isDraining = false;
  let isTaking = false;
  /** The highest sequence that was pushed: what is between is there, whoever waits for it. */
  let seen = position.sequence;
  let hole = { after: -1, since: 0 };
  let refused = { tries: 0, until: 0 };
  let look = { at: Infinity, afterMs: lookFirstMs };
  let sinceForgetting = 0;
  let isClosed = false;

  return {
    ...{ accept, begin, take, skipTo, holeAt, tend, close },
    sequence: () => position.sequence,
    holeEnd: () => first()?.push.previous ?? seen,
    readyAt: () => refused.until,
    tendAt: () => (isBusy() || !hasHole() ? Infinity : look.at),
  };

  async function accept(push: Push): Promise<Verdict> {
    const { event, sequence, previous, cursor, attempt } = push;
    if (sequence <= position.sequence) {
      const entry = { id: event.id, sequence, previous, cursor, as: "any" } as const;
      const { kind } = await handling.once(event, entry, { by: "push", attempt });
      return kind === "duplicate" || kind === "handled" ? kind : "failed";
    }
    const found = waiting.get(sequence);
    if (isClosed || (found === undefined && waiting.size >= waitingMax)) return "later";
    // Of two with one sequence and different ids, the second meets the record of the first.
    if (found !== undefined && found.push.event.id !== event.id) return "later";
    seen = Math.max(seen, sequence);
    const verdict = new Promise<Verdict>((resolve) => {
      if (found === undefined) waiting.set(sequence, { push, answer: [resolve] });
      else found.answer.push(resolve);
    });
    if (previous > position.sequence) {
      look = { ...look, at: Math.min(look.at, Date.now() + look.afterMs) };
    }
    void drain();
    wake();
    const answered = new AbortController();
    const tooLate = pause(times.answerWithinMs, answered.signal).then((): Verdict => {
      if (!answered.signal.aborted) letGo(sequence);
      return "later";
    });
    try {
      return await Promise.race([verdict, tooLate]);
    } finally {
      answered.abort();
    }
  }

  /** The one that has waited longest does no longer; nobody does, unless it came twice. */
  function letGo(sequence: number): void {
    const found = waiting.get(sequence);
    if (found === undefined) return;
    found.answer.shift();
    if (found.answer.length === 0) waiting.delete(sequence);
  }

  /** Handles what waits, as far as its turn has come. */
  async function drain(): Promise<void> {
    if (isBusy()) return;
    isDraining = true;
    try {
      for (let next = first(); next !== undefined && !isTaking; next = first()) {
        const { push } = next;
        if (push.sequence <= position.sequence) answer(next, "duplicate");
        else if (push.previous > position.sequence) break;
        else answer(next, await handle(push.event, push, { by: "push", attempt: push.attempt }));
      }
    } finally {
      isDraining = false;
    }
    if (hasHole()) wake();
  }

  function first(): Waiting | undefined {
    let lowest = Infinity;
    for (const sequence of waiting.keys()) lowest = Math.min(lowest, sequence);
    return waiting.get(lowest);
  }

  function answer(next: Waiting, verdict: Verdict): void {
    waiting.delete(next.push.sequence);
    // Of two pushes of one event the second is a repetition.
    next.answer.forEach((tell, index) =>
      tell(verdict === "handled" && index > 0 ? "duplicate" : verdict),
    );
  }

  async function handle(
    event: TidegateEvent,
    place: {
      sequence: number;
      previous: number;
      cursor: string | undefined;
      replay?: string | undefined;
    },
    arrival: Arrival,
  ): Promise<Verdict> {
    const { sequence, previous, cursor, replay } = place;
    const also = replay === undefined ? undefined : `${event.id}@${replay}`;
    const entry = { id: event.id, sequence, previous, cursor, as: "next", also } as const;
    const result = await handling.once(event, entry, arrival);
    switch (result.kind) {
      case "handled":
      case "duplicate":
        refused = { tries: 0, until: 0 };
        move(result.position, arrival.by === "pull");
        if ((sinceForgetting += 1) >= forgetEvery) await forget();
        return result.kind;
      case "hole":
        // The store was set back; what it says counts.
        ({ position } = result);
        return "later";
      case "conflict":
      case "failed": {
        const tries = refused.tries + 1;
        const delayMs = backoffMs(tries, 0.5 + Math.random() / 2, handleBackoff);
        refused = { tries, until: Date.now() + delayMs };
        return "failed";
      }
    }
  }

  function move(to: Position, pulled: boolean): void {
    const before = position.cursor;
    position = furthest(position, to);
    if (position.cursor !== undefined && position.cursor !== before) {
      receipts.through(position.sequence, position.cursor, pulled);
    }
  }

  async function forget(): Promise<void> {
    sinceForgetting = 0;
    await settle({ sequence: position.sequence, cursor: undefined });
  }

  async function settle(to: Position): Promise<void> {
    try {
      await store.settle(name, to, to.sequence - recordsKept);
    } catch (error) {
      // It only saves a later reader some work.
      handling.report(error, { during: "store" });
    }
  }

  async function begin(forHole: boolean): Promise<Position | undefined> {
    await catchUp();
    return forHole && !hasHole() ? undefined : position;
  }

  async function tend(now: number): Promise<void> {
    if (look.at > now || isBusy() || !hasHole()) return;
    const before = position.sequence;
    await catchUp();
    const afterMs = position.sequence > before ? lookFirstMs : look.afterMs * 2;
    look = { at: Infinity, afterMs: Math.min(afterMs, lookMaxMs) };
    if (hasHole()) look.at = Date.now() + look.afterMs;
  }

  /** With what other processes have done. */
  async function catchUp(): Promise<void> {
    const state = await store.open(name);
    if (state !== undefined) {
      // An inbox that was not ordered before has handled some of what follows.
      const { position: next } = contiguous(state);
      if (next.sequence > state.position.sequence) await settle(next);
      move(next, false);
    }
    await drain();
  }

  async function take(page: Page, from: Position): Promise<boolean> {
    isTaking = true;
    try {
      let previous = from.sequence;
      for (const [index, event] of page.events.entries()) {
        if (isClosed) return false;
        const sequence = Number(event.sequence);
        const cursor = index === page.events.length - 1 ? page.cursor : undefined;
        if (!(await takeWaiting(sequence))) return false;
        if (sequence > position.sequence) {
          const verdict = await handle(event, { sequence, previous, cursor }, { by: "pull" });
          if (verdict === "failed" || verdict === "later") return false;
        }
        previous = sequence;
      }
      const end = { sequence: Math.max(page.complete, from.sequence), cursor: page.cursor };
      if (!(await takeWaiting(end.sequence + 1))) return false;
      if (isFurther(end, position)) {
        await settle(end);
        move(end, page.events.length > 0);
      }
      // What is still missing is no new hole.
      hole = { after: position.sequence, since: hole.since };
      return true;
    } finally {
      isTaking = false;
      void drain();
    }
  }

  /** What was pushed and the page leaves out, because the feed has another filter, at its place. */
  async function takeWaiting(before: number): Promise<boolean> {
    for (let next = first(); next !== undefined; next = first()) {
      const { push } = next;
      if (push.sequence >= before) break;
      if (push.sequence <= position.sequence) {
        answer(next, "duplicate");
        continue;
      }
      const previous = Math.min(push.previous, position.sequence);
      const arrival = { by: "push", attempt: push.attempt } as const;
      const verdict = await handle(push.event, { ...push, previous }, arrival);
      answer(next, verdict);
      if (verdict === "failed" || verdict === "later") return false;
    }
    return true;
  }

  async function skipTo(cursor: string): Promise<void> {
    await store.settle(name, { sequence: position.sequence, cursor }, 0);
    position = { sequence: position.sequence, cursor };
  }

  function holeAt(now: number): number {
    if (isBusy() || !hasHole()) return Infinity;
    if (hole.after !== position.sequence) hole = { after: position.sequence, since: now };
    return hole.since + times.patienceMs;
  }

  function isBusy(): boolean {
    return isDraining || isTaking;
  }

  function hasHole(): boolean {
    const next = first();
    if (next === undefined) return seen > position.sequence;
    return next.push.previous > position.sequence;
  }

  function close(): void {
    isClosed = true;
    for (const next of [...waiting.values()]) answer(next, "later");
  }
}
