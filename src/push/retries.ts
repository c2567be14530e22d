/**
 * The failed deliveries of one endpoint, each tried again when it is due. The table `retries` is
 * the only place where they are kept; here is one timer for the earliest, and those few that are
 * due now.
 */
import type { Sql } from "../db/database.ts";
import type { Day, LogEvent, Sequence, TenantId } from "../log/event.ts";
import type { Logger } from "../telemetry.ts";

export type Retry = {
  readonly sequence: Sequence;
  readonly day: Day;
  readonly previous: Sequence;
  /** Attempts made so far. */
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly firstAt: number;
  readonly dueAt: number;
  /** Null when retention has taken the event. */
  readonly event: LogEvent | null;
};

export type DueRetry = Retry & { readonly event: LogEvent };

export type LoadRetries = (tenant: TenantId, endpoint: string, limit: number) => Promise<Retry[]>;

/** Loaded at once. The others wait in the table. */
const loadMax = 100;

/** Few enough to load again, many enough to be busy with until they are there. */
const refillBelow = 25;

/** Pause after a load that failed. */
const loadPauseMs = 500;

/** Node fires timers at once beyond 2^31 ms; waking once a day for nothing costs nothing. */
const timerMaxMs = 24 * 3_600_000;

/** Reads the retries that are due first, with their events. */
export function createRetryLoader(sql: Sql): LoadRetries {
  return async (tenant, endpoint, limit) => {
    const rows = await sql<Row[]>`
      select r.sequence, r.day::text, r.previous, r.attempts,
        (extract(epoch from r.first_attempt_at) * 1000)::bigint as first_at,
        (extract(epoch from r.due_at) * 1000)::bigint as due_at,
        e.type, e.subject, e.envelope,
        (extract(epoch from e.appended_at) * 1000)::bigint as appended_at
      from (select * from retries where tenant = ${tenant} and endpoint = ${endpoint}
            order by due_at limit ${limit}) r
      left join events e on e.tenant = r.tenant and e.day = r.day and e.sequence = r.sequence
        and e.day >= (select oldest_day from log_settings)
      order by r.due_at`;
    return rows.map(toRetry);
  };
}

/**
 * `ready` is called when `take` has something to give, `expired` for a retry whose event is gone
 * (it stays in the queue until `settled`).
 */
export function createRetryQueue(options: {
  tenant: TenantId;
  endpoint: string;
  load: LoadRetries;
  /** Its lines name the endpoint already. */
  log: Logger;
  /** When the earliest is due, milliseconds since 1970. */
  nextAt: number | undefined;
  ready: () => void;
  expired: (retry: Retry) => void;
}) {
  const { tenant, endpoint, load, log, ready, expired } = options;
  /** Queued here or in flight. */
  const held = new Set<Sequence>();
  let due: DueRetry[] = [];
  let nextAt = options.nextAt ?? Infinity;
  let timer: NodeJS.Timeout | undefined;
  let loading = false;
  /** Settled while a load is under way, which may have seen them as they were before. */
  const settledMeanwhile = new Set<Sequence>();
  let moreDue = false;
  let closed = false;
  setTimer();

  return { take, hasDue: () => due.length > 0, giveBack, settled, isEmpty, close };

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
  }

  /**
   * Its attempt is over and written; `dueAt` when it is to be tried again. Also for one that has
   * just joined.
   */
  function settled(sequence: Sequence, dueAt: number | null): void {
    held.delete(sequence);
    if (loading) settledMeanwhile.add(sequence);
    nextAt = Math.min(nextAt, dueAt ?? Infinity);
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
    if (closed || loading || nextAt === Infinity) return;
    const waitMs = Math.min(Math.max(nextAt - Date.now(), 0), timerMaxMs);
    timer = setTimeout(loadDue, waitMs);
  }

  function loadDue() {
    // Until these are done; their settling sets the timer again.
    if (due.length >= loadMax) return;
    loading = true;
    nextAt = Infinity;
    load(tenant, endpoint, loadMax + held.size)
      .then(accept, (error: unknown) => {
        log.warn({ err: error }, "retries not loaded, trying again");
        nextAt = Date.now() + loadPauseMs;
      })
      .finally(() => {
        loading = false;
        settledMeanwhile.clear();
        setTimer();
      });
  }

  function accept(retries: readonly Retry[]) {
    if (closed) return;
    const now = Date.now();
    for (const retry of retries) {
      const { event } = retry;
      if (held.has(retry.sequence) || settledMeanwhile.has(retry.sequence)) continue;
      if (retry.dueAt > now) {
        nextAt = Math.min(nextAt, retry.dueAt);
        continue;
      }
      held.add(retry.sequence);
      if (event === null) expired(retry);
      else due.push({ ...retry, event });
    }
    // They come in the order of their times, so more stand behind a full load that is due to its
    // end: those are asked for when these run low.
    moreDue = retries.length >= loadMax && (retries.at(-1)?.dueAt ?? Infinity) <= now;
    if (moreDue && due.length < refillBelow) nextAt = Math.min(nextAt, now + loadPauseMs);
    if (due.length > 0) ready();
  }
}

type Row = {
  sequence: number;
  day: string;
  previous: number;
  attempts: number;
  first_at: number;
  due_at: number;
  type: string | null;
  subject: string | null;
  envelope: string | null;
  appended_at: number | null;
};

function toRetry(row: Row): Retry {
  const { sequence, day, previous, attempts, type, subject, envelope, appended_at } = row;
  const gone = type === null || envelope === null || appended_at === null;
  return {
    sequence,
    day,
    previous,
    attempts,
    firstAt: row.first_at,
    dueAt: row.due_at,
    event: gone ? null : { sequence, day, type, subject, appendedAt: appended_at, envelope },
  };
}
