import { is, type SQL } from "drizzle-orm";
import { getTableConfig, PgDialect, PgTable } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migrate, openDatabase, type Database } from "../../src/db/database.ts";
import * as deliverySchema from "../../src/db/delivery-schema.ts";
import * as logSchema from "../../src/db/schema.ts";
import { createPartitions } from "../../src/log/partitions.ts";
import { fixShards } from "../../src/log/settings.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

let created: TestDatabase;
let database: Database;

beforeAll(async () => {
  created = await createTestDatabase();
  database = openDatabase(created.url, { connections: 4, name: "test" });
});

afterAll(async () => {
  await database.stop();
  await created.drop();
});

const tables = Object.values<unknown>({ ...logSchema, ...deliverySchema })
  .filter((value) => is(value, PgTable))
  .map((table) => getTableConfig(table));
const names = tables.map(({ name }) => name).toSorted();
const dialect = new PgDialect();
const partitioned = [
  ...["append_keys", "attempts", "deliveries", "delivery_hours", "delivery_minutes", "events"],
];

describe("a migrated database", () => {
  test("has the tables of the schema and no others", async () => {
    const found = await database.sql<{ name: string; kind: string }[]>`
      select relname as name, relkind as kind from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
        and not relispartition order by relname`;
    expect(found.map(({ name }) => name)).toEqual(names);
    const divided = found.filter(({ kind }) => kind === "p");
    expect(divided.map(({ name }) => name)).toEqual(partitioned);
  });

  test.each(tables)("has the columns of $name, with their types", async ({ name, columns }) => {
    const found = await database.sql<
      { column: string; type: string; nullable: boolean; fallback: boolean }[]
    >`
      select attname as column, format_type(atttypid, atttypmod) as type,
        not attnotnull as nullable, atthasdef as fallback
      from pg_attribute where attrelid = ${name}::regclass and attnum > 0 and not attisdropped
      order by attnum`;
    expect(found).toEqual(
      columns.map((column) => ({
        column: column.name,
        type: column.getSQLType(),
        nullable: !column.notNull,
        fallback: column.hasDefault,
      })),
    );
  });

  test.each(tables)("has the keys and indexes of $name", async (table) => {
    const { name, columns, primaryKeys, indexes, checks } = table;
    const found = await database.sql<{ index: string; kind: string; on: string[] }[]>`
      select c.relname as index,
        case when i.indisprimary then 'primary' when i.indisunique then 'unique' else 'plain' end
          as kind,
        (select json_agg(attname order by attnum) from pg_attribute
          where attrelid = i.indexrelid) as on
      from pg_index i join pg_class c on c.oid = i.indexrelid
      where i.indrelid = ${name}::regclass order by kind, c.relname`;
    const [key] = primaryKeys;
    const keyColumns = key?.columns ?? columns.filter((column) => column.primary);
    expect(found.filter(({ kind }) => kind === "primary").map(({ on }) => on)).toEqual([
      keyColumns.map((column) => column.name),
    ]);
    const declared = indexes.map(({ config }) => ({
      index: config.name,
      kind: config.unique ? "unique" : "plain",
      // An expression's column has the name of its function.
      on: config.columns.map((column) =>
        "name" in column ? column.name : /^\w+/.exec(dialect.sqlToQuery(column as SQL).sql)?.[0],
      ),
    }));
    const others = found.filter(({ kind }) => kind !== "primary");
    expect(new Set(others)).toEqual(new Set(declared));
    const constraints = await database.sql<{ name: string }[]>`
      select conname as name from pg_constraint
      where conrelid = ${name}::regclass and contype not in ('p', 'n')`;
    expect(constraints.map((constraint) => constraint.name)).toEqual(checks.map((c) => c.name));
  });

  test("is left as it is by another migration, also by several at once", async () => {
    const applied = () => database.sql`select * from drizzle.__drizzle_migrations order by id`;
    const before = await applied();
    await Promise.all([migrate(created.url), migrate(created.url), migrate(created.url)]);
    expect(await applied()).toEqual(before);
  });

  test("keeps the number of shards that it was first used with", async () => {
    expect(await fixShards(database.sql, 64)).toBe(64);
    expect(await fixShards(database.sql, 256)).toBe(64);
  });
});

describe("partitions", () => {
  test("are made once for yesterday to a week ahead, whoever asks how often", async () => {
    const made = await Promise.all([1, 2, 3].map(() => createPartitions(database.sql)));
    expect(made.reduce((sum, each) => sum + each.made, 0)).toBe(9 * partitioned.length);
    expect(await createPartitions(database.sql)).toEqual({ made: 0 });

    const [clock] = await database.sql<[{ now: Date }]>`select clock_timestamp() as now`;
    const day = (ahead: number) => {
      const date = new Date(clock.now);
      date.setUTCDate(date.getUTCDate() + ahead);
      return date.toISOString().slice(0, 10);
    };
    const found = await database.sql<{ table: string; partition: string; bounds: string }[]>`
      select inhparent::regclass::text as table, c.relname as partition,
        pg_get_expr(c.relpartbound, c.oid) as bounds
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where inhparent::regclass::text = any(${`{${partitioned.join(",")}}`}::text[])
        and c.relkind = 'r' order by 1, 2`;
    const expected = partitioned.flatMap((table) =>
      Array.from({ length: 9 }, (_, index) => ({
        table,
        partition: `${table}_${day(index - 1).replaceAll("-", "")}`,
        bounds: `FOR VALUES FROM ('${day(index - 1)}') TO ('${day(index)}')`,
      })),
    );
    expect(found).toEqual(expected);
  });

  test("have every index of their table", async () => {
    await createPartitions(database.sql);
    const [row] = await database.sql`
      select count(*)::int as missing
      from pg_index parent
      join pg_inherits i on i.inhparent = parent.indrelid
      where not exists (
        select from pg_index own join pg_inherits j on j.inhrelid = own.indexrelid
        where own.indrelid = i.inhrelid and j.inhparent = parent.indexrelid)`;
    expect(row).toEqual({ missing: 0 });
  });

  test("keep of what is dead or retried when its event was appended", async () => {
    const { sql } = database;
    await createPartitions(sql);
    const tenant = "0190163d-8694-739b-aea5-966c26f8ad91";
    const at = "2026-11-23T12:00:00.123Z";
    // One after the other, of a partition that came later than the trigger of the table.
    await sql`
      insert into events (tenant, day, sequence, appended_at, type, envelope)
      select ${tenant}, current_date + 5, n, ${at}::timestamptz + n * interval '1 microsecond', 't', '{}'
      from generate_series(1, 6) n`;
    const give = (sequence: number, status: string) => sql`
      insert into deliveries (tenant, endpoint, day, sequence, status, attempts, first_attempt_at,
        last_attempt_at, queue_ms, latency_ms)
      values (${tenant}, ${tenant}, current_date + 5, ${sequence}, ${status}, 1, now(), now(), 1, 1)
      on conflict (tenant, endpoint, day, sequence) do update set status = excluded.status`;
    for (const [sequence, status] of [
      ...([
        [1, "dead"],
        [2, "expired"],
        [3, "delivered"],
      ] as const),
      ...([
        [4, "skipped"],
        [4, "dead"],
        [5, "settled"],
        [7, "dead"],
      ] as const),
    ]) {
      await give(sequence, status);
    }
    await sql`
      insert into retries (tenant, endpoint, day, sequence, attempts, due_at, first_attempt_at,
        last_attempt_at)
      values (${tenant}, ${tenant}, current_date + 5, 6, 1, now(), now(), now())`;
    const kept = await sql<{ sequence: number; after: string | null }[]>`
      select sequence, round(extract(epoch from appended_at - ${at}::timestamptz) * 1000000)::text as after
      from (
        select sequence, appended_at from deliveries where tenant = ${tenant}
        union all
        select sequence, appended_at from retries where tenant = ${tenant}
      ) r order by sequence`;
    expect(kept.map(({ sequence, after }) => [Number(sequence), after])).toEqual([
      ...[
        [1, "1"],
        [2, "2"],
        [3, null],
        [4, "4"],
        [5, null],
        [6, "6"],
      ],
      // Of an event that is gone nothing is known.
      [7, null],
    ]);
  });

  test("do not make the days before or after them acceptable", async () => {
    const insert = database.sql`
      insert into append_keys (tenant, key, day, sequence, digest, id)
      values (gen_random_uuid(), 'k', current_date + 30, 1, '', '')`;
    await expect(insert).rejects.toMatchObject({ code: "23514" });
  });
});
