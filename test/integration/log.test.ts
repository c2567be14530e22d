import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sql } from "../../src/db/database.ts";
import {
  beginning,
  eventFingerprint,
  type LogEvent,
  type Position,
  type TenantId,
} from "../../src/log/event.ts";
import { createLog, type Log } from "../../src/log/log.ts";
import { dataOf, newEvent, openTestLog, type LogTenant, type TestLog } from "../support/log.ts";

let testLog: TestLog;
let log: Log;

beforeAll(async () => {
  testLog = await openTestLog();
  ({ log } = testLog);
});

afterAll(() => testLog.stop());

const numbers = (to: number) => Array.from({ length: to }, (_, index) => index + 1);
const unknown = { id: crypto.randomUUID() as TenantId, shard: 0 };

async function append(to: TestLog, tenant: LogTenant, count: number, data = "1"): Promise<void> {
  const results = await to.append(numbers(count).map(() => newEvent(tenant, data)));
  for (const result of results) expect(result.kind).toBe("appended");
}

/** A log with so many events on each of some days. */
async function logOf(on: TestLog, ...counts: number[]) {
  const tenant = await on.createTenant();
  for (const [index, count] of counts.entries()) {
    if (index > 0) await on.turnDay(tenant);
    await append(on, tenant, count);
  }
  const events = await on.readAll(tenant);
  return { tenant, events, at: (sequence: number) => at(events, sequence) };
}

function at(events: readonly LogEvent[], sequence: number): LogEvent {
  const event = events[sequence - 1];
  if (event === undefined) throw new Error(`there is no event ${sequence}`);
  return event;
}

const verified = (event: LogEvent) => ({ fingerprint: eventFingerprint(event) });

/** As retention does it, first of all. */
async function forgetBefore(on: TestLog, { day }: LogEvent): Promise<void> {
  await on.sql`update log_settings set oldest_day = ${day}`;
}

describe("a page", () => {
  test.each([1, 2, 3, 5, 12, 1_000])("pages of %i lead through all days once", async (limit) => {
    const { tenant, events } = await logOf(testLog, 3, 1, 5, 3);
    expect(new Set(events.map(({ day }) => day)).size).toBe(4);
    const read: LogEvent[] = [];
    for (;;) {
      const page = await log.read(tenant.id, read.at(-1) ?? beginning, limit);
      if (page.kind !== "events") throw new Error(page.kind);
      expect(page.events.length).toBeLessThanOrEqual(limit);
      read.push(...page.events);
      if (page.atHead) break;
      expect(page.events).toHaveLength(limit);
    }
    expect(read).toEqual(events);
    expect(read.map(({ sequence }) => sequence)).toEqual(numbers(12));
  });

  test("a log without events is at its head, and so is one that nobody knows", async () => {
    const tenant = await testLog.createTenant();
    const nothing = { kind: "events", events: [], atHead: true };
    for (const { id } of [tenant, unknown]) {
      expect(await log.read(id, beginning, 10)).toEqual(nothing);
      expect(await log.floor(id)).toEqual(beginning);
      expect(await log.head(id)).toEqual(beginning);
    }
  });

  test("a page of large events ends with the one that reaches four megabytes", async () => {
    const tenant = await testLog.createTenant();
    for (const kilobytes of [1, 1_000, 1, 2_000, 1_000, 1, 500, 3, 900, 4_000, 1]) {
      await append(testLog, tenant, 1, JSON.stringify("x".repeat(kilobytes * 1_000)));
    }
    const pages: number[][] = [];
    let position: Position = beginning;
    for (let atHead = false; !atHead;) {
      const page = await log.read(tenant.id, position, 100);
      if (page.kind !== "events") throw new Error(page.kind);
      pages.push(page.events.map(({ sequence }) => sequence));
      position = page.events.at(-1) ?? position;
      ({ atHead } = page);
    }
    expect(pages).toEqual([[1, 2, 3, 4, 5, 6, 7], [8, 9, 10], [11]]);
  });

  /**
   * Goal: a page is without holes whatever happens between the statements that make it. Method:
   * before each of its statements in turn a log grows on the reader's day and on the next one.
   */
  test("a page has no hole when the day turns while it is read", async () => {
    for (const moment of numbers(5)) {
      const { tenant, events } = await logOf(testLog, 3, 2);
      let statements = 0;
      const interrupted = createLog((async (...statement: Parameters<Sql>) => {
        statements += 1;
        if (statements === moment) {
          await append(testLog, tenant, 2);
          await testLog.turnDay(tenant);
          await append(testLog, tenant, 2);
        }
        return testLog.sql(...statement);
      }) as unknown as Sql);
      for (const from of [beginning, at(events, 2), at(events, 5)]) {
        const page = await interrupted.read(tenant.id, from, 100);
        if (page.kind !== "events") throw new Error(`at statement ${moment}: ${page.kind}`);
        const expected = numbers(9).slice(from.sequence);
        const found = page.events.map(({ sequence }) => sequence);
        expect(found, `statement ${moment}`).toEqual(expected.slice(0, found.length));
        if (page.atHead) expect(from.sequence + found.length).toBeGreaterThanOrEqual(5);
      }
      expect((await testLog.readAll(tenant)).length).toBe(statements < moment ? 5 : 9);
    }
  });
});

describe("a read that knows its own event", () => {
  test("goes on from each event of the log", async () => {
    const { tenant, events } = await logOf(testLog, 2, 1, 2);
    for (const event of events) {
      expect(await log.read(tenant.id, event, 10, verified(event))).toEqual({
        kind: "events",
        events: events.slice(event.sequence),
        atHead: true,
      });
      const [next] = events.slice(event.sequence);
      const page = await log.read(tenant.id, event, 1, verified(event));
      expect(page).toMatchObject({ kind: "events", events: next === undefined ? [] : [next] });
    }
  });

  test("notices that another event stands at its place, or none on its day", async () => {
    const { tenant, at } = await logOf(testLog, 2, 2);
    for (const sequence of numbers(4)) {
      const fingerprint = eventFingerprint(at(sequence)) ^ 1;
      expect(await log.read(tenant.id, at(sequence), 10, { fingerprint })).toEqual({
        kind: "reset",
      });
    }
    const elsewhere = { sequence: 2, day: at(3).day };
    expect(await log.read(tenant.id, elsewhere, 10, verified(at(2)))).toEqual({ kind: "reset" });
  });

  test("notices that the log ends before its place, until it has grown past it again", async () => {
    const { tenant, at } = await logOf(testLog, 2, 3);
    await testLog.sql`delete from events where tenant = ${tenant.id} and sequence > 3`;
    await testLog.sql`update heads set head = 3 where tenant = ${tenant.id}`;
    for (const options of [{}, verified(at(5))]) {
      expect(await log.read(tenant.id, at(5), 10, options)).toEqual({ kind: "ahead" });
    }
    await append(testLog, tenant, 3);
    expect(await log.read(tenant.id, at(5), 10, verified(at(5)))).toEqual({ kind: "reset" });
    expect(await log.read(tenant.id, at(3), 10, verified(at(3)))).toMatchObject({ kind: "events" });
  });
});

describe("retention", () => {
  test("a reader that it overtook is told how much it lost, and where to go on", async () => {
    await using own = await openTestLog();
    const { tenant, at } = await logOf(own, 3, 2, 2);
    await forgetBefore(own, at(6));
    const floor = { sequence: 5, day: at(6).day };
    expect(await own.log.floor(tenant.id)).toEqual(floor);
    for (const position of [beginning, at(1), at(3), at(4)]) {
      const lost = 5 - position.sequence;
      const expired = { kind: "expired", floor, lost };
      expect(await own.log.read(tenant.id, position, 10)).toEqual(expired);
      if (position === beginning) continue;
      expect(await own.log.read(tenant.id, position, 10, verified(at(position.sequence)))).toEqual(
        expired,
      );
    }
    const rest = { kind: "events", events: [at(6), at(7)], atHead: true };
    expect(await own.log.read(tenant.id, floor, 10)).toEqual(rest);
  });

  test("a reader that had read all of what was dropped reads on", async () => {
    await using own = await openTestLog();
    const { tenant, at } = await logOf(own, 3, 2, 2);
    await forgetBefore(own, at(6));
    const rest = { kind: "events", events: [at(6), at(7)], atHead: true };
    expect(await own.log.read(tenant.id, at(5), 10)).toEqual(rest);
    expect(await own.log.read(tenant.id, at(5), 10, verified(at(5)))).toEqual(rest);
    await own.sql`drop table ${own.sql(`events_${at(1).day.replaceAll("-", "")}`)}`;
    await own.sql`drop table ${own.sql(`events_${at(4).day.replaceAll("-", "")}`)}`;
    expect(await own.log.read(tenant.id, at(5), 10, verified(at(5)))).toEqual(rest);
    expect(await own.log.read(tenant.id, at(2), 10)).toMatchObject({ kind: "expired", lost: 3 });
  });

  test("a log that lost all it had goes on behind it", async () => {
    await using own = await openTestLog();
    const { tenant, events, at } = await logOf(own, 2, 2);
    await own.sql`update log_settings set oldest_day = ${at(4).day}::date + 1`;
    const floor = { sequence: 4, day: at(4).day };
    expect(await own.log.floor(tenant.id)).toEqual(floor);
    for (const event of events.slice(0, 3)) {
      const expired = { kind: "expired", floor, lost: 4 - event.sequence };
      expect(await own.log.read(tenant.id, event, 10)).toEqual(expired);
      expect(await own.log.read(tenant.id, event, 10, verified(event))).toEqual(expired);
    }
    for (const options of [{}, verified(at(4))]) {
      const nothing = { kind: "events", events: [], atHead: true };
      expect(await own.log.read(tenant.id, at(4), 10, options)).toEqual(nothing);
    }
    await own.turnDay(tenant);
    await append(own, tenant, 1);
    for (const options of [{}, verified(at(4))]) {
      const page = await own.log.read(tenant.id, at(4), 10, options);
      expect(page).toMatchObject({ kind: "events", events: [{ sequence: 5 }], atHead: true });
    }
  });

  test("a page has no hole when a day is dropped while it is read", async () => {
    await using own = await openTestLog();
    for (const moment of numbers(6)) {
      await own.sql`update log_settings set oldest_day = '1970-01-01'`;
      const { tenant, at } = await logOf(own, 2, 2, 2);
      let statements = 0;
      const interrupted = createLog((async (...statement: Parameters<Sql>) => {
        statements += 1;
        if (statements === moment) await forgetBefore(own, at(5));
        return own.sql(...statement);
      }) as unknown as Sql);
      const page = await interrupted.read(tenant.id, at(1), 100);
      if (page.kind === "events") {
        const found = page.events.map(({ sequence }) => sequence);
        expect(found, `statement ${moment}`).toEqual([2, 3, 4, 5, 6].slice(0, found.length));
        expect(found.length).toBeGreaterThan(0);
      } else {
        expect(page).toEqual({ kind: "expired", floor: { sequence: 4, day: at(5).day }, lost: 3 });
      }
    }
  });
});

describe("places in a log", () => {
  /** Goal: the binary search is right. Method: compare with a look at all events, at each edge. */
  test("the position before a time is that of the last event before it", async () => {
    await using own = await openTestLog();
    const tenant = await own.createTenant();
    for (const [index, counts] of [[1, 4, 1, 2], [3], [1, 1, 30, 1, 5]].entries()) {
      if (index > 0) await own.turnDay(tenant);
      for (const count of counts) {
        await append(own, tenant, count);
        await own.sql`
          update heads
          set at = date_trunc('milliseconds', greatest(at, clock_timestamp()) + '50 ms')
          where tenant = ${tenant.id}`;
      }
    }
    const events = await own.readAll(tenant);
    const times = new Set(events.map(({ appendedAt }) => appendedAt));
    expect(times.size).toBe(10);
    for (const day of new Set(events.map((event) => event.day))) {
      const oldest = events.find((event) => event.day === day) as LogEvent;
      await forgetBefore(own, oldest);
      for (const edge of [...times, 0, Date.parse("9999-12-31")]) {
        for (const time of [edge - 1, edge, edge + 1]) {
          const before = events.findLast(({ appendedAt }) => appendedAt < time);
          const found = await own.log.positionBefore(tenant.id, new Date(time));
          if (before === undefined || before.sequence < oldest.sequence) {
            expect(found).toEqual({ sequence: oldest.sequence - 1, day });
          } else {
            expect(found).toEqual({ sequence: before.sequence, day: before.day });
          }
        }
      }
    }
  });

  test("the position before any time is the beginning in a log without events", async () => {
    const tenant = await testLog.createTenant();
    for (const { id } of [tenant, unknown]) {
      expect(await log.positionBefore(id, new Date())).toEqual(beginning);
    }
  });

  test("an event is found at its position only, until it is dropped", async () => {
    await using own = await openTestLog();
    const { tenant, at } = await logOf(own, 2, 2);
    expect(await own.log.event(tenant.id, at(2))).toEqual(at(2));
    expect(await own.log.event(tenant.id, { sequence: 2, day: at(3).day })).toBeUndefined();
    expect(await own.log.event(tenant.id, { sequence: 1, day: at(3).day })).toBeUndefined();
    expect(await own.log.event(tenant.id, { sequence: 5, day: at(3).day })).toBeUndefined();
    expect(await own.log.event(unknown.id, at(2))).toBeUndefined();
    await forgetBefore(own, at(3));
    expect(await own.log.event(tenant.id, at(2))).toBeUndefined();
    expect(await own.log.event(tenant.id, at(3))).toEqual(at(3));
  });

  test("the heads of many logs are read at once", async () => {
    const [first, second] = [await logOf(testLog, 2, 1), await logOf(testLog, 1)];
    const empty = await testLog.createTenant();
    const found = await log.heads([first.tenant.id, second.tenant.id, empty.id, unknown.id]);
    const positions = new Map(found.map(({ tenant, position }) => [tenant, position]));
    expect(positions).toEqual(
      new Map([
        [first.tenant.id, { sequence: 3, day: first.at(3).day }],
        [second.tenant.id, { sequence: 1, day: second.at(1).day }],
        [empty.id, beginning],
      ]),
    );
    expect(await log.heads([])).toEqual([]);
  });
});

describe("what moved", () => {
  test("names each log that grew since a moment once, with its head and shard", async () => {
    const [first, second, idle] = await Promise.all(
      [7, 8, 9].map((shard) => testLog.createTenant(shard)),
    );
    if (!first || !second || !idle) throw new Error("no tenants");
    const ours = async (sinceMs: number) => {
      const { nowMs, tenants } = await log.moved(sinceMs);
      const ids = [first.id, second.id, idle.id];
      const moved = tenants.filter(({ tenant }) => ids.includes(tenant));
      return { nowMs, moved: moved.toSorted((a, b) => a.shard - b.shard) };
    };
    const before = await ours(Date.now());
    await append(testLog, first, 2);
    await append(testLog, second, 1);
    await append(testLog, first, 3);
    const after = await ours(before.nowMs - 1);
    expect(after.nowMs).toBeGreaterThanOrEqual(before.nowMs);
    expect(after.moved).toEqual([
      { tenant: first.id, shard: 7, head: 5 },
      { tenant: second.id, shard: 8, head: 1 },
    ]);
    expect((await ours(after.nowMs + 1)).moved).toEqual([]);
  });

  test("leaves out groups without events and tenants that are gone", async () => {
    const tenant = await testLog.createTenant();
    const { nowMs } = await log.moved(0);
    const keyed = newEvent(tenant, "1", { key: "k", digest: "x" });
    await testLog.append([keyed]);
    await testLog.sql`delete from append_groups where tenants = array[${tenant.id}]::uuid[]`;
    await testLog.append([keyed]);
    await testLog.sql`insert into append_groups (id, at) values (gen_random_uuid(), now())`;
    expect((await log.moved(nowMs - 1)).tenants).toEqual([]);
    await append(testLog, tenant, 1);
    await testLog.sql`delete from tenants where id = ${tenant.id}`;
    expect((await log.moved(nowMs - 1)).tenants).toEqual([]);
    expect((await testLog.readAll(tenant)).map(dataOf)).toEqual([1, 1]);
  });
});
