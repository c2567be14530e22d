/**
 * The statements that find what an endpoint matched and has not received: deliveries that are to be
 * tried again, dead letters, what its blocked subjects hold, and what waits beyond its position.
 *
 * One statement looks at one day of the log, for all four at once: an event that goes from one to
 * another meanwhile is seen in one of them. Each is read in the order of an index up to a limit,
 * and where a limit cuts one short, nothing beyond that place is told: so a look costs the same
 * behind an endpoint that has missed ten events or a million.
 *
 * What an endpoint that is served has come to, or is about to, is on its way rather than missed. A
 * look ends before the first of those: whoever confirms all that lies before the end of a look
 * confirms no push that may yet fail.
 *
 * The statements go through `orm`, which prepares none: a plan that was kept from a time when
 * `retries` was empty reads all of it again for each row, when a million are there.
 */
import { sql as template } from "drizzle-orm";
import { arrayText, type OrmTransaction } from "../db/database.ts";
import type { Day, LogEvent, Position, Sequence, TenantId } from "../log/event.ts";
import type { Filter } from "../log/filter.ts";
import { matching } from "../log/matching.ts";
import { endpointUuid } from "./endpoint.ts";

/** Whose missed events are looked for. */
export type Misser = {
  readonly tenant: TenantId;
  readonly tenantName: string;
  readonly erasing: boolean;
  /** The uuid. */
  readonly endpoint: string;
  readonly filter: Filter;
  /** Of its position: another one may stand elsewhere. */
  readonly generation: number;
};

/** A day of the log on which something may have been missed, the first event of it and the last. */
export type MissedDay = { readonly day: Day; readonly first: Sequence };

export type Look = {
  /** What was missed, in order. */
  readonly sequences: readonly Sequence[];
  /** Everything of the day up to here was looked at; undefined when the day holds nothing. */
  readonly end: Sequence | undefined;
  /** Why it ended there: the day did, a limit was reached, or what follows is on its way. */
  readonly endedBy: "day" | "limit" | "on its way";
  /** Rows that were looked at, besides those that were missed. */
  readonly scanned: number;
};

/**
 * Seconds after its append in which an event beyond the position of an endpoint that is served is
 * on its way. An attempt takes 30 at most; what is older waits for a rate or for room.
 */
const onItsWaySeconds = 60;

/** Events of blocked subjects, of which there may be a thousand, that one look reads. */
const heldMaxRows = 4_000;

export type MissedReader = ReturnType<typeof createMissedReader>;

export function createMissedReader(orm: Pick<OrmTransaction, "execute">) {
  return { find, days, look, events };

  /** As it is now; undefined for one of another tenant, and for what is no endpoint's id. */
  async function find(name: string, tenant: TenantId | undefined): Promise<Misser | undefined> {
    const uuid = endpointUuid(name);
    if (uuid === undefined) return undefined;
    const owned = tenant === undefined ? template`` : template`and e.tenant = ${tenant}`;
    const [row] = await orm.execute<Omit<Misser, "filter"> & Filter>(template`
      select e.tenant, t.name as "tenantName", t.erasing_since is not null as erasing,
        e.id as endpoint, e.types, e.subjects, p.generation
      from endpoints e
      join positions p on p.tenant = e.tenant and p.consumer = e.id
      join tenants t on t.id = e.tenant
      where e.id = ${uuid} ${owned}`);
    if (row === undefined) return undefined;
    const { types, subjects, ...misser } = row;
    return { ...misser, filter: { types, subjects } };
  }

  /**
   * The days after a position, that of the position included, on which there may be something, and
   * the last. Each is told by a descent of an index: scalar sub-selects with a limit keep the
   * planner from reading all of a table instead.
   */
  function days({ tenant, endpoint }: Misser, after: Position): Promise<MissedDay[]> {
    return orm.execute<MissedDay>(template`
      with log as (
        select day, first_sequence as first, lead(first_sequence) over (order by day) - 1 as last
        from log_days
        where tenant = ${tenant} and day >= ${after.day}
          and day >= (select oldest_day from log_settings)
      )
      select l.day::text, l.first from log l
      join positions p on p.tenant = ${tenant} and p.consumer = ${endpoint}
      where l.last is null or l.day >= p.day
        or (select 1 from blocked_subjects b
          where b.tenant = ${tenant} and b.endpoint = ${endpoint} and b.day <= l.day limit 1)
          is not null
        -- By the whole key: else the planner may take the index on what is due, and read all of it.
        or (select r.tenant = ${tenant} and r.endpoint = ${endpoint} and r.sequence <= l.last
          from retries r
          where (r.tenant, r.endpoint, r.sequence)
            > (${tenant}::uuid, ${endpoint}::uuid, greatest(l.first - 1, ${after.sequence}::bigint))
          order by r.tenant, r.endpoint, r.sequence limit 1)
        or (select 1 from deliveries d
          where d.tenant = ${tenant} and d.endpoint = ${endpoint} and d.day = l.day
            and d.status = 'dead' and d.sequence > ${after.sequence} limit 1) is not null
      order by l.day`);
  }

  /**
   * Up to `limit` missed events of the day after `after`. Beyond the endpoint's position it reads
   * only what lies after `scanned`. Undefined when there is no such endpoint any more.
   */
  async function look(misser: Misser, range: LookRange): Promise<Look | undefined> {
    const { limit } = range;
    const rows = await orm.execute<LookRow>(template`
      with ${sources(misser, range)}, ${judged(misser, range)}
      select p.last, e.cut, e.before, m.sequence,
        (select count(*) from waiting) + (select count(*) from retried)
          + (select count(*) from held) as scanned
      from place p cross join ends e left join lateral (
        select sequence from missed
        where sequence <= least(e.cut, e.before, p.last) order by sequence limit ${limit + 1}
      ) m on true
      order by m.sequence`);
    const [row] = rows;
    return row && toLook(row, rows, limit);
  }

  /** Those of a day with these sequences, up to the one that reaches `maxBytes`. */
  async function events(
    tenant: TenantId,
    day: Day,
    sequences: readonly Sequence[],
    maxBytes: number,
  ): Promise<LogEvent[]> {
    const rows = await orm.execute<LogEvent>(template`
      with found as materialized (
        select e.* from unnest(${arrayText(sequences)}::bigint[]) as wanted(sequence)
        cross join lateral (
          select e.sequence, e.day, e.type, e.subject, e.appended_at, e.envelope from events e
          where e.tenant = ${tenant} and e.day = ${day} and e.sequence = wanted.sequence
            and e.day >= (select oldest_day from log_settings)
          limit 1
        ) e
      )
      select sequence, day::text, type, subject, envelope,
        (extract(epoch from appended_at) * 1000)::bigint as "appendedAt"
      from (
        select *, sum(octet_length(envelope)) over (order by sequence rows unbounded preceding)
          - octet_length(envelope) as bytes_before
        from found
      ) as weighed
      where bytes_before < ${maxBytes}
      order by sequence`);
    return rows;
  }
}

export type LookRange = {
  readonly day: Day;
  readonly after: Sequence;
  /** Up to here nothing beyond the position is owed. */
  readonly scanned: Sequence;
  /** Missed events. */
  readonly limit: number;
  /** Events beyond the position, matching or not, and retries, of which some wait for a receipt. */
  readonly scanLimit: number;
};

/** Where the endpoint stands, and a run of rows of each kind. */
function sources(
  { tenant, endpoint }: Misser,
  { day, after, scanned, limit, scanLimit }: LookRange,
) {
  return template`
    place as materialized (
      select sequence, status = 'active' and circuit = 'closed' as served, (
          select e.sequence from events e
          where e.tenant = ${tenant} and e.day = ${day}
            and e.day >= (select oldest_day from log_settings)
          order by e.sequence desc limit 1
        ) as last, coalesce((
          select g.through from receipt_ranges g
          where g.tenant = ${tenant} and g.endpoint = ${endpoint} and g.through > ${after}
            and g.at >= coalesce(resumed_at, '-infinity')
          order by g.through desc limit 1
        ), 0) as confirmed
      from positions where tenant = ${tenant} and consumer = ${endpoint}
    ), retried as materialized (
      select r.sequence, r.day, r.awaiting and r.due_at > now() as accepted from retries r
      -- By the whole key, see above. What a receipt has settled as a whole may still be there: it
      -- goes in steps.
      where (r.tenant, r.endpoint, r.sequence) > (${tenant}::uuid, ${endpoint}::uuid,
          greatest(${after}::bigint, (select confirmed from place)))
        and (r.tenant, r.endpoint, r.sequence)
          <= (${tenant}::uuid, ${endpoint}::uuid, (select last from place))
      order by r.tenant, r.endpoint, r.sequence limit ${scanLimit}
    ), dead as materialized (
      select d.sequence from deliveries d
      where d.tenant = ${tenant} and d.endpoint = ${endpoint} and d.day = ${day}
        and d.status = 'dead'
        and d.sequence > greatest(${after}, (select confirmed from place))
      order by d.sequence limit ${limit + 1}
    ), blocked as materialized (
      select b.key, b.subject, b.sequence from blocked_subjects b
      where b.tenant = ${tenant} and b.endpoint = ${endpoint} and b.day <= ${day}
    ), share as materialized (
      select greatest(1, least(${limit + 1}, ${heldMaxRows} / greatest(1, count(*)))) as rows
      from blocked
    ), held as materialized (
      select b.key, b.subject, e.sequence, e.type from blocked b cross join lateral (
        select e.sequence, e.type from events e
        where e.tenant = ${tenant} and e.day = ${day} and e.subject = b.subject
          and hashtextextended(e.subject, 0) = hashtextextended(b.subject, 0)
          -- A push that was under way when a receipt came may have blocked its subject behind that.
          and e.sequence > greatest(b.sequence, ${after}, (select confirmed from place))
          and e.sequence <= (select sequence from place)
        order by e.sequence limit (select rows from share)
      ) e
    ), waiting as materialized (
      select e.sequence, e.type, e.subject, (select served from place)
          and e.appended_at > now() - ${onItsWaySeconds} * interval '1 second' as on_its_way
      from events e
      where e.tenant = ${tenant} and e.day = ${day}
        and e.sequence > greatest(${after}, ${scanned}, (select sequence from place))
        and e.sequence <= (select last from place)
      order by e.sequence limit ${scanLimit}
    )`;
}

/** What of these was missed, and how far that can be told. */
function judged({ tenant, endpoint, filter }: Misser, { day, limit, scanLimit }: LookRange) {
  const isOpen = template`${matching(template, filter)} and (
      select true from deliveries d
      where d.tenant = ${tenant} and d.endpoint = ${endpoint} and d.day = ${day}
        -- What was skipped lies before the position, unless that was moved back: then it waits.
        and d.sequence = e.sequence and d.status <> 'skipped' limit 1) is null
    -- Beyond a run that was cut short nothing is told.
    and not exists (select from retried r where r.sequence = e.sequence)`;
  return template`
    owed as materialized (
      select e.sequence, e.on_its_way from waiting e where ${isOpen}
    ), cuts as materialized (
      select least(
        (select max(sequence) from retried having count(*) = ${scanLimit}),
        (select max(sequence) from dead having count(*) = ${limit + 1}),
        (select min(last) from (
          select max(sequence) as last from held group by key
          having count(*) = (select rows from share)) as cut),
        (select max(sequence) from waiting having count(*) = ${scanLimit})
      ) as cut
    ), ends as materialized (
      select cut, (
          select min(sequence) from owed
          where on_its_way and (cut is null or sequence <= cut)
        ) - 1 as before
      from cuts
    ), missed as (
      select e.sequence from retried e
      where not e.accepted and e.day = ${day} and (
        -- What was delivered stays so, whatever is left here.
        select d.status in ('delivered', 'settled') from deliveries d
        where d.tenant = ${tenant} and d.endpoint = ${endpoint} and d.day = ${day}
          and d.sequence = e.sequence limit 1) is not true
      union
      select e.sequence from dead e
      where not exists (select from retried r where r.sequence = e.sequence and r.accepted)
      union
      select e.sequence from held e where ${isOpen}
      union
      select sequence from owed where not on_its_way
    )`;
}

type LookRow = {
  /** Of the day; null when it holds nothing. */
  last: Sequence | null;
  /** Where a limit ended it. */
  cut: Sequence | null;
  /** The one before the first that is on its way. */
  before: Sequence | null;
  sequence: Sequence | null;
  scanned: number;
};

function toLook({ last, cut, before, scanned }: LookRow, rows: readonly LookRow[], limit: number) {
  const found = rows.flatMap(({ sequence }) => (sequence === null ? [] : [sequence]));
  const sequences = found.slice(0, limit);
  if (last === null) return { sequences: [], end: undefined, endedBy: "day", scanned } as const;
  if (found.length > limit) {
    return { sequences, end: sequences.at(-1), endedBy: "limit", scanned } as const;
  }
  const end = Math.min(cut ?? Infinity, before ?? Infinity, last);
  const endedBy = end === last ? "day" : end === before ? "on its way" : "limit";
  return { sequences, end, endedBy, scanned } as const;
}
