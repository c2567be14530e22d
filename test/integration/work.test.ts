/** Tenants with work are found among many that have none, and what that costs. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase, type Database } from "../../src/db/database.ts";
import { generateKeyRing, parseKeyRing } from "../../src/keyring.ts";
import { createEndpointLoader } from "../../src/push/endpoints.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createTestDatabase } from "../support/postgres.ts";

const tenantCount = 2_000;
/** All that a process may ask for; one more is another's. */
const shards = Array.from({ length: 256 }, (_, shard) => shard);

let opened: AsyncDisposableStack;
let database: Database;
let findWork: () => Promise<string[]>;

beforeAll(async () => {
  opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  // One connection: plans and statistics are a connection's own.
  database = openDatabase(url, { connections: 1, name: "test" });
  opened.defer(() => database.stop());
  const ring = parseKeyRing(generateKeyRing());
  const log = createLogger({ level: "silent" });
  const loader = createEndpointLoader({ database, ring, defaultScheduleMs: [1_000], log });
  findWork = async () =>
    (await loader.tenantsWithWork(shards)).map(({ tenant }) => tenant).toSorted();
  await database.sql`
    with made as (
      insert into heads (tenant, head) select gen_random_uuid(), 3
      from generate_series(1, ${tenantCount}::int) returning tenant
    )
    insert into positions (tenant, consumer, shard, sequence, day, last_matched, status)
    select tenant, gen_random_uuid(), row_number() over () % 257, 3, current_date, 3, 'active'
    from made`;
});

afterAll(() => opened.disposeAsync());

test("whoever is behind, has a retry or a blocked subject has work, in these shards alone", async () => {
  expect(await findWork()).toEqual([]);
  const [behind, retrying, blocked] = await Promise.all([some(0, 2), some(2, 2), some(4, 2)]);
  const [elsewhere = "", paused = ""] = await Promise.all([someOf(256), someOf(0, 3)]);
  const { sql } = database;
  await sql`update heads set head = 4 where tenant = any(${listOf([...behind, elsewhere, paused])}::uuid[])`;
  await sql`update positions set status = 'paused' where tenant = ${paused}`;
  await giveRetries(retrying, 2);
  await sql`
    insert into blocked_subjects (tenant, endpoint, key, subject, sequence, day, matched)
    select tenant, consumer, gen_random_uuid(), 's', 1, current_date, 1 from positions
    where tenant = any(${listOf([...blocked, ...retrying])}::uuid[])`;
  expect(await findWork()).toEqual([...behind, ...retrying, ...blocked].toSorted());
  await sql`update heads set head = 3`;
  await sql`update positions set status = 'active'`;
  await sql`delete from blocked_subjects`;
  await sql`delete from retries`;
});

test("retries that came after the statement was planned are not read once for each endpoint", async () => {
  const { sql } = database;
  for (const table of ["positions", "heads", "retries", "blocked_subjects"]) {
    await sql.unsafe(`vacuum (analyze) ${table}`);
  }
  // After five times the plan is kept, here one for a table without a row.
  for (let time = 0; time < 8; time += 1) expect(await findWork()).toEqual([]);
  const retrying = await some(0, 1);
  await giveRetries(retrying, 1_000);
  const before = await rowsRead();
  expect(await findWork()).toEqual(retrying);
  expect((await rowsRead()) - before).toBeLessThan(20_000);
});

/** Tenants of the shards that are asked for. */
async function some(from: number, count: number): Promise<string[]> {
  const rows = await database.sql<{ tenant: string }[]>`
    select tenant from positions where shard = any(${listOf(shards)}::smallint[])
    order by tenant offset ${from} limit ${count}`;
  return rows.map(({ tenant }) => tenant);
}

async function someOf(shard: number, from = 0): Promise<string | undefined> {
  const [row] = await database.sql<{ tenant: string }[]>`
    select tenant from positions where shard = ${shard} order by tenant offset ${from} limit 1`;
  return row?.tenant;
}

async function giveRetries(tenants: readonly string[], each: number): Promise<void> {
  await database.sql`
    insert into retries (tenant, endpoint, sequence, day, attempts, previous, due_at,
      first_attempt_at, last_attempt_at)
    select tenant, consumer, n, current_date, 1, 0, now(), now(), now()
    from positions, generate_series(1, ${each}::int) as n
    where tenant = any(${listOf(tenants)}::uuid[])`;
}

/** Of the retries, in whatever way. */
async function rowsRead(): Promise<number> {
  const { sql } = database;
  await sql`select pg_stat_force_next_flush()`;
  const [row] = await sql<[{ rows: number }]>`
    select seq_tup_read + idx_tup_fetch as rows from pg_stat_user_tables where relname = 'retries'`;
  return row.rows;
}

function listOf(values: readonly (string | number)[]): string {
  return `{${values.join(",")}}`;
}
