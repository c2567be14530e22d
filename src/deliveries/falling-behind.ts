/**
 * Tells tenants of consumers that do not take their events any more: named ones, and endpoints that
 * are polled. Looked for twice a minute, among those of tenants that asked for it.
 *
 * What has been told stands in the log, so there is nothing else to remember: a consumer is told of
 * again when it has come past the last notice about it, and then waits again. Our own events make
 * nobody late: only what producers appended does. So a consumer that nobody runs any more is told of
 * once, and not once more for what was told of it.
 */
import { LRUCache } from "lru-cache";
import type { Database, Sql } from "../db/database.ts";
import type { Day, Sequence, TenantId } from "../log/event.ts";
import { compileFilter } from "../log/filter.ts";
import type { Chore, ChoreContext } from "../log/housekeeping.ts";
import { readHeadroom } from "./consumers.ts";
import { endpointName } from "./endpoint.ts";
import { behindType, consumerBehind, type Notice } from "./notice.ts";
import { viewPositions } from "./positions.ts";

const everyMs = 30_000;

/**
 * How long an event may wait: a day, which covers whoever reads once a day, at night, say. Where events
 * are not kept for much longer, three quarters of that, so that there is time to do something.
 */
const behindMaxHours = 24;
const retentionShare = 0.75;

/**
 * Late consumers looked at in a turn: about a second, if there are so many. Beyond them the next turn
 * goes on, so that of many thousands each is looked at some time in the hour.
 */
const turnMax = 500;

/** More of them are looked up in the log each time. */
const knownMax = 10_000;

/** Days of the log that are searched for an event of a producer, for one consumer and in one turn. */
const daysMax = 31;

/** A consumer that has not scanned all there is, and stands before a day that began long ago. */
type Late = {
  readonly tenant: TenantId;
  readonly types: string[];
  readonly id: string;
  readonly sequence: Sequence;
  /** The days that begin with what it has not scanned, the oldest first. */
  readonly days: Day[];
  readonly consumer: string | null;
};

export function createFallingBehindChore(options: {
  database: Pick<Database, "sql">;
  tell: (tenant: TenantId, notice: Notice) => void;
  retentionDays: number;
}): Chore {
  const { tell, retentionDays } = options;
  const { sql } = options.database;
  const hours = Math.floor(Math.min(behindMaxHours, retentionDays * 24 * retentionShare));
  /** Whoever keeps house next begins with the first. */
  let after: Pick<Late, "id"> & { tenant: string } = first;
  /** By its uuid, where a consumer stood when it had been told of: as long as it stands there, it has. */
  const known = new LRUCache<string, Sequence>({ max: knownMax });

  return { name: "falling-behind", everyMs, run };

  async function run({ isHeld }: ChoreContext): Promise<"done"> {
    const some = await readLate(sql, after, hours);
    after = some.length < turnMax ? first : (some.at(-1) ?? first);
    for (const late of some) {
      if (!isHeld()) break;
      if (wants(late) && known.get(late.id) !== late.sequence) await lookAt(late);
    }
    return "done";
  }

  async function lookAt(late: Late): Promise<void> {
    if (!(await isBehind(sql, late, hours))) return;
    if (await wasTold(sql, late)) known.set(late.id, late.sequence);
    else await tellOf(late);
  }

  async function tellOf({ tenant, id, consumer, sequence: position }: Late): Promise<void> {
    const [places, ends] = await Promise.all([
      viewPositions(sql, tenant, [id]),
      readHeadroom(sql, tenant, [id], retentionDays),
    ]);
    const [place, end] = [places.get(id), ends.get(id)];
    if (place === undefined || end === undefined) return;
    const about =
      consumer === null
        ? ({ kind: "endpoints", name: endpointName(id) } as const)
        : ({ kind: "consumers", name: consumer } as const);
    tell(tenant, consumerBehind(about, { id, position, lag: place.lag, ...end }));
  }
}

const nil = "00000000-0000-0000-0000-000000000000";
const first = { tenant: nil, id: nil };

function wants({ types }: Late): boolean {
  const filter = compileFilter({ types, subjects: null });
  return filter.matches({ type: behindType, subject: null });
}

/** Of the day in which a consumer stands it is known when it began, not yet what lies in it. */
async function readLate(
  sql: Sql,
  after: { tenant: string; id: string },
  hours: number,
): Promise<Late[]> {
  return sql<Late[]>`
    select t.id as tenant, t.operational_events as types, p.consumer as id, p.sequence,
      late.days::text[] as days,
      (select c.name from consumers c where c.tenant = p.tenant and c.id = p.consumer) as consumer
    from tenants t
    join heads h on h.tenant = t.id
    join positions p on p.tenant = t.id
    cross join lateral (
      select array_agg(day order by day) as days from (
        select d.day, lead(d.first_sequence) over (order by d.day) as next
        from log_days d
        where d.tenant = t.id and d.day >= (select oldest_day from log_settings)
          and d.first_at < clock_timestamp() - make_interval(hours => ${hours})
      ) as day
      where next is null or next > p.sequence + 1
    ) as late
    where t.operational_events <> '{}' and t.erasing_since is null and p.status = 'polling'
      and p.sequence < h.head and late.days is not null
      and (p.tenant, p.consumer) > (${after.tenant}::uuid, ${after.id}::uuid)
    order by p.tenant, p.consumer limit ${turnMax}`;
}

/** Whether an event of a producer waits for it for too long. */
async function isBehind(sql: Sql, late: Late, hours: number): Promise<boolean> {
  for (const day of late.days.slice(0, daysMax)) {
    const [waiting] = await sql<{ late: boolean }[]>`
      select appended_at < clock_timestamp() - make_interval(hours => ${hours}) as late
      from events
      where tenant = ${late.tenant} and day = ${day} and sequence > ${late.sequence}
        and type not like 'tidegate.%'
      order by sequence limit 1`;
    if (waiting !== undefined) return waiting.late;
  }
  return false;
}

/** By the index on subjects: one descent for each day since then. */
async function wasTold(sql: Sql, { tenant, id, consumer, sequence, days }: Late) {
  const subject = consumer ?? endpointName(id);
  const told = await sql`
    select from events
    where tenant = ${tenant} and day >= ${days[0] ?? "1970-01-01"} and sequence > ${sequence}
      and hashtextextended(subject, 0) = hashtextextended(${subject}, 0) and subject = ${subject}
      and type = ${behindType}
    limit 1`;
  return told.length > 0;
}
