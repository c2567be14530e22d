/**
 * The statements behind undelivered.ts, for one transaction that sees one state of all tables. They
 * judge as missed.ts does: what was delivered or settled stays so, whatever else is left of it; a
 * retry goes before a dead letter; what a receipt has settled as a whole owes nothing, though its
 * rows may not have gone yet; and what was skipped, lies beyond the position and has no other row
 * waits, since the position was moved back.
 *
 * All of them name the first day of the window, so that older partitions are not even planned for,
 * and look rows up in laterals, in the order of an index: of tables without statistics the planner
 * would read all instead.
 */
import { sql as template, type SQL } from "drizzle-orm";
import type { Day, Sequence, TenantId } from "../log/event.ts";
import { placed, scope, type Execute, type Window } from "./undelivered-window.ts";

/** Pairs of an endpoint and an event, and the first of them. */
export type EndpointCounts = {
  readonly tenant: TenantId;
  readonly endpoint: string;
  readonly retrying: number;
  readonly awaiting: number;
  readonly dead: number;
  readonly expired: number;
  readonly waiting: number;
  readonly oldest: Sequence | null;
};

/**
 * A run of the log in which an endpoint's waiting events have to be looked for: those beyond its
 * position, or of one blocked subject before it.
 */
export type Run = {
  readonly tenant: TenantId;
  readonly endpoint: string;
  readonly subject: string | null;
  readonly day: Day;
  readonly after: Sequence;
  readonly through: Sequence;
};

/** Where a tenant's events are undelivered already, as far as endpoints without a filter tell. */
export type Covered = {
  readonly tenant: TenantId;
  /** All beyond it are, … */
  readonly beyond: Sequence;
  /** … but these. */
  readonly bare: readonly Sequence[];
};

export type Summary = {
  /** Sums over all endpoints, without what has to be looked for. */
  readonly totals: Pick<
    EndpointCounts,
    "retrying" | "awaiting" | "dead" | "expired" | "waiting"
  > & { readonly undelivered: number; readonly endpoints: number };
  /** The worst, and all those of `runs`. */
  readonly endpoints: readonly EndpointCounts[];
  readonly runs: readonly Run[];
  /** Of the tenants of `runs`. */
  readonly covered: readonly Covered[];
};

export type SummaryLimits = {
  /** Endpoints that are shown. */
  readonly shown: number;
  /** Outcomes beyond a position that are read for each endpoint before it is looked for apart. */
  readonly recorded: number;
};

/** All that needs no look at events: dead letters, retries, and what waits without a filter. */
export async function summarize(
  orm: Execute,
  window: Window,
  limits: SummaryLimits,
): Promise<Summary> {
  const [row] = await orm.execute<{ summary: Summary }>(summaryStatement(window, limits));
  if (row === undefined) throw new Error("nothing was summarized");
  // What follows joins a few rows with tables, of which all would be read otherwise.
  await orm.execute(template`set local enable_nestloop = on`);
  return row.summary;
}

export function summaryStatement(window: Window, limits: SummaryLimits): SQL {
  return template`
    with recursive ${scope(window)}, ${placed(window)}, ${failed(window)}, ${waiting(window, limits)},
    ${searched(window)}, ${distinct(window)}, ranked as (
      select * from counts order by retrying + dead + waiting desc, endpoint
      limit ${limits.shown}
    )
    select json_build_object(
      'totals', (
        select json_build_object(
          'retrying', coalesce(sum(retrying), 0), 'awaiting', coalesce(sum(awaiting), 0),
          'dead', coalesce(sum(dead), 0), 'expired', coalesce(sum(expired), 0),
          'waiting', coalesce(sum(waiting), 0), 'endpoints', count(*),
          'undelivered', (select coalesce(sum(events), 0) from events_of))
        from counts),
      'endpoints', (
        select coalesce(json_agg(c), '[]') from (
          select * from ranked
          union
          select c.* from counts c join (select distinct tenant, endpoint from runs) r
            on r.tenant = c.tenant and r.endpoint = c.endpoint
        ) c),
      'runs', (select coalesce(json_agg(r), '[]') from runs r),
      'covered', (
        select coalesce(json_agg(json_build_object('tenant', o.tenant, 'beyond', o.beyond,
          'bare', (select coalesce(json_agg(b.sequence), '[]') from bare b
            where b.tenant = o.tenant))), '[]')
        from events_of o where o.tenant in (select tenant from runs))
    ) as summary`;
}

/**
 * What is tried again, and what is not any more. Of the dead a tenant may have 100,000: they are read
 * out of an index alone, by endpoint and by event, and what concerns few is left out, or put right,
 * apart: those of endpoints that are gone, or for which a receipt has settled some, and those that
 * are tried once more. A retry has an outcome beside it only where a receipt, a replay or a position
 * that was moved back made one of them: elsewhere nothing is looked up.
 */
function failed({ sinceDay }: Window): SQL {
  return template`
    tried as materialized (
      select s.tenant, r.*, case
          when (s.tenant, r.endpoint) in (select tenant, endpoint from places where mixed) then (
            select d.status from deliveries d
            where d.tenant = s.tenant and d.endpoint = r.endpoint and d.day = r.day
              and d.day >= ${sinceDay}::date and d.sequence = r.sequence limit 1)
        end as status
      from scope s cross join lateral (
        select r.endpoint, r.sequence, r.day, r.awaiting from retries r
        -- By the whole key: else the planner may take the index on what is due, and read all of it.
        where (r.tenant, r.sequence) >= (s.tenant, s.first)
          and (r.tenant, r.sequence) <= (s.tenant, s.head)
        order by r.tenant, r.sequence, r.endpoint
      ) r
    ), retried as materialized (
      select r.tenant, r.endpoint, r.sequence, r.day, r.awaiting, r.status
      from tried r join places p on p.tenant = r.tenant and p.endpoint = r.endpoint
      -- What was delivered stays so, whatever is left here.
      where r.sequence > p.confirmed and coalesce(r.status, '') not in ('delivered', 'settled')
    ), failed as materialized (
      select s.tenant, d.*
      from scope s cross join lateral (
        select d.endpoint, count(*)::int as dead,
          count(*) filter (where d.status = 'expired')::int as expired, min(d.sequence) as oldest
        from deliveries d where ${diedIn(template`s`, sinceDay)} group by d.endpoint
      ) d
    ), apart as materialized (
      select tenant, endpoint from failed
      where (tenant, endpoint) not in (
        select p.tenant, p.endpoint from places p where p.confirmed < p.first)
    ), unsettled as materialized (
      select p.tenant, p.endpoint, d.sequence, d.day, d.expired
      from places p cross join lateral (
        select d.sequence, d.day, d.status = 'expired' as expired from deliveries d
        where d.tenant = p.tenant and d.endpoint = p.endpoint and d.day >= ${sinceDay}::date
          and d.sequence > p.confirmed and d.status in ('dead', 'expired')
        order by d.day, d.sequence
      ) d
      where p.confirmed >= p.first
    )`;
}

/**
 * Of endpoints without a filter: as many as lie beyond the place, less those that are recorded. One
 * of which more is recorded than the limit is looked for as if it had a filter.
 */
function waiting({ sinceDay }: Window, limits: SummaryLimits): SQL {
  return template`
    recorded as materialized (
      select p.tenant, p.endpoint, p.floor, d.sequence, d.day
      from places p cross join lateral (
        select d.sequence, d.day from deliveries d
        where d.tenant = p.tenant and d.endpoint = p.endpoint and d.day >= ${sinceDay}::date
          and (d.day, d.sequence) > (p.day, p.floor) and d.sequence > p.floor
          and d.status <> 'skipped'
        order by d.day, d.sequence limit ${limits.recorded + 1}
      ) d
      where p.takes_all and p.floor < p.head
      union
      select r.tenant, r.endpoint, p.floor, r.sequence, r.day
      from tried r join places p on p.tenant = r.tenant and p.endpoint = r.endpoint
      where p.takes_all and p.floor < p.head and r.sequence > p.floor
    ), open as materialized (
      select p.tenant, p.endpoint, p.floor, p.head - p.floor - coalesce(r.count, 0) as waiting,
        p.floor + coalesce(r.leading, 0) + 1 as oldest
      from places p left join (
        -- Those that follow the place without a hole.
        select tenant, endpoint, count(*), count(*) filter (where sequence = floor + nth) as leading
        from (
          select *, row_number() over (partition by tenant, endpoint order by sequence) as nth
          from recorded
        ) as numbered
        group by tenant, endpoint
      ) r on r.tenant = p.tenant and r.endpoint = p.endpoint
      where p.takes_all and p.floor < p.head and coalesce(r.count, 0) <= ${limits.recorded}
    ), counts as materialized (
      -- As int, of which sums are bigint: those of bigint are numeric, and dear.
      select tenant, endpoint, sum(retrying)::int as retrying, sum(awaiting)::int as awaiting,
        sum(dead)::int as dead, sum(expired)::int as expired, max(waiting) as waiting,
        min(oldest) as oldest
      from (
        select tenant, endpoint, count(*)::int as retrying,
          count(*) filter (where awaiting)::int as awaiting,
          0 as dead, 0 as expired, 0::bigint as waiting, min(sequence) as oldest
        from retried group by tenant, endpoint
        union all
        select tenant, endpoint, 0, 0, dead, expired, 0, oldest from failed
        where (tenant, endpoint) not in (select tenant, endpoint from apart)
        union all
        select tenant, endpoint, 0, 0, count(*)::int, count(*) filter (where expired)::int, 0,
          min(sequence)
        from unsettled group by tenant, endpoint
        union all
        -- Died, and is tried once more: that is what counts.
        select tenant, endpoint, 0, 0, -count(*)::int,
          -count(*) filter (where status = 'expired')::int, 0, null
        from retried where status in ('dead', 'expired') group by tenant, endpoint
        union all
        select tenant, endpoint, 0, 0, 0, 0, waiting, oldest from open where waiting > 0
      ) as kinds
      group by tenant, endpoint
    )`;
}

/** Where events have to be looked at: by day, since a statement looks at one. */
function searched({ tenant, sinceDay }: Window): SQL {
  const owned = tenant === undefined ? template`` : template`and b.tenant = ${tenant}`;
  return template`
    wanted as materialized (
      select p.tenant, p.endpoint, null::text as subject, p.floor as after, p.head as through
      from places p
      where p.floor < p.head and not exists (
        select from open o where o.tenant = p.tenant and o.endpoint = p.endpoint)
      union all
      select p.tenant, p.endpoint, b.subject, greatest(b.sequence, p.confirmed, p.first - 1),
        p.sequence
      from places p
        join blocked_subjects b on b.tenant = p.tenant and b.endpoint = p.endpoint
      where greatest(b.sequence, p.confirmed, p.first - 1) < p.sequence ${owned}
    ), runs as materialized (
      select w.tenant, w.endpoint, w.subject, l.day, greatest(w.after, l.first - 1) as after,
        least(w.through, l.last) as through
      from wanted w cross join lateral (
        select d.day, d.first_sequence as first, coalesce(
            lead(d.first_sequence) over (order by d.day) - 1, w.through) as last
        from log_days d where d.tenant = w.tenant and d.day >= ${sinceDay}::date
      ) l
      where l.first <= w.through and l.last > w.after
    )`;
}

/** Dead letters of a tenant in the window, in the order of the index that has them alone. */
function diedIn(scope: SQL, sinceDay: Day): SQL {
  return template`
    d.tenant = ${scope}.tenant and d.day >= ${sinceDay}::date
      and (d.day, d.sequence) >= (${sinceDay}::date, ${scope}.first)
      and d.status in ('dead', 'expired')`;
}

/**
 * Each event once, however many endpoints have not got it. Beyond the lowest of the places of `open`
 * all are undelivered, but those that are recorded for as many endpoints as stand before them. Up to
 * there it is those that died, in the order of an index, and those that only others tell of.
 */
function distinct({ sinceDay }: Window): SQL {
  const notApart = template`(d.tenant, d.endpoint) not in (select tenant, endpoint from apart)`;
  const died = template`(
    select true from deliveries d
    where d.tenant = x.tenant and d.day = x.day and d.day >= ${sinceDay}::date
      and d.sequence = x.sequence and d.status in ('dead', 'expired') and ${notApart} limit 1)`;
  return template`
    lowest as materialized (
      select s.tenant, s.head, s.first, coalesce((
          select min(o.floor) from open o where o.tenant = s.tenant), s.head) as beyond
      from scope s
    ), others as materialized (
      select tenant, day, sequence from retried
      union
      select tenant, day, sequence from unsettled
    ), edges as (
      select tenant, at, max(day) as day, sum(opening) as opening, sum(recorded) as recorded from (
        select tenant, floor as at, null::date as day, 1 as opening, 0 as recorded from open
        union all
        select r.tenant, r.sequence, r.day, 0, 1 from recorded r
          join open o on o.tenant = r.tenant and o.endpoint = r.endpoint
      ) as both_kinds group by tenant, at
    ), bare as materialized (
      select tenant, sequence from (
        select tenant, at as sequence, day, recorded, sum(opening) over (
          partition by tenant order by at rows between unbounded preceding and 1 preceding) as opened
        from edges
      ) as x
      where recorded > 0 and recorded = opened and ${died} is null
        and (tenant, sequence) not in (select tenant, sequence from others)
    ), events_of as materialized (
      select l.tenant, l.beyond, l.head - l.beyond + coalesce(o.count, 0) - coalesce(b.count, 0) + (
          select count(*) from (
            select distinct d.day, d.sequence from deliveries d
            where ${diedIn(template`l`, sinceDay)} and d.sequence <= l.beyond and ${notApart}
          ) as died
        ) as events
      from lowest l
        left join (
          select x.tenant, count(*) from others x join lowest l on l.tenant = x.tenant
          where x.sequence <= l.beyond and ${died} is null group by x.tenant
        ) o on o.tenant = l.tenant
        left join (select tenant, count(*) from bare group by tenant) b on b.tenant = l.tenant
    )`;
}
