/**
 * Reads pages where pushes are not enough: at the start, to catch up; for a hole, when it does not
 * close itself; while pushes stay away, by long poll; and when they come late, since a gateway that
 * finds a receiver in trouble sends slowly. While they come as they should it reads nothing.
 */
import { retryDelayMs } from "../backoff.ts";
import { ConnectionError, FeedGoneError, isTemporary, ProblemError } from "../errors.ts";
import { createBell } from "./bell.ts";
import { pageMaxEvents, type Engine } from "./engine.ts";
import type { OnError } from "./handling.ts";
import { pageUpTo, type Pages } from "./pages.ts";

export type Pump = {
  /** Polls from now on, until it is stopped. */
  start(): void;
  /** A push has come, of an event that happened at this time: pushes do not stay away. */
  pushed(happenedAt: number): void;
  /** Something is to be done, be it a hole to close: that is done whether or not it was started. */
  wake(): void;
  stop(): Promise<void>;
};

/** Proxies give up on silent responses after a minute, some after half of it. */
const pollWaitSeconds = 25;

const pollMinMs = 1_000;

/** So many times the usual pause between pushes, they are taken to stay away. */
const quietFactor = 4;
const quietMaxFactor = 12;

/** How much the last pause counts for the usual one. */
const gapShare = 0.2;

const backoff = { baseMs: 500, capMs: 30_000 };

/** What will not pass by itself: wrong keys, an expired cursor. Somebody has to do something. */
const refusedAfterMs = 30_000;

/** After a page that could not be taken whole, if nothing else says when. */
const standAfterMs = 1_000;

/** How long pushes may stay away before the feed is polled; `gapMs` is the usual pause. */
export function quietMs(gapMs: number, pollAfterMs: number): number {
  return Math.min(Math.max(pollAfterMs, quietFactor * gapMs), quietMaxFactor * pollAfterMs);
}

export function createPump(options: {
  /** Opens the inbox; asked again as long as it throws. */
  readonly engine: (signal: AbortSignal) => Promise<Engine>;
  readonly pages: Pages;
  readonly report: OnError;
  readonly pollAfterMs: number;
  readonly onExpired: "fail" | "skip";
}): Pump {
  const { pages, report, pollAfterMs, onExpired } = options;
  const bell = createBell();
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  let isWoken = false;
  let polls = false;
  /** There is more to read than what was read. */
  let isBehind = false;
  let lastPushAt = 0;
  /** When it was last read for the sake of a push that was late. */
  let lookedAt = 0;
  let gapMs = 0;
  let polling: AbortController | undefined;
  let failures = 0;
  let notBefore = 0;
  /** The cursor stands before the position, as after pushes that brought none. */
  let isCursorBehind = false;

  return {
    start() {
      polls = true;
      isBehind = true;
      run();
    },
    pushed(happenedAt) {
      const now = Date.now();
      const isLate = now - happenedAt > pollAfterMs;
      // A producer may tell old times of new events: then this is a request now and then for nothing.
      if (polls && isLate && now - lookedAt > pollAfterMs) {
        lookedAt = now;
        isBehind = true;
        run();
      }
      const pauseMs = Math.min(now - lastPushAt, quietMaxFactor * pollAfterMs);
      gapMs = lastPushAt === 0 ? 0 : gapMs + gapShare * (pauseMs - gapMs);
      lastPushAt = now;
      polling?.abort();
    },
    wake: run,
    async stop() {
      stopping.abort();
      await running;
    },
  };

  function run(): void {
    isWoken = true;
    bell.ring();
    if (!signal.aborted) running ??= work();
  }

  async function work(): Promise<void> {
    while (!signal.aborted) {
      isWoken = false;
      try {
        const engine = await options.engine(signal);
        const goesOn = await step(engine);
        // Nothing comes between the look and the end of this run.
        if (!goesOn && !isWoken) break;
      } catch (error) {
        if (!signal.aborted) await fail(error);
      }
    }
    running = undefined;
  }

  /** False when there is nothing to do until the next push. */
  async function step(engine: Engine): Promise<boolean> {
    const now = Date.now();
    await engine.tend(now);
    const holeAt = engine.holeAt(now);
    const pollAt = isBehind ? now : polls ? lastPushAt + quietMs(gapMs, pollAfterMs) : Infinity;
    const pullAt = Math.max(Math.min(holeAt, pollAt), notBefore, engine.readyAt());
    const nextAt = Math.min(pullAt, engine.tendAt());
    if (pullAt <= now) {
      if (isBehind) await pull(engine, "behind");
      else if (holeAt <= now) await pull(engine, "hole");
      else await pull(engine, "poll");
      return true;
    }
    if (nextAt === Infinity && !polls) return false;
    await bell.wait(nextAt - now, signal);
    return true;
  }

  async function pull(engine: Engine, why: "behind" | "hole" | "poll"): Promise<void> {
    const from = await engine.begin(why === "hole");
    // What was aborted meanwhile would not tell again.
    if (from === undefined || signal.aborted) return;
    const ended = new AbortController();
    const stop = () => ended.abort();
    // Pushes end a wait for what they bring anyway; what is known to be missing is read.
    if (why === "poll") polling = ended;
    const end = why === "hole" ? engine.holeEnd() : Infinity;
    const tendAt = why === "poll" ? engine.tendAt() : Infinity;
    const timer =
      tendAt < Infinity ? setTimeout(stop, Math.max(0, tendAt - Date.now())) : undefined;
    const startedAt = Date.now();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const page = await pages.read({
        cursor: from.cursor,
        // Sequences have no gaps: there are no more events in a hole than this.
        limit: isCursorBehind
          ? pageMaxEvents
          : Math.min(pageMaxEvents, Math.max(1, end - from.sequence)),
        waitSeconds: why === "poll" ? pollWaitSeconds : 0,
        signal: ended.signal,
      });
      failures = 0;
      isCursorBehind = page.hasMore && page.complete < from.sequence;
      polling = undefined;
      clearTimeout(timer);
      // Whoever answers without waiting is not asked all the time.
      if (why === "poll" && page.events.length === 0) notBefore = startedAt + pollMinMs;
      const isTaken = await engine.take(pageUpTo(page, end), from);
      if (!isTaken) notBefore = Date.now() + standAfterMs;
      if (why !== "hole") isBehind = page.hasMore || !isTaken;
    } catch (error) {
      if (!ended.signal.aborted) throw await skipped(engine, error);
    } finally {
      clearTimeout(timer);
      polling = undefined;
      signal.removeEventListener("abort", stop);
    }
  }

  /** The error, with the position moved on where that was asked for. */
  async function skipped(engine: Engine, error: unknown): Promise<unknown> {
    if (onExpired === "skip" && error instanceof FeedGoneError && error.slug === "cursor-expired") {
      await engine.skipTo(error.oldestCursor);
    }
    return error;
  }

  async function fail(error: unknown): Promise<void> {
    const isAnswer = error instanceof ProblemError || error instanceof ConnectionError;
    report(error, { during: isAnswer ? "pull" : "store" });
    const isSkipped =
      onExpired === "skip" && error instanceof FeedGoneError && error.slug === "cursor-expired";
    failures += 1;
    const asked = error instanceof ProblemError ? error.retryAfterMs : undefined;
    const isForGood = error instanceof ProblemError && !isTemporary(error) && !isSkipped;
    const delayMs = isForGood
      ? refusedAfterMs * (0.75 + Math.random() / 2)
      : retryDelayMs(failures, asked, Math.random(), backoff);
    notBefore = Date.now() + delayMs;
    // The engine may be what failed; with it the loop waits by itself.
    await bell.wait(delayMs, signal);
  }
}
