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
import { diedSince, liesIn } from "./undelivered-dated.ts";
import { bare, diedIn, distinct, lowest, open } from "./undelivered-events.ts";
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
  /** The worst, and all those in whose runs something has to be looked for. */
  readonly endpoints: readonly EndpointCounts[];
};

export type Runs = {
  readonly runs: readonly Run[];
  /** Of their tenants. */
  readonly covered: readonly Covered[];
};

export type SummaryLimits = {
  /** Endpoints that are shown. */
  readonly shown: number;
  /** Outcomes beyond a position that are read for each endpoint before it is looked for apart. */
  readonly recorded: number;
  /** Dead letters that are read in the order of an index in the time in which one is looked up. */
  readonly readPerLookup: number;
};

/** All that needs no look at events: dead letters, retries, and what waits without a filter. */
export async function summarize(
  orm: Execute,
  window: Window,
  limits: SummaryLimits,
): Promise<Summary> {
  const [row] = await orm.execute<{ summary: Summary }>(summaryStatement(window, limits));
  if (row === undefined) throw new Error("nothing was summarized");
  return row.summary;
}

/** What has to be looked at: the same window tells it without all that died. */
export async function findRuns(orm: Execute, window: Window, limits: SummaryLimits): Promise<Runs> {
  const [row] = await orm.execute<{ found: Runs }>(template`
    with recursive ${scope(window, "waiting")}, ${placed(window)}, ${retried(window)}, ${unsettled(window)},
    ${open(window, limits)}, ${searched(window)}, ${lowest}, ${bare(window)}
    select json_build_object(
      'runs', (select coalesce(json_agg(r), '[]') from runs r),
      'covered', (
        select coalesce(json_agg(json_build_object('tenant', l.tenant, 'beyond', l.beyond,
          'bare', (select coalesce(json_agg(b.sequence), '[]') from bare b
            where b.tenant = l.tenant))), '[]')
        from lowest l where l.tenant in (select tenant from runs))
    ) as found`);
  if (row === undefined) throw new Error("nothing was found");
  return row.found;
}

export function summaryStatement(window: Window, limits: SummaryLimits): SQL {
  return template`
    with recursive ${scope(window, "all")}, ${placed(window)}, ${retried(window)}, ${unsettled(window)},
    ${open(window, limits)}, failed as materialized (${failedIn(window)}), ${counts},
    ${searched(window)}, ${lowest}, ${bare(window)}, ${distinct(window, limits)}, ranked as (
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
          select tenant, endpoint, retrying, awaiting, dead, expired, waiting, oldest from ranked
          union
          select c.tenant, c.endpoint, c.retrying, c.awaiting, c.dead, c.expired, c.waiting,
            c.oldest
          from counts c join (select distinct tenant, endpoint from runs) r
            on r.tenant = c.tenant and r.endpoint = c.endpoint
        ) c)
    ) as summary`;
}

/**
 * What is tried again. A retry has an outcome beside it only where a receipt, a replay or a position
 * that was moved back made one of them: elsewhere nothing is looked up.
 */
function retried(window: Window): SQL {
  const { sinceDay } = window;
  return template`
    tried as materialized (
      select r.*, case
          when (r.tenant, r.endpoint) in (select tenant, endpoint from places where mixed) then (
            select d.status from deliveries d
            where d.tenant = r.tenant and d.endpoint = r.endpoint and d.day = r.day
              and d.day >= ${sinceDay}::date and d.sequence = r.sequence limit 1)
        end as status
      from (${triedIn(window)}) r
    ), retried as materialized (
      select r.tenant, r.endpoint, r.sequence, r.day, r.awaiting, r.status
      from tried r join places p on p.tenant = r.tenant and p.endpoint = r.endpoint
      -- What was delivered stays so, whatever is left here.
      where r.sequence > p.confirmed and coalesce(r.status, '') not in ('delivered', 'settled')
    )`;
}

/** What is not tried any more, of endpoints for which a receipt has settled some of the window. */
function unsettled(window: Window): SQL {
  const { many, sinceDay } = window;
  const inWindow = many ? template`and ${liesIn(template`d`, template`p`, window)}` : template``;
  return template`
    unsettled as materialized (
      select p.tenant, p.endpoint, d.sequence, d.day, d.expired
      from places p cross join lateral (
        select d.sequence, d.day, d.status = 'expired' as expired from deliveries d
        where d.tenant = p.tenant and d.endpoint = p.endpoint and d.day >= ${sinceDay}::date
          and d.sequence > p.confirmed and d.status in ('dead', 'expired') ${inWindow}
        order by d.day, d.sequence
      ) d
      where p.confirmed >= p.first
    )`;
}

function triedIn(window: Window): SQL {
  const columns = template`r.tenant, r.endpoint, r.sequence, r.day, r.awaiting`;
  if (window.many) {
    return template`
      select ${columns} from retries r join scope s on s.tenant = r.tenant
      where ${liesIn(template`r`, template`s`, window)}`;
  }
  return template`
    select r.* from scope s cross join lateral (
      select ${columns} from retries r
      -- By the whole key: else the planner may take the index on what is due, and read all of it.
      where (r.tenant, r.sequence) >= (s.tenant, s.first)
        and (r.tenant, r.sequence) <= (s.tenant, s.head)
      order by r.tenant, r.sequence, r.endpoint
    ) r`;
}

/**
 * What is not tried any more. A tenant may have 100,000 of them: they are read out of an index alone,
 * by endpoint and by event, and what concerns few is left out, or put right, apart: those of
 * endpoints that are gone, or of `unsettled`, and those that are tried once more.
 */
function failedIn(window: Window): SQL {
  const columns = template`count(*)::int as dead,
    count(*) filter (where d.status = 'expired')::int as expired, min(d.sequence) as oldest`;
  if (window.many) {
    return template`
      select d.tenant, d.endpoint, ${columns} from ${diedSince(window)} d
      group by d.tenant, d.endpoint`;
  }
  return template`
    select s.tenant, d.* from scope s cross join lateral (
      select d.endpoint, ${columns}
      from deliveries d where ${diedIn(template`s`, window.sinceDay)} group by d.endpoint
    ) d`;
}

/** Of each endpoint that anything is known of. */
const counts = template`
    counts as materialized (
      -- As int, of which sums are bigint: those of bigint are numeric, and dear.
      select p.tenant, p.endpoint, coalesce(r.retrying, 0) as retrying,
        coalesce(r.awaiting, 0) as awaiting,
        -- One that died and is tried once more counts as that.
        coalesce(f.dead, 0) + coalesce(u.dead, 0) - coalesce(r.dead, 0) as dead,
        coalesce(f.expired, 0) + coalesce(u.expired, 0) - coalesce(r.expired, 0) as expired,
        coalesce(o.waiting, 0) as waiting, least(r.oldest, f.oldest, u.oldest, o.oldest) as oldest,
        f.dead is not null as whole
      from places p
        left join failed f
          on f.tenant = p.tenant and f.endpoint = p.endpoint and p.confirmed < p.first
        left join (
          select tenant, endpoint, count(*)::int as retrying,
            count(*) filter (where awaiting)::int as awaiting,
            count(*) filter (where status in ('dead', 'expired'))::int as dead,
            count(*) filter (where status = 'expired')::int as expired, min(sequence) as oldest
          from retried group by tenant, endpoint
        ) r on r.tenant = p.tenant and r.endpoint = p.endpoint
        left join (
          select tenant, endpoint, count(*)::int as dead,
            count(*) filter (where expired)::int as expired, min(sequence) as oldest
          from unsettled group by tenant, endpoint
        ) u on u.tenant = p.tenant and u.endpoint = p.endpoint
        left join open o on o.tenant = p.tenant and o.endpoint = p.endpoint and o.waiting > 0
      where coalesce(f.dead, r.retrying, u.dead, o.waiting) is not null
    )`;

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
