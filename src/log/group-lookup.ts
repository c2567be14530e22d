/**
 * Finds out what became of a group whose connection broke before its answer came.
 *
 * The group's id is unique in `append_groups`, so this inserts the same id. Without a conflict the
 * group was not committed and, should its statement still be on its way, never will be. With one
 * (for which Postgres waits while the statement runs) it was, and its events are found by the
 * random bytes at the end of their ids.
 */
import { arrayText, type Sql } from "../db/database.ts";
import type { TenantId } from "./event.ts";

export type FoundRow = {
  /** Of the entry, counted from 1. */
  ordinal: number;
  sequence: number;
  day: string;
  at: number;
  id: string;
  envelope: string;
};

/** The rows that the group added, or undefined when it was not and never will be committed. */
export async function lookUpGroup(
  sql: Sql,
  group: string,
  tenants: readonly TenantId[],
  nonces: readonly string[],
): Promise<FoundRow[] | undefined> {
  const claimed = await sql`
    insert into append_groups (id, at) values (${group}, clock_timestamp())
    on conflict (id) do nothing returning id`;
  if (claimed.length > 0) return undefined;
  // No tenant's events of this group lie further below its head than it had entries: without this
  // bound a group of a thousand tenants would be looked for among a million events.
  return sql<FoundRow[]>`
    with entries as materialized (
      select * from unnest(${arrayText(tenants)}::uuid[], ${arrayText(nonces)}::text[])
        with ordinality as e(tenant, nonce, ordinal)
    ), ends as materialized (
      select m.tenant, m.head, (g.at at time zone 'UTC')::date as day,
        (select count(*) from entries e where e.tenant = m.tenant) as entries
      from append_groups g cross join lateral unnest(g.tenants, g.heads) as m(tenant, head)
      where g.id = ${group}
    )
    select n.ordinal::int, e.sequence, e.day::text, e.envelope, i.id,
      (extract(epoch from e.appended_at) * 1000)::bigint as at
    from ends m
    cross join lateral (
      select * from events e where e.tenant = m.tenant and e.day >= m.day
        and e.sequence > m.head - m.entries and e.sequence <= m.head
    ) e
    cross join lateral (select split_part(left(e.envelope, 100), '"', 8) as id) i
    join entries n on n.tenant = e.tenant and n.nonce = right(i.id, 8)`;
}
