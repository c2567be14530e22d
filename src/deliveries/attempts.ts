/**
 * What is recorded of the attempts of deliveries. Each of a delivery that did not succeed at once has
 * a row; a first attempt that succeeds is told by its outcome alone, and is put back among them here.
 */
import { arrayText, type Sql } from "../db/database.ts";
import type { Day, Sequence, TenantId } from "../log/event.ts";
import type { Trigger } from "./ledger.ts";
import type { Delivery } from "./outcomes.ts";

export type AttemptRow = {
  /** The uuid. */
  readonly endpoint: string;
  readonly attempt: number;
  /** Null in rows of versions that did not tell. */
  readonly trigger: Trigger | null;
  /** The uuid of the job that made it. */
  readonly replay: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly queueMs: number;
  readonly latencyMs: number;
  readonly statusCode: number | null;
  readonly errorClass: string | null;
  readonly error: string | null;
  readonly url: string | null;
  /** JSON text. */
  readonly responseHeaders: string | null;
  readonly responseBody: string | null;
  readonly truncated: boolean;
};

type EventOf = { readonly tenant: TenantId; readonly day: Day; readonly sequence: Sequence };

/** Attempts are numbered by a smallint. */
const attemptsMax = 32_767;

/** Of one event at these endpoints, the last `limit` at each, oldest first; all unless given. */
export function readAttempts(
  sql: Sql,
  { tenant, day, sequence }: EventOf,
  wanted: {
    readonly endpoints: readonly string[];
    readonly limit?: number;
    /** Without what came back, which may be 4 KiB of each. */
    readonly bare?: boolean;
  },
): Promise<AttemptRow[]> {
  const { endpoints, limit = attemptsMax, bare = false } = wanted;
  return sql<AttemptRow[]>`
    select a.endpoint, attempt, trigger, replay, (extract(epoch from at) * 1000)::bigint as at,
      queue_ms as "queueMs", latency_ms as "latencyMs", status_code as "statusCode",
      error_class as "errorClass", error, url, truncated,
      ${bare ? sql`null as "responseHeaders", null as "responseBody"` : responseOf(sql)}
    from unnest(${arrayText(endpoints)}::uuid[]) as asked(endpoint) cross join lateral (
      select * from attempts
      where tenant = ${tenant} and endpoint = asked.endpoint and day = ${day}
        and sequence = ${sequence}
        -- 0 is a receipt that was ahead of them.
        and attempt > 0
      order by attempt desc limit ${limit}
    ) a
    order by a.endpoint, attempt, at`;
}

function responseOf(sql: Sql) {
  return sql`response_headers as "responseHeaders", response_body as "responseBody"`;
}

/** With the last attempt, where the outcome alone tells of it: it was the first and succeeded. */
export function withUntold(delivery: Delivery, rows: readonly AttemptRow[]): AttemptRow[] {
  const { attempts: attempt, queueMs, latencyMs, endpoint } = delivery;
  if (attempt === 0 || queueMs === null || latencyMs === null) return [...rows];
  if (rows.some((row) => row.attempt >= attempt)) return [...rows];
  const untold: AttemptRow = {
    ...{ endpoint, attempt, queueMs, latencyMs, at: delivery.lastAt },
    ...{ statusCode: delivery.statusCode, error: delivery.error, errorClass: null },
    ...{ trigger: null, replay: null, url: null },
    ...{ responseHeaders: null, responseBody: null, truncated: false },
  };
  return [...rows, untold];
}

export function triggerOf({ trigger, attempt }: AttemptRow): Trigger {
  return trigger ?? (attempt === 1 ? "event" : "retry");
}

/** An error is written as its class and its message, see `errorText` in deliver.ts. */
export function errorOf({
  error,
  errorClass,
}: AttemptRow): { class: string; message: string } | null {
  if (error === null) return null;
  const [, before, message = error] = /^([a-z]+): (.*)$/s.exec(error) ?? [];
  return { class: errorClass ?? before ?? "http", message };
}
