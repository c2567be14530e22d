/**
 * Endpoints and what became of their deliveries, by SQL, as pushes would have left them: in the order
 * in which they end, so that rows of one endpoint lie apart. One in a hundred deliveries is dead, one
 * in two thousand is being retried, and one endpoint in 33 is behind, of which a third has a filter.
 */
import postgres from "postgres";
import { allTypes } from "../../src/deliveries/statistics.ts";
import { everything } from "../../src/deliveries/tally.ts";
import { envelopeText } from "./envelope.ts";

export type Shape = {
  readonly tenants: number;
  /** Of each tenant. */
  readonly endpoints: number;
  /** Of each tenant. */
  readonly events: number;
};

const statementMaxRows = 200_000;

/** Before now, in which all events were appended: half of them in the last hour. */
const spreadMinutes = 120;

export async function seedDeliveries(
  databaseUrl: string,
  shape: Shape,
  say: (progress: string) => void,
): Promise<void> {
  const { tenants, endpoints, events } = shape;
  // Apart from the gateway's way of connecting, whose time-outs are for statements of the gateway.
  const sql = postgres(databaseUrl, {
    max: 1,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: "trial seed", synchronous_commit: "off" },
  });
  try {
    await sql`
      select create_partitions((begun at time zone 'UTC')::date, (now() at time zone 'UTC')::date)
      from (select now() - ${spreadMinutes}::int * interval '1 minute' as begun) t`;
    await sql`
      insert into tenants (name, shard)
      select 'tenant-' || n, n % 256 from generate_series(1, ${tenants}::int) n`;
    // Where each stands, and a number for chance.
    await sql`
      create unlogged table seeded as
      select tenant, id, nth, url, shard,
        case when nth % 99 = 0 then '{order.*}'::text[] end as types,
        case when nth % 33 = 0 then greatest(0, ${events}::bigint - 1 - nth % 400)
          else ${events}::bigint end as position
      from (
        select t.id as tenant, gen_random_uuid() as id, t.shard, row_number() over () as nth,
          'https://example.com/' || t.name || '/' || n as url
        from tenants t, generate_series(1, ${endpoints}::int) n
      ) e`;
    await sql`
      insert into endpoints (tenant, id, url, types, metadata, headers, header_names, secrets,
        timeout_ms, max_in_flight, format)
      select tenant, id, url, types, '{}', repeat('x', 60)::bytea, '{}', repeat('x', 120)::bytea,
        5000, 16, 'json'
      from seeded`;
    const perStep = Math.max(1, Math.floor(statementMaxRows / (tenants * endpoints)));
    for (let from = 1; from <= events; from += perStep) {
      const to = Math.min(events, from + perStep - 1);
      await seedEvents(sql, { events, from, to });
      await seedOutcomes(sql, { from, to });
      if (Math.floor(to / (events / 10)) > Math.floor((from - 1) / (events / 10))) {
        say(`${Math.round((100 * to) / events)} % stored`);
      }
    }
    await sql`
      insert into log_days (tenant, day, first_sequence, first_at)
      select tenant, day, min(sequence), min(appended_at) from events group by tenant, day`;
    await sql`
      insert into heads (tenant, head, day, at)
      select tenant, max(sequence), max(day), max(appended_at) from events group by tenant`;
    await sql`
      insert into positions (tenant, consumer, shard, sequence, day, last_matched, status)
      select s.tenant, s.id, s.shard, s.position, coalesce(
          (select max(day) from log_days d where d.tenant = s.tenant
            and d.first_sequence <= s.position), '1970-01-01'), s.position,
        case when s.nth % 33 = 0 then 'paused' else 'active' end
      from seeded s`;
    await sql`drop table seeded`;
  } finally {
    await sql.end();
  }
}

type Step = { readonly from: number; readonly to: number };

async function seedEvents(
  sql: postgres.Sql,
  { events, from, to }: Step & { events: number },
): Promise<void> {
  const data = sql`'{"text":"' || repeat('x', 100) || '"}'`;
  const envelope = envelopeText(sql, { type: sql`type`, subject: sql`subject`, data });
  await sql`
    insert into events (tenant, day, sequence, appended_at, type, subject, envelope)
    select t.id, (at at time zone 'UTC')::date, sequence, at, type, subject, ${envelope}
    from generate_series(${from}::bigint, ${to}::bigint) sequence,
      lateral (
        select date_trunc('milliseconds', now() - interval '30 seconds'
            - ${spreadMinutes}::int * interval '1 minute' * (1 - sequence / ${events}::float8)) as at,
          case when sequence % 3 = 0 then 'invoice.sent' else 'order.created' end as type,
          'customer-' || sequence % 50 as subject
      ) made,
      tenants t
    order by sequence`;
}

async function seedOutcomes(sql: postgres.Sql, { from, to }: Step): Promise<void> {
  await sql`
    with made as materialized (
      select s.tenant, s.id as endpoint, e.day, e.sequence, e.appended_at as at,
        (s.nth * 7919 + e.sequence * 104729) % 200000 as chance
      from events e join seeded s on s.tenant = e.tenant
      where e.sequence between ${from} and ${to} and (s.types is null or e.type like 'order.%')
        -- Beyond a position some have an outcome, since they were on their way together.
        and (e.sequence <= s.position or e.sequence <= s.position + 30 and e.sequence % 7 = 0)
      order by e.sequence
    ), retried as (
      insert into retries (tenant, endpoint, sequence, day, attempts, previous, due_at,
        first_attempt_at, last_attempt_at, status_code, error, awaiting, appended_at)
      select tenant, endpoint, sequence, day, 1, sequence - 1, now() + interval '1 day', at, at, 503,
        'http: status 503', chance < 20, at
      from made where chance < 100
    )
    insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code, error, appended_at)
    select tenant, endpoint, day, sequence,
      case when chance < 140 then 'expired' when chance < 2100 then 'dead' else 'delivered' end,
      1, sequence - 1, at, at, 2, 30, case when chance < 2100 then 503 else 200 end,
      case when chance < 2100 then 'http: status 503' end, case when chance < 2100 then at end
    from made where chance >= 100`;
}

/**
 * What the attempts of the outcomes count as in statistics, by minute and by hour: of each endpoint
 * and type, of each type with all endpoints together, and of all.
 */
export async function seedStatistics(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    for (const [table, unit] of [
      ["delivery_minutes", "minute"],
      ["delivery_hours", "hour"],
    ] as const) {
      await sql`
        insert into ${sql(table)} (tenant, endpoint, type, at, day, attempts, failures, retries,
          queue_ms, latency_ms)
        select d.tenant, coalesce(d.endpoint, ${everything}::uuid),
          coalesce(e.type, ${allTypes}::text), at,
          (at at time zone 'UTC')::date, count(*), count(*) filter (where d.status <> 'delivered'),
          0, array[0, 0, count(*)]::int[], array_fill(0, array[9]) || count(*)::int
        from deliveries d
          join events e on e.tenant = d.tenant and e.day = d.day and e.sequence = d.sequence,
          lateral (select date_trunc(${unit}::text, d.last_attempt_at) as at) a
        group by grouping sets (
          (d.tenant, d.endpoint, e.type, at), (d.tenant, e.type, at), (d.tenant, at))`;
    }
  } finally {
    await sql.end();
  }
}
