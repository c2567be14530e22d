/**
 * What a lane has read ahead of the log: enough to keep its window busy while the next is read, and
 * no more than its window can use soon. All of it can be let go of at any moment; then it is read
 * again.
 */
import type { Feed } from "../feed/feed.ts";
import { scan } from "../feed/scan.ts";
import type { LogEvent, Position, Sequence } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { BufferBudget } from "./budget.ts";
import type { Endpoint } from "./endpoints.ts";
import type { Window } from "./window.ts";

/** An event that matches, and the one before it that did. */
export type Item = {
  readonly event: LogEvent;
  readonly previous: Sequence;
  /** When it could have been sent, by `performance.now()`. */
  readonly readyAt: number;
};

/** Whatever the window. With ordering by subject some of it waits for others. */
const bufferMaxEvents = 1_000;
const bufferMaxBytes = 1 << 20;

/** Pause after a read that failed. */
const readPauseMs = 500;

/** Settled behind one that hangs. Beyond it the lane waits, as its retries and its memory grow. */
const windowMaxEvents = 10_000;

export function createReadAhead(options: {
  endpoint: Endpoint;
  feed: Feed;
  window: Window;
  budget: BufferBudget;
  log: Logger;
  /** How many events are wanted; 0 while nothing may be sent. */
  wanted: () => number;
  /** Asked before `isKnown` is, of events above a position and up to another. */
  cover: (after: Position, through: Sequence) => Promise<void> | undefined;
  /** Whether an event that matches is accounted for elsewhere. */
  isKnown: (event: LogEvent) => boolean;
  /** There is something to take. */
  ready: () => void;
  /** The window has moved on, maybe over events that do not match. */
  moved: () => void;
}) {
  const { endpoint, feed, window, budget, log, wanted, cover, isKnown, ready, moved } = options;
  const { tenant } = endpoint;
  const self = { drop };
  let items: Item[] = [];
  let bytes = 0;
  let grown = true;
  let filling = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  /** Changes when something was dropped: what is being read then is out of place. */
  let epoch = 0;

  return {
    wake,
    fill,
    take,
    takeAny,
    giveBack,
    remove,
    drop,
    skipTo,
    size: () => items.length,
    first,
    /** There may be more in the log than was read. */
    hasMore: () => grown,
    /** All there is was taken. */
    isIdle: () => items.length === 0 && !grown && !filling,
    close,
  };

  /** The log may have grown. */
  function wake(): void {
    grown = true;
    fill();
  }

  /** The first of those that may go now, which stays. */
  function first(mayGo?: (event: LogEvent) => boolean): LogEvent | undefined {
    return (mayGo === undefined ? items[0] : items.find(({ event }) => mayGo(event)))?.event;
  }

  /** The first of those that may go now. */
  function take(mayGo?: (event: LogEvent) => boolean): Item | undefined {
    return takeAt(mayGo === undefined ? 0 : items.findIndex(({ event }) => mayGo(event)));
  }

  /** Any of those that may go now; `chance` from 0 to below 1 decides. */
  function takeAny(mayGo: (event: LogEvent) => boolean, chance: number): Item | undefined {
    const indexes = items.flatMap(({ event }, index) => (mayGo(event) ? [index] : []));
    return takeAt(indexes[Math.floor(chance * indexes.length)] ?? -1);
  }

  function takeAt(index: number): Item | undefined {
    const item = index > 0 ? items.splice(index, 1)[0] : index === 0 ? items.shift() : undefined;
    if (item !== undefined) weigh(-item.event.envelope.length);
    budget.touch(self);
    if (items.length <= wanted() / 2) fill();
    return item;
  }

  /** To its place in the order of the log. */
  function giveBack(item: Item): void {
    // What lies before it was let go of meanwhile: it is read again, behind that.
    if (item.event.sequence > window.scanned().sequence) return window.forget(item.event.sequence);
    const index = items.findIndex(({ event }) => event.sequence > item.event.sequence);
    items.splice(index === -1 ? items.length : index, 0, item);
    weigh(item.event.envelope.length);
  }

  /** Takes out what somebody else delivers, or nobody has to any more. */
  function remove(isGone: (event: LogEvent) => boolean): void {
    const [gone, left] = [[] as Item[], [] as Item[]];
    for (const item of items) (isGone(item.event) ? gone : left).push(item);
    items = left;
    for (const { event } of gone) {
      weigh(-event.envelope.length);
      window.settle(event.sequence);
    }
  }

  function drop(): void {
    epoch += 1;
    if (items.length === 0) return;
    window.moveBack(items);
    items = [];
    weigh(-bytes);
    grown = true;
  }

  /** Goes on behind a position, up to which nothing is to be sent any more. */
  function skipTo(position: Position, lastMatched: Sequence): void {
    drop();
    window.skipTo(position, lastMatched);
    wake();
  }

  function close(): void {
    closed = true;
    clearTimeout(timer);
    items = [];
    weigh(-bytes);
  }

  function weigh(difference: number): void {
    bytes += difference;
    budget.change(self, difference);
  }

  /** Reads on until there is enough or the head is reached. One run at a time. */
  function fill(): void {
    if (!filling && mayRead()) void readWhileWanted();
  }

  async function readWhileWanted(): Promise<void> {
    filling = true;
    try {
      while (mayRead()) await readOn();
    } catch (error) {
      log.warn({ err: error }, "lane cannot read the log, trying again");
      clearTimeout(timer);
      if (!closed) timer = setTimeout(wake, readPauseMs);
    } finally {
      filling = false;
    }
  }

  function mayRead(): boolean {
    if (!grown || closed || window.size() >= windowMaxEvents) return false;
    return items.length < target() && bytes < bufferMaxBytes;
  }

  function target(): number {
    return Math.min(wanted(), bufferMaxEvents);
  }

  async function readOn(): Promise<void> {
    grown = false;
    const readEpoch = epoch;
    const after = window.scanned();
    const found = await scan(feed.read.bind(undefined, tenant), after, {
      filter: endpoint.filter,
      limit: target() - items.length,
      maxBytes: bufferMaxBytes - bytes,
    });
    if (found.kind === "events") await cover(after, found.position.sequence);
    if (closed) return;
    if (epoch !== readEpoch) {
      grown = true;
      return;
    }
    switch (found.kind) {
      case "events":
        if (!found.atHead) grown = true;
        for (const event of found.events) add(event);
        window.moveTo(found.position);
        moved();
        if (items.length > 0) ready();
        return;
      case "expired":
        log.error({ lost: found.lost }, "retention overtook the endpoint");
        window.moveTo(found.floor);
        grown = true;
        return;
      case "ahead":
      case "reset":
        log.error({ ...window.scanned() }, "the log ends before the endpoint's position");
        return;
    }
  }

  function add(event: LogEvent): void {
    if (isKnown(event)) return void window.skip(event);
    const { previous, isNew } = window.add(event);
    if (!isNew) return;
    items.push({ event, previous, readyAt: performance.now() });
    weigh(event.envelope.length);
  }
}
