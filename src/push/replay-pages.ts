/**
 * Finds what a replay job sends next, in the order of the log and a page at a time, however much
 * there is of it. What is to be sent is decided when the page is read: what has been settled by
 * then, or will be pushed anyway, is passed over. So is what retention has taken.
 */
import { arrayText, type Sql } from "../db/database.ts";
import type { ReplayJob } from "../deliveries/replay-ledger.ts";
import { scan } from "../feed/scan.ts";
import type { LogEvent, Position, Sequence } from "../log/event.ts";
import { compileFilter } from "../log/filter.ts";
import type { LastMatched } from "../log/last-matched.ts";
import type { Log } from "../log/log.ts";
import type { Endpoint } from "./endpoints.ts";

/** A delivery that is to be made again. */
export type ReplayItem = {
  readonly event: LogEvent;
  /** The event before this one that matched the endpoint. */
  readonly previous: Sequence;
  /** The number of the coming attempt. */
  readonly attempt: number;
};

export type ReplayPage = {
  readonly items: readonly ReplayItem[];
  /** All up to here was looked at. */
  readonly position: Position;
  /** There is no more in the job's range. */
  readonly isEnd: boolean;
  /** The last event there that is for the endpoint, if it is known. */
  readonly matched: Sequence | undefined;
};

/** `matched` is the last event at `from` that is for the endpoint, where it is known. */
export type ReadReplayPage = (
  job: ReplayJob,
  from: Position,
  matched: Sequence | undefined,
) => Promise<ReplayPage>;

/** Enough to be busy with until the next is there, and soon read again when it is let go of. */
const pageMaxEvents = 200;
const pageMaxBytes = 256 << 10;

/** What is known of a delivery. */
type Known = {
  readonly sequence: Sequence;
  readonly status: "delivered" | "settled" | "dead" | "expired" | "skipped" | null;
  /** Made so far; 0 where nothing is known. */
  readonly attempts: number;
  readonly previous: Sequence | null;
  /** It will be tried again. */
  readonly retrying: boolean;
  /** A receipt has settled all up to beyond it. */
  readonly covered: boolean;
  /** The endpoint has not come to it yet, or its subject has not. */
  readonly ahead: boolean;
  /** The job has sent it, and was interrupted before it had settled all that lies before. */
  readonly told: boolean;
};

export function createReplayPages(options: { sql: Sql; log: Log; lastMatched: LastMatched }) {
  const { sql, log, lastMatched } = options;

  return (endpoint: Endpoint): ReadReplayPage => {
    return (job, from, matched) =>
      job.kind === "dead" ? readDead(job, from) : readLog(job, from, matched);

    async function readDead(job: ReplayJob, from: Position): Promise<ReplayPage> {
      const wanted = typesOf(job);
      const rows = await deadAfter(job, from);
      const found: ReplayItem[] = [];
      for (const { previous, attempts, retrying, told, ...event } of rows) {
        // In the queue of retries since, as what is left of an outage is.
        if (retrying || told || !wanted.matches(event)) continue;
        found.push(await toItem(event, { previous, attempts }));
      }
      const last = rows.at(-1);
      return {
        items: found,
        position:
          last === undefined ? endOf(job, from) : { sequence: last.sequence, day: last.day },
        isEnd: last === undefined,
        matched: undefined,
      };
    }

    async function readLog(
      job: ReplayJob,
      from: Position,
      carried: Sequence | undefined,
    ): Promise<ReplayPage> {
      const limit = Math.min(pageMaxEvents, job.through - from.sequence);
      const bounds = { filter: job.isSingle ? everything : endpoint.filter };
      const read = (after: Position, most: number, maxBytes: number) =>
        log.read(endpoint.tenant, after, most, { maxBytes });
      const page = await scan(read, from, { ...bounds, limit, maxBytes: pageMaxBytes });
      switch (page.kind) {
        case "expired":
          return after(job, page.floor, [], undefined);
        case "ahead":
        case "reset":
          return after(job, { ...from, sequence: job.through }, [], undefined);
        case "events":
          // It ends before the range does only when the database was restored.
          return choose(job, page.events, page.atHead ? endOf(job, from) : page.position, carried);
      }
    }

    async function choose(
      job: ReplayJob,
      scanned: readonly LogEvent[],
      position: Position,
      carried: Sequence | undefined,
    ): Promise<ReplayPage> {
      const events = scanned.filter(({ sequence }) => sequence <= job.through);
      const wanted = typesOf(job);
      const known = await whatIsKnown(
        job,
        events.filter((event) => wanted.matches(event)),
      );
      const items: ReplayItem[] = [];
      let matched = carried;
      for (const event of events) {
        const of = known.get(event.sequence);
        const matches = endpoint.filter.matches(event);
        // The filter may have been another one when it was delivered.
        const isForIt = matches || of?.retrying === true || (of?.status ?? null) !== null;
        if (of !== undefined && isForIt && isToBeSent(job, of)) {
          items.push(await toItem(event, { ...of, previous: of.previous ?? matched ?? null }));
        }
        if (matches) matched = event.sequence;
      }
      return after(job, position, items, matched);
    }

    async function toItem(
      event: LogEvent,
      { previous, attempts }: { previous: Sequence | null; attempts: number },
    ): Promise<ReplayItem> {
      const before = { sequence: event.sequence - 1, day: event.day };
      const found = previous ?? (await lastMatched(endpoint.tenant, before, endpoint.wanted));
      return { event, previous: found, attempt: attempts + 1 };
    }

    /** In the order of the log; of large ones few. */
    function deadAfter({ id: job, through }: ReplayJob, { sequence, day }: Position) {
      return sql<(LogEvent & Pick<Known, "previous" | "attempts" | "retrying" | "told">)[]>`
        select sequence, day::text, previous, attempts, type, subject,
          exists (
            select from retries r where r.tenant = ${endpoint.tenant}
              and r.endpoint = ${endpoint.id} and r.sequence = found.sequence) as retrying,
          ${toldBy(job, sql`found.day`, sql`found.sequence`)} as told,
          (extract(epoch from appended_at) * 1000)::bigint as "appendedAt", envelope
        from (
          select d.*, e.type, e.subject, e.appended_at, e.envelope,
            sum(octet_length(e.envelope)) over (
              order by d.day, d.sequence rows unbounded preceding) - octet_length(e.envelope) as bytes
          from (
            select day, sequence, previous, attempts from deliveries
            where tenant = ${endpoint.tenant} and endpoint = ${endpoint.id} and status = 'dead'
              and day >= ${day} and (day, sequence) > (${day}::date, ${sequence}::bigint)
              and day >= (select oldest_day from log_settings) and sequence <= ${through}
              -- Those up to there are settled by a receipt, and about to be told so.
              and sequence > ${confirmedAfter(sequence)}
            order by day, sequence limit ${pageMaxEvents}
          ) as d
          cross join lateral (
            select type, subject, appended_at, envelope from events
            where tenant = ${endpoint.tenant} and day = d.day and sequence = d.sequence limit 1
          ) as e
        ) as found
        where bytes < ${pageMaxBytes} order by day, sequence`;
    }

    /** Scalar and with a limit: one descent of an index, whatever the planner knows. */
    function toldBy(job: string, day: ReturnType<Sql>, sequence: ReturnType<Sql>) {
      return sql`(
        select true from attempts a
        where a.tenant = ${endpoint.tenant} and a.endpoint = ${endpoint.id} and a.day = ${day}
          and a.sequence = ${sequence} and a.replay = ${job} limit 1) is not null`;
    }

    /** Up to where a receipt has settled all, if that is beyond a place; looked for once a statement. */
    function confirmedAfter(sequence: Sequence) {
      const { tenant, id } = endpoint;
      return sql`coalesce((
        select g.through from receipt_ranges g
        where g.tenant = ${tenant} and g.endpoint = ${id} and g.through > ${sequence}
          and g.at >= (select coalesce(resumed_at, '-infinity') from positions
            where tenant = ${tenant} and consumer = ${id})
        order by g.through desc limit 1), 0)`;
    }

    /** Of each event, one by one by the primary keys. */
    async function whatIsKnown(
      job: ReplayJob,
      events: readonly LogEvent[],
    ): Promise<Map<Sequence, Known>> {
      const { tenant, id } = endpoint;
      const rows = await sql<Known[]>`
        select o.sequence, d.status, greatest(d.attempts, r.attempts, 0) as attempts,
          coalesce(r.previous, d.previous) as previous, r.sequence is not null as retrying,
          -- Also of before its position was moved on: what is sent again since then has none.
          coalesce((
            select g.after < o.sequence from receipt_ranges g
            where g.tenant = ${tenant} and g.endpoint = ${id} and g.through >= o.sequence
            order by g.through limit 1), false) as covered,
          o.sequence > p.sequence or exists (
            select from blocked_subjects b
            where b.tenant = ${tenant} and b.endpoint = ${id} and b.key = md5(o.subject)::uuid
              and b.sequence < o.sequence
          ) as ahead, ${toldBy(job.id, sql`o.day`, sql`o.sequence`)} as told
        from unnest(${arrayText(events.map(({ sequence }) => sequence))}::bigint[],
            ${arrayText(events.map(({ day }) => day))}::date[],
            ${arrayText(events.map(({ subject }) => subject))}::text[])
          as o(sequence, day, subject)
        join positions p on p.tenant = ${tenant} and p.consumer = ${id}
        left join lateral (
          select status, attempts, previous from deliveries
          where tenant = ${tenant} and endpoint = ${id} and day = o.day and sequence = o.sequence
          limit 1
        ) as d on true
        left join lateral (
          select sequence, attempts, previous from retries
          where tenant = ${tenant} and endpoint = ${id} and sequence = o.sequence limit 1
        ) as r on true`;
      return new Map(rows.map((row) => [row.sequence, row]));
    }
  };
}

const everything = compileFilter({ types: null, subjects: null });

function typesOf({ types }: ReplayJob) {
  return types === null ? everything : compileFilter({ types, subjects: null });
}

function isToBeSent({ kind }: ReplayJob, known: Known): boolean {
  const { status, retrying, covered, ahead, told } = known;
  if (told) return false;
  // What has no outcome yet because the endpoint has not come to it is pushed anyway.
  if (ahead && status === null && !retrying) return false;
  if (kind === "all") return true;
  return !retrying && !covered && status !== "delivered" && status !== "settled";
}

function after(
  job: ReplayJob,
  position: Position,
  items: readonly ReplayItem[],
  matched: Sequence | undefined,
): ReplayPage {
  const isEnd = position.sequence >= job.through;
  return { items, position: isEnd ? endOf(job, position) : position, isEnd, matched };
}

/** The day may be a later one than that of the last event: nobody goes on from there. */
function endOf({ through }: ReplayJob, { day }: Position): Position {
  return { sequence: through, day };
}
