/**
 * Serves the streams that are behind: one page each in turn, from the tail or the log, until they
 * have come to the end of the log and join their channel. Only a few are read for at a time, so
 * that ten thousand clients that come back at once neither fill the memory nor keep the database
 * from others.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Feed } from "../feed/feed.ts";
import { markOf, type Refused } from "../feed/marks.ts";
import { scan, type Scan } from "../feed/scan.ts";
import type { LogEvent } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Blocks } from "./shared-blocks.ts";
import { isReady, send, type Stream } from "./stream.ts";

/** Pages read at a time, of a pool of about ten connections. */
const readersMax = 4;

/** As much as a connection takes before it asks to stop, so this is what a slow one can hold. */
export const pageBounds = { limit: 100, maxBytes: 64 << 10 };

/**
 * Pages in one statement, for a connection that has taken all so far: it doubles with each and is
 * one again when the connection stops. Of what it did not take, nothing is kept.
 */
const pagesMax = 8;

/** Pages out of the tail do not wait for anything: others get a turn after so long. */
const turnMaxMs = 8;

export function createCatchUp(options: {
  feed: Feed;
  blocks: Blocks;
  logger: Logger;
  /** Takes a stream that has come to the end; `wakes` of its channel from before the read. */
  join: (stream: Stream, wakes: number) => void;
  refuse: (stream: Stream, refused: Refused) => void;
}) {
  const { feed, blocks, logger, join, refuse } = options;
  const behind = new Set<Stream>();
  const failed = new Set<Stream>();
  let readers = 0;

  return { add, drop, advance, retry };

  function add(stream: Stream): void {
    behind.add(stream);
    if (readers < readersMax) void readForAll();
  }

  function drop(stream: Stream): void {
    behind.delete(stream);
    failed.delete(stream);
  }

  /** Tries again what the database could not answer. */
  function retry(): void {
    const again = [...failed];
    failed.clear();
    for (const stream of again) add(stream);
  }

  async function readForAll(): Promise<void> {
    readers += 1;
    await nextTurn();
    let turnEnd = performance.now() + turnMaxMs;
    for (const stream of behind) {
      behind.delete(stream);
      await readFor(stream);
      if (performance.now() < turnEnd) continue;
      await nextTurn();
      turnEnd = performance.now() + turnMaxMs;
    }
    readers -= 1;
  }

  async function readFor(stream: Stream): Promise<void> {
    const { tenant, filter, wakes } = stream.channel;
    const from = stream.mark;
    try {
      const read = feed.read.bind(undefined, tenant.id);
      const limit = pageBounds.limit * stream.pages;
      const maxBytes = pageBounds.maxBytes * stream.pages;
      const found = await scan(read, from, { filter, limit, maxBytes });
      // Blocked by a sign of life and drained again meanwhile, it may have been read for twice.
      if (isReady(stream) && stream.mark === from) advance(stream, found, wakes);
    } catch (error) {
      logger.warn({ err: error, tenant: tenant.name }, "a stream waits for the log");
      failed.add(stream);
    }
  }

  /** Gives a stream what was found for it, and finds out how it goes on. */
  function advance(stream: Stream, found: Scan, wakes: number): void {
    if (found.kind !== "events") return refuse(stream, found);
    const { events, last, atHead } = found;
    stream.pages = Math.min(stream.pages * 2, pagesMax);
    for (let given = 0; given < events.length;) {
      if (!isReady(stream)) return void (stream.pages = 1);
      const page = pageOf(events, given);
      give(stream, page);
      given += page.length;
    }
    if (last !== undefined) stream.mark = markOf(last);
    if (!isReady(stream)) stream.pages = 1;
    else if (atHead) join(stream, wakes);
    else add(stream);
  }

  function give(stream: Stream, page: readonly LogEvent[]): void {
    const told = page.at(-1);
    if (told === undefined) return;
    stream.mark = markOf(told);
    stream.told = told.sequence;
    stream.events += page.length;
    send(stream, blocks.ofEvents(stream.channel, page));
  }
}

/** What goes out in one piece, from the first that was not given yet. */
function pageOf(events: readonly LogEvent[], first: number): readonly LogEvent[] {
  const endMax = Math.min(first + pageBounds.limit, events.length);
  let end = first;
  for (let left = pageBounds.maxBytes; end < endMax && left > 0; end += 1) {
    left -= events[end]?.envelope.length ?? 0;
  }
  return end - first === events.length ? events : events.slice(first, end);
}
