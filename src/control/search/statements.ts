/**
 * The statements behind search.ts: a look at every row, some 30 ms for 100,000 endpoints, and so
 * without an index that all appends of endpoints and every installation would pay for (trigrams
 * are an extension, too, that not every server has).
 *
 * A text is looked for as it is: `strpos` knows no wildcards. The letters A to Z are the same in
 * either case, which names have no others than; in names for people further ones are, where the
 * database's locale knows them. Under "C" none is asked, which it would be for every row.
 */
import type { ReadSql } from "../../db/read-within.ts";
import type { FoundEndpoint, FoundTenant } from "./hits.ts";

/** A tenant called so comes first, then those whose name begins so. */
export function findTenants(sql: ReadSql, text: string, limit: number): Promise<FoundTenant[]> {
  const folded = fold(text);
  return sql<FoundTenant[]>`
    select name, display_name as "displayName", erasing_since is not null as erasing
    from (
      select name, display_name, erasing_since, lower(name collate "C") as folded
      from tenants offset 0
    ) as tenant
    where strpos(folded, ${folded}) > 0
      or strpos(lower(display_name), (select lower(${text}::text))) > 0
    order by folded = ${folded} desc, starts_with(folded, ${folded}) desc, name collate "C"
    limit ${limit}`;
}

/** That very URL first, then hosts that begin so, and of these the newest. */
export function findEndpoints(sql: ReadSql, text: string, limit: number): Promise<FoundEndpoint[]> {
  const folded = fold(text);
  return sql<FoundEndpoint[]>`
    select found.id, t.name as tenant, found.url, p.status, p.circuit
    from (
      select id, tenant, url, rank from (
        select id, tenant, url, folded,
          case when folded = ${folded} then 0
            when strpos(folded, ${`//${folded}`}) > 0 then 1 else 2 end as rank
        from (
          select id, tenant, url, lower(url collate "C") as folded from endpoints offset 0
        ) as endpoint
        where strpos(folded, ${folded}) > 0 and tenant not in (select tenant from erasures)
      ) as matching
      order by rank, id desc limit ${limit}
    ) as found
    join tenants t on t.id = found.tenant and t.erasing_since is null
    join positions p on p.tenant = found.tenant and p.consumer = found.id
    order by found.rank, found.id desc`;
}

/** By the id alone: of which tenant it is may not be known. */
export async function findEndpoint(sql: ReadSql, uuid: string): Promise<FoundEndpoint | undefined> {
  const [found] = await sql<FoundEndpoint[]>`
    select e.id, t.name as tenant, e.url, p.status, p.circuit
    from endpoints e join tenants t on t.id = e.tenant and t.erasing_since is null
      join positions p on p.tenant = e.tenant and p.consumer = e.id
    where e.id = ${uuid}`;
  return found;
}

export function findConsumers(
  sql: ReadSql,
  text: string,
  limit: number,
): Promise<{ name: string; tenant: string }[]> {
  const folded = fold(text);
  return sql<{ name: string; tenant: string }[]>`
    select c.name, t.name as tenant
    from consumers c join tenants t on t.id = c.tenant and t.erasing_since is null
    where strpos(lower(c.name collate "C"), ${folded}) > 0
    order by lower(c.name collate "C") = ${folded} desc, c.name collate "C", t.name collate "C"
    limit ${limit}`;
}

export function findEventTypes(
  sql: ReadSql,
  text: string,
  limit: number,
): Promise<{ type: string; description: string | null }[]> {
  const folded = fold(text);
  return sql<{ type: string; description: string | null }[]>`
    select type, description from event_types
    where strpos(lower(type collate "C"), ${folded}) > 0
    order by lower(type collate "C") = ${folded} desc, type collate "C"
    limit ${limit}`;
}

/** As `lower` does under "C". */
function fold(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
