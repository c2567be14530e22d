/** What became of one statement of a group commit, for whoever logs, counts or traces it. */
import type { Group } from "./queue.ts";

export type AppendReport = {
  /** What was sent, each entry with its event. */
  readonly group: Group;
  /**
   * `answered`: the statement did its work, and `outcomes` tells what it made of each. The others are
   * what all of the group was answered with, see `AppendResult`.
   */
  readonly outcome: "answered" | "refused" | "unavailable" | "in-doubt" | "failed";
  readonly outcomes: { readonly appended: number; readonly deferred: number };
  /** When it was sent, by `performance.now()`. */
  readonly at: number;
  /** From when it was sent; with a look-up, until that told. */
  readonly durationMs: number;
  /** How often its events were left out before, since somebody else held their logs. */
  readonly tries: number;
  readonly error: unknown;
};

/** Runs between the commit and the answers: it does not wait, and what it throws is logged. */
export type ObserveAppend = (report: AppendReport) => void;
