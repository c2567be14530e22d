/**
 * Reads a tenant's feed from where the consumer stands, for as long as it wants: every event that
 * matches, once and in order, as long as its cursor is kept. It catches up by pages, then takes the
 * stream, and polls where no stream gets through; after any break it goes on from its cursor.
 *
 * Nothing is read ahead of the consumer but one page or one piece of a stream. An event counts as
 * consumed when the next one is asked for; what was given out before a crash and not yet saved
 * comes again.
 */
import { pause, retryDelayMs } from "./backoff.ts";
import { createConnection, type ConnectionOptions } from "./connection.ts";
import { type ConnectionError, FeedGoneError, isTemporary, ProblemError } from "./errors.ts";
import type { TidegateEvent } from "./event.ts";
import { readStream, type StreamEnd } from "./feed-stream.ts";
import { readPage, selectionQuery, type Batch, type Selection } from "./page.ts";
import { createSaving, type CursorStore, type Saving } from "./saving.ts";
import { createTransport, worthwhileMs, type Transport } from "./transport.ts";

export type FeedOptions = ConnectionOptions &
  Selection & {
    /** Where to begin without a cursor in the store; `earliest` unless given. */
    readonly from?: "earliest" | "latest" | Date | undefined;
    /** A cursor to begin with, before what the store has. */
    readonly cursor?: string | undefined;
    readonly store?: CursorStore | undefined;
    /** What to do when events were lost to retention, or the feed was restored: see `onSkip`. */
    readonly onExpired?: "fail" | "skip" | undefined;
    /** With `onExpired: "skip"`, when it goes on from the oldest event that there is. */
    readonly onSkip?: ((skip: FeedSkip) => void) | undefined;
    /** Ends the reading, without an error. */
    readonly signal?: AbortSignal | undefined;
    readonly transport?: Transport | undefined;
    /** Events of a page, 200 unless given: what one without a cursor of its own may repeat. */
    readonly pageSize?: number | undefined;
    /** Told what a person may want to know and no consumer has to act on. */
    readonly onNotice?: ((notice: FeedNotice) => void) | undefined;
    /** For networks that are unlike others. */
    readonly times?: Partial<FeedTimes> | undefined;
  };

export type FeedSkip = {
  readonly reason: "cursor-expired" | "cursor-ahead" | "feed-reset" | (string & {});
  /** Events of the tenant, matching or not; undefined where nobody can know. */
  readonly lost: number | undefined;
  /** Where it goes on. */
  readonly cursor: string;
  readonly problem: FeedGoneError;
};

export type FeedNotice =
  | { readonly kind: "streaming" }
  | { readonly kind: "polling"; readonly reason: string }
  | {
      readonly kind: "retrying";
      readonly error: ProblemError | ConnectionError | undefined;
      readonly delayMs: number;
    }
  /** The cursor was made for another filter; it goes on at the same place with this one. */
  | { readonly kind: "filter-changed" };

/** An event with the cursor that continues right after it; inside a page there is none. */
export type FeedItem<Data = unknown> = {
  readonly event: TidegateEvent<Data>;
  readonly cursor: string | undefined;
};

/** Events that came together, maybe none, and the cursor that continues after them. */
export type FeedPage<Data = unknown> = {
  readonly events: readonly TidegateEvent<Data>[];
  readonly cursor: string;
};

/** One reader at a time; a later one goes on where the one before it stopped. */
export type Feed<Data = unknown> = AsyncIterable<FeedItem<Data>> & {
  /** For who keeps the cursor together with what the events do, in one transaction. */
  pages(): AsyncIterableIterator<FeedPage<Data>>;
  /** After all that was consumed; undefined at the beginning. */
  cursor(): string | undefined;
};

export type FeedTimes = {
  /** For a stream's first sign of life. */
  readonly firstBytesMs: number;
  /** Of a stream. */
  readonly silenceMs: number;
  /** Of a long poll. */
  readonly waitSeconds: number;
  /** Until the stream is tried again. */
  readonly pollMs: number;
};

const defaultTimes: FeedTimes = {
  firstBytesMs: 10_000,
  silenceMs: 45_000,
  // Some proxies give up on an answer after 30 s.
  waitSeconds: 25,
  pollMs: 5 * 60_000,
};

/** Large enough for the gateway to read it in one go. */
const defaultPageSize = 200;

export function createFeed<Data = unknown>(options: FeedOptions): Feed<Data> {
  const { store, signal, pageSize = defaultPageSize, onNotice } = options;
  const times = { ...defaultTimes, ...options.times };
  const connection = createConnection(options);
  const selection = selectionQuery(options);
  const transport = createTransport(options.transport ?? "auto", times.pollMs);
  /** After all that was consumed. */
  let consumed = options.cursor;
  let hasLoaded = consumed !== undefined;
  let isRead = false;

  return { [Symbol.asyncIterator]: items, pages, cursor: () => consumed };

  async function* items(): AsyncGenerator<FeedItem<Data>, void> {
    yield* reading(async function* (saving) {
      for await (const batch of follow()) {
        for (const item of batch.items) {
          yield item as FeedItem<Data>;
          if (item.cursor !== undefined) await move(item.cursor, saving);
          if (signal?.aborted === true) return;
        }
        if (consumed !== batch.cursor) await move(batch.cursor, saving);
      }
    });
  }

  async function* pages(): AsyncGenerator<FeedPage<Data>, void> {
    yield* reading(async function* (saving) {
      for await (const batch of follow()) {
        const events = batch.items.map(({ event }) => event as TidegateEvent<Data>);
        yield { events, cursor: batch.cursor };
        await move(batch.cursor, saving);
      }
    });
  }

  /** Where saving begins and ends, whatever ends the reading. */
  async function* reading<Value>(read: (saving: Saving) => AsyncGenerator<Value, void>) {
    if (isRead) throw new Error("this feed is being read: make another one for a second reader");
    isRead = true;
    const saving = createSaving(store);
    try {
      if (!hasLoaded) consumed = await store?.load();
      hasLoaded = true;
      yield* read(saving);
    } finally {
      isRead = false;
      await saving.finish();
    }
  }

  async function move(cursor: string, saving: Saving): Promise<void> {
    consumed = cursor;
    await saving.consumed(cursor);
  }

  /** What is after the position, in order, until the signal ends it. */
  async function* follow(): AsyncGenerator<Batch, void> {
    /** After all that was given out. */
    let position = consumed;
    let rebases = false;
    /** In a row, since a page came. */
    let failures = 0;
    /** In a row, since a stream was worth having. */
    let streamFailures = 0;
    /** The last page was the last there is. */
    let isAtHead = false;
    /** When the gateway wants those back whose stream it has ended. */
    let streamFromMs = 0;

    while (signal?.aborted !== true) {
      const now = Date.now();
      const streams = isAtHead && now >= streamFromMs && transport.wantsStream(now);
      const delayMs = yield* streams ? stream() : poll();
      if (delayMs > 0) await pause(delayMs, signal);
    }

    /** One page. Gives the pause before going on. */
    async function* poll(): AsyncGenerator<Batch, number> {
      // Until the next stream may begin, what comes is not to wait for it.
      const leftSeconds = Math.ceil((streamFromMs - Date.now()) / 1_000);
      const longest = leftSeconds > 0 ? leftSeconds : times.waitSeconds;
      const waitSeconds = isAtHead ? Math.min(longest, times.waitSeconds) : 0;
      let page;
      try {
        page = await readPage(connection, query(), { limit: pageSize, waitSeconds, signal });
      } catch (error) {
        if (signal?.aborted === true) return 0;
        isAtHead = false;
        if (!isTemporary(error)) return recover(error);
        failures += 1;
        return retryIn(failures, error);
      }
      failures = 0;
      rebases = false;
      isAtHead = !page.hasMore;
      position = page.cursor;
      yield page;
      return 0;
    }

    /** One stream. Gives the pause before going on. */
    async function* stream(): AsyncGenerator<Batch, number> {
      const batches = readStream(connection, query(), {
        ...times,
        signal: signal ?? new AbortController().signal,
        onOpen: () => onNotice?.({ kind: "streaming" }),
      });
      try {
        for (;;) {
          const { done, value } = await batches.next();
          if (done === true) return signal?.aborted === true ? 0 : settle(value);
          position = value.cursor;
          yield value;
        }
      } finally {
        // The consumer may want no more.
        await batches.return(undefined as never);
      }
    }

    function query() {
      return {
        ...selection,
        ...(position === undefined ? { from: fromText(options.from) } : { cursor: position }),
        ...(rebases && { rebase: "true" }),
      };
    }

    /** Decides what comes after a stream: throws what is final. */
    function settle(end: StreamEnd): number {
      const { kind, error, retryMs, livedMs } = end;
      // What was missed meanwhile comes by a page, which also tells whether the gateway is there.
      if (kind !== "ended") isAtHead = false;
      if (error !== undefined && kind === "refused" && !isTemporary(error)) return recover(error);
      const polls = transport.note(end, Date.now());
      if (polls !== undefined) {
        onNotice?.({ kind: "polling", reason: polls });
        return 0;
      }
      if (livedMs >= worthwhileMs) streamFailures = 0;
      // As it should be; the gateway spreads those who come back by what it tells them to wait.
      if (kind === "ended" && retryMs !== undefined) {
        streamFromMs = Date.now() + Math.random() * retryMs;
        return 0;
      }
      streamFailures += 1;
      return retryIn(streamFailures, error);
    }

    function retryIn(times: number, error: ProblemError | ConnectionError | undefined): number {
      const asked = error instanceof ProblemError ? error.retryAfterMs : undefined;
      const delayMs = retryDelayMs(times, asked, Math.random());
      onNotice?.({ kind: "retrying", error, delayMs });
      return delayMs;
    }

    /** What only the consumer can decide, and has decided; throws all else. */
    function recover(error: unknown): number {
      if (error instanceof FeedGoneError && options.onExpired === "skip") {
        const { slug: reason, lost, oldestCursor: cursor } = error;
        position = cursor;
        options.onSkip?.({ reason, lost, cursor, problem: error });
      } else if (isFilterMismatch(error) && !rebases) {
        rebases = true;
        onNotice?.({ kind: "filter-changed" });
      } else {
        throw error;
      }
      // At once, unless it happens again and again.
      failures += 1;
      return failures === 1 ? 0 : retryDelayMs(failures, undefined, Math.random());
    }
  }
}

function isFilterMismatch(error: unknown): boolean {
  return error instanceof ProblemError && error.slug === "cursor-filter-mismatch";
}

function fromText(from: FeedOptions["from"]): string | undefined {
  return from instanceof Date ? from.toISOString() : from;
}
