/**
 * What waits without a filter, by subtraction, and each undelivered event once, however many
 * endpoints have not got it: parts of the statements of undelivered-statements.ts.
 */
import { sql as template, type SQL } from "drizzle-orm";
import type { Day } from "../log/event.ts";
import { diedSince } from "./undelivered-dated.ts";
import { confirmed, type Window } from "./undelivered-window.ts";

/** Dead letters of a tenant in the window, in the order of the index that has them alone. */
export function diedIn(scope: SQL, sinceDay: Day): SQL {
  return template`
    d.tenant = ${scope}.tenant and d.day >= ${sinceDay}::date
      and (d.day, d.sequence) >= (${sinceDay}::date, ${scope}.first)
      and d.status in ('dead', 'expired')`;
}

/**
 * Of endpoints without a filter: as many as lie beyond the place, less those that are recorded. One
 * of which more is recorded than the limit is looked for as if it had a filter.
 */
export function open({ sinceDay }: Window, limits: { readonly recorded: number }): SQL {
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
    )`;
}

/** Beyond the lowest of the places of `open` all events of a tenant are undelivered, … */
export const lowest = template`
    lowest as materialized (
      select s.tenant, s.head, s.first, coalesce(o.beyond, s.head) as beyond
      from scope s
        left join (select tenant, min(floor) as beyond from open group by tenant) o
          on o.tenant = s.tenant
    )`;

/**
 * … but those that are recorded for as many endpoints as stand before them, and that no dead letter
 * or retry of any endpoint tells of.
 */
export function bare({ sinceDay }: Window): SQL {
  return template`
    others as materialized (
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
      where recorded > 0 and recorded = opened
        and (tenant, sequence) not in (select tenant, sequence from others)
        and (
          select true from deliveries d
          where d.tenant = x.tenant and d.day = x.day and d.day >= ${sinceDay}::date
            and d.sequence = x.sequence and d.status in ('dead', 'expired') and (
              select d.sequence > ${confirmed(template`p`)} from positions p
              where p.tenant = d.tenant and p.consumer = d.endpoint)
          limit 1
        ) is null
    )`;
}

/**
 * Where one endpoint alone has anything undelivered, that is it. Of the others, beyond the lowest place it
 * is all but the bare ones; up to there those that died, in the order of an index, and those that
 * only others tell of.
 */
export function distinct(
  window: Window,
  { readPerLookup }: { readonly readPerLookup: number },
): SQL {
  const { many, sinceDay } = window;
  // Of endpoints whose dead letters do not all count. Mostly there are none, and nothing is compared.
  const counted = template`((select true from apart limit 1) is null
    or (d.tenant, d.endpoint) not in (select tenant, endpoint from apart))`;
  const died = template`(
    select true from deliveries d
    where d.tenant = x.tenant and d.day = x.day and d.day >= ${sinceDay}::date
      and d.sequence = x.sequence and d.status in ('dead', 'expired') and ${counted} limit 1)`;
  return template`
    apart as materialized (
      select tenant, endpoint from failed
      where (select count(*) from failed) > (select count(*) from counts where whole)
        and (tenant, endpoint) not in (select tenant, endpoint from counts where whole)
    ), several as materialized (
      select tenant, sum(dead) as dead from counts group by tenant having count(*) > 1
    ), shared as materialized (
      select l.*, w.dead from several w join lowest l on l.tenant = w.tenant
    ), events_of as materialized (
      select retrying + dead + waiting as events from counts
      where tenant not in (select tenant from several)
      union all
      select l.head - l.beyond + coalesce(o.count, 0) - coalesce(b.count, 0) + ${
        many
          ? template`coalesce(d.count, 0)`
          : template`
        case
          when (l.beyond - l.first) * ${readPerLookup}::int < l.dead
            then (${diedByLookup(sinceDay, died)})
          else (
            select count(*) from (
              select distinct d.day, d.sequence from deliveries d
              where ${diedIn(template`l`, sinceDay)} and d.sequence <= l.beyond and ${counted}
            ) as died)
          end`
      }
      from shared l
        ${many ? template`left join (${diedTogether(window, counted)}) d on d.tenant = l.tenant` : template``}
        left join (
          select x.tenant, count(*) from others x
            join shared l on l.tenant = x.tenant and x.sequence <= l.beyond
          where ${died} is null group by x.tenant
        ) o on o.tenant = l.tenant
        left join (select tenant, count(*) from bare group by tenant) b on b.tenant = l.tenant
    )`;
}

/** Of all of many tenants. */
function diedTogether(window: Window, counted: SQL): SQL {
  return template`
    select tenant, count(*) from (
      select distinct d.tenant, d.sequence
      from ${diedSince(window)} d join shared l on l.tenant = d.tenant
      where d.sequence <= l.beyond and ${counted}
    ) as died group by tenant`;
}

/** Where many endpoints share few events. */
function diedByLookup(sinceDay: Day, died: SQL): SQL {
  return template`
    select count(*) from (
      select l.tenant, d.day, generate_series(greatest(d.first_sequence, l.first),
        least(l.beyond, d.last)) as sequence
      from (
        select d.day, d.first_sequence,
          coalesce(lead(d.first_sequence) over (order by d.day) - 1, l.beyond) as last
        from log_days d where d.tenant = l.tenant and d.day >= ${sinceDay}::date
      ) as d
      offset 0
    ) as x where ${died}`;
}
