/** Lists of deliveries over many days and endpoints, read from what the database keeps. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../../src/db/database.ts";
import {
  createHistory,
  deliveryStatuses,
  type DeliveryFilter,
  type History,
} from "../../src/deliveries/history.ts";
import type { TenantId } from "../../src/log/event.ts";
import { createLog } from "../../src/log/log.ts";
import { fixShards } from "../../src/log/settings.ts";
import { allRecorded, recordDeliveries, type Recorded } from "../support/deliveries.ts";
import { createTestDatabase } from "../support/postgres.ts";

const daysBack = 4;
const eventsPerDay = 60;
const endpointCount = 5;

let opened: AsyncDisposableStack;
let database: Database;
let history: History;
let tenant: TenantId;
let endpoints: string[];
let all: Recorded[];

beforeAll(async () => {
  opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  database = openDatabase(url, { connections: 4, name: "test" });
  opened.defer(() => database.stop());
  await fixShards(database.sql, 256);
  const { sql } = database;
  history = createHistory({ sql, log: createLog(sql) });
  const wanted = { daysBack, eventsPerDay, endpoints: endpointCount };
  await recordDeliveries(sql, wanted, 0.25);
  ({ tenant, endpoints } = await recordDeliveries(sql, wanted));
  all = await allRecorded(sql, tenant);
});

afterAll(() => opened.disposeAsync());

/** Every page to the last; none is longer than asked for. */
async function walk(filter: DeliveryFilter, limit: number): Promise<Recorded[]> {
  const found: Recorded[] = [];
  let cursor: string | undefined;
  for (let more = true; more;) {
    const page = await history.page(tenant, filter, { limit, cursor });
    expect(page.deliveries.length).toBeLessThanOrEqual(limit);
    for (const { endpoint, day, sequence, event, status } of page.deliveries) {
      const appendedAt = Date.parse(day) + ((sequence - 1) % eventsPerDay) * 1_000;
      found.push({ endpoint, day, sequence, type: event.type, appendedAt, status });
    }
    more = page.hasMore;
    if (more) expect(page.cursor).not.toBe(cursor);
    cursor = page.cursor ?? undefined;
  }
  return found;
}

test("what is looked for is there in every kind", () => {
  const byStatus = Map.groupBy(all, ({ status }) => status);
  expect([...byStatus.keys()].toSorted()).toEqual(["dead", "delivered", "expired", "retrying"]);
  expect(new Set(all.map(({ day }) => day)).size).toBe(daysBack + 1);
});

describe("a walk from page to page", () => {
  test.each([1, 7, 100, 1_000])("finds all once and in order, %i at a time", async (limit) => {
    expect(await walk({}, limit)).toEqual(all);
  });

  test.each([3, 1_000])("finds all of one endpoint, %i at a time", async (limit) => {
    for (const endpoint of endpoints) {
      const own = all.filter((one) => one.endpoint === endpoint);
      expect(await walk({ endpoint }, limit)).toEqual(own);
    }
  });

  test.each(deliveryStatuses)("finds all that are %s", async (status) => {
    const wanted = all.filter((one) => one.status === status);
    expect(await walk({ status }, 10)).toEqual(wanted);
    const [endpoint] = endpoints;
    const own = wanted.filter((one) => one.endpoint === endpoint);
    expect(await walk({ status, endpoint }, 3)).toEqual(own);
  });

  test.each(["kind.1", "kind.*", "kind", "other.*"])("finds all of type %s", async (type) => {
    const isWanted = (one: Recorded) =>
      type.endsWith("*") ? one.type.startsWith(type.slice(0, -1)) : one.type === type;
    expect(await walk({ type }, 30)).toEqual(all.filter(isWanted));
    const dead = all.filter((one) => one.status === "dead" && isWanted(one));
    expect(await walk({ type, status: "dead" }, 4)).toEqual(dead);
  });

  test("finds what was appended from a time on and before another", async () => {
    const times = [...new Set(all.map(({ appendedAt }) => appendedAt))].toSorted((a, b) => a - b);
    const [first = 0, late = 0] = [times[0], times[times.length - 5]];
    const middle = times[Math.floor(times.length / 2)] ?? 0;
    const ranges: [number | undefined, number | undefined][] = [
      [middle, undefined],
      [undefined, middle],
      [middle, late],
      [late, middle],
      [middle, middle + 1],
      [middle, middle],
      [first - 1, first],
      [late + 60_000, undefined],
      [undefined, Date.parse("0001-01-01T00:00:00Z")],
    ];
    for (const [since, until] of ranges) {
      const wanted = all.filter(
        ({ appendedAt: at }) => at >= (since ?? -Infinity) && at < (until ?? Infinity),
      );
      expect(await walk({ since, until }, 50)).toEqual(wanted);
    }
  });

  test("finds those of one event, of each endpoint", async () => {
    for (const sequence of [1, eventsPerDay, eventsPerDay + 1, 2 * eventsPerDay + 7]) {
      const wanted = all.filter((one) => one.sequence === sequence);
      expect(await walk({ event: sequence }, 2)).toEqual(wanted);
    }
    expect(await walk({ event: (daysBack + 2) * eventsPerDay }, 2)).toEqual([]);
  });

  test("finds those of one event down to an endpoint, in every kind of list", async () => {
    const [sequence = 0] = all.filter(({ status }) => status === "retrying").map((r) => r.sequence);
    const own = all.filter((one) => one.sequence === sequence);
    const ids = (found: readonly { endpoint: string }[]) => found.map(({ endpoint }) => endpoint);
    for (const { endpoint: downTo } of own) {
      const { deliveries } = await history.page(tenant, { event: sequence }, { limit: 9, downTo });
      expect(ids(deliveries)).toEqual(ids(own).filter((id) => id >= downTo));
    }
    for (const status of deliveryStatuses) {
      const wanted = own.filter((one) => one.status === status);
      expect(await walk({ event: sequence, status }, 1)).toEqual(wanted);
    }
  });

  test("goes on where it was although what is above changes", async () => {
    const first = await history.page(tenant, {}, { limit: 20 });
    const [top] = first.deliveries;
    if (top === undefined || first.cursor === null) throw new Error("nothing found");
    await database.sql`
      insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
        first_attempt_at, last_attempt_at, queue_ms, latency_ms)
      select ${tenant}, ${crypto.randomUUID()}, ${top.day}, n, 'delivered', 1, 0, now(), now(), 0, 0
      from generate_series(${top.sequence - 1}::bigint, ${top.sequence}::bigint) as n`;
    const second = await history.page(tenant, {}, { limit: 20, cursor: first.cursor });
    const places = second.deliveries.map(({ endpoint, sequence }) => [sequence, endpoint]);
    const wanted = all.slice(20, 40).map(({ endpoint, sequence }) => [sequence, endpoint]);
    expect(places).toEqual(wanted);
    await database.sql`
      delete from deliveries where tenant = ${tenant} and endpoint <> all(
        ${`{${endpoints.join(",")}}`}::uuid[])`;
  });
});

describe("one request", () => {
  test("reads a bounded part, and its page is short where little of that was wanted", async () => {
    const wanted = { daysBack: 0, eventsPerDay: 11_000, endpoints: 2, share: 1 };
    const { tenant: other } = await recordDeliveries(database.sql, wanted);
    const filter = { type: "nothing.of.it" };
    const first = await history.page(other, filter, { limit: 10 });
    expect(first).toMatchObject({ deliveries: [], hasMore: true });
    const second = await history.page(other, filter, { limit: 10, cursor: first.cursor ?? "" });
    expect(second.cursor).not.toBe(first.cursor);
    expect(second.hasMore).toBe(true);
  });

  test("finds all of more endpoints than one statement merges whole", async () => {
    const wanted = { daysBack: 0, eventsPerDay: 40, endpoints: 600, share: 0.9 };
    const { tenant: other } = await recordDeliveries(database.sql, wanted);
    const everything = await allRecorded(database.sql, other);
    let found = 0;
    let cursor: string | undefined;
    for (let more = true; more;) {
      const page = await history.page(other, {}, { limit: 1_000, cursor });
      for (const { endpoint, sequence } of page.deliveries) {
        expect([sequence, endpoint]).toEqual([
          everything[found]?.sequence,
          everything[found]?.endpoint,
        ]);
        found += 1;
      }
      more = page.hasMore;
      cursor = page.cursor ?? undefined;
    }
    expect(found).toBe(everything.length);
  });
});

describe("retention", () => {
  test("takes deliveries out of the lists together with their events", async () => {
    const wanted = { daysBack: 2, eventsPerDay: 10, endpoints: 2 };
    const { tenant: other } = await recordDeliveries(database.sql, wanted);
    const everything = await allRecorded(database.sql, other);
    const oldest = everything[0]?.day ?? "";
    const [before] = await database.sql<{ oldest: string }[]>`
      select oldest_day::text as oldest from log_settings`;
    await database.sql`update log_settings set oldest_day = ${oldest}`;
    const page = await history.page(other, {}, { limit: 1_000 });
    const kept = everything.filter(({ day }) => day >= oldest);
    expect(page.deliveries.length).toBe(kept.length);
    const gone = everything.find(({ day }) => day < oldest);
    if (gone === undefined) throw new Error("no older day");
    const name = { endpoint: gone.endpoint, position: gone };
    expect(await history.find(other, name)).toBeUndefined();
    await database.sql`update log_settings set oldest_day = ${before?.oldest ?? ""}`;
    expect(await history.find(other, name)).toMatchObject({ sequence: gone.sequence });
  });
});

test("a delivery is found by exactly its own name", async () => {
  const [one] = all;
  if (one === undefined) throw new Error("nothing recorded");
  const { endpoint, sequence, day } = one;
  const find = (of: object) =>
    history.find(tenant, { endpoint, position: { sequence, day }, ...of });
  expect(await find({})).toMatchObject({ endpoint, sequence, day, status: one.status });
  expect(await find({ endpoint: crypto.randomUUID() })).toBeUndefined();
  expect(await find({ position: { sequence, day: "2149-06-06" } })).toBeUndefined();
  expect(await find({ position: { sequence, day: "1970-01-01" } })).toBeUndefined();
  expect(await find({ position: { sequence: Number.MAX_SAFE_INTEGER, day } })).toBeUndefined();
  expect(await history.find(crypto.randomUUID() as TenantId, { endpoint, position: one })).toBe(
    undefined,
  );
});
