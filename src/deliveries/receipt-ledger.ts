/**
 * The statements behind receipts.ts. Those that write are SQL functions (0009_receipts.sql), each of
 * which locks the endpoint's position: a receipt and an outcome of the same event are serial.
 */
import { setTimeout as delay } from "node:timers/promises";
import { arrayText, type Sql } from "../db/database.ts";
import { eventId, type Day, type Position, type Sequence, type TenantId } from "../log/event.ts";
import type { CompiledFilter } from "../log/filter.ts";
import { advancePosition, type Consumer } from "./positions.ts";

/** What became of an event that a receipt names. */
export type EventOutcome = "settled" | "unchanged" | "retrying" | "dead" | "waiting" | "unmatched";

export type NamedEvent = Position & {
  readonly id: string;
  readonly type: string;
  readonly subject: string | null;
};

export type EventsReceipt = {
  readonly status: "processed" | "failed";
  readonly detail: string | null;
  readonly events: readonly (Position & { readonly matches: boolean })[];
  readonly keepsOrder: boolean;
  /** For each event, by the number of its attempts from 1; as many as the schedule has. */
  readonly delaysMs: readonly (readonly number[])[];
};

export type Told = {
  readonly sequence: Sequence;
  readonly outcome: EventOutcome;
  /** Who drives the endpoint has to hear of it. */
  readonly touched: boolean;
  /** How many receipts were of that kind by now; null when this one was not. */
  readonly receipts: number | null;
};

export type Moved = {
  readonly generation: number;
  readonly was: Sequence;
  readonly isNow: Sequence;
  readonly receipts: number | null;
};

export type Standing = Position & {
  readonly generation: number;
  readonly lastMatched: Sequence;
  readonly isDriven: boolean;
  /** Up to where receipts have confirmed all. */
  readonly confirmed: Sequence;
};

/** About 50 ms of work: nobody waits for the lock longer. */
const stepMaxRows = 5_000;

/** Outcomes are written all the time, and none of their statements takes long. */
const lockTriesMax = 3;
const lockPauseMs = 50;

/** Holds the start of an envelope up to the end of its id. */
const envelopeStartLength = 128;

export function createReceiptLedger(sql: Sql) {
  return { named, standing, record, dead, moveThrough, sweep, fold };

  /** Those of these events that there are. The day and sequence in an id may be anybody's guess. */
  async function named(
    tenant: TenantId,
    ids: ReadonlyMap<string, Position>,
  ): Promise<Map<string, NamedEvent>> {
    const found = new Map<string, NamedEvent>();
    const byDay = Map.groupBy(ids, ([, { day }]) => day);
    for (const day of await daysAmong(tenant, [...byDay.keys()])) {
      const some = byDay.get(day) ?? [];
      const rows = await sql<(Omit<NamedEvent, "id"> & { envelope: string })[]>`
        select sequence, day::text, type, subject,
          left(envelope, ${envelopeStartLength}) as envelope
        from events
        where tenant = ${tenant} and day = ${day}
          and sequence = any(${arrayText(some.map(([, { sequence }]) => sequence))}::bigint[])
          and day >= (select oldest_day from log_settings)`;
      for (const { envelope, ...event } of rows) {
        const id = eventId({ envelope });
        if (ids.has(id)) found.set(id, { ...event, id });
      }
    }
    return found;
  }

  /** Those that the log has: a statement for each day that somebody made up would be many. */
  async function daysAmong(tenant: TenantId, days: readonly Day[]): Promise<Day[]> {
    const rows = await sql<{ day: Day }[]>`
      select day::text from log_days
      where tenant = ${tenant} and day = any(${arrayText(days)}::date[])
        and day >= (select oldest_day from log_settings)`;
    return rows.map(({ day }) => day);
  }

  async function standing({ tenant, consumer }: Consumer): Promise<Standing | undefined> {
    const [row] = await sql<Standing[]>`
      select sequence, day::text, generation, last_matched as "lastMatched",
        status = 'active' and circuit = 'closed' as "isDriven",
        coalesce((
          select g.through from receipt_ranges g
          where g.tenant = ${tenant} and g.endpoint = ${consumer}
            and g.at >= coalesce(resumed_at, '-infinity')
          order by g.through desc limit 1), 0) as confirmed
      from positions where tenant = ${tenant} and consumer = ${consumer}`;
    return row;
  }

  /** Nothing when there is no such endpoint any more. */
  function record({ tenant, consumer }: Consumer, receipt: EventsReceipt): Promise<Told[]> {
    const { status, detail, events, keepsOrder, delaysMs } = receipt;
    return insist(
      () => sql<Told[]>`
        select * from record_receipts(${tenant}, ${consumer}, ${status}, ${detail},
          ${arrayText(events.map(({ day }) => day))}::date[],
          ${arrayText(events.map(({ sequence }) => sequence))}::bigint[],
          ${arrayText(events.map(({ matches }) => String(matches)))}::boolean[],
          ${keepsOrder}, ${delaysMs[0]?.length ?? 0},
          ${arrayText(delaysMs.flat().map(Math.round))}::bigint[])`,
    );
  }

  /** What is recorded of these events, as far as they are dead letters, in their order. */
  async function dead({ tenant, consumer }: Consumer, events: readonly Position[]) {
    return sql<{ day: Day; sequence: Sequence; attempts: number; error: string | null }[]>`
      select e.day::text, e.sequence, d.attempts, d.error
      from unnest(${arrayText(events.map(({ day }) => day))}::date[],
        ${arrayText(events.map(({ sequence }) => sequence))}::bigint[]) as e (day, sequence)
      cross join lateral (
        select attempts, error from deliveries
        where tenant = ${tenant} and endpoint = ${consumer} and day = e.day
          and sequence = e.sequence and status = 'dead' limit 1
      ) as d order by e.sequence`;
  }

  /** Undefined when there is no such endpoint any more. */
  async function moveThrough(
    { tenant, consumer }: Consumer,
    given: { generation: number; to: Position; matched: Sequence; detail: string | null },
  ): Promise<Moved | undefined> {
    const { generation, to, matched, detail } = given;
    const [row] = await insist(
      () => sql<Moved[]>`
        select generation, was, is_now as "isNow", receipts
        from settle_through(${tenant}, ${consumer}, ${generation}, ${to.sequence}, ${to.day},
          ${matched}, ${detail})`,
    );
    return row;
  }

  /**
   * Settles what was dead, expired, skipped or tried again up to there, from where earlier receipts
   * have got to, or all of its range; returns how many.
   */
  async function sweep(
    of: Consumer,
    { to, confirmed = 0, detail }: { to: Sequence; confirmed?: Sequence; detail: string | null },
  ): Promise<number> {
    const { tenant, consumer } = of;
    let settled = 0;
    let place = await sweepStart(of, to, confirmed);
    while (place !== undefined) {
      const { day, sequence } = place;
      const [step] = await insist(
        () => sql<{ settled: number; day: Day | null; sequence: Sequence | null }[]>`
          select settled, last_day as day, last_sequence as sequence
          from settle_dead(${tenant}, ${consumer}, ${to}, ${detail}, ${day}, ${sequence},
            ${stepMaxRows})`,
      );
      settled += step?.settled ?? 0;
      const { day: next = null, sequence: last = null } = step ?? {};
      place = next === null || last === null ? undefined : { day: next, sequence: last };
    }
    // Last, since a dead letter may have become a retry in between.
    for (let count = stepMaxRows; count === stepMaxRows; settled += count) {
      const [step] = await insist(
        () => sql<{ count: number }[]>`
          select settle_retries(${tenant}, ${consumer}, ${to}, ${detail}, ${stepMaxRows}) as count`,
      );
      count = step?.count ?? 0;
    }
    return settled;
  }

  /**
   * What an earlier receipt has covered was settled then, unless whoever took it ended before: so
   * where the first dead letter is, if that lies further back.
   */
  async function sweepStart(
    { tenant, consumer }: Consumer,
    to: Sequence,
    confirmed: Sequence,
  ): Promise<Position | undefined> {
    const [row] = await sql<Position[]>`
      with start as materialized (
        select least(greatest(g.after, ${confirmed}::bigint), (
            select d.sequence - 1 from deliveries d
            where d.tenant = ${tenant} and d.endpoint = ${consumer} and d.status = 'dead'
            order by d.day, d.sequence limit 1)) as sequence
        from receipt_ranges g
        where g.tenant = ${tenant} and g.endpoint = ${consumer} and g.through >= ${to}
          and g.after < ${to}
        order by g.at desc limit 1)
      select sequence, coalesce((
          select l.day from log_days l
          where l.tenant = ${tenant} and l.first_sequence <= start.sequence + 1
          order by l.day desc limit 1), '1970-01-01')::text as day
      from start`;
    return row;
  }

  /** The next events after a place, of one day, and whether each has a row of its own. */
  function foldable(
    { tenant, consumer }: Consumer,
    { sequence, day }: Position,
    limit: number,
  ): Promise<{ sequence: Sequence; type: string; subject: string | null; isRecorded: boolean }[]> {
    return sql`
      with since as materialized (
        select coalesce(resumed_at, '-infinity') as at from positions
        where tenant = ${tenant} and consumer = ${consumer})
      select e.sequence, e.type, e.subject, (
          exists (select from retries r where r.tenant = ${tenant} and r.endpoint = ${consumer}
            and r.sequence = e.sequence)
          or exists (select from deliveries d where d.tenant = ${tenant}
            and d.endpoint = ${consumer} and d.day = ${day} and d.sequence = e.sequence
            and greatest(d.last_attempt_at,
              case d.receipt_status when 'processed' then d.receipt_at end)
              >= (select at from since))) as "isRecorded"
      from events e
      where e.tenant = ${tenant} and e.day = ${day} and e.sequence > ${sequence}
        and e.day >= (select oldest_day from log_settings)
      order by e.sequence limit ${limit}`;
  }

  /**
   * Moves the position over events that have rows of their own or do not match, as far as `limit`
   * allows. Whoever has moved it meanwhile, or changed what it is for, knows better.
   */
  async function fold(of: Consumer, filter: CompiledFilter, limit: number): Promise<void> {
    const start = await standing(of);
    // Who drives it does that.
    if (start === undefined || start.isDriven) return;
    let { sequence, lastMatched } = start;
    let { day } = start;
    let left = limit;
    let isOpen = true;
    while (isOpen && left > 0) {
      const rows = await foldable(of, { sequence, day }, left);
      left -= rows.length;
      for (const event of rows) {
        const matches = filter.matches(event);
        isOpen = !matches || event.isRecorded;
        if (!isOpen) break;
        sequence = event.sequence;
        if (matches) lastMatched = sequence;
      }
      if (rows.length > 0) continue;
      const next = await dayAfter(of.tenant, { sequence, day });
      if (next === undefined) break;
      day = next;
    }
    if (sequence === start.sequence) return;
    await advancePosition(sql, of, { from: start, to: { sequence, day }, lastMatched });
  }

  async function dayAfter(tenant: TenantId, { sequence, day }: Position) {
    const [row] = await sql<{ day: Day }[]>`
      select day::text from log_days
      where tenant = ${tenant} and day > ${day} and first_sequence = ${sequence + 1}
        and day >= (select oldest_day from log_settings)`;
    return row?.day;
  }
}

/** Whoever holds the position does so for a moment. */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      const isLocked = (error as { code?: unknown }).code === "55P03";
      if (!isLocked || tries >= lockTriesMax) throw error;
      await delay(lockPauseMs);
    }
  }
}
