/**
 * The feed as it comes, in a form that a page can show however fast that is: the newest events, a
 * bounded number of them, told of a few times a second. It reads by the client library, which
 * resumes at its cursor after any break and polls where no stream gets through.
 */
import { createFeed, type FeedNotice } from "../../../../client/feed.ts";
import { ProblemError } from "../../../../client/errors.ts";
import type { Selection } from "../../../../client/page.ts";
import { ApiError } from "../../api.ts";
import { currentKey } from "../../session.ts";
import { rowOf, type EventRow } from "./row.ts";

export type LiveState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live"; readonly polls: boolean }
  | { readonly kind: "reconnecting"; readonly since: string; readonly why: string }
  /** For good. */
  | { readonly kind: "failed"; readonly error: Error };

export type LiveView = {
  readonly state: LiveState;
  /** The newest first. */
  readonly rows: readonly EventRow[];
  /** All that came since it began, shown or not. */
  readonly received: number;
  readonly since: string;
  /** What came since it was paused; undefined while it is not. */
  readonly held: number | undefined;
};

export type Live = {
  view(): LiveView;
  subscribe(listener: () => void): () => void;
  /** The list stands still; what comes is counted, and read on. */
  pause(): void;
  resume(): void;
  /** Reads until the signal ends it. */
  run(signal: AbortSignal): Promise<void>;
};

/** More rows than anybody scrolls through. */
export const rowsMax = 500;

/** Between two looks: nobody reads faster, and to lay out the list costs a frame or two. */
const lookMs = 200;

export function createLive(tenant: string, selection: Selection): Live {
  const listeners = new Set<() => void>();
  /** The newest last, and at most twice as many as are shown. */
  let kept: EventRow[] = [];
  let received = 0;
  let pausedAt: number | undefined;
  let state: LiveState = { kind: "connecting" };
  let isPolling = false;
  let isDue = false;
  let shown: LiveView = {
    ...{ state, rows: [], received, held: undefined },
    since: new Date().toISOString(),
  };

  return {
    view: () => shown,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    pause() {
      pausedAt ??= received;
      look();
    },
    resume() {
      pausedAt = undefined;
      look();
    },
    run,
  };

  async function run(signal: AbortSignal): Promise<void> {
    const feed = createFeed({
      ...selection,
      ...{ url: location.origin, key: currentKey() ?? "", tenant },
      ...{ from: "latest", signal, onNotice: note },
    });
    try {
      for await (const { events } of feed.pages()) {
        received += events.length;
        kept.push(...events.map(rowOf));
        if (kept.length > 2 * rowsMax) kept = kept.slice(-rowsMax);
        if (state.kind !== "live") change({ kind: "live", polls: isPolling });
        else lookSoon();
      }
    } catch (error) {
      if (!signal.aborted) change({ kind: "failed", error: errorOf(error) });
    }
  }

  function note(notice: FeedNotice): void {
    switch (notice.kind) {
      case "streaming":
      case "polling":
        isPolling = notice.kind === "polling";
        return change({ kind: "live", polls: isPolling });
      case "retrying": {
        const since = state.kind === "reconnecting" ? state.since : new Date().toISOString();
        const why = notice.error?.message ?? "the stream was cut";
        return change({ kind: "reconnecting", since, why });
      }
      case "filter-changed": // Each filter has a feed of its own.
    }
  }

  function change(next: LiveState): void {
    state = next;
    lookSoon();
  }

  function lookSoon(): void {
    if (isDue) return;
    isDue = true;
    // A tab that nobody sees gets no frame, and then nothing is laid out.
    setTimeout(requestAnimationFrame, lookMs, () => {
      isDue = false;
      look();
    });
  }

  function look(): void {
    const isPaused = pausedAt !== undefined;
    shown = {
      ...{ state, received, since: shown.since },
      rows: isPaused ? shown.rows : kept.slice(-rowsMax).toReversed(),
      held: pausedAt === undefined ? undefined : received - pausedAt,
    };
    for (const listener of listeners) listener();
  }
}

function errorOf(error: unknown): Error {
  if (error instanceof ProblemError) {
    const { status, type, title, detail } = error;
    return new ApiError(status, { type, title, ...(detail !== undefined && { detail }) });
  }
  return error instanceof Error ? error : new Error(String(error));
}
