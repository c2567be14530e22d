/**
 * The failed deliveries of one endpoint, each tried again when it is due. The table `retries` is
 * the only place where they are kept; here is one timer for the earliest, and those few that are
 * due now.
 *
 * In turn by their times; under `fifo` the first of the log alone, and nothing else before it is
 * settled.
 */
import type { Sql } from "../db/database.ts";
import type { Day, LogEvent, Sequence, TenantId } from "../log/event.ts";
import type { Filter } from "../log/filter.ts";
import { createLastMatched } from "../log/last-matched.ts";
import type { Logger } from "../telemetry/logger.ts";

export type Retry = {
  readonly sequence: Sequence;
  readonly day: Day;
  readonly previous: Sequence;
  /** Attempts made so far. */
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly dueAt: number;
  /** What came of the last attempt. */
  readonly statusCode: number | null;
  readonly error: string | null;
  /** It was accepted, and is due because no receipt came. */
  readonly awaiting: boolean;
  /** A receipt said that it failed. */
  readonly failed: boolean;
  /** A dead letter of an outage: this is its one further attempt. */
  readonly requeued: boolean;
  /** Null when retention has taken the event. */
  readonly event: LogEvent | null;
};

export type DueRetry = Retry & { readonly event: LogEvent };

export type RetryOrder = "due" | "sequence";

export type LoadRetries = (of: {
  tenant: TenantId;
  endpoint: string;
  order: RetryOrder;
  limit: number;
  /** The endpoint's. */
  filter: Filter;
}) => Promise<Retry[]>;

/** Loaded at once. The others wait in the table. */
const dueMax = 100;

/** Few enough to load again, many enough to be busy with until they are there. */
const refillBelow = 25;

/** Pause after a load that failed. */
const loadPauseMs = 500;

/** Node fires timers at once beyond 2^31 ms; waking once a day for nothing costs nothing. */
const timerMaxMs = 24 * 3_600_000;

/** Reads the retries that come first, with their events. */
export function createRetryLoader(sql: Sql): LoadRetries {
  const lastMatched = createLastMatched(sql);

  return async ({ tenant, endpoint, order, limit, filter }) => {
    const first = order === "due" ? sql`due_at` : sql`sequence`;
    const rows = await sql<Row[]>`
      select r.sequence, r.day::text, r.previous, r.attempts, r.requeued, r.awaiting,
        r.status_code, r.error, coalesce(r.receipt_status = 'failed', false) as failed,
        (extract(epoch from r.first_attempt_at) * 1000)::bigint as first_at,
        (extract(epoch from r.last_attempt_at) * 1000)::bigint as last_at,
        (extract(epoch from r.due_at) * 1000)::bigint as due_at,
        e.type, e.subject, e.envelope,
        (extract(epoch from e.appended_at) * 1000)::bigint as appended_at
      from (select * from retries where tenant = ${tenant} and endpoint = ${endpoint}
              -- Those up to there are settled by a receipt, and about to go.
              and sequence > coalesce((
                select g.through from receipt_ranges g
                where g.tenant = ${tenant} and g.endpoint = ${endpoint}
                  and g.through >= (select min(sequence) from retries
                    where tenant = ${tenant} and endpoint = ${endpoint})
                  and g.at >= coalesce((select p.resumed_at from positions p
                    where p.tenant = ${tenant} and p.consumer = ${endpoint}), '-infinity')
                order by g.through desc limit 1), 0)
            order by ${first} limit ${limit}) r
      left join events e on e.tenant = r.tenant and e.day = r.day and e.sequence = r.sequence
        and e.day >= (select oldest_day from log_settings)
      order by r.${first}`;
    return Promise.all(rows.map(async (row) => toRetry(row, row.previous ?? (await before(row)))));

    /** A receipt came before the lane had come so far. */
    function before({ sequence, day }: Row): Promise<Sequence> {
      return lastMatched(tenant, { sequence: sequence - 1, day }, filter);
    }
  };
}

/**
 * `ready` is called when `take` has something to give or all are settled, `expired` for a retry whose event is gone
 * (it stays in the queue until `settled`), `none` when the earliest was asked for and there is none.
 */
export function createRetryQueue(options: {
  tenant: TenantId;
  endpoint: string;
  order: RetryOrder;
  load: LoadRetries;
  filter: Filter;
  /** Whether a receipt has settled it: it may still be found, by a load that began before. */
  isOver: (sequence: Sequence) => boolean;
  /** Its lines name the endpoint already. */
  log: Logger;
  /** When the earliest is due, milliseconds since 1970. */
  nextAt: number | undefined;
  ready: () => void;
  expired: (retry: Retry) => void;
  none: () => void;
}) {
  const { tenant, endpoint, order, load, filter, isOver, log, ready, expired, none } = options;
  /** The first of the log is one. */
  const loadMax = order === "sequence" ? 1 : dueMax;
  /** Queued here, in flight, or reserved. */
  const held = new Set<Sequence>();
  /** Sent in another way now, and whether they would have been loaded meanwhile. */
  const reserved = new Map<Sequence, { wasDue: boolean }>();
  let due: DueRetry[] = [];
  let nextAt = options.nextAt ?? Infinity;
  // The first of the log need not be the earliest.
  if (order === "sequence" && nextAt !== Infinity) nextAt = Date.now();
  let timer: NodeJS.Timeout | undefined;
  let loading = false;
  /** Settled while a load is under way, which may have seen them as they were before. */
  const settledMeanwhile = new Set<Sequence>();
  let moreDue = false;
  let paused = false;
  /** The earliest is wanted now, whenever it is due. */
  let hastened = false;
  /** After a load that failed. */
  let notBefore = 0;
  let closed = false;
  setTimer();

  return {
    take,
    giveBack,
    settled,
    reserve,
    release,
    drop,
    isEmpty,
    /** How many are due and loaded, and when the first of them was due. */
    due: () => ({ count: due.length, since: due[0]?.dueAt }),
    look,
    hasten,
    pause,
    resume,
    close,
  };

  function take() {
    const retry = due.shift();
    if (moreDue && due.length < refillBelow) {
      moreDue = false;
      nextAt = Date.now();
      setTimer();
    }
    return retry;
  }

  function giveBack(retry: DueRetry): void {
    due.unshift(retry);
    if (isOver(retry.sequence)) drop();
  }

  /** Lets go of those that are over, and looks what is left. */
  function drop(): void {
    for (const { sequence } of due) if (isOver(sequence)) held.delete(sequence);
    due = due.filter(({ sequence }) => !isOver(sequence));
    look();
  }

  /**
   * Its attempt is over and written; `dueAt` when it is to be tried again. Also for one that has
   * just joined.
   */
  function settled(sequence: Sequence, dueAt: number | null): void {
    held.delete(sequence);
    if (loading) settledMeanwhile.add(sequence);
    // Behind the first of the log there may be others, of the time before it was `fifo`.
    nextAt = order === "sequence" ? Date.now() : Math.min(nextAt, dueAt ?? Infinity);
    setTimer();
    // Who looked for something to probe with found it held, or not written yet.
    if (paused) ready();
  }

  /** Not to be given out while it is sent in another way. False when it is under way already. */
  function reserve(sequence: Sequence): boolean {
    const index = due.findIndex((retry) => retry.sequence === sequence);
    if (index === -1 && held.has(sequence)) return false;
    if (index !== -1) due.splice(index, 1);
    held.add(sequence);
    reserved.set(sequence, { wasDue: index !== -1 });
    return true;
  }

  /** What became of it is written; it may still be a retry. */
  function release(sequence: Sequence): void {
    const { wasDue } = reserved.get(sequence) ?? { wasDue: false };
    reserved.delete(sequence);
    held.delete(sequence);
    if (loading) settledMeanwhile.add(sequence);
    if (wasDue) nextAt = Date.now();
    setTimer();
    if (isEmpty()) ready();
  }

  /** There may be some that nobody told of. */
  function look(): void {
    nextAt = Date.now();
    setTimer();
  }

  /** Gives out the earliest before it is due, also while it is paused. */
  function hasten(): void {
    if (due.length > 0) return ready();
    if (nextAt === Infinity && !loading) return none();
    hastened = true;
    setTimer();
  }

  /** Lets go of what is due: it stands in the table. */
  function pause(): void {
    paused = true;
    if (due.length > 0 || moreDue) nextAt = Date.now();
    for (const { sequence } of due.splice(0)) held.delete(sequence);
    moreDue = false;
    setTimer();
  }

  function resume(): void {
    paused = false;
    setTimer();
  }

  function isEmpty(): boolean {
    return nextAt === Infinity && held.size === 0 && !loading;
  }

  function close(): void {
    closed = true;
    due = [];
    clearTimeout(timer);
  }

  function setTimer() {
    clearTimeout(timer);
    if (closed || loading || nextAt === Infinity || (paused && !hastened)) return;
    const at = Math.max(hastened ? 0 : nextAt, notBefore);
    const waitMs = Math.min(Math.max(at - Date.now(), 0), timerMaxMs);
    timer = setTimeout(loadDue, waitMs);
  }

  function loadDue() {
    // Until these are done; their settling sets the timer again.
    if (due.length >= loadMax || (order === "sequence" && held.size > 0)) return;
    loading = true;
    nextAt = Infinity;
    const limit = loadMax + held.size;
    load({ tenant, endpoint, order, limit, filter })
      .then(
        (retries) => accept(retries, retries.length >= limit),
        (error: unknown) => {
          log.warn({ err: error }, "retries not loaded, trying again");
          notBefore = Date.now() + loadPauseMs;
          nextAt = notBefore;
        },
      )
      .finally(() => {
        loading = false;
        settledMeanwhile.clear();
        setTimer();
        // What waits for the last of them may go on.
        if (isEmpty()) ready();
      });
  }

  function accept(retries: readonly Retry[], isFull: boolean) {
    if (closed) return;
    const now = Date.now();
    const wasHastened = hastened;
    hastened = false;
    for (const retry of retries) {
      const { event } = retry;
      const { sequence } = retry;
      const other = reserved.get(sequence);
      if (other !== undefined) other.wasDue = true;
      // Which may not have been a retry of what was settled: it is looked for again.
      if (settledMeanwhile.has(sequence)) nextAt = Math.min(nextAt, now + loadPauseMs);
      if (held.has(sequence) || settledMeanwhile.has(sequence) || isOver(sequence)) continue;
      const isWanted = wasHastened && due.length === 0;
      if (paused ? !isWanted : retry.dueAt > now && !isWanted) {
        nextAt = Math.min(nextAt, retry.dueAt);
        continue;
      }
      held.add(retry.sequence);
      if (event === null) expired(retry);
      else due.push({ ...retry, event });
    }
    // They come in the order of their times, so more stand behind a full load that is due to its
    // end: those are asked for when these run low.
    moreDue = order === "due" && isFull && (retries.at(-1)?.dueAt ?? Infinity) <= now;
    if (moreDue && due.length < refillBelow) nextAt = Math.min(nextAt, now + loadPauseMs);
    if (due.length > 0) ready();
    else if (wasHastened) none();
  }
}

type Row = {
  sequence: number;
  day: string;
  previous: number | null;
  attempts: number;
  first_at: number;
  last_at: number;
  due_at: number;
  status_code: number | null;
  error: string | null;
  awaiting: boolean;
  failed: boolean;
  requeued: boolean;
  type: string | null;
  subject: string | null;
  envelope: string | null;
  appended_at: number | null;
};

function toRetry(row: Row, previous: Sequence): Retry {
  const { sequence, day, attempts, requeued, type, subject, envelope, appended_at } = row;
  const { awaiting, failed, error } = row;
  const gone = type === null || envelope === null || appended_at === null;
  return {
    sequence,
    day,
    previous,
    attempts,
    firstAt: row.first_at,
    lastAt: row.last_at,
    dueAt: row.due_at,
    statusCode: row.status_code,
    ...{ error, awaiting, failed, requeued },
    event: gone ? null : { sequence, day, type, subject, appendedAt: appended_at, envelope },
  };
}
