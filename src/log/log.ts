/**
 * The log, read. Every tenant has one, numbered 1, 2, 3 … without holes; a reader at any moment
 * sees a prefix of it. Appending is in append.ts.
 */
import type { Sql } from "../db/database.ts";
import { createDayReader, pageMaxBytes, type PageLimits } from "./day.ts";
import {
  eventFingerprint,
  type Day,
  type LogEvent,
  type Position,
  type Sequence,
  type TenantId,
} from "./event.ts";
import { wasRestored } from "./settings.ts";

export type Read =
  /** Events in order, right after the position asked for. `atHead`: there are no more for now. */
  | { kind: "events"; events: readonly LogEvent[]; atHead: boolean }
  /** Retention overtook the reader: `lost` events lie between it and `floor`. */
  | { kind: "expired"; floor: Position; lost: number }
  /** The position is beyond the end of the log, and nobody knows why. */
  | { kind: "ahead" }
  /** The log was restored to a state from before the position: its event is gone, or another one. */
  | { kind: "reset" };

export type ReadOptions = { fingerprint?: number; maxBytes?: number };

export type Log = ReturnType<typeof createLog>;

/** A page never holds more than this, nor more bytes than `pageMaxBytes`. */
const pageMaxEvents = 10_000;

export function createLog(sql: Sql) {
  const days = createDayReader(sql);

  const { fullPage } = days;
  return { read, fullPage, head, floor, positionBefore, event, moved, heads };

  /**
   * Up to `limit` events after `after`, ending with the one that reaches `maxBytes`. With a
   * `fingerprint` (0: none) the read starts at the reader's own event and checks that it is still
   * the same one.
   */
  async function read(
    tenant: TenantId,
    after: Position,
    limit: number,
    { fingerprint = 0, maxBytes = pageMaxBytes }: ReadOptions = {},
  ): Promise<Read> {
    const wanted = Math.min(limit, pageMaxEvents);
    const events: LogEvent[] = [];
    let { sequence, day } = after;
    let bytesLeft = Math.min(maxBytes, pageMaxBytes);

    if (day !== beginningDay) {
      const verified = fingerprint !== 0;
      const rows = await days.read(tenant, day, sequence, left(), verified);
      if (verified) {
        const own = rows.shift();
        if (own?.sequence !== sequence) return explainAbsence(tenant, after, wanted);
        if (eventFingerprint(own) !== fingerprint) return { kind: "reset" };
      }
      take(rows);
    }
    while (events.length < wanted && bytesLeft > 0) {
      if (events.length === 0) {
        // Asked first, because most reads are those of somebody who has everything.
        const end = await head(tenant);
        if (sequence > end.sequence) return beyondEnd();
        if (sequence === end.sequence) return { kind: "events", events, atHead: true };
      }
      const next = await nextDay(tenant, day);
      if (next === undefined) {
        if (events.length > 0) return { kind: "events", events, atHead: true };
        return withoutDays(tenant, sequence);
      }
      if (next.first > sequence + 1) {
        // Either this day got more events since it was read, or retention took what lies between.
        const rows = await days.read(tenant, day, sequence, left());
        if (rows.length > 0) {
          take(rows);
          continue;
        }
        if (events.length > 0) return { kind: "events", events, atHead: false };
        return expired(sequence, { sequence: next.first - 1, day: next.day });
      }
      day = next.day;
      take(await days.read(tenant, day, sequence, left()));
    }
    return { kind: "events", events, atHead: false };

    function left(): PageLimits {
      return { events: wanted - events.length, bytes: bytesLeft };
    }

    function take(rows: LogEvent[]) {
      for (const event of rows) {
        if (bytesLeft <= 0) return;
        events.push(event);
        sequence = event.sequence;
        bytesLeft -= Buffer.byteLength(event.envelope);
      }
    }
  }

  async function nextDay(tenant: TenantId, after: Day) {
    const [row] = await sql<{ day: Day; first: number }[]>`
      select day::text, first_sequence as first from log_days
      where tenant = ${tenant} and day > ${after}
        and day >= (select oldest_day from log_settings)
      order by day limit 1`;
    return row;
  }

  /** There is more, but no day holds it. */
  async function withoutDays(tenant: TenantId, sequence: Sequence): Promise<Read> {
    const start = await floor(tenant);
    // Every day was dropped, so the floor is the head; or the first event of all came just now.
    if (start.sequence > sequence) return expired(sequence, start);
    return { kind: "events", events: [], atHead: false };
  }

  async function explainAbsence(
    tenant: TenantId,
    position: Position,
    limit: number,
  ): Promise<Read> {
    const [end, start] = await Promise.all([head(tenant), floor(tenant)]);
    if (position.sequence > end.sequence) return beyondEnd();
    if (position.sequence < start.sequence) return expired(position.sequence, start);
    // The reader's own event is gone but nothing after it: its day was dropped, and it had read
    // all of it.
    if (position.sequence === start.sequence) return read(tenant, start, limit);
    return { kind: "reset" };
  }

  async function beyondEnd(): Promise<Read> {
    return { kind: (await wasRestored(sql)) ? "reset" : "ahead" };
  }

  /** The end of the log: its last event, or the beginning while there is none. */
  async function head(tenant: TenantId): Promise<Position> {
    const [row] = await heads([tenant]);
    return row === undefined ? { sequence: 0, day: beginningDay } : row.position;
  }

  async function heads(tenants: readonly TenantId[]) {
    const rows = await sql<{ tenant: TenantId; sequence: number; day: Day }[]>`
      select tenant, head as sequence, day::text from heads
      where tenant = any(${`{${tenants.join(",")}}`}::uuid[])`;
    return rows.map(({ tenant, sequence, day }) => ({ tenant, position: { sequence, day } }));
  }

  /** Right before the oldest event that retention has left. */
  async function floor(tenant: TenantId): Promise<Position> {
    const [row] = await sql<{ sequence: number; day: Day }[]>`
      select coalesce(d.first - 1, h.head) as sequence, coalesce(d.day, h.day)::text as day
      from heads h
      left join lateral (
        select day, first_sequence as first from log_days
        where tenant = h.tenant and day >= (select oldest_day from log_settings)
        order by day limit 1
      ) d on true
      where h.tenant = ${tenant}`;
    return row ?? { sequence: 0, day: beginningDay };
  }

  /** Right before the first event appended at or after `time`. */
  async function positionBefore(tenant: TenantId, time: Date): Promise<Position> {
    const [row] = await sql<{ sequence: number; day: Day }[]>`
      select sequence, day::text from sequence_before(${tenant}, ${time.toISOString()})`;
    const start = await floor(tenant);
    return row !== undefined && row.sequence > start.sequence ? row : start;
  }

  async function event(tenant: TenantId, at: Position): Promise<LogEvent | undefined> {
    const limits = { events: 1, bytes: pageMaxBytes };
    const [found] = await days.read(tenant, at.day, at.sequence - 1, limits);
    return found?.sequence === at.sequence ? found : undefined;
  }

  /**
   * Which tenants' logs grew since `sinceMs` (of the database's clock), and that clock now.
   * A commit that was slow to become visible may be missed: callers overlap and sweep.
   */
  async function moved(sinceMs: number) {
    const rows = await sql<{ now: number; tenant: TenantId | null; shard: number; head: number }[]>`
      select (extract(epoch from clock.now) * 1000)::bigint as now, m.tenant, m.shard, m.head
      from (select clock_timestamp() as now) as clock
      left join (
        select g.tenant, t.shard, max(g.head) as head
        from (select unnest(tenants) as tenant, unnest(heads) as head from append_groups
              where at > ${new Date(sinceMs).toISOString()}) as g
        join tenants t on t.id = g.tenant
        group by g.tenant, t.shard
      ) as m on true`;
    const nowMs = rows[0]?.now ?? sinceMs;
    const tenants = rows.flatMap(({ tenant, shard, head }) =>
      tenant === null ? [] : [{ tenant, shard, head }],
    );
    return { nowMs, tenants };
  }
}

const beginningDay: Day = "1970-01-01";

function expired(sequence: Sequence, floor: Position): Read {
  return { kind: "expired", floor, lost: floor.sequence - sequence };
}
