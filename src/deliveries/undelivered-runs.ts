/**
 * Counts what waits where arithmetic does not tell: behind filters, in blocked subjects, and where
 * much is recorded beyond a position. It looks at the events, in bounded statements, the shortest
 * runs first, until its time is over. What is left then has a bound: all of its events.
 */
import { sql as template, type SQL } from "drizzle-orm";
import type { Day, Sequence, TenantId } from "../log/event.ts";
import { belowTypes, matchingColumns } from "../log/matching.ts";
import type { Covered, Run } from "./undelivered-statements.ts";
import { confirmed, type Execute } from "./undelivered-window.ts";

/** How many events a subject has is not known before: most have few. */
const subjectMaxEvents = 100;

/** To hold an event that was read against one more filter costs less than to read it. */
const comparedPerRead = 8;

/** What was found in the runs of an endpoint. */
export type Found = {
  readonly waiting: number;
  readonly oldest: Sequence | undefined;
  /** Events not looked at, so no more than these wait besides. */
  readonly unknown: number;
};

export type Search = {
  /** By the endpoint's uuid. */
  readonly found: ReadonlyMap<string, Found>;
  /** Events that are undelivered and that nothing else tells of. */
  readonly events: number;
};

type Step = {
  readonly runs: readonly {
    readonly n: number;
    /** All up to here was looked at. */
    readonly end: Sequence;
    readonly waiting: number;
    readonly oldest: Sequence | null;
  }[];
  readonly fresh: readonly { readonly tenant: TenantId; readonly sequences: readonly Sequence[] }[];
};

export type SearchLimits = {
  readonly hasTime: () => boolean;
  /** Of so few that are left none is left out. */
  readonly littleEvents: number;
  /** That a statement looks at. */
  readonly stepEvents: number;
};

export async function search(
  orm: Execute,
  { runs, covered }: { runs: readonly Run[]; covered: readonly Covered[] },
  { hasTime, littleEvents, stepEvents }: SearchLimits,
): Promise<Search> {
  const found = new Map<string, Found>();
  const fresh = new Map<TenantId, Set<Sequence>>();
  let left = runs.toSorted((a, b) => lengthOf(a) - lengthOf(b));
  const isLittle = () => left.reduce((sum, run) => sum + lengthOf(run), 0) <= littleEvents;
  while (left.length > 0 && (hasTime() || isLittle())) {
    const { batch, limit, rest } = nextBatch(left, stepEvents);
    const step = await look(orm, { batch, limit, covered });
    const again = step.runs.flatMap(({ n, end, waiting, oldest }) => {
      const run = batch[n];
      if (run === undefined) return [];
      add(found, run.endpoint, { waiting, oldest: oldest ?? undefined, unknown: 0 });
      return end < run.through ? [{ ...run, after: end }] : [];
    });
    for (const { tenant, sequences } of step.fresh) {
      const known = fresh.get(tenant) ?? new Set();
      for (const sequence of sequences) known.add(sequence);
      fresh.set(tenant, known);
    }
    left = [...again, ...rest];
  }
  for (const [endpoint, unknown] of boundsOf(left)) {
    add(found, endpoint, { waiting: 0, oldest: undefined, unknown });
  }
  const events = Array.from(fresh.values()).reduce((sum, { size }) => sum + size, 0);
  return { found, events };
}

function lengthOf({ after, through }: Span): number {
  return through - after;
}

/**
 * Of one day and one kind, so many that a statement stays small. Runs of a tenant that lie at the same
 * place of its log, as they do when all of them end where it ends, are looked for together.
 */
function nextBatch(runs: readonly Run[], stepEvents: number) {
  const first = runs[0];
  const isSubject = first?.subject !== null;
  const limit = isSubject ? Math.min(subjectMaxEvents, stepEvents) : stepEvents;
  const batch: Run[] = [];
  const rest: Run[] = [];
  const spans = new Map<string, Span>();
  let [read, compared] = [0, 0];
  for (const run of runs) {
    const part = { after: run.after, through: Math.min(run.through, run.after + limit) };
    // Subjects have no event in common.
    const place = isSubject ? `${run.endpoint} ${run.subject}` : run.tenant;
    const before = spans.get(place);
    const span = before === undefined ? part : together(before, part);
    const more = lengthOf(span) - (before === undefined ? 0 : lengthOf(before));
    const isLike = run.day === first?.day && (run.subject !== null) === isSubject;
    const fits =
      read + more <= stepEvents && compared + lengthOf(part) <= stepEvents * comparedPerRead;
    if (!isLike || (batch.length > 0 && !fits)) {
      rest.push(run);
      continue;
    }
    spans.set(place, span);
    read += more;
    compared += lengthOf(part);
    batch.push(run);
  }
  return { batch, limit, rest };
}

type Span = Pick<Run, "after" | "through">;

function together(a: Span, b: Span): Span {
  return { after: Math.min(a.after, b.after), through: Math.max(a.through, b.through) };
}

function add(all: Map<string, Found>, endpoint: string, more: Found): void {
  const { waiting = 0, oldest, unknown = 0 } = all.get(endpoint) ?? {};
  all.set(endpoint, {
    waiting: waiting + more.waiting,
    unknown: unknown + more.unknown,
    oldest: oldest === undefined ? more.oldest : Math.min(oldest, more.oldest ?? oldest),
  });
}

/** Subjects have no event in common: together no more than lie in the log where they are. */
function boundsOf(left: readonly Run[]): Map<string, number> {
  const bounds = new Map<string, number>();
  for (const runs of Map.groupBy(left, runsTogether).values()) {
    const sum = runs.reduce((total, run) => total + lengthOf(run), 0);
    const after = Math.min(...runs.map((run) => run.after));
    const through = Math.max(...runs.map((run) => run.through));
    const endpoint = runs[0]?.endpoint ?? "";
    bounds.set(endpoint, (bounds.get(endpoint) ?? 0) + Math.min(sum, through - after));
  }
  return bounds;
}

function runsTogether({ endpoint, day, subject }: Run): string {
  return `${endpoint} ${day} ${subject !== null}`;
}

async function look(
  orm: Execute,
  { batch, limit, covered }: { batch: readonly Run[]; limit: number; covered: readonly Covered[] },
): Promise<Step> {
  const first = batch[0];
  if (first === undefined) return { runs: [], fresh: [] };
  const tenants = new Set(batch.map(({ tenant }) => tenant));
  const asked = JSON.stringify(batch.map((run, n) => ({ n, ...run, held: run.subject })));
  const known = JSON.stringify(covered.filter(({ tenant }) => tenants.has(tenant)));
  const { day } = first;
  const [row] = await orm.execute<{ step: Step }>(template`
    with asked as materialized (
      select r.*, e.types, e.subjects, ${belowTypes(template)} as below
      from jsonb_to_recordset(${asked}::jsonb) as r(
          n int, tenant uuid, endpoint uuid, held text, after bigint, through bigint)
        join endpoints e on e.tenant = r.tenant and e.id = r.endpoint
    ), covered as materialized (
      select * from jsonb_to_recordset(${known}::jsonb) as c(
        tenant uuid, beyond bigint, bare bigint[])
    ), ${first.subject === null ? beyondPosition(day, limit) : ofSubject(day, limit)},
    alone as materialized (
      select tenant from (select distinct tenant from asked) a
      where (
        select count(*) from (
          select from endpoints e where e.tenant = a.tenant limit 2
        ) as few) = 1
    ), fresh as materialized (
      select distinct o.tenant, o.sequence from open o join covered c on c.tenant = o.tenant
      where o.sequence <= c.beyond or o.sequence = any(c.bare)
    )
    select json_build_object(
      'runs', (
        select json_agg(json_build_object('n', e.n, 'end', e.last,
          'waiting', coalesce(o.waiting, 0), 'oldest', o.oldest))
        from ends e left join (
          select n, count(*) as waiting, min(sequence) as oldest from open group by n
        ) o on o.n = e.n),
      'fresh', (
        select coalesce(json_agg(f), '[]') from (
          select o.tenant, json_agg(o.sequence) as sequences from fresh o
          where o.tenant in (select tenant from alone) or ${unknown(day)}
          group by o.tenant
        ) f)
    ) as step`);
  if (row === undefined) throw new Error("nothing was looked at");
  return row.step;
}

/** Sequences are dense, so a part of a run has so many events; and little of it is recorded. */
function beyondPosition(day: Day, limit: number): SQL {
  return template`
    ends as materialized (
      select n, tenant, endpoint, types, subjects, below, after,
        least(through, after + ${limit}::int) as last
      from asked
    ), recorded as materialized (
      select a.n, d.sequence from ends a cross join lateral (
        select d.sequence from deliveries d
        where d.tenant = a.tenant and d.endpoint = a.endpoint and d.day = ${day}::date
          and d.sequence > a.after and d.sequence <= a.last and d.status <> 'skipped'
        union
        select r.sequence from retries r
        where r.tenant = a.tenant and r.endpoint = a.endpoint
          and r.sequence > a.after and r.sequence <= a.last
      ) d
    ), spans as materialized (
      select tenant, min(after) as after, max(last) as last from ends group by tenant
    ), matched as materialized (
      select filter.n, filter.tenant, e.sequence
      from spans s cross join lateral (
        select e.sequence, e.type, e.subject from events e
        where e.tenant = s.tenant and e.day = ${day}::date
          and e.sequence > s.after and e.sequence <= s.last
      ) e
        join ends filter on filter.tenant = s.tenant
          and e.sequence > filter.after and e.sequence <= filter.last
      where ${matchingColumns(template)}
    ), open as materialized (
      select * from matched
      -- Not as a join, of whose size nothing is known.
      where (n, sequence) not in (select d.n, d.sequence from recorded d)
    )`;
}

/** How many events a subject has is not known; nearly all have an outcome, but these may not. */
function ofSubject(day: Day, limit: number): SQL {
  return template`
    looked as materialized (
      select filter.n, filter.tenant, filter.endpoint, e.sequence,
        ${matchingColumns(template)} as fits
      from asked filter cross join lateral (
        select e.sequence, e.type, e.subject from events e
        where e.tenant = filter.tenant and e.day = ${day}::date and e.subject = filter.held
          and hashtextextended(e.subject, 0) = hashtextextended(filter.held, 0)
          and e.sequence > filter.after and e.sequence <= filter.through
        order by e.sequence limit ${limit}
      ) e
    ), ends as materialized (
      select a.n, case when count(l.n) < ${limit} then a.through else max(l.sequence) end as last
      from asked a left join looked l on l.n = a.n
      group by a.n, a.through
    ), open as materialized (
      select l.n, l.tenant, l.sequence from looked l
      where l.fits and (
          select true from deliveries d
          where d.tenant = l.tenant and d.endpoint = l.endpoint and d.day = ${day}::date
            and d.sequence = l.sequence and d.status <> 'skipped' limit 1
        ) is null and (
          select true from retries r
          where r.tenant = l.tenant and r.endpoint = l.endpoint and r.sequence = l.sequence limit 1
        ) is null
    )`;
}

/**
 * No dead letter and no retry of any endpoint tells of the event, as the summary judges them: nothing
 * to look up where a tenant has no other endpoint.
 */
function unknown(day: Day): SQL {
  return template`
    ((select true from deliveries d
      join positions p on p.tenant = d.tenant and p.consumer = d.endpoint
      join endpoints e on e.tenant = d.tenant and e.id = d.endpoint
      where d.tenant = o.tenant and d.day = ${day}::date and d.sequence = o.sequence
        and d.status in ('dead', 'expired') and d.sequence > ${confirmed(template`p`)}
      limit 1
    ) is null and (
      select true from retries r
      join positions p on p.tenant = r.tenant and p.consumer = r.endpoint
      join endpoints e on e.tenant = r.tenant and e.id = r.endpoint
      where r.tenant = o.tenant and r.sequence = o.sequence and r.sequence > ${confirmed(template`p`)}
        and (select d.status in ('delivered', 'settled') from deliveries d
          where d.tenant = o.tenant and d.endpoint = r.endpoint and d.day = ${day}::date
            and d.sequence = o.sequence limit 1) is not true
      limit 1
    ) is null)`;
}
