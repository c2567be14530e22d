/**
 * The statements behind history.ts. Each reads one day of one tenant and costs what it finds, not
 * what there is: deliveries are partitioned by the event's day, and every look at one is a descent
 * of the index that leads with tenant and endpoint. Sub-selects with a limit and scalar ones keep
 * it so whatever the planner knows of a partition, which on its first day is nothing.
 */
import { arrayText, type Sql } from "../db/database.ts";
import type { deliveries } from "../db/delivery-schema.ts";
import type { endpoints } from "../db/schema.ts";
import { eventId, type Day, type Sequence, type TenantId } from "../log/event.ts";

/** What is recorded of a delivery. Times are milliseconds since 1970. */
export type Delivery = {
  readonly tenant: TenantId;
  /** The uuid. It may have been removed. */
  readonly endpoint: string;
  readonly day: Day;
  readonly sequence: Sequence;
  readonly event: { readonly id: string; readonly type: string };
  readonly status: RecordedStatus;
  readonly attempts: number;
  /** The event before this one that matched the endpoint; 0 for the first, null if unknown yet. */
  readonly previous: Sequence | null;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Of the next attempt. */
  readonly dueAt: number | null;
  /** Of the last attempt; null where only its own record tells. */
  readonly queueMs: number | null;
  readonly latencyMs: number | null;
  readonly statusCode: number | null;
  readonly error: string | null;
  /** What the consumer has said of it last. */
  readonly receipt: {
    readonly status: "processed" | "failed";
    readonly detail: string | null;
    readonly at: number;
  } | null;
};

export type RecordedStatus =
  | (typeof deliveries.$inferSelect)["status"]
  | "retrying"
  | "awaiting_receipt";

/**
 * Where a list is read from: all there is, without what was delivered, dead letters alone, or what
 * is tried again.
 */
export type Source = "all" | "failed" | "dead" | "retrying";

/** A place between deliveries: after the one of this endpoint, on the way down. */
export type Place = { readonly sequence: Sequence; readonly endpoint: string };

export type Reach = {
  readonly tenant: TenantId;
  readonly day: Day;
  readonly source: Source;
  readonly endpoints: readonly string[];
  readonly after: Place;
  /** The lowest sequence that is wanted. */
  readonly lowest: Sequence;
  readonly limit: number;
};

export type Found = {
  readonly deliveries: readonly Delivery[];
  /** How many were looked at; of some the event is gone. */
  readonly scanned: number;
  /** Where to go on; undefined when nothing wanted is left of the day. */
  readonly end: Place | undefined;
};

/** Below every endpoint: the place where a sequence is done. */
export const lowestEndpoint = "00000000-0000-0000-0000-000000000000";

/** Above every endpoint. */
export const highestEndpoint = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/**
 * Rows of each kind that one statement reads to merge them; one of each endpoint if there are more
 * endpoints. What is merged and left over is read again, so more would not be faster.
 */
const mergeMaxRows = 4_000;

/** Holds the start of an envelope up to the end of its id. */
const envelopeStartLength = 128;

type Row = Omit<Delivery, "tenant" | "day" | "event" | "receipt"> & {
  receiptStatus: "processed" | "failed" | null;
  receiptDetail: string | null;
  receiptAt: number | null;
  /** Every endpoint was read down to here. */
  horizon: Sequence;
  /** Null when the event is gone. */
  type: string | null;
  start: string | null;
};

/** What of an endpoint's settings its pushes show. */
export type EndpointNow = {
  readonly tenant: TenantId;
  readonly tenantName: string;
  readonly erasing: boolean;
  readonly url: string;
  readonly format: (typeof endpoints.$inferSelect)["format"];
  /** Of its own request headers. */
  readonly headerNames: readonly string[];
};

/** The place after which everything with a lower sequence comes. */
export function placeBelow(sequence: Sequence): Place {
  return { sequence, endpoint: lowestEndpoint };
}

export function createOutcomeReader(sql: Sql) {
  return { days, endpointsOn, endpointsDown, scan, endpoint };

  /** The newest days that may be read and begin with `last` or before, and where each begins. */
  function days(tenant: TenantId, last: Sequence, limit: number) {
    return sql<{ day: Day; first: Sequence }[]>`
      select day::text, first_sequence as first from log_days
      where tenant = ${tenant} and first_sequence <= ${last}
        and day >= (select oldest_day from log_settings)
      order by day desc limit ${limit}`;
  }

  /** Those that have deliveries on a day, also when they were removed since: a descent for each. */
  async function endpointsOn(tenant: TenantId, day: Day, source: Source): Promise<string[]> {
    const wanted = isOf(source);
    const settled = sql`
      (select endpoint from deliveries where tenant = ${tenant} and day = ${day} ${wanted}
        order by endpoint limit 1)
      union all
      select (select endpoint from deliveries
        where tenant = ${tenant} and day = ${day} and endpoint > s.endpoint ${wanted}
        order by endpoint limit 1)
      from settled s where s.endpoint is not null`;
    const rows = await sql<{ endpoint: string }[]>`
      with recursive retried as (
        (select endpoint from retries where tenant = ${tenant} order by endpoint limit 1)
        union all
        select (select endpoint from retries where tenant = ${tenant} and endpoint > r.endpoint
          order by endpoint limit 1)
        from retried r where r.endpoint is not null
      ), settled as (${source === "retrying" ? sql`select null::uuid as endpoint` : settled})
      select endpoint from retried where endpoint is not null
      union
      select endpoint from settled where endpoint is not null`;
    return rows.map(({ endpoint }) => endpoint);
  }

  /**
   * The first of the endpoints that may have a delivery of an event, from the one made last to the
   * first: those that are retrying it, and those that have settled anything on its day.
   */
  async function endpointsDown(
    of: { tenant: TenantId; day: Day; source: Source; sequence: Sequence },
    { below, downTo, limit }: { below: string; downTo: string; limit: number },
  ): Promise<string[]> {
    const { tenant, day, source, sequence } = of;
    const next = (under: ReturnType<Sql>) => sql`
      select endpoint from deliveries
      where tenant = ${tenant} and day = ${day} and endpoint < ${under} and endpoint >= ${downTo}
        ${isOf(source)}
      order by endpoint desc limit 1`;
    const settled = sql`
      (select endpoint, 1 as rank from (${next(sql`${below}::uuid`)}) as first)
      union all
      select (${next(sql`s.endpoint`)}), rank + 1
      from settled s where s.endpoint is not null and s.rank < ${limit}`;
    const rows = await sql<{ endpoint: string }[]>`
      with recursive settled as (
        ${source === "retrying" ? sql`select null::uuid as endpoint, 1 as rank` : settled}
      )
      (select endpoint from retries
        where tenant = ${tenant} and sequence = ${sequence}
          and endpoint < ${below} and endpoint >= ${downTo}
        order by endpoint desc limit ${limit})
      union
      select endpoint from settled where endpoint is not null
      order by endpoint desc limit ${limit}`;
    return rows.map(({ endpoint }) => endpoint);
  }

  /**
   * Deliveries in the order of the list. Of each endpoint only so many are read that all together
   * are a bounded number; where that cuts one short, what lies below its last is left for the next
   * statement, since it may still have something in between.
   */
  async function scan(reach: Reach): Promise<Found> {
    const { endpoints, limit } = reach;
    if (endpoints.length === 0) return { deliveries: [], scanned: 0, end: undefined };
    const share = Math.max(1, Math.min(limit, Math.floor(mergeMaxRows / endpoints.length)));
    const rows = await readMerged(reach, share);
    const [first] = rows;
    const last = rows.at(-1);
    let end: Place | undefined;
    if (last !== undefined && rows.length === limit) end = last;
    else if (first !== undefined && first.horizon > 0) end = placeBelow(first.horizon);
    return { deliveries: rows.flatMap((row) => toDelivery(row, reach)), scanned: rows.length, end };
  }

  function readMerged(
    { tenant, day, source, endpoints, after, lowest, limit }: Reach,
    share: number,
  ) {
    const wanted = isOf(source);
    const settled = sql`
      union all
      select 'settled', d.endpoint, d.sequence, d.status, d.attempts, d.previous,
        d.first_attempt_at, d.last_attempt_at, null, d.queue_ms, d.latency_ms, d.status_code,
        d.error, d.receipt_status, d.receipt_detail, d.receipt_at
      from asked cross join lateral (
        select * from deliveries
        where tenant = ${tenant} and endpoint = asked.endpoint and day = ${day}
          and sequence between ${lowest} and asked.highest ${wanted}
        order by sequence desc limit ${share}
      ) d`;
    return sql<Row[]>`
      with asked as (
        select endpoint,
          ${after.sequence}::bigint - (endpoint >= ${after.endpoint}::uuid)::int as highest
        from unnest(${arrayText(endpoints)}::uuid[]) as endpoint
        where ${day}::date >= (select oldest_day from log_settings)
      ), taken as materialized (
        select 'retried' as kind, r.endpoint, r.sequence,
          case when r.awaiting then 'awaiting_receipt' else 'retrying' end as status, r.attempts,
          r.previous, r.first_attempt_at, r.last_attempt_at, r.due_at, null::int as queue_ms,
          null::int as latency_ms, r.status_code, r.error, r.receipt_status, r.receipt_detail,
          r.receipt_at
        from asked cross join lateral (
          select * from retries r
          where r.tenant = ${tenant} and r.endpoint = asked.endpoint and r.day = ${day}
            and r.sequence between ${lowest} and asked.highest
            -- What was delivered stays so, whatever is left here.
            and (select status from deliveries d where d.tenant = r.tenant
                and d.endpoint = r.endpoint and d.day = ${day} and d.sequence = r.sequence
              ) is distinct from 'delivered'
          order by r.sequence desc limit ${share}
        ) r
        ${source === "retrying" ? sql`` : settled}
      ), cut as (
        select min(sequence) as last from taken group by kind, endpoint having count(*) = ${share}
      ), horizon as materialized (select coalesce(max(last), 0) as sequence from cut), found as (
        select distinct on (t.sequence, t.endpoint) t.*, horizon.sequence as horizon
        from taken t, horizon where t.sequence >= horizon.sequence
        -- A dead letter that is tried once more is still among the settled.
        order by t.sequence desc, t.endpoint desc, t.kind
        limit ${limit}
      )
      select f.endpoint, f.sequence, f.status, f.attempts, f.previous,
        (extract(epoch from f.first_attempt_at) * 1000)::bigint as "firstAt",
        (extract(epoch from f.last_attempt_at) * 1000)::bigint as "lastAt",
        (extract(epoch from f.due_at) * 1000)::bigint as "dueAt",
        f.queue_ms as "queueMs", f.latency_ms as "latencyMs",
        f.status_code as "statusCode", f.error, f.horizon, e.type, e.start,
        coalesce(f.receipt_status, case when g.at is not null then 'processed' end)
          as "receiptStatus",
        case when f.receipt_status is null then g.detail else f.receipt_detail end
          as "receiptDetail",
        (extract(epoch from coalesce(f.receipt_at, g.at)) * 1000)::bigint as "receiptAt"
      from found f left join lateral (
        select type, left(envelope, ${envelopeStartLength}) as start from events
        where tenant = ${tenant} and day = ${day} and sequence = f.sequence limit 1
      ) e on true
      left join lateral (${throughOf(tenant)}) g on true
      order by f.sequence desc, f.endpoint desc`;
  }

  /** What was told of all up to a cursor. */
  function throughOf(tenant: TenantId) {
    return sql`
      select detail, at from (
        -- The nearest alone is one descent of the index, however many there are beyond.
        select detail, at, after from receipt_ranges
        where f.receipt_status is null and tenant = ${tenant} and endpoint = f.endpoint
          and through >= f.sequence
        order by through limit 1
      ) as nearest where after < f.sequence`;
  }

  function isOf(source: Source) {
    switch (source) {
      case "failed":
        return sql`and status <> 'delivered'`;
      case "dead":
        return sql`and status = 'dead'`;
      case "all":
      case "retrying":
        return sql``;
    }
  }

  /** As it stands now; undefined when it was removed, or is not this tenant's, where one is given. */
  async function endpoint(uuid: string, tenant?: TenantId): Promise<EndpointNow | undefined> {
    const owned = tenant === undefined ? sql`` : sql`and e.tenant = ${tenant}`;
    const [row] = await sql<EndpointNow[]>`
      select e.tenant, t.name as "tenantName", t.erasing_since is not null as erasing, e.url,
        e.format, e.header_names as "headerNames"
      from endpoints e join tenants t on t.id = e.tenant
      where e.id = ${uuid} ${owned}`;
    return row;
  }
}

/** None when retention has just taken the event: a moment later its deliveries are gone too. */
function toDelivery(row: Row, { tenant, day }: Reach): Delivery[] {
  const { horizon: _, type, start, receiptStatus, receiptDetail, receiptAt, ...recorded } = row;
  if (type === null || start === null) return [];
  const receipt =
    receiptStatus === null || receiptAt === null
      ? null
      : { status: receiptStatus, detail: receiptDetail, at: receiptAt };
  const event = { id: eventId({ envelope: start }), type };
  return [{ ...recorded, receipt, tenant, day, event }];
}
