/**
 * A window of time as the log has it, for one transaction that sees one state of all tables: which
 * tenants have events in it, from which on, and where their endpoints stand.
 */
import { sql as template, type SQL } from "drizzle-orm";
import type { OrmTransaction } from "../db/database.ts";
import type { Day, Sequence, TenantId } from "../log/event.ts";
import type { Circuit, Status } from "./positions.ts";

export type Execute = Pick<OrmTransaction, "execute">;

/** Events with an append time after `since`; undefined for all tenants. */
export type Window = {
  readonly tenant: TenantId | undefined;
  /** As Postgres writes it, in microseconds. */
  readonly since: string;
  readonly sinceDay: Day;
  /** Milliseconds since 1970. */
  readonly asOf: number;
};

/** Fixes the state that all statements of the transaction see, and what plans may use. */
export async function openWindow(
  orm: Execute,
  tenant: TenantId | undefined,
  seconds: number,
): Promise<Window> {
  const [row] = await orm.execute<Omit<Window, "tenant">>(template`
    select (extract(epoch from as_of) * 1000)::bigint as "asOf", since::text,
      ((since at time zone 'UTC')::date)::text as "sinceDay",
      -- To compile the plan takes longer than to follow it, and its sets fit into this.
      set_config('jit', 'off', true), set_config('work_mem', '32MB', true),
      -- Of the size of its sets nothing is known: to join two by comparing each row of the one with
      -- each of the other can take minutes. What is looked up row by row is, whatever this says. Until
      -- the summary is made.
      set_config('enable_nestloop', 'off', true)
    from (select clock_timestamp() as as_of) a,
      lateral (select as_of - ${seconds} * interval '1 second' as since) b`);
  if (row === undefined) throw new Error("the database told no time");
  const { since, sinceDay, asOf } = row;
  return { tenant, since, sinceDay, asOf };
}

/** What is shown of an endpoint besides its counts. */
export type EndpointView = {
  /** Its name. */
  readonly tenant: string;
  readonly url: string;
  readonly status: Status;
  readonly circuit: Circuit;
  /** Milliseconds since 1970. */
  readonly oldestAt: number | null;
};

/** In the order of the places, which are of endpoints that are there. */
export async function show(
  orm: Execute,
  { sinceDay }: Window,
  places: readonly { tenant: TenantId; endpoint: string; oldest: Sequence | undefined }[],
): Promise<EndpointView[]> {
  const asked = JSON.stringify(places.map((place, n) => ({ n, ...place })));
  return orm.execute<EndpointView>(template`
    select t.name as tenant, e.url, p.status, p.circuit, (
        select (extract(epoch from v.appended_at) * 1000)::bigint from events v
        where v.tenant = a.tenant and v.day >= ${sinceDay}::date and v.sequence = a.oldest
          and v.day = (
            select d.day from log_days d
            where d.tenant = a.tenant and d.first_sequence <= a.oldest order by d.day desc limit 1
          )
      ) as "oldestAt"
    from jsonb_to_recordset(${asked}::jsonb) as a(n int, tenant uuid, endpoint uuid, oldest bigint)
      join tenants t on t.id = a.tenant
      join endpoints e on e.tenant = a.tenant and e.id = a.endpoint
      join positions p on p.tenant = a.tenant and p.consumer = a.endpoint
    order by a.n`);
}

/**
 * The tenants to which something was appended in the window, and their first event of it. Append
 * times never decrease along a log: so it is found by halves, of all tenants at once, and only on
 * the day on which the window begins.
 */
export function scope({ tenant, since, sinceDay }: Window): SQL {
  const owned = tenant === undefined ? template`` : template`and h.tenant = ${tenant}`;
  return template`
    begun as materialized (
      select h.tenant, h.head, d.first_sequence as first, coalesce((
          select n.first_sequence - 1 from log_days n
          where n.tenant = h.tenant and n.day > ${sinceDay}::date order by n.day limit 1
        ), h.head) as last, d.day = ${sinceDay}::date and d.first_at <= ${since}::timestamptz as cut
      from heads h cross join lateral (
        select d.day, d.first_sequence, d.first_at from log_days d
        where d.tenant = h.tenant and d.day >= ${sinceDay}::date
          and d.day >= (select oldest_day from log_settings)
        order by d.day limit 1
      ) d
      where h.at > ${since}::timestamptz ${owned}
    ), halves(tenant, low, high) as (
      select tenant, first, last from begun where cut
      union all
      select h.tenant, case when e.before then h.middle else h.low end,
        case when e.before then h.high else h.middle - 1 end
      from (select *, (low + high + 1) / 2 as middle from halves where low < high) h
      cross join lateral (
        select coalesce((
          select e.appended_at <= ${since}::timestamptz from events e
          where e.tenant = h.tenant and e.day = ${sinceDay}::date and e.sequence = h.middle
        ), false) as before
      ) e
    ), scope as materialized (
      select b.tenant, b.head, case when b.cut then h.low + 1 else b.first end as first
      from begun b left join halves h on h.tenant = b.tenant and h.low = h.high
    )`;
}

/** Where their endpoints stand. Nothing up to `floor` waits, but what blocked subjects hold. */
export function placed({ tenant, sinceDay }: Window): SQL {
  const owned = tenant === undefined ? template`` : template`where p.tenant = ${tenant}`;
  return template`
    places as materialized (
      select *, greatest(sequence, confirmed, first - 1) as floor
      from (
        select s.tenant, s.head, s.first, p.consumer as endpoint, p.sequence,
          greatest(p.day, ${sinceDay}::date) as day,
          e.types is null and e.subjects is null as takes_all,
          -- Elsewhere an event has an outcome or a retry, and not both.
          p.receipts > 0 or p.resumed_at is not null or (p.tenant, p.consumer) in (
            select tenant, endpoint from replays) as mixed,
          ${confirmed(template`p`)} as confirmed
        from scope s
          join positions p on p.tenant = s.tenant
          join endpoints e on e.tenant = p.tenant and e.id = p.consumer
        ${owned}
        -- So that each receipt is looked for once.
        offset 0
      ) as stands
    )`;
}

/** All up to here is settled, by receipts of the position of this alias. */
export function confirmed(position: SQL): SQL {
  return template`case when ${position}.receipts = 0 then 0 else coalesce((
    select g.through from receipt_ranges g
    where g.tenant = ${position}.tenant and g.endpoint = ${position}.consumer
      and g.at >= coalesce(${position}.resumed_at, '-infinity')
    order by g.through desc limit 1), 0) end`;
}
