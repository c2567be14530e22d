/** What the database's clock does to the log when it jumps, and what it must not do. */
import { afterEach, describe, expect, test } from "vitest";
import { beginning, type LogEvent } from "../../src/log/event.ts";
import type { AppendResult } from "../../src/log/new-event.ts";
import { createLogChores } from "../../src/log/chores.ts";
import { listPartitions } from "../../src/log/partitions.ts";
import { createRetention } from "../../src/log/retention.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { jumpClock, readClock, setClock } from "../support/clock.ts";
import { newEvent, openTestLog, runChore, type LogTenant, type TestLog } from "../support/log.ts";
import { waitUntil } from "../support/wait.ts";

const dayMs = 24 * 3_600_000;
const numbers = (to: number) => Array.from({ length: to }, (_, index) => index + 1);
const log = createLogger({ level: "silent" });

/** Of the day that comes next. */
const midnight = new Date(Math.ceil(Date.now() / dayMs) * dayMs);
const beforeMidnight = (ms: number) => new Date(midnight.getTime() - ms);
const plain = (day: string) => day.replaceAll("-", "");
const textOf = (day: Date) => day.toISOString().slice(0, 10);

let testLog: TestLog;

afterEach(() => testLog.stop());

async function openAt(clock: Date): Promise<LogTenant> {
  testLog = await openTestLog({ clock });
  return testLog.createTenant();
}

async function append(tenant: LogTenant, count = 1): Promise<void> {
  const results = await testLog.append(numbers(count).map((data) => newEvent(tenant, `${data}`)));
  for (const { kind } of results) expect(kind).toBe("appended");
}

const keyed = (tenant: LogTenant) => newEvent(tenant, "1", { key: "k", digest: "d" });

const idOf = (result: AppendResult | undefined) =>
  result !== undefined && "id" in result ? result.id : undefined;

/** Sequences are dense, append times and days never decrease. */
function expectOrder(events: readonly LogEvent[]): void {
  expect(events.map(({ sequence }) => sequence)).toEqual(numbers(events.length));
  for (const [index, event] of events.entries()) {
    const previous = events[index - 1] ?? event;
    expect(event.appendedAt).toBeGreaterThanOrEqual(previous.appendedAt);
    expect(event.day >= previous.day).toBe(true);
  }
}

describe("a clock that jumps back", () => {
  test("an hour changes no order, also across midnight", async () => {
    const tenant = await openAt(new Date(midnight.getTime() + 60_000));
    const other = await testLog.createTenant();
    await append(tenant, 2);
    await jumpClock(testLog.url, "-1 hour");
    expect((await readClock(testLog.url)).getTime()).toBeLessThan(midnight.getTime());
    await append(tenant, 2);
    // One that knew nothing of the day after.
    await append(other, 2);
    await jumpClock(testLog.url, "1 hour");
    await append(tenant, 2);
    await append(other, 2);

    const events = await testLog.readAll(tenant);
    expectOrder(events);
    expect(new Set(events.map(({ day }) => day))).toEqual(new Set([textOf(midnight)]));
    const times = events.map(({ appendedAt }) => appendedAt);
    expect(times[2]).toBe(times[1]);
    const others = await testLog.readAll(other);
    expectOrder(others);
    expect(new Set(others.map(({ day }) => day)).size).toBe(2);
  });

  test("behind the oldest day hides nothing that is appended", async () => {
    const tenant = await openAt(new Date());
    await append(tenant);
    const idle = await testLog.createTenant();
    await jumpClock(testLog.url, "20 days");
    await testLog.sql`
      update log_settings set oldest_day = (public.clock_timestamp() at time zone 'UTC')::date`;
    await jumpClock(testLog.url, "-20 days");
    await append(tenant);
    await append(idle);
    const page = await testLog.log.read(tenant.id, { ...beginning, sequence: 1 }, 10);
    expect(page).toMatchObject({ kind: "events", events: [{ sequence: 2 }], atHead: true });
    expect(await testLog.readAll(idle)).toHaveLength(1);
  });
});

describe("a clock that jumps forward past the last partition", () => {
  test("stops no append and deletes nothing", async () => {
    const tenant = await openAt(new Date());
    await append(tenant, 3);
    for (const jump of ["8 days", "40 days", "1 year"]) {
      await jumpClock(testLog.url, jump);
      await append(tenant, 3);
      const { sql } = testLog;
      for (const chore of createLogChores({ sql, log, retentionDays: 3 })) await runChore(chore);
    }
    const events = await testLog.readAll(tenant);
    expect(events).toHaveLength(12);
    expectOrder(events);
    expect(new Set(events.map(({ day }) => day)).size).toBe(4);
  });

  test("and is set right again changes no order and stops nothing either", async () => {
    const tenant = await openAt(new Date());
    await append(tenant, 2);
    await jumpClock(testLog.url, "40 days");
    await append(tenant, 2);
    await jumpClock(testLog.url, "-40 days");
    const late = await testLog.createTenant();
    await append(tenant, 2);
    await append(late, 2);
    expectOrder(await testLog.readAll(tenant));
    expect(await testLog.readAll(late)).toHaveLength(2);
  });
});

describe("keys", () => {
  test("fifty identical keyed appends at once make one event, also across midnight", async () => {
    const tenant = await openAt(beforeMidnight(60));
    const appenders = numbers(5).map(() => testLog.openAppender());
    const appendOnEach = () =>
      appenders.flatMap(({ append: one }) => numbers(5).map(() => one([keyed(tenant)])));
    const before = appendOnEach();
    // As many again while the day turns and after it.
    await waitUntil(async () => (await readClock(testLog.url)) >= midnight);
    const results = (await Promise.all([...before, ...appendOnEach()])).flat();
    expect(results).toHaveLength(50);
    expect(results.filter(({ kind }) => kind === "appended")).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === "duplicate")).toHaveLength(49);
    expect(new Set(results.map(idOf)).size).toBe(1);
    expect(await testLog.readAll(tenant)).toHaveLength(1);
  });

  test("are remembered for a day at least, from any hour, then dropped by partition", async () => {
    const tenant = await openAt(beforeMidnight(5 * dayMs + 1_000));
    const [first] = await testLog.append([keyed(tenant)]);
    expect(first?.kind).toBe("appended");
    await jumpClock(testLog.url, "24 hours");
    const [second] = await testLog.append([keyed(tenant)]);
    expect([second?.kind, idOf(second)]).toEqual(["duplicate", idOf(first)]);

    const { sql, url } = testLog;
    await setClock(url, new Date());
    const [third] = await testLog.append([keyed(tenant)]);
    expect(third).toMatchObject({ kind: "appended", sequence: 2 });
    const keys = async () => (await sql`select day::text from append_keys order by day`).length;
    expect(await keys()).toBe(2);
    await runChore(createRetention({ sql, log, retentionDays: 30, settleMs: 0 }));
    expect(await keys()).toBe(1);
    const left = (await listPartitions(sql)).filter(({ table }) => table === "append_keys");
    expect(left.map(({ day }) => day)).not.toContain(first && "day" in first && plain(first.day));
    expect(await testLog.readAll(tenant)).toHaveLength(2);
  });
});
