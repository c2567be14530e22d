/** Reads the events of one subject, for lanes that are behind with it. */
import type { Sql } from "../db/database.ts";
import type { SettledTo } from "../deliveries/ledger.ts";
import type { Day, LogEvent, Position, Sequence, TenantId } from "../log/event.ts";
import { createLastMatched } from "../log/last-matched.ts";
import type { Endpoint } from "./endpoints.ts";
import type { SubjectEvent, SubjectItem, SubjectReads } from "./subjects.ts";

type Wanted = {
  readonly tenant: TenantId;
  readonly endpoint: string;
  readonly subject: string;
  readonly after: Position;
  /** The last that may be read. */
  readonly through: Sequence;
  readonly limit: number;
};

export function createSubjectReads(sql: Sql): SubjectReads {
  const readSubject = createSubjectReader(sql);
  const lastMatched = createLastMatched(sql);

  return (endpoint) => ({
    read: (subject, after, through, limit) => {
      const { tenant, id } = endpoint;
      return readSubject({ tenant, endpoint: id, subject, after, through, limit });
    },
    match: (events, after) => match(endpoint, events, after),
  });

  async function match(
    { tenant, filter, wanted }: Endpoint,
    events: readonly LogEvent[],
    after: SettledTo,
  ): Promise<SubjectItem[]> {
    const items: SubjectItem[] = [];
    let above = after.matched;
    for (const event of events) {
      if (!filter.matches(event)) continue;
      const before = { sequence: event.sequence - 1, day: event.day };
      // Events of other subjects lie between, and those were for the endpoint too.
      const previous = filter.all
        ? Math.max(before.sequence, above)
        : await lastMatched(tenant, before, wanted, above);
      items.push({ event, previous });
      above = event.sequence;
    }
    return items;
  }
}

function createSubjectReader(sql: Sql) {
  return async ({ tenant, endpoint, subject, after, through, limit }: Wanted) => {
    const found: SubjectEvent[] = [];
    for (const day of await daysOf(tenant, after.day, through)) {
      // One day a statement, as pages are read (log/day.ts).
      const rows = await sql<Row[]>`
        with since as materialized (
          select coalesce(p.resumed_at, '-infinity') as at from positions p
          where p.tenant = ${tenant} and p.consumer = ${endpoint}
        ), confirmed as materialized (
          -- What a receipt has settled as a whole has no rows. It may lie ahead of the subject: a push
          -- that was under way when the receipt came may have blocked it.
          select g.through from receipt_ranges g
          where g.tenant = ${tenant} and g.endpoint = ${endpoint}
            and g.through > ${after.sequence} and g.at >= (select at from since)
          order by g.through desc limit 1
        )
        select e.sequence, e.day::text, e.type, e.subject, e.envelope,
          (extract(epoch from e.appended_at) * 1000)::bigint as appended_at,
          exists (select from retries r where r.tenant = e.tenant and r.endpoint = ${endpoint}
            and r.sequence = e.sequence) as is_retry,
          -- Of a time when it was not ordered so; see endpoints.ts for those of before a resume.
          exists (select from deliveries d where d.tenant = e.tenant and d.endpoint = ${endpoint}
            and d.day = ${day} and d.sequence = e.sequence
            and greatest(d.last_attempt_at,
              case d.receipt_status when 'processed' then d.receipt_at end)
              >= (select at from since)) as is_settled
        from events e
        where e.tenant = ${tenant} and e.day = ${day} and e.subject = ${subject}
          and hashtextextended(e.subject, 0) = hashtextextended(${subject}, 0)
          and e.sequence > ${after.sequence} and e.sequence <= ${through}
          and e.sequence > coalesce((select through from confirmed), 0)
        order by e.sequence limit ${limit - found.length}`;
      found.push(...rows.map(toSubjectEvent));
      if (found.length === limit) break;
    }
    return found;
  };

  async function daysOf(tenant: TenantId, first: Day, through: Sequence): Promise<Day[]> {
    const rows = await sql<{ day: Day }[]>`
      select day::text from log_days
      where tenant = ${tenant} and day >= ${first} and first_sequence <= ${through}
        and day >= (select oldest_day from log_settings)
      order by day`;
    return rows.map(({ day }) => day);
  }
}

type Row = {
  sequence: number;
  day: string;
  type: string;
  subject: string;
  envelope: string;
  appended_at: number;
  is_retry: boolean;
  is_settled: boolean;
};

function toSubjectEvent(row: Row): SubjectEvent {
  const { is_retry: isRetry, is_settled: isSettled, appended_at: appendedAt, ...event } = row;
  return { event: { ...event, appendedAt }, isRetry, isSettled };
}
