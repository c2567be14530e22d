/**
 * Looks back from a position for the last event that a filter matches: what a consumer that is put
 * there would have seen before it. Events that retention has taken are not found.
 */
import type { Sql } from "../db/database.ts";
import type { Day, Position, Sequence, TenantId } from "./event.ts";
import type { Filter } from "./filter.ts";
import { matching } from "./matching.ts";

/**
 * The sequence of that event, which may be the one at `at` itself. Nothing at or before `above` is
 * looked at; `above` comes back when nothing in between matches, which is 0 for the whole log.
 */
export type LastMatched = (
  tenant: TenantId,
  at: Position,
  filter: Filter,
  above?: Sequence,
) => Promise<Sequence>;

export function createLastMatched(sql: Sql): LastMatched {
  return async (tenant, at, filter, above = 0) => {
    if (at.sequence <= above) return above;
    if (filter.types === null && filter.subjects === null) return at.sequence;
    for (const { day, first } of await daysBack(tenant, at.sequence)) {
      const found = await lastOf(day, { tenant, through: at.sequence, filter, above });
      if (found !== undefined) return found;
      if (first <= above + 1) break;
    }
    return above;
  };

  /** The newest first: what matched last lies mostly in the first of them. */
  function daysBack(tenant: TenantId, through: Sequence) {
    return sql<{ day: Day; first: Sequence }[]>`
      select day::text, first_sequence as first from log_days
      where tenant = ${tenant} and first_sequence <= ${through}
        and day >= (select oldest_day from log_settings)
      order by day desc`;
  }

  /** A statement per day, which is one partition, see day.ts. It reads back only to what it finds. */
  async function lastOf(
    day: Day,
    of: { tenant: TenantId; through: Sequence; filter: Filter; above: Sequence },
  ): Promise<Sequence | undefined> {
    const [row] = await sql<{ sequence: Sequence }[]>`
      select sequence from events
      where tenant = ${of.tenant} and day = ${day}
        and sequence <= ${of.through} and sequence > ${of.above}
        and day >= (select oldest_day from log_settings)
        and ${matching(sql, of.filter)}
      order by sequence desc limit 1`;
    return row?.sequence;
  }
}
