/**
 * Which events above a lane's position had an outcome when it was opened: recorded before a crash, or
 * by receipts. A consumer that confirms all events but one by their ids leaves a row for each above
 * its position, without end. So a part of them is held, and replaced as the lane scans beyond it.
 *
 * A part that is read later may hold more than there was when the lane was opened: all of that is
 * accounted for, too.
 */
import { arrayText, type Sql } from "../db/database.ts";
import type { Position, Sequence, TenantId } from "../log/event.ts";

/** All events above one sequence and up to another that have an outcome. */
export type RecordedPart = {
  readonly after: Sequence;
  /** Infinite when there are none beyond. */
  readonly through: Sequence;
  readonly sequences: ReadonlySet<Sequence>;
};

export type ReadRecorded = (of: {
  readonly tenant: TenantId;
  readonly id: string;
}) => (after: Position) => Promise<RecordedPart>;

type Place = Position & { readonly consumer: string };

/** About 1 MB; more than a lane scans in one turn, so that it seldom has to wait for a part. */
const partMaxRows = 20_000;

export function createRecorded(
  first: RecordedPart,
  read: (after: Position) => Promise<RecordedPart>,
) {
  let part = first;
  let highest = highestOf(first);
  let isComplete = first.through === Infinity;

  return {
    cover,
    has: (sequence: Sequence) => part.sequences.has(sequence),
    /** None is beyond this one; infinite as long as that is not known. */
    highest: () => (isComplete ? highest : Infinity),
  };

  /** Makes `has` right about all above a position and up to another, unless it is so already. */
  function cover(after: Position, through: Sequence): Promise<void> | undefined {
    return part.after <= after.sequence && through <= part.through
      ? undefined
      : readUpTo(after, through);
  }

  async function readUpTo(after: Position, through: Sequence): Promise<void> {
    if (part.after > after.sequence) take(await read(after));
    while (part.through < through) {
      const sequence = Math.max(part.through, after.sequence);
      const next = await read({ sequence, day: after.day });
      const kept = Array.from(part.sequences).filter((each) => each > after.sequence);
      const sequences = new Set([...kept, ...next.sequences]);
      take({ after: after.sequence, through: next.through, sequences });
    }
  }

  function take(next: RecordedPart): void {
    part = next;
    // What lies before it may have been skipped.
    highest = Math.max(highest, next.after, highestOf(next));
    isComplete ||= next.through === Infinity;
  }
}

function highestOf({ sequences }: RecordedPart): Sequence {
  let highest = 0;
  for (const sequence of sequences) highest = Math.max(highest, sequence);
  return highest;
}

export function nothingAbove(after: Sequence): RecordedPart {
  return { after, through: Infinity, sequences: new Set() };
}

export function createRecordedReader(sql: Sql): ReadRecorded {
  return ({ tenant, id }) =>
    async (after) => {
      const parts = await readRecorded(sql, tenant, [{ consumer: id, ...after }]);
      return parts.get(id) ?? nothingAbove(after.sequence);
    };
}

/**
 * By endpoint: the part above each of these places, which are as they were read: receipts may have
 * moved the positions since.
 */
export async function readRecorded(
  sql: Sql,
  tenant: TenantId,
  places: readonly Place[],
  maxRows = partMaxRows,
): Promise<Map<string, RecordedPart>> {
  const rows = await sql<{ endpoint: string; sequence: Sequence; counts: boolean }[]>`
    with places as materialized (
      select l.consumer, l.sequence, l.day, coalesce(p.resumed_at, '-infinity') as since
      from unnest(${arrayText(places.map(({ consumer }) => consumer))}::uuid[],
          ${arrayText(places.map(({ sequence }) => sequence))}::bigint[],
          ${arrayText(places.map(({ day }) => day))}::date[]) as l(consumer, sequence, day)
        join positions p on p.tenant = ${tenant} and p.consumer = l.consumer
    )
    select l.consumer as endpoint, r.sequence, r.counts from places l cross join lateral (
      -- Each in the order of its index, to its limit, however many there are that do not count.
      select * from (
        (select d.sequence,
            -- Who was put at its position gets all that follows, whatever became of it before.
            d.last_attempt_at >= l.since
              or coalesce(d.receipt_status = 'processed' and d.receipt_at >= l.since, false)
              as counts
          from deliveries d where d.tenant = ${tenant} and d.endpoint = l.consumer
            and d.day >= l.day and (d.day, d.sequence) > (l.day, l.sequence)
            and d.sequence > l.sequence
          order by d.day, d.sequence limit ${maxRows + 1})
        union all
        (select r.sequence, true from retries r
          where r.tenant = ${tenant} and r.endpoint = l.consumer and r.sequence > l.sequence
          order by r.sequence limit ${maxRows + 1})
      ) as either
      order by sequence limit ${maxRows + 1}
    ) r`;
  const found = new Map<string, RecordedPart>();
  const byEndpoint = Map.groupBy(rows, ({ endpoint }) => endpoint);
  for (const { consumer, sequence: after } of places) {
    const some = (byEndpoint.get(consumer) ?? []).toSorted((a, b) => a.sequence - b.sequence);
    // Of the last one there may be another row, which was cut off.
    const beyond = some[maxRows]?.sequence ?? Infinity;
    const counting = some.filter(({ sequence, counts }) => counts && sequence < beyond);
    const sequences = new Set(counting.map(({ sequence }) => sequence));
    found.set(consumer, { after, through: beyond - 1, sequences });
  }
  return found;
}
