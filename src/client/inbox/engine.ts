/** What the two orders of an inbox have in common for whoever brings them pushes and pages. */
import type { Verdict } from "./handling.ts";
import type { Page } from "./pages.ts";
import type { Push } from "./push.ts";
import type { Position } from "./store.ts";

export type Engine = {
  /** Where it stands, as far as this process knows. */
  sequence(): number;
  /** Handles a push, or tells that it must come again. */
  accept(push: Push): Promise<Verdict>;
  /**
   * Where the next page begins, after a look at what other processes have done; undefined when it
   * was wanted for a hole and there is none any more.
   */
  begin(forHole: boolean): Promise<Position | undefined>;
  /** Handles a page that was read from there. False: not all of it; it stays where it is. */
  take(page: Page, from: Position): Promise<boolean>;
  /** What lies before this cursor is lost; goes on there. */
  skipTo(cursor: string): Promise<void>;
  /** The moment from which a hole should be closed by a page; Infinity without one. */
  holeAt(now: number): number;
  /** No page can be taken before this moment. */
  readyAt(): number;
  /** The sequence up to which something may be missing. */
  holeEnd(): number;
  /** Work of its own that is due, and when it is due next. */
  tend(now: number): Promise<void>;
  tendAt(): number;
  /** Lets go of what waits. */
  close(): void;
};

export type EngineTimes = {
  /** How long a hole may close itself: pushes that are sent at once do not come in order. */
  readonly patienceMs: number;
  /** Before this the gateway must have its answer. */
  readonly answerWithinMs: number;
};

/** The most events that a page is asked for. */
export const pageMaxEvents = 200;

/** Records kept below the position, to notice that a log was replaced. */
export const recordsKept = 1_000;

/** Of an event that could not be handled: no faster than a push would come again. */
export const handleBackoff = { baseMs: 1_000, capMs: 60_000 };
