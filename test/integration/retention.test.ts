/**
 * Days are let go: readers learn it at one moment, tables and disk follow, nobody waits for it.
 * Logs of many days are made by moving the database's clock.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { beginning, eventFingerprint, type LogEvent } from "../../src/log/event.ts";
import { listPartitions, type Partition } from "../../src/log/partitions.ts";
import { createRetention } from "../../src/log/retention.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createClient } from "../support/client.ts";
import { setClock } from "../support/clock.ts";
import { startTestGateway } from "../support/gateway.ts";
import { newEvent, openTestLog, runChore, type LogTenant, type TestLog } from "../support/log.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startReceiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const dayMs = 24 * 3_600_000;
const numbers = (to: number) => Array.from({ length: to }, (_, index) => index + 1);
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs);

let testLog: TestLog;
let warnings: string[];

beforeEach(async () => {
  warnings = [];
  testLog = await openTestLog({ clock: daysAgo(9) });
});

afterEach(() => testLog.stop());

type Options = { retentionDays?: number; settleMs?: number; name?: string; now?: () => number };

function retention(options: Options = {}) {
  const { retentionDays = 3, settleMs = 0, name = "test housekeeping", now = Date.now } = options;
  return createRetention({
    sql: testLog.openConnections({ connections: 1, name }),
    log: createLogger({
      level: "warn",
      destination: { write: (line) => void warnings.push(line) },
    }),
    ...{ retentionDays, settleMs, now },
  });
}

/** Appends so many events on each of the ten days that end with today. */
async function fillTenDays(tenants: readonly LogTenant[], perDay: number): Promise<void> {
  for (const ago of numbers(10).map((day) => 10 - day)) {
    await setClock(testLog.url, daysAgo(ago));
    for (const tenant of tenants) {
      const results = await testLog.append(
        numbers(perDay).map((count) => {
          const key = `${ago} ${count}`;
          return newEvent(tenant, JSON.stringify("x".repeat(500)), { key, digest: "d" });
        }),
      );
      for (const { kind } of results) expect(kind).toBe("appended");
    }
  }
}

async function oldestDay(sql: Sql = testLog.sql): Promise<string> {
  const [row] = await sql<[{ day: string }]>`select oldest_day::text as day from log_settings`;
  return row.day;
}

/** The days of a table's partitions, in one of the states. */
async function daysOf(table: Partition["table"], state: Partition["state"] = "attached") {
  const partitions = await listPartitions(testLog.sql);
  return partitions
    .filter((partition) => partition.table === table && partition.state === state)
    .map(({ day }) => day.replace(/(....)(..)(..)/, "$1-$2-$3"));
}

/** Another session, amid a transaction that has read the log. */
async function openReader(): Promise<{ end(): Promise<void> }> {
  const sql = testLog.openConnections({ connections: 1, name: "test reader" });
  const reading = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const ended = sql.begin("isolation level repeatable read", async (transaction) => {
    await transaction`set local idle_in_transaction_session_timeout = 0`;
    await transaction`select count(*) from events`;
    reading.resolve();
    await release.promise;
  });
  await Promise.race([reading.promise, ended]);
  return {
    async end() {
      release.resolve();
      await ended;
    },
  };
}

describe("three days of retention over a log with ten", () => {
  test("take the partitions, their disk space and the days before, and leave the rest", async () => {
    const tenants = [await testLog.createTenant(), await testLog.createTenant()];
    await fillTenDays(tenants, 300);
    const sizes = async () => {
      const [row] = await testLog.sql<[{ tables: number; database: number }]>`
        select sum(pg_total_relation_size(relid))::bigint as tables,
          pg_database_size(current_database()) as database
        from pg_partition_tree('events') where isleaf`;
      return row;
    };
    const [before, daysBefore] = [await sizes(), await daysOf("events")];
    const [first] = tenants;
    if (first === undefined) throw new Error("no tenant");
    const all = await testLog.readAll(first);
    expect(new Set(all.map(({ day }) => day)).size).toBe(10);

    await runChore(retention());

    const oldest = await oldestDay();
    const kept = all.filter(({ day }) => day >= oldest);
    expect(kept).toHaveLength(4 * 300);
    for (const table of ["events", "deliveries", "attempts"] as const) {
      expect(await daysOf(table)).toEqual(daysBefore.filter((day) => day >= oldest));
      expect(await daysOf(table, "detached")).toEqual([]);
    }
    const after = await sizes();
    expect(after.tables).toBeLessThan(before.tables * 0.5);
    expect(before.database - after.database).toBeGreaterThan(before.tables * 0.4);
    const [left] = await testLog.sql`
      select min(day)::text as first, count(*)::int as rows from log_days`;
    expect(left).toEqual({ first: oldest, rows: tenants.length * 4 });

    const floor = { sequence: 6 * 300, day: oldest };
    for (const event of [beginning, ...all.filter(({ sequence }) => sequence % 299 === 1)]) {
      if (event.sequence >= floor.sequence) continue;
      const expired = { kind: "expired", floor, lost: floor.sequence - event.sequence };
      expect(await testLog.log.read(first.id, event, 10)).toEqual(expired);
    }
    const rest = await testLog.log.read(first.id, floor, 10_000);
    expect(rest).toEqual({ kind: "events", events: kept, atHead: true });
    expect(warnings).toEqual([]);
  });

  test("drop keys as soon as no append can ask for them", async () => {
    await fillTenDays([await testLog.createTenant()], 3);
    const before = await daysOf("append_keys");
    // Longer than any schedule: the keys go by their own rule.
    await runChore(retention({ retentionDays: 30 }));
    expect(await daysOf("events")).toEqual(before);
    const today = new Date().toISOString().slice(0, 10);
    const days = await daysOf("append_keys");
    expect(days.filter((day) => day < today)).toHaveLength(2);
    expect(days).toEqual(before.slice(before.length - days.length));
  });

  test("are not brought back by more days of retention", async () => {
    const tenant = await testLog.createTenant();
    await fillTenDays([tenant], 2);
    await runChore(retention());
    const [oldest, days] = [await oldestDay(), await daysOf("events")];
    await runChore(retention({ retentionDays: 30 }));
    expect([await oldestDay(), await daysOf("events")]).toEqual([oldest, days]);
    expect(await testLog.log.read(tenant.id, beginning, 10)).toMatchObject({ kind: "expired" });
  });

  test("let a reader over HTTP go on from the cursor that the refusal names", async () => {
    await using created = await createTestDatabase();
    await setClock(created.url, daysAgo(5));
    await using gateway = await startTestGateway({ DATABASE_URL: created.url });
    await gateway.createTenant("acme");
    const [, old] = await gateway.append("acme", { data: 1 }, { data: 2 }, { data: 3 });
    await setClock(created.url, daysAgo(1));
    await gateway.append("acme", { data: 4 }, { data: 5 });
    await setClock(created.url, daysAgo(0));
    await letGoOf(created.url);

    const read = (cursor: string) => gateway.call("GET", `/events?tenant=acme&cursor=${cursor}`);
    const refused = await read(old?.cursor ?? "");
    expect([refused.status, refused.slug]).toEqual([410, "cursor-expired"]);
    expect(refused.json?.["lost"]).toBe(1);
    const page = await read(String(refused.json?.["oldest_cursor"]));
    expect(page.status).toBe(200);
    const events = page.json?.["events"] as { data: unknown }[];
    expect(events.map(({ data }) => data)).toEqual([4, 5]);
  });

  test("settle the retries of events that are gone as expired", async () => {
    await using created = await createTestDatabase();
    await setClock(created.url, daysAgo(5));
    await using gateway = await startTestGateway({
      DATABASE_URL: created.url,
      LOG_LEVEL: "fatal",
    });
    await using receiver = await startReceiver({ kind: "answer", status: 500 });
    const client = createClient(gateway.url, gateway.operatorKey);
    await client.tenant("acme");
    const schedule = numbers(11).map(() => "1s");
    const settings = { url: receiver.url, retry_schedule: schedule };
    const { id } = await client.createEndpoint("acme", settings);
    await client.append("acme", {});
    await client.endpointWhen(id, ({ retrying }) => retrying === 1);
    await setClock(created.url, daysAgo(0));
    await letGoOf(created.url);

    const shown = await client.endpointWhen(id, ({ retrying }) => retrying === 0);
    expect(shown).toMatchObject({ dead: 0, status: "active" });
    expect(shown.last_failure?.error).toBe("retention took the event before it was delivered");
    const database = openDatabase(created.url, { connections: 1, name: "test" });
    const { sql } = database;
    const left = await sql`select from retries where endpoint = ${endpointUuid(id) ?? null}`;
    await database.stop();
    expect(left).toHaveLength(0);
  });

  /** As the gateway's own housekeeping does it, but now. */
  async function letGoOf(url: string): Promise<void> {
    const database = openDatabase(url, { connections: 1, name: "test" });
    const { sql } = database;
    const log = createLogger({ level: "silent" });
    const chore = createRetention({ sql, log, retentionDays: 2, settleMs: 0 });
    await waitUntil(async () => {
      // The two may come across each other.
      await runChore(chore).catch(() => {});
      const [oldest] = await listPartitions(sql);
      return oldest !== undefined && oldest.day >= (await oldestDay(sql)).replaceAll("-", "");
    });
    await database.stop();
  }
});

describe("tables in use", () => {
  test("are left until every statement that knew an older oldest day has ended", async () => {
    await fillTenDays([await testLog.createTenant()], 2);
    const days = await daysOf("events");
    await runChore(retention({ settleMs: 3_600_000 }));
    expect(await oldestDay()).not.toBe("1970-01-01");
    expect(await daysOf("events")).toEqual(days);

    // Nor is one dropped that this process has not seen detached for as long.
    const [oldest = ""] = days;
    const name = `events_${oldest.replaceAll("-", "")}`;
    await testLog.sql.unsafe(`alter table events detach partition ${name}`);
    await runChore(retention({ settleMs: 3_600_000 }));
    expect(await daysOf("events", "detached")).toEqual([oldest]);
    await runChore(retention());
    expect(await daysOf("events", "detached")).toEqual([]);
  });

  test("are detached without holding up appends and reads, also when that has to wait", async () => {
    const tenant = await testLog.createTenant();
    await fillTenDays([tenant], 2);
    const reader = await openReader();
    const chore = runChore(retention()).catch(() => {});
    await waitUntil(async () => (await daysOf("events", "detaching")).length === 1);
    const head = { sequence: 20, day: (await testLog.log.head(tenant.id)).day };
    for (const count of numbers(5)) {
      const [result] = await testLog.append([newEvent(tenant, String(count))]);
      expect(result).toMatchObject({ kind: "appended", sequence: 20 + count });
      const page = await testLog.log.read(tenant.id, head, 10);
      expect(page.kind === "events" && page.events.length).toBe(count);
    }
    expect(await daysOf("events", "detaching")).toHaveLength(1);
    await reader.end();
    await chore;
  });

  test("whose detach was cut off are found and finished", async () => {
    await fillTenDays([await testLog.createTenant()], 2);
    const reader = await openReader();
    const cut = runChore(retention({ name: "test doomed" }));
    cut.catch(() => {});
    await waitUntil(async () => (await daysOf("events", "detaching")).length === 1);
    await testLog.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'test doomed' and datname = current_database()`;
    await expect(cut).rejects.toThrow();
    await reader.end();
    const [begun] = await daysOf("events", "detaching");
    expect(begun).toBeDefined();

    await runChore(retention());
    const oldest = await oldestDay();
    for (const state of ["attached", "detaching", "detached"] as const) {
      for (const day of await daysOf("events", state)) expect(day >= oldest).toBe(true);
    }
  });

  test("keep only themselves from being let go, and are tried again", async () => {
    await fillTenDays([await testLog.createTenant()], 2);
    const [oldest = ""] = await daysOf("deliveries");
    const name = `deliveries_${oldest.replaceAll("-", "")}`;
    await testLog.sql.unsafe(`alter table deliveries detach partition ${name}`);
    const chore = retention();
    await testLog.sql.begin(async (transaction) => {
      await transaction`set local idle_in_transaction_session_timeout = 0`;
      await transaction`select from ${transaction(name)}`;
      // The lock time-out ends it.
      await expect(runChore(chore)).rejects.toThrow("lock timeout");
    });
    expect(await daysOf("deliveries", "detached")).toEqual([oldest]);
    await runChore(chore);
    expect(await daysOf("deliveries", "detached")).toEqual([]);
    expect(await daysOf("events")).toEqual(await daysOf("deliveries"));
  });

  /**
   * Goal: no reader and no append fails or sees a hole while days go from under them. Method: many
   * of both run as fast as they can over all ten days, with no time to settle between the steps,
   * which is harder than what really happens.
   */
  test("go while everybody reads and appends, and nobody fails", async ({ annotate }) => {
    const tenants = [await testLog.createTenant(), await testLog.createTenant()];
    await fillTenDays(tenants, 50);
    const { append } = testLog.openAppender();
    const pauses = { append: 0, read: 0 };
    let going = true;
    let [appended, expired] = [0, 0];
    const timed = async <T>(kind: keyof typeof pauses, work: Promise<T>) => {
      const startedAt = performance.now();
      const result = await work;
      pauses[kind] = Math.max(pauses[kind], performance.now() - startedAt);
      return result;
    };
    const appending = tenants.map(async (tenant) => {
      while (going) {
        const [result] = await timed("append", append([newEvent(tenant, "1")]));
        expect(result?.kind).toBe("appended");
        appended += 1;
      }
    });
    const reading = tenants.flatMap((tenant) =>
      numbers(3).map(async () => {
        let own: LogEvent | undefined;
        while (going) {
          const fingerprint = own === undefined ? 0 : eventFingerprint(own);
          const position = own ?? beginning;
          const read = testLog.log.read(tenant.id, position, 7, { fingerprint });
          const page = await timed("read", read);
          if (page.kind === "expired") {
            expired += 1;
            expect(page.lost).toBe(page.floor.sequence - position.sequence);
            const rest = await testLog.log.read(tenant.id, page.floor, 7);
            if (rest.kind !== "events") expect(rest.kind).toBe("expired");
            else expect(rest.events[0]?.sequence).toBe(page.floor.sequence + 1);
            own = undefined;
            continue;
          }
          if (page.kind !== "events") throw new Error(page.kind);
          const found = page.events.map(({ sequence }) => sequence);
          expect(found).toEqual(found.map((_, index) => position.sequence + 1 + index));
          own = page.atHead ? undefined : page.events.at(-1);
        }
      }),
    );
    // Once nothing went yet, then day by day.
    for (const retentionDays of [9, 8, 7, 6, 5, 4, 3]) await runChore(retention({ retentionDays }));
    await waitUntil(() => appended > 0 && expired > 0);
    going = false;
    await Promise.all([...reading, ...appending]);
    expect(warnings).toEqual([]);
    await annotate(`longest append ${pauses.append} ms, longest read ${pauses.read} ms`);
  });
});

describe("a clock that jumped ahead", () => {
  test.each([
    { where: "the database", processDays: 0 },
    { where: "the one machine of both", processDays: 400 },
  ])("on $where takes nothing from the log", async ({ processDays }) => {
    const tenant = await testLog.createTenant();
    await fillTenDays([tenant], 2);
    const before = [await daysOf("events"), await daysOf("append_keys")];
    let aheadDays = 0;
    const chore = retention({ now: () => Date.now() + aheadDays * dayMs });
    aheadDays = processDays;
    await setClock(testLog.url, daysAgo(-400));
    for (const _ of numbers(3)) await runChore(chore);
    expect(await oldestDay()).toBe("1970-01-01");
    expect([await daysOf("events"), await daysOf("append_keys")]).toEqual(before);
    expect(warnings.join()).toContain("the time is in doubt");
    expect(await testLog.readAll(tenant)).toHaveLength(20);
  });
});

test("a gateway keeps the days that it is told to", async () => {
  await using gateway = await startTestGateway({ TIDEGATE_RETENTION_DAYS: "40" });
  const database = openDatabase(gateway.databaseUrl, { connections: 1, name: "test" });
  const moved = async () => (await oldestDay(database.sql)) !== "1970-01-01";
  await waitUntil(moved, { deadlineMs: 20_000 });
  const [row] = await database.sql`
    select (clock_timestamp() at time zone 'UTC')::date - oldest_day as days from log_settings`;
  await database.stop();
  expect(row).toEqual({ days: 40 });
});
