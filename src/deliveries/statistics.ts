/**
 * Statistics of attempts, by minute and by hour: each push process counts (tally.ts) and adds what
 * it has counted every few seconds. They say how it goes, not what became of an event: what a
 * process had not written when it was killed is missing, and so is a write whose connection broke.
 *
 * A tenant has rows for each endpoint and type, for each type with all endpoints together, and one
 * for all together, so that a chart of a tenant with thousands of endpoints reads few rows.
 */
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { arrayText, classifyFailure, type Sql } from "../db/database.ts";
import type { TenantId } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import {
  addCounts,
  createTally,
  everything,
  noCounts,
  type Counted,
  type Counts,
  type Tally,
} from "./tally.ts";

export type Statistics = {
  /** Where to count an attempt that has just ended, see `countAttempt`. */
  countsOf(endpoint: { tenant: TenantId; id: string }, type: string): Counts;
  /** Writes what was counted so far, or as much of it as the database takes. */
  write(): Promise<void>;
  /** Writes the last of it, unless that takes long. */
  stop(): Promise<void>;
};

/** Rows for all types together have this in place of one. */
export const allTypes = "";

/** As much is missing after a kill. */
const everyMs = 10_000;

/** About 25 ms, during which their locks are held. */
const statementRows = 500;

/** Added up in one turn of the event loop. */
const turnRows = 500;

/** Kept of a write that the database refused, for the next: about 12 MB. */
const keptMaxRows = 20_000;

const stopMaxMs = 5_000;

export function startStatistics({ sql, log }: { sql: Sql; log: Logger }): Statistics {
  // Not at once: whoever counts has yet to add what it found the place for.
  const tally = createTally({ many: () => setImmediate(() => void write()) });
  let kept: Counted[] = [];
  let writing: Promise<void> | undefined;
  /** The one that follows it: what came in between is not in the one under way. */
  let next: Promise<void> | undefined;
  const timer = setInterval(() => void write(), everyMs).unref();
  return { countsOf, write, stop };

  function countsOf(endpoint: { tenant: TenantId; id: string }, type: string): Counts {
    return tally.countsOf(endpoint, type, Date.now());
  }

  function write(): Promise<void> {
    if (writing === undefined) return begin();
    next ??= writing.then(() => {
      next = undefined;
      return begin();
    });
    return next;
  }

  function begin(): Promise<void> {
    writing = writeOnce().finally(() => (writing = undefined));
    return writing;
  }

  async function stop(): Promise<void> {
    clearInterval(timer);
    await Promise.race([write(), delay(stopMaxMs, undefined, { ref: false })]);
  }

  /** Never throws. */
  async function writeOnce(): Promise<void> {
    const rows = await addUp(kept, tally);
    kept = [];
    let refused: unknown;
    let left = 0;
    for (const batch of batchesOf(rows)) {
      // It takes nothing now: what is left would only wait for it.
      if (refused !== undefined) kept.push(...batch);
      else refused = await send(batch);
      if (refused !== undefined) left += batch.length;
    }
    if (refused === undefined) return;
    kept = kept.slice(-keptMaxRows);
    const lost = left - kept.length;
    log.warn({ kept: kept.length, lost, err: refused }, "statistics not written");
  }

  /** Answers with the error when the database takes nothing now. What may be in it is given up. */
  async function send(batch: readonly Counted[]): Promise<unknown> {
    try {
      await insert(sql, batch);
      return undefined;
    } catch (error) {
      const failure = classifyFailure(error);
      if (failure === "not-done") kept.push(...batch);
      if (failure === "not-done" || failure === "in-doubt") return error;
      log.error({ lost: batch.length, err: error }, "statistics cannot be written");
      return undefined;
    }
  }
}

/** Each row once, with the sums. */
async function addUp(
  kept: readonly Counted[],
  tally: Pick<Tally, "take" | "typeOfAll">,
): Promise<Counted[]> {
  const rows = new Map<string, Counted>();
  // They are sums already, or have been added to them.
  for (const row of kept) rows.set(keyOf(row), row);
  for (const [index, counted] of tally.take().entries()) {
    if (index % turnRows === turnRows - 1) await nextTurn();
    const { minute, tenant, endpoint, type } = counted;
    if (endpoint !== everything) add(counted);
    if (tenant !== everything) {
      add({ ...counted, endpoint: everything });
      add({ ...counted, endpoint: everything, type: allTypes });
    }
    const all = { ...counted, tenant: everything, endpoint: everything };
    add({ ...all, type: tally.typeOfAll(type, minute) });
    add({ ...all, type: allTypes });
  }
  return [...rows.values()];

  function add(row: Counted): void {
    const key = keyOf(row);
    let sum = rows.get(key);
    if (sum === undefined) rows.set(key, (sum = { ...row, counts: noCounts() }));
    addCounts(sum.counts, row.counts);
  }
}

function keyOf({ minute, tenant, endpoint, type }: Counted): string {
  return `${minute} ${tenant} ${endpoint} ${type}`;
}

/**
 * Rows of one minute each, and all in one order: processes that write at the same time wait for
 * one another's sums and never in a circle.
 */
function batchesOf(rows: Counted[]): Counted[][] {
  const byMinute = Map.groupBy(rows, ({ minute }) => minute);
  return [...byMinute.values()].flatMap((some) => {
    const sorted = some
      .map((row) => ({ row, key: keyOf(row) }))
      .sort((one, other) => (one.key < other.key ? -1 : 1));
    const batches: Counted[][] = [];
    for (let start = 0; start < sorted.length; start += statementRows) {
      batches.push(sorted.slice(start, start + statementRows).map(({ row }) => row));
    }
    return batches;
  });
}

/**
 * Adds to the rows of the minute and of its hour, or makes them. A tenant's row is locked until all
 * is committed, so that its erasure begins before this, and it has nothing added, or after.
 */
async function insert(sql: Sql, batch: readonly Counted[]): Promise<void> {
  const minute = batch[0]?.minute ?? 0;
  const column = (value: (row: Counted) => string | number) => arrayText(batch.map(value));
  const tenants = [...new Set(batch.map(({ tenant }) => tenant))];
  await sql`
    with clock as (select to_timestamp(${minute}::bigint / 1000) as minute),
    standing as materialized (
      select id from tenants
      where id = any(${arrayText(tenants)}::uuid[]) and erasing_since is null
      order by id for share
    ), counted as materialized (
      select tenant, endpoint, type, minute, date_trunc('hour', minute, 'UTC') as hour,
        (minute at time zone 'UTC')::date as day, attempts, failures, retries,
        queue_ms::int[] as queue_ms, latency_ms::int[] as latency_ms, place
      from clock, unnest(
        ${column(({ tenant }) => tenant)}::uuid[], ${column(({ endpoint }) => endpoint)}::uuid[],
        ${column(({ type }) => type)}::text[],
        ${column(({ counts }) => counts.attempts)}::int[],
        ${column(({ counts }) => counts.failures)}::int[],
        ${column(({ counts }) => counts.retries)}::int[],
        ${column(({ counts }) => arrayText(counts.queueMs))}::text[],
        ${column(({ counts }) => arrayText(counts.latencyMs))}::text[]
      ) with ordinality as rows
        (tenant, endpoint, type, attempts, failures, retries, queue_ms, latency_ms, place)
      where tenant = ${everything} or tenant in (select id from standing)
      order by place
    ), minutes as (
      insert into delivery_minutes as kept
        (tenant, endpoint, type, at, day, attempts, failures, retries, queue_ms, latency_ms)
      select tenant, endpoint, type, minute, day, attempts, failures, retries, queue_ms, latency_ms
      from counted order by place
      ${added(sql)}
    )
    insert into delivery_hours as kept
      (tenant, endpoint, type, at, day, attempts, failures, retries, queue_ms, latency_ms)
    select tenant, endpoint, type, hour, day, attempts, failures, retries, queue_ms, latency_ms
    from counted order by place
    ${added(sql)}`;
}

function added(sql: Sql) {
  return sql`
    on conflict (tenant, endpoint, day, at, type) do update set
      attempts = kept.attempts + excluded.attempts,
      failures = kept.failures + excluded.failures,
      retries = kept.retries + excluded.retries,
      queue_ms = (
        select array_agg(coalesce(a, 0) + coalesce(b, 0) order by bucket)
        from unnest(kept.queue_ms, excluded.queue_ms) with ordinality as counts (a, b, bucket)),
      latency_ms = (
        select array_agg(coalesce(a, 0) + coalesce(b, 0) order by bucket)
        from unnest(kept.latency_ms, excluded.latency_ms) with ordinality as counts (a, b, bucket))`;
}
