/**
 * Tenants that have rows in every table, over several days, without anything having happened; and
 * a look at the rows of a tenant, in whatever tables there are.
 */
import { randomUUID } from "node:crypto";
import type { Sql } from "../../src/db/database.ts";

/** Days before today; partitions are made for them. */
const daysBack = 4;

/** Of deduplication keys and statistics by the minute: retention lets older ones go. */
const keyDaysBack = 1;

/**
 * Fills a tenant that has no events yet. Its endpoint has nothing to send and retries that are not
 * due. Each event has an outcome, one in ten an attempt, a retry, a subject that it blocks, a
 * receipt, a replay, a consumer, a ticket and statistics, and of the last two days a key.
 */
export async function fillTenant(sql: Sql, name: string, eventsPerDay: number): Promise<string> {
  const [{ tenant, shard, today }] = await sql<[{ tenant: string; shard: number; today: string }]>`
    select id as tenant, shard, (now() at time zone 'UTC')::date::text as today
    from tenants where name = ${name}`;
  const endpoint = randomUUID();
  const days = `{${Array.from({ length: daysBack + 1 }, (_, back) => daysBack - back).join(",")}}`;
  await sql`select create_partitions(${today}::date - ${daysBack}::int, ${today}::date)`;
  await sql`
    with rows as materialized (
      select ${today}::date - back as day, (${daysBack}::int - back) * ${eventsPerDay}::int + n as sequence
      from unnest(${days}::int[]) as back, generate_series(1, ${eventsPerDay}::int) as n
    ), stored as (
      insert into events (tenant, day, sequence, appended_at, type, subject, envelope)
      select ${tenant}, day, sequence, day + interval '1 ms', 'order.created', null,
        json_build_object('specversion', '1.0', 'id', 'evt_' || day || '_' || to_hex(sequence),
          'tenant', ${name}::text, 'data', repeat('x', 300))::text
      from rows
    ), kept as (
      insert into append_keys (tenant, key, day, sequence, digest, id)
      select ${tenant}, 'key-' || sequence, day, sequence, 'digest', 'evt_' || sequence
      from rows where sequence % 10 = 0 and day >= ${today}::date - ${keyDaysBack}::int
    ), settled as (
      insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
        first_attempt_at, last_attempt_at, queue_ms, latency_ms)
      select ${tenant}, ${endpoint}, day, sequence, 'delivered', 1, sequence - 1, day, day, 0, 0
      from rows
    ), tried as (
      insert into attempts (tenant, endpoint, day, sequence, attempt, at, queue_ms, latency_ms,
        truncated)
      select ${tenant}, ${endpoint}, day, sequence, 1, day, 0, 0, false
      from rows where sequence % 10 = 0
    ), minutes as (
      insert into delivery_minutes (tenant, endpoint, type, at, day, attempts, failures, retries,
        queue_ms, latency_ms)
      select ${tenant}, ${endpoint}, 'order.type_' || sequence, day, day, 1, 0, 0, '{1}', '{1}'
      from rows where sequence % 10 = 0 and day >= ${today}::date - ${keyDaysBack}::int
    ), hours as (
      insert into delivery_hours (tenant, endpoint, type, at, day, attempts, failures, retries,
        queue_ms, latency_ms)
      select ${tenant}, ${endpoint}, 'order.type_' || sequence, day, day, 1, 0, 0, '{1}', '{1}'
      from rows where sequence % 10 = 0
    ), owed as (
      insert into retries (tenant, endpoint, sequence, day, attempts, previous, due_at,
        first_attempt_at, last_attempt_at)
      select ${tenant}, ${endpoint}, sequence, day, 1, sequence - 1, now() + interval '1 day', day, day
      from rows where sequence % 10 = 0
    ), blocked as (
      insert into blocked_subjects (tenant, endpoint, key, subject, sequence, day, matched)
      select ${tenant}, ${endpoint}, md5(sequence::text)::uuid, sequence::text, sequence, day, 0
      from rows where sequence % 10 = 0
    ), receipted as (
      insert into receipt_ranges (tenant, endpoint, after, through, day, at)
      select ${tenant}, ${endpoint}, sequence - 1, sequence, day, day
      from rows where sequence % 10 = 0
    ), replayed as (
      insert into replays (tenant, id, endpoint, kind, after, through, status, sequence, day)
      select ${tenant}, gen_random_uuid(), ${endpoint}, 'all', 0, sequence, 'completed', sequence, day
      from rows where sequence % 10 = 0
    ), named as (
      insert into consumers (tenant, id, name)
      select ${tenant}, gen_random_uuid(), 'consumer-' || sequence from rows where sequence % 10 = 0
    ), ticketed as (
      insert into tickets (hash, tenant, key, expires_at, good_until)
      select sha256((${tenant}::text || sequence)::bytea), ${tenant}, '', now() + interval '1 day',
        now() + interval '1 day'
      from rows where sequence % 10 = 0
    ), begun as (
      insert into log_days (tenant, day, first_sequence, first_at)
      select ${tenant}, day, min(sequence), day from rows group by day
    ), ended as (
      update heads set head = (select max(sequence) from rows), day = ${today}::date, at = now()
      where tenant = ${tenant}
    ), kept_endpoint as (
      insert into endpoints (tenant, id, url, metadata, headers, header_names, secrets, timeout_ms,
        max_in_flight, format)
      values (${tenant}, ${endpoint}, 'http://127.0.0.1:1/', '{}', '', '{}', '', 5000, 1, 'json')
    )
    insert into positions (tenant, consumer, shard, sequence, day, last_matched, status)
    select ${tenant}, ${endpoint}, ${shard}, max(sequence), ${today}::date, 0, 'paused' from rows`;
  return tenant;
}

/**
 * Every table that has rows of tenants, by its column. A partition that retention has detached is
 * none any more: it only waits to be dropped.
 */
async function tablesOfTenants(sql: Sql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select c.table_name as name from information_schema.columns c
    join pg_class t on t.oid = to_regclass(quote_ident(c.table_name)) and not t.relispartition
    where c.table_schema = 'public' and c.column_name = 'tenant'
      and c.table_name !~ '_[0-9]{8}$' order by name`;
  return rows.map(({ name }) => name);
}

/** Rows by table, and what they are as one digest. */
export async function rowsOf(sql: Sql, tenant: string) {
  const found: Record<string, { rows: number; digest: string }> = {};
  for (const table of await tablesOfTenants(sql)) {
    const [row] = await sql<[{ rows: number; digest: string }]>`
      select count(*) as rows, md5(string_agg(t::text, '' order by t::text)) as digest
      from ${sql(table)} t where tenant = ${tenant}`;
    found[table] = row;
  }
  return found;
}

/** The tables that have rows of a tenant. */
export async function tablesWith(sql: Sql, tenant: string): Promise<string[]> {
  const found = await rowsOf(sql, tenant);
  return Object.keys(found).filter((table) => (found[table]?.rows ?? 0) > 0);
}
