/**
 * Reads statistics of attempts (statistics.ts) as a series of equal steps. A step within which
 * nothing ended is there, with zeros; the last one is running, and its attempts are in it up to the
 * last write of each process.
 */
import type { Sql } from "../db/database.ts";
import { likePattern } from "../log/matching.ts";
import { bucketsMax, percentileMs } from "./histogram.ts";
import { allTypes } from "./statistics.ts";
import { addCounts, everything, noCounts, type Counts } from "./tally.ts";

export type SeriesQuery = {
  /** Undefined for all of them. */
  readonly tenant: string | undefined;
  /** The uuid; undefined for all of the tenant. */
  readonly endpoint: string | undefined;
  /** A type, or `order.*`; undefined for all. */
  readonly type: string | undefined;
  readonly span: Span;
};

/** Steps from `from` to before `to`, of whole minutes. */
export type Span = {
  /** Milliseconds since 1970, multiples of the step. */
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
};

export type Summary = {
  readonly attempts: number;
  readonly failures: number;
  readonly retries: number;
  readonly queueMs: Percentiles;
  readonly latencyMs: Percentiles;
};

/** In milliseconds; null where there was no attempt. */
export type Percentiles = {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
};

export type Series = {
  readonly totals: Summary;
  readonly steps: readonly (Summary & { readonly at: number })[];
};

type StepRow = {
  step: number;
  attempts: number;
  failures: number;
  retries: number;
  /** Arrays as text, with NULL for a bucket that no row has. */
  queue_ms: string;
  latency_ms: string;
};

const hourMs = 3_600_000;

export function createSeriesReader(sql: Sql): (query: SeriesQuery) => Promise<Series> {
  return async (query) => {
    const { from, to, stepMs } = query.span;
    const counted = new Map<number, Counts>();
    for (const row of await read(sql, query)) counted.set(row.step * stepMs, toCounts(row));
    const totals = noCounts();
    const steps = [];
    for (let at = from; at < to; at += stepMs) {
      const counts = counted.get(at) ?? noCounts();
      addCounts(totals, counts);
      steps.push({ at, ...summarize(counts) });
    }
    return { totals: summarize(totals), steps };
  };
}

/**
 * A sum for each bucket: 7 ms for 24 hours of minutes, and 25 ms with each array taken apart. Of
 * types below a name there is a row each, so all of 20 types take 130 ms.
 */
function read(sql: Sql, { tenant, endpoint, type, span }: SeriesQuery) {
  const stepSeconds = span.stepMs / 1_000;
  return sql<StepRow[]>`
    select extract(epoch from at)::bigint / ${stepSeconds}::bigint as step,
      sum(attempts) as attempts, sum(failures) as failures, sum(retries) as retries,
      ${sql.unsafe(sumsOf("queue_ms"))}, ${sql.unsafe(sumsOf("latency_ms"))}
    from ${sql(span.stepMs % hourMs === 0 ? "delivery_hours" : "delivery_minutes")}
    where tenant = ${tenant ?? everything} and endpoint = ${endpoint ?? everything}
      and day between (to_timestamp(${span.from / 1_000}::bigint) at time zone 'UTC')::date
        and (to_timestamp(${span.to / 1_000}::bigint) at time zone 'UTC')::date
      and at >= to_timestamp(${span.from / 1_000}::bigint)
      and at < to_timestamp(${span.to / 1_000}::bigint)
      ${ofType()}
    group by 1`;

  function ofType() {
    if (type?.endsWith(".*") === true) return sql`and type like ${likePattern(type)}`;
    if (type !== undefined) return sql`and type = ${type}`;
    // Of one endpoint there is no row for all.
    return endpoint === undefined ? sql`and type = ${allTypes}` : sql``;
  }
}

function sumsOf(column: string): string {
  const sums = Array.from({ length: bucketsMax }, (_, index) => `sum(${column}[${index + 1}])`);
  return `array[${sums.join()}]::text as ${column}`;
}

function toCounts({ attempts, failures, retries, queue_ms, latency_ms }: StepRow): Counts {
  const queueMs = numbersOf(queue_ms);
  return { attempts, failures, retries, queueMs, latencyMs: numbersOf(latency_ms) };
}

function numbersOf(text: string): number[] {
  return text
    .slice(1, -1)
    .split(",")
    .map((each) => (each === "NULL" ? 0 : Number(each)));
}

function summarize({ attempts, failures, retries, queueMs, latencyMs }: Counts): Summary {
  const [queue, latency] = [percentilesOf(queueMs), percentilesOf(latencyMs)];
  return { attempts, failures, retries, queueMs: queue, latencyMs: latency };
}

function percentilesOf(counts: readonly number[]): Percentiles {
  return {
    p50: percentileMs(counts, 0.5),
    p95: percentileMs(counts, 0.95),
    p99: percentileMs(counts, 0.99),
  };
}
