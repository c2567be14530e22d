/**
 * Very many tenants with an endpoint each, by SQL: rows as the gateway makes them, only faster, of
 * which `differences` convinces itself. Every other one has had a few events, all delivered; the
 * others none.
 */
import { randomUUID } from "node:crypto";
import { defaultSettings } from "../../src/control/endpoints/settings.ts";
import { timeOrderedUuid } from "../../src/db/ids.ts";
import { shardOf } from "../../src/control/tenants/tenants.ts";
import { openDatabase, type Orm, type Sql } from "../../src/db/database.ts";
import { positions } from "../../src/db/delivery-schema.ts";
import { endpoints, heads, tenants } from "../../src/db/schema.ts";
import { sealHeaders, sealSecrets } from "../../src/deliveries/endpoint.ts";
import { generateSecret } from "../../src/deliveries/secrets.ts";
import { parseKeyRing, type KeyRing } from "../../src/keyring.ts";
import type { TenantId } from "../../src/log/event.ts";
import { seedLogs } from "./seed.ts";

/** A statement has at most 65,535 parameters, and an endpoint a score of columns. */
const chunkRows = 2_000;

const beginning = "1970-01-01";

type Member = {
  readonly tenant: TenantId;
  readonly name: string;
  readonly shard: number;
  readonly endpoint: string;
};

/** In a database that a gateway with these secrets has set up. */
export async function seedCrowd(
  databaseUrl: string,
  given: { secrets: string; shards: number; size: number; events: number; origin: string },
): Promise<void> {
  const { secrets, shards, size, events, origin } = given;
  const ring = parseKeyRing(secrets);
  const { orm, sql, stop } = openDatabase(databaseUrl, { connections: 1, name: "trial seed" });
  try {
    const members = Array.from({ length: size }, (_, index) => makeMember(index, shards));
    for (let from = 0; from < size; from += chunkRows) {
      await insert(orm, ring, members.slice(from, from + chunkRows), origin);
    }
    const busy = members.filter((_, index) => index % 2 === 0);
    for (let from = 0; from < busy.length; from += chunkRows) {
      const some = busy.slice(from, from + chunkRows);
      const logs = some.map(({ tenant, name }) => ({ id: tenant, name }));
      await seedLogs(databaseUrl, { tenants: logs, days: 1, perDay: events });
      await markDelivered(sql, some);
    }
  } finally {
    await stop();
  }
}

function makeMember(index: number, shards: number): Member {
  const tenant = randomUUID() as TenantId;
  const endpoint = timeOrderedUuid(Date.now());
  return { tenant, name: `idle-${index}`, shard: shardOf(tenant, shards), endpoint };
}

async function insert(orm: Orm, ring: KeyRing, members: readonly Member[], origin: string) {
  await orm
    .insert(tenants)
    .values(members.map(({ tenant, name, shard }) => ({ id: tenant, name, shard })));
  await orm.insert(heads).values(members.map(({ tenant }) => ({ tenant })));
  await orm.insert(endpoints).values(
    members.map(({ tenant, name, endpoint: id }) => ({
      ...{ ...defaultSettings, types: null, subjects: null, retryScheduleMs: null },
      ...{ tenant, id, url: `${origin}/${name}`, signature: "v1" as const },
      ...{ headers: sealHeaders(ring, id, {}), headerNames: [] },
      secrets: sealSecrets(ring, id, [{ secret: generateSecret(), expiresAt: null }]),
    })),
  );
  await orm.insert(positions).values(
    members.map(({ tenant, endpoint, shard }) => ({
      ...{ tenant, consumer: endpoint, shard, status: "active" as const },
      ...{ sequence: 0, day: beginning, lastMatched: 0 },
    })),
  );
}

/** All that these tenants' logs hold, at the first attempt. */
async function markDelivered(sql: Sql, members: readonly Member[]): Promise<void> {
  const ids = `{${members.map(({ tenant }) => tenant).join(",")}}`;
  await sql`
    insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code)
    select e.tenant, p.consumer, e.day, e.sequence, 'delivered', 1, e.sequence - 1,
      e.appended_at, e.appended_at, 1, 1, 200
    from events e join positions p on p.tenant = e.tenant
    where e.tenant = any(${ids}::uuid[])`;
  await sql`
    update positions p
    set sequence = h.head, day = h.day, last_matched = h.head, last_success_at = h.at
    from heads h where h.tenant = p.tenant and p.tenant = any(${ids}::uuid[])`;
}

/** What is another for every row, or says when it was made. */
const own = [
  ...["id", "name", "tenant", "shard", "endpoint", "consumer", "url", "secrets", "headers"],
  ...["created_at", "updated_at", "at", "day", "first_at", "appended_at", "envelope", "type"],
  ...["subject", "first_attempt_at", "last_attempt_at", "last_success_at", "queue_ms"],
  ...["latency_ms"],
];

const compared = ["tenants", "heads", "endpoints", "positions", "log_days", "events", "deliveries"];

/** Tables whose rows of these two tenants differ in more than what is each row's own. */
export async function differences(sql: Sql, made: string, seeded: string): Promise<string[]> {
  const different: string[] = [];
  for (const table of compared) {
    const [a, b] = await Promise.all([made, seeded].map((name) => rowsOf(sql, table, name)));
    if (a !== b) different.push(`${table}: ${a} and ${b}`);
  }
  return different;
}

async function rowsOf(sql: Sql, table: string, tenant: string): Promise<string> {
  const column = sql(table === "tenants" ? "id" : "tenant");
  const [row] = await sql<[{ rows: string | null }]>`
    select string_agg(text, ' ' order by text) as rows from (
      select (to_jsonb(r) - ${`{${own.join(",")}}`}::text[])::text as text from ${sql(table)} r
      where r.${column} = (select id from tenants where name = ${tenant})) as texts`;
  return row.rows ?? "none";
}
