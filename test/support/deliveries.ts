/** Records of deliveries over several days, as the push side would have left them. */
import { randomUUID } from "node:crypto";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { deliveryId } from "../../src/deliveries/delivery-id.ts";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { parseEventId, type TenantId } from "../../src/log/event.ts";

export type Recorded = {
  readonly endpoint: string;
  readonly day: string;
  readonly sequence: number;
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly appendedAt: number;
  readonly status: string;
};

/** Records that an event was delivered to an endpoint, where nothing is pushed. Returns its id. */
export async function recordDelivery(
  { databaseUrl }: { databaseUrl: string },
  { endpoint, event }: { endpoint: string; event: string },
): Promise<string> {
  const uuid = endpointUuid(endpoint);
  const name = parseEventId(event);
  if (uuid === undefined || name === undefined) throw new Error(`${endpoint}, ${event}: no ids`);
  const { sequence, day } = name.position;
  const { sql, stop } = openDatabase(databaseUrl, { connections: 1, name: "test" });
  await sql`
    insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code)
    select tenant, id, ${day}, ${sequence}, 'delivered', 1, 0, now(), now(), 1, 1, 200
    from endpoints where id = ${uuid}`;
  await stop();
  return deliveryId({ ...name, endpoint: uuid });
}

/** As many replays as an endpoint may have; it is paused, and they wait. */
export async function recordReplays(
  { databaseUrl }: { databaseUrl: string },
  endpoint: string,
): Promise<void> {
  const { sql, stop } = openDatabase(databaseUrl, { connections: 1, name: "test" });
  await sql`
    insert into replays (tenant, id, endpoint, kind, after, through, status, sequence, day)
    select tenant, gen_random_uuid(), id, 'all', 0, 1, 'running', 0, '1970-01-01'
    from endpoints, generate_series(1, 1000) where id = ${endpointUuid(endpoint) ?? ""}`;
  await stop();
}

type Wanted = {
  /** Days before today, which is one more. */
  readonly daysBack: number;
  readonly eventsPerDay: number;
  readonly endpoints: number;
  /** Of the deliveries; the others have not been made. */
  readonly share?: number;
};

/**
 * Gives a new tenant a log, endpoints that nobody drives, and for a part of all pairs a delivery:
 * one in ten is dead, one in fifty is tried again, and some are both, as a dead letter is that gets
 * one more attempt, or what a late writer has left. Which ones follows from `seed`.
 */
export async function recordDeliveries(sql: Sql, wanted: Wanted, seed = 0.5) {
  const tenant = randomUUID() as TenantId;
  const { daysBack, eventsPerDay, share = 0.7 } = wanted;
  const endpoints = Array.from({ length: wanted.endpoints }, () => randomUUID());
  const [{ today }] = await sql<[{ today: string }]>`
    select (now() at time zone 'UTC')::date::text as today`;
  await sql`insert into tenants (id, name, shard) values (${tenant}, ${tenant}, 0)`;
  await sql`select create_partitions(${today}::date - ${daysBack}::int, ${today}::date)`;
  await sql`
    with days as (
      select ${today}::date - ${daysBack}::int + n as day, n * ${eventsPerDay}::int + 1 as first
      from generate_series(0, ${daysBack}::int) as n
    ), begun as (
      insert into log_days (tenant, day, first_sequence, first_at)
      select ${tenant}, day, first, day from days
    ), ended as (
      insert into heads (tenant, head, day, at)
      select ${tenant}, max(first) + ${eventsPerDay}::int - 1, max(day), now() from days
    )
    insert into events (tenant, day, sequence, appended_at, type, subject, envelope)
    select ${tenant}, day, sequence,
      day + (sequence - first) * interval '1 second', 'kind.' || sequence % 3, null,
      '{"specversion":"1.0","id":"evt_' || day || '_' || left(replace(${tenant}, '-', ''), 16)
        || to_hex(sequence) || 'abcdef01","data":"' || repeat('x', 300) || '"}'
    from days, generate_series(first, first + ${eventsPerDay}::int - 1) as sequence`;
  await sql`
    insert into endpoints (tenant, id, url, metadata, headers, header_names, secrets, timeout_ms,
      max_in_flight, format)
    select ${tenant}, id, 'http://127.0.0.1:1/', '{}', '', '{}', '', 5000, 1, 'json'
    from unnest(${`{${endpoints.join(",")}}`}::uuid[]) as id`;
  await sql.begin(async (transaction) => {
    await transaction`select setseed(${seed})`;
    await transaction`
      create temporary table pairs on commit drop as
      select e.day, e.sequence, endpoint, random() as chance
      from events e, unnest(${`{${endpoints.join(",")}}`}::uuid[]) as endpoint
      where e.tenant = ${tenant} and random() < ${share}`;
    await transaction`
      insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
        first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code)
      select ${tenant}, endpoint, day, sequence, case when chance < 0.1 then 'dead'
          when chance < 0.12 then 'expired' else 'delivered' end, 1, 0, now(), now(), 1, 1, 200
      from pairs where chance < 0.97`;
    await transaction`
      insert into retries (tenant, endpoint, day, sequence, attempts, previous, due_at,
        first_attempt_at, last_attempt_at)
      select ${tenant}, endpoint, day, sequence, 2, 0, now(), now(), now()
      from pairs where chance < 0.01 or chance > 0.96`;
  });
  return { tenant, endpoints };
}

/** What there is to be found, in the order of the lists, by one plain look at all of it. */
export async function allRecorded(sql: Sql, tenant: TenantId): Promise<Recorded[]> {
  return sql<Recorded[]>`
    select endpoint, e.day::text, sequence, e.type,
      (extract(epoch from e.appended_at) * 1000)::bigint as "appendedAt",
      case when d.status = 'delivered' then d.status
        when r.sequence is not null then 'retrying' else d.status end as status
    from (select * from deliveries where tenant = ${tenant}) d
      full join (select * from retries where tenant = ${tenant}) r using (endpoint, sequence)
      join events e using (sequence)
    where e.tenant = ${tenant}
    order by sequence desc, endpoint desc`;
}
