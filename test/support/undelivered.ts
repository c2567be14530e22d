/** Logs with endpoints in any state, and what is undelivered of them by one look at all rows. */
import type { Sql } from "../../src/db/database.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { compileFilter, type Filter } from "../../src/log/filter.ts";
import { block, giveDeliveries, giveLane, giveRetries, type Lane } from "./missed.ts";

export const days = 3;
export const perDay = 8;
export const events = days * perDay;

/** What there is of an event for an endpoint. */
export type Row = {
  readonly status?: "delivered" | "settled" | "dead" | "expired" | "skipped" | undefined;
  readonly retry?: "plain" | "awaiting" | undefined;
};

export type LaneSpec = {
  readonly filter: Partial<Filter>;
  readonly position: number;
  /** Of each event, from the first. */
  readonly rows: readonly Row[];
  readonly blocked: readonly (readonly [subject: string, sequence: number])[];
  /** A receipt through this one. */
  readonly confirmed: number | undefined;
  /** After the receipt. */
  readonly moved: boolean;
  /** So many of its first rows are of a version that kept no times. */
  readonly undated: number;
};

/** Events of the last days and of today, spread over each; those of today end now. */
export async function giveTimedLog(sql: Sql, { id: tenant }: Tenant): Promise<void> {
  await sql`select create_partitions((now() at time zone 'UTC')::date - ${days}::int,
    (now() at time zone 'UTC')::date)`;
  await sql`
    with days as (
      select today - ${days - 1}::int + n as day, n * ${perDay}::int as before,
        (today - ${days - 1}::int + n)::timestamp at time zone 'UTC' as begun,
        least(now(), (today - ${days - 2}::int + n)::timestamp at time zone 'UTC') as ended
      from generate_series(0, ${days - 1}::int) as n,
        lateral (select (now() at time zone 'UTC')::date as today) t
    ), made as (
      insert into events (tenant, day, sequence, appended_at, type, subject, envelope)
      select ${tenant}, day, before + i, date_trunc('milliseconds', begun + (ended - begun) * i / ${perDay + 1}::float8),
        'kind_' || (before + i) % 3 || '.made',
        case when (before + i) % 5 > 0 then 's' || (before + i) % 5 end, '{}'
      from days, generate_series(1, ${perDay}::int) as i
      returning sequence, day, appended_at
    ), begun as (
      insert into log_days (tenant, day, first_sequence, first_at)
      select ${tenant}, day, min(sequence), min(appended_at) from made group by day
    )
    update heads set head = ${events}, day = (select max(day) from made),
      at = (select max(appended_at) from made)
    where tenant = ${tenant}`;
}

export async function giveSpecified(sql: Sql, tenant: Tenant, spec: LaneSpec): Promise<Lane> {
  const { filter, position, rows, blocked, confirmed, moved, undated } = spec;
  const lane = await giveLane(sql, tenant, { filter, position });
  const having = (wanted: (row: Row) => boolean) =>
    rows.flatMap((row, index) => (wanted(row) ? [index + 1] : []));
  for (const status of ["delivered", "settled", "dead", "expired", "skipped"] as const) {
    await giveDeliveries(
      sql,
      lane,
      status,
      having((row) => row.status === status),
    );
  }
  await giveRetries(
    sql,
    lane,
    having(({ retry }) => retry === "plain"),
  );
  const awaiting = having(({ retry }) => retry === "awaiting");
  await giveRetries(sql, lane, awaiting, { awaiting: true });
  for (const table of ["deliveries", "retries"]) {
    await sql`
      update ${sql(table)} set appended_at = null
      where tenant = ${tenant.id} and endpoint = ${lane.uuid} and sequence <= ${undated}`;
  }
  for (const [subject, sequence] of blocked) await block(sql, lane, subject, sequence);
  if (confirmed !== undefined) await confirm(sql, lane, confirmed);
  if (moved) await sql`update positions set resumed_at = now() where consumer = ${lane.uuid}`;
  // One way in which an event comes to have both.
  if (rows.some(({ status, retry }) => status !== undefined && retry !== undefined)) {
    await replay(sql, lane);
  }
  return lane;
}

/** A job that has sent all there was. */
export async function replay(sql: Sql, { tenant, uuid }: Lane): Promise<void> {
  await sql`
    insert into replays (tenant, id, endpoint, kind, after, through, status, sequence, day)
    values (${tenant.id}, gen_random_uuid(), ${uuid}, 'all', 0, ${events}, 'completed', ${events},
      current_date)`;
}

export async function confirm(sql: Sql, { tenant, uuid }: Lane, through: number): Promise<void> {
  await sql`
    insert into receipt_ranges (tenant, endpoint, after, through, day, at)
    values (${tenant.id}, ${uuid}, 0, ${through}, current_date, now())`;
  await sql`update positions set receipts = receipts + 1 where consumer = ${uuid}`;
}

export type Count = {
  readonly retrying: number;
  readonly awaiting: number;
  readonly dead: number;
  readonly expired: number;
  readonly waiting: number;
};

/** Of all endpoints of a tenant, by uuid; and the events that are undelivered, each once. */
export async function undeliveredOf(sql: Sql, { id: tenant }: Tenant, windowSeconds: number) {
  const lanes = await sql<(Filter & { id: string; position: number; confirmed: number | null })[]>`
    select e.id, e.types, e.subjects, p.sequence as position, (
        select max(g.through) from receipt_ranges g where g.endpoint = e.id
          and (p.resumed_at is null or g.at >= p.resumed_at)) as confirmed
    from endpoints e join positions p on p.tenant = e.tenant and p.consumer = e.id
    where e.tenant = ${tenant}`;
  const counts = new Map<string, Count & { oldestAt: number }>();
  const distinct = new Set<number>();
  for (const { id, position, confirmed, ...filter } of lanes) {
    const { matches } = compileFilter(filter);
    const rows = await sql<ReferenceRow[]>`
      select e.sequence, e.type, e.subject, d.status, r.awaiting, b.sequence as blocked,
        (extract(epoch from e.appended_at) * 1000)::bigint as "at"
      from events e
      left join deliveries d on d.tenant = e.tenant and d.endpoint = ${id}
        and d.sequence = e.sequence
      left join retries r on r.tenant = e.tenant and r.endpoint = ${id} and r.sequence = e.sequence
      left join blocked_subjects b on b.tenant = e.tenant and b.endpoint = ${id}
        and b.subject = e.subject
      where e.tenant = ${tenant} and e.appended_at > now() - ${windowSeconds} * interval '1 second'
      order by e.sequence`;
    const kinds = rows.map((row) => kindOf(row, { position, confirmed, matches }));
    const open = rows.filter((_, index) => kinds[index] !== undefined);
    for (const { sequence } of open) distinct.add(sequence);
    const of = (...wanted: string[]) => kinds.filter((kind) => wanted.includes(kind ?? "")).length;
    if (open[0] === undefined) continue;
    counts.set(id, {
      ...{ retrying: of("retrying", "awaiting"), awaiting: of("awaiting") },
      ...{ dead: of("dead", "expired"), expired: of("expired"), waiting: of("waiting") },
      oldestAt: open[0].at,
    });
  }
  return { counts, events: distinct.size };
}

type ReferenceRow = {
  readonly sequence: number;
  readonly type: string;
  readonly subject: string | null;
  readonly status: Row["status"] | null;
  readonly awaiting: boolean | null;
  readonly blocked: number | null;
  readonly at: number;
};

/** Undefined for what is delivered, settled or skipped, or was never for it. */
function kindOf(
  row: ReferenceRow,
  lane: {
    position: number;
    confirmed: number | null;
    matches: (event: ReferenceRow) => boolean;
  },
): "retrying" | "awaiting" | "dead" | "expired" | "waiting" | undefined {
  const { sequence, status, awaiting, blocked } = row;
  if (status === "delivered" || status === "settled") return undefined;
  if (sequence <= (lane.confirmed ?? 0)) return undefined;
  if (awaiting !== null) return awaiting ? "awaiting" : "retrying";
  if (status === "dead" || status === "expired") return status;
  const isReached = sequence <= lane.position && !(blocked !== null && sequence > blocked);
  return isReached || !lane.matches(row) ? undefined : "waiting";
}
