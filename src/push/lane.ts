/**
 * One endpoint that has something to do: a cursor over its tenant's log, with a bounded window of
 * deliveries that are not settled yet. The log is the queue; a lane holds a few events of it.
 *
 *     scanned ──► fresh (buffered) ──► in flight ──► settled
 *                                          └─ failed ──► due again later (`retries`) ──► in flight
 *
 * The position that is written is the low-water mark: everything up to it is settled, which
 * includes failed deliveries, since those are in `retries` by then. A lane starts nothing itself:
 * it tells the scheduler that it is ready and is asked for deliveries one at a time.
 */
import type { DeliveryRecord, Fence, Ledger } from "../deliveries/ledger.ts";
import type { Feed } from "../feed/feed.ts";
import { scan } from "../feed/scan.ts";
import type { LogEvent, Sequence } from "../log/event.ts";
import type { Logger } from "../telemetry.ts";
import type { Endpoint } from "./endpoints.ts";
import { createRetryQueue, type DueRetry, type LoadRetries, type Retry } from "./retries.ts";
import { createWindow } from "./window.ts";

/** One event on its way to one endpoint. */
export type Delivery = {
  readonly lane: Lane;
  readonly event: LogEvent;
  /** The event before this one that matched the endpoint. */
  readonly previous: Sequence;
  /** The number of the coming attempt, from 1. */
  readonly attempt: number;
  /** What it comes from unless this is its first attempt. */
  readonly retry: DueRetry | undefined;
  /** When it could have been sent, by `performance.now()`. */
  readonly readyAt: number;
};

export type Lane = {
  readonly endpoint: Endpoint;
  readonly fence: Fence;
  /** The log may have grown. */
  wake(): void;
  /** The next delivery, if the window has room and there is one. */
  take(): Delivery | undefined;
  /** Records what became of a delivery that `take` gave out; `onWritten` once it is written. */
  settle(delivery: Delivery, record: DeliveryRecord, onWritten?: () => void): void;
  /** Gives a delivery back as if it had never been taken: its attempt was cut short by us. */
  abandon(delivery: Delivery): void;
  /** Gives out nothing until the returned function is called: its settings may hold no longer. */
  hold(): () => void;
  /** True when it has delivered all there is and owes nothing. */
  isIdle(): boolean;
  /** Writes how far it has come, if that is further than what is written. */
  checkpoint(): void;
  /** Writes how far it has come, and stops. Deliveries in flight may still be settled. */
  close(): void;
};

export type LaneContext = {
  feed: Feed;
  ledger: Ledger;
  loadRetries: LoadRetries;
  log: Logger;
  /** Called when `take` has something to give. */
  ready: (lane: Lane) => void;
};

/** Events read ahead: enough to keep the window busy while the next are read. */
const bufferMaxEvents = 200;
const bufferMaxBytes = 1 << 20;

/** A position that moved only over events that do not match is written after so many. */
const unwrittenMaxEvents = 10_000;

/** Pause after a read that failed. */
const readPauseMs = 500;

/** Settled behind one that hangs. Beyond it the lane waits, as its retries and its memory grow. */
const windowMaxEvents = 10_000;

export function createLane(endpoint: Endpoint, fence: Fence, context: LaneContext): Lane {
  const { feed, ledger, loadRetries, ready } = context;
  const log = context.log.child({ tenant: endpoint.tenantName, endpoint: endpoint.name });
  const { tenant, id } = endpoint;
  const maxInFlight = endpoint.maxInFlight;

  const window = createWindow(endpoint.position, endpoint.lastMatched);
  let written = endpoint.position.sequence;
  /** Records on their way: who opened the endpoint anew meanwhile would not see them. */
  let unwritten = 0;
  let fresh: Delivery[] = [];
  let freshBytes = 0;
  let retryNext = true;
  let inFlight = 0;
  let holds = 0;
  let closed = false;

  let filling = false;
  let grown = true;
  let timer: NodeJS.Timeout | undefined;

  const lane: Lane = {
    endpoint,
    fence,
    wake,
    take,
    settle,
    abandon,
    hold,
    isIdle,
    checkpoint,
    close,
  };
  const retries = createRetryQueue({
    tenant,
    endpoint: id,
    load: loadRetries,
    log,
    nextAt: endpoint.nextRetryAt,
    ready: () => ready(lane),
    expired: recordExpired,
  });
  return lane;

  function wake(): void {
    grown = true;
    fill();
  }

  function take(): Delivery | undefined {
    if (closed || holds > 0 || inFlight >= maxInFlight) return undefined;
    const delivery = retryNext ? (takeRetry() ?? takeFresh()) : (takeFresh() ?? takeRetry());
    if (delivery === undefined) return undefined;
    // In turns: neither a heap of retries nor a heap of events keeps the other waiting.
    retryNext = !retryNext;
    inFlight += 1;
    if (fresh.length < maxInFlight) fill();
    return delivery;
  }

  function takeRetry(): Delivery | undefined {
    const retry = retries.take();
    if (retry === undefined) return undefined;
    const { event, previous, attempts } = retry;
    const readyAt = performance.now();
    return { lane, event, previous, attempt: attempts + 1, retry, readyAt };
  }

  function takeFresh(): Delivery | undefined {
    const delivery = fresh.shift();
    if (delivery !== undefined) freshBytes -= delivery.event.envelope.length;
    return delivery;
  }

  function settle(delivery: Delivery, record: DeliveryRecord, onWritten?: () => void): void {
    inFlight -= 1;
    const { sequence } = delivery.event;
    if (delivery.retry === undefined) window.settle(sequence);
    // Only once it is written: a load before that would find the retry as it was.
    const retried = delivery.retry !== undefined || record.dueAt !== null;
    write(record, retried || onWritten ? settled : undefined);
    if (hasWork()) ready(lane);
    fill();

    function settled() {
      if (retried) retries.settled(sequence, record.dueAt);
      onWritten?.();
    }
  }

  function abandon(delivery: Delivery): void {
    inFlight -= 1;
    if (delivery.retry !== undefined) return retries.giveBack(delivery.retry);
    fresh.unshift(delivery);
    freshBytes += delivery.event.envelope.length;
  }

  function hold(): () => void {
    holds += 1;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      holds -= 1;
      if (hasWork()) ready(lane);
    };
  }

  function isIdle(): boolean {
    const owes = window.size() > 0 || unwritten > 0 || !retries.isEmpty();
    return !owes && !filling && !grown;
  }

  function close(): void {
    if (closed) return;
    closed = true;
    clearTimeout(timer);
    retries.close();
    fresh = [];
    checkpoint();
  }

  function checkpoint(): void {
    if (window.low().sequence !== written) write(null);
  }

  function hasWork(): boolean {
    if (closed || holds > 0 || inFlight >= maxInFlight) return false;
    return fresh.length > 0 || retries.hasDue();
  }

  /** Reads on until the buffer is full or the head is reached. One run at a time. */
  function fill(): void {
    if (!filling && mayRead()) void readWhileRoom();
  }

  async function readWhileRoom(): Promise<void> {
    filling = true;
    try {
      while (mayRead()) await readOn();
    } catch (error) {
      log.warn({ err: error }, "lane cannot read the log, trying again");
      timer = setTimeout(wake, readPauseMs);
    } finally {
      filling = false;
    }
  }

  function mayRead(): boolean {
    if (!grown || closed || window.size() >= windowMaxEvents) return false;
    return fresh.length < bufferMaxEvents && freshBytes < bufferMaxBytes;
  }

  async function readOn(): Promise<void> {
    grown = false;
    const read = feed.read.bind(undefined, tenant);
    const found = await scan(read, window.scanned(), {
      filter: endpoint.filter,
      limit: bufferMaxEvents - fresh.length,
      maxBytes: bufferMaxBytes - freshBytes,
    });
    if (closed) return;
    switch (found.kind) {
      case "events":
        if (!found.atHead) grown = true;
        for (const event of found.events) add(event);
        window.moveTo(found.position);
        if (window.low().sequence - written > unwrittenMaxEvents) write(null);
        if (hasWork()) ready(lane);
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

  function add(event: LogEvent) {
    // Recorded before a crash, above the position that was written.
    if (endpoint.settledAbove.delete(event.sequence)) {
      window.skip(event);
      return;
    }
    const previous = window.add(event);
    const readyAt = performance.now();
    fresh.push({ lane, event, previous, attempt: 1, retry: undefined, readyAt });
    freshBytes += event.envelope.length;
  }

  /** Retention took the event before the retries were over. */
  function recordExpired(retry: Retry) {
    const { day, sequence, previous, attempts, firstAt } = retry;
    const at = Date.now();
    const error = "retention took the event before it was delivered";
    log.error({ sequence, outcome: "expired" }, "delivery");
    const expired = { kind: "expired", day, sequence, previous, attempts, firstAt, at } as const;
    const nothing = { queueMs: 0, latencyMs: 0, statusCode: null, dueAt: null, detail: null };
    write({ ...expired, ...nothing, error }, () => retries.settled(sequence, null));
  }

  function write(record: DeliveryRecord | null, onWritten?: () => void) {
    written = window.low().sequence;
    unwritten += 1;
    ledger.record(fence, window.low(), record, () => {
      unwritten -= 1;
      onWritten?.();
    });
  }
}
