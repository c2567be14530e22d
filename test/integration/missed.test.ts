/** What an endpoint has missed, read page by page, on a real Postgres. */
import { sql as template } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMissedReader } from "../../src/deliveries/missed.ts";
import type { OrmTransaction, Sql } from "../../src/db/database.ts";
import { beginning } from "../../src/log/event.ts";
import { createChance } from "../support/chance.ts";
import { keyOf, openTestFeed, range, type TestFeed } from "../support/feed.ts";
import {
  block,
  giveDeliveries,
  giveLane,
  giveLog,
  giveRetries,
  missedBy,
  page,
  subjectOf,
  typeOf,
  walk,
  type Lane,
  type LaneState,
} from "../support/missed.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { sequences, startPullApi, type PullApi } from "../support/pull.ts";
import { waitUntil } from "../support/wait.ts";

let database: TestDatabase;
let feed: TestFeed;
let api: PullApi;
let sql: Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  feed = await openTestFeed(database.url);
  api = await startPullApi(feed);
  ({ sql } = feed);
});

afterAll(async () => {
  await api?.close();
  await feed?.stop();
  await database?.drop();
});

/** A lane over a log of 30 events in three days. */
async function laneThat(state: LaneState, young = 0): Promise<Lane> {
  const tenant = await feed.createTenant();
  await giveLog(sql, tenant, { days: 3, perDay: 10, young });
  return giveLane(sql, tenant, state);
}

describe("what was missed", () => {
  test("is what is being retried", async () => {
    const lane = await laneThat({ position: 30, status: "active" });
    await giveRetries(sql, lane, [3, 12, 29]);
    expect((await walk(api, lane)).seen).toEqual([3, 12, 29]);
  });

  test("is not what was delivered, although a retry of it was left", async () => {
    const lane = await laneThat({ position: 30, status: "active" });
    await giveRetries(sql, lane, [3, 12, 29]);
    await giveDeliveries(sql, lane, "delivered", [3]);
    await giveDeliveries(sql, lane, "settled", [29]);
    expect((await walk(api, lane)).seen).toEqual([12]);
  });

  test("is what was accepted and got no receipt in time", async () => {
    const lane = await laneThat({ position: 30, status: "active" });
    await giveRetries(sql, lane, [4, 14], { awaiting: true, due: 60 });
    await giveRetries(sql, lane, [5, 25], { awaiting: true, due: -1 });
    // Died of an outage, and accepted at its one further attempt.
    await giveDeliveries(sql, lane, "dead", [14]);
    expect((await walk(api, lane)).seen).toEqual([5, 25]);
  });

  test("is what is dead, and nothing that was settled otherwise", async () => {
    const lane = await laneThat({ position: 30, status: "active" });
    await giveDeliveries(sql, lane, "dead", [1, 11, 30]);
    await giveDeliveries(sql, lane, "delivered", [2, 12]);
    await giveDeliveries(sql, lane, "settled", [3]);
    await giveDeliveries(sql, lane, "skipped", [4]);
    expect((await walk(api, lane)).seen).toEqual([1, 11, 30]);
  });

  test("is not what a receipt has settled whose rows have not all gone yet", async () => {
    const lane = await laneThat({ position: 30, status: "active" });
    await giveRetries(sql, lane, [3, 12, 29]);
    await giveDeliveries(sql, lane, "dead", [4, 14, 28]);
    // By a push that was under way when the receipt came.
    await block(sql, lane, "s1", 10);
    await sql`
      insert into receipt_ranges (tenant, endpoint, after, through, day, at)
      values (${lane.tenant.id}, ${lane.uuid}, 0, 20, current_date, now())`;
    expect((await walk(api, lane)).seen).toEqual([21, 26, 28, 29]);
    // It was moved back since.
    await sql`update positions set resumed_at = now() where consumer = ${lane.uuid}`;
    expect((await walk(api, lane)).seen).toEqual([3, 4, 11, 12, 14, 16, 21, 26, 28, 29]);
  });

  test("is what blocked subjects hold, up to the position", async () => {
    const lane = await laneThat({ position: 24, status: "active" });
    await block(sql, lane, "s1", 6);
    await block(sql, lane, "s2", 0);
    await giveRetries(sql, lane, [2], { due: 60 });
    await giveDeliveries(sql, lane, "delivered", [...range(25, 30), 7]);
    expect((await walk(api, lane)).seen).toEqual([2, 11, 12, 16, 17, 21, 22]);
  });

  test.each([
    { status: "paused" },
    { status: "polling" },
    { status: "disabled" },
    { status: "active", circuit: "open" },
    { status: "active", circuit: "half_open" },
  ] as const)("is what waits beyond the position of one that is %o", async (state) => {
    const lane = await laneThat({ position: 5, ...state }, 3);
    await giveDeliveries(sql, lane, "delivered", [7, 8]);
    await giveDeliveries(sql, lane, "settled", [28]);
    await giveRetries(sql, lane, [9], { awaiting: true, due: 60 });
    // The position was moved back over what had been skipped: it will be sent after all.
    await giveDeliveries(sql, lane, "skipped", [10]);
    expect((await walk(api, lane)).seen).toEqual([6, ...range(10, 27), 29, 30]);
  });

  test("is only what the endpoint matches", async () => {
    const filter = { types: ["kind_1.*", "kind_2.made"], subjects: ["s1", "s2"] };
    const lane = await laneThat({ filter, position: 15 });
    await block(sql, lane, "s1", 0);
    const isWanted = (n: number) =>
      typeOf(n) !== "kind_0.made" && ["s1", "s2"].includes(subjectOf(n) ?? "");
    const held = range(1, 15).filter((n) => isWanted(n) && subjectOf(n) === "s1");
    expect((await walk(api, lane)).seen).toEqual([...held, ...range(16, 30).filter(isWanted)]);
  });

  test("comes in order and once, from all of these together, whatever the limit", async () => {
    const chance = createChance();
    for (let round = 0; round < 12; round += 1) {
      const lane = await anyLane(chance);
      const limit = chance.pick([1, 2, 3, 7, 100]);
      const all = await missedBy(sql, lane);
      expect([chance.seed, limit, (await walk(api, lane, { limit })).seen]).toEqual([
        chance.seed,
        limit,
        all,
      ]);
    }
  });
});

async function anyLane(chance: ReturnType<typeof createChance>): Promise<Lane> {
  const some = (share: number) => range(1, 30).filter(() => chance.below(100) < share);
  const filter = chance.pick([{}, { types: ["kind_1.*"] }, { subjects: ["s1", "s2", "s3"] }]);
  const status = chance.pick(["active", "active", "paused"] as const);
  const position = chance.below(31);
  const lane = await laneThat({ filter, status, position }, chance.pick([0, 5, 20]));
  const left = new Set(range(1, 30));
  for (const kind of ["delivered", "dead", "settled", "skipped"] as const) {
    const taken = some(chance.pick([0, 10, 30])).filter((n) => left.delete(n));
    await giveDeliveries(sql, lane, kind, taken);
  }
  const retried = some(chance.pick([0, 20]));
  const [first, second, third] = [0, 1, 2].map((kind) => retried.filter((n) => n % 3 === kind));
  await giveRetries(sql, lane, first ?? []);
  await giveRetries(sql, lane, second ?? [], { awaiting: true, due: 60 });
  await giveRetries(sql, lane, third ?? [], { awaiting: true, due: -1 });
  for (const subject of ["s1", "s2", "s3"]) {
    if (chance.below(3) === 0) await block(sql, lane, subject, chance.below(position + 1));
  }
  return lane;
}

describe("the walk along an endpoint that is served", () => {
  test("shows what has waited for a minute, and ends before what is on its way", async () => {
    const lane = await laneThat({ status: "active", position: 12 }, 5);
    await giveDeliveries(sql, lane, "delivered", [13, 26]);
    // Beyond what is on its way: its push failed while that of 27 has no answer yet.
    await giveRetries(sql, lane, [28]);
    const { seen, cursor } = await walk(api, lane);
    expect(seen).toEqual(range(14, 25));
    // All that lies before the cursor was delivered or shown.
    expect(feed.cursors.read(cursor, lane.tenant.id)?.position.sequence).toBe(26);

    await giveDeliveries(sql, lane, "delivered", [27]);
    expect((await walk(api, lane, { cursor })).seen).toEqual([28]);
  });

  test("passes over what is young and does not match", async () => {
    const filter = { types: ["never.appended"] };
    const lane = await laneThat({ status: "active", filter, position: 12 }, 5);
    const { seen, cursor } = await walk(api, lane);
    expect(seen).toEqual([]);
    expect(feed.cursors.read(cursor, lane.tenant.id)?.position.sequence).toBe(30);
  });

  test("skips nothing that stays missed while others are delivered", async () => {
    const lane = await laneThat({ position: 0 });
    const seen: number[] = [];
    let cursor = "";
    for (const delivered of [[2, 4], [11], [19, 20], [29], []]) {
      await giveDeliveries(sql, lane, "delivered", delivered);
      const { json } = await page(api, lane, { limit: "7", ...(cursor && { cursor }) });
      seen.push(...json.events.map(({ sequence }) => Number(sequence)));
      cursor = json.cursor;
    }
    expect(seen).toEqual(range(1, 30).filter((n) => ![2, 4, 11, 19, 20, 29].includes(n)));
  });
});

describe("a page", () => {
  test("is the stored envelopes, byte for byte, and leads to the next one", async () => {
    const tenant = await feed.createTenant();
    await feed.append(tenant, { data: '{"a":1.0,"a":1e21}' }, {}, { data: '"\\u00e9 é 🎈"' });
    const lane = await giveLane(sql, tenant);
    const stored = await feed.envelopes(tenant);
    const first = await page(api, lane, { limit: "2" });
    const { cursor } = first.json;
    expect(first.text).toBe(
      `{"events":[${stored.slice(0, 2).join(",")}],"cursor":"${cursor}","has_more":true}`,
    );
    const next = /<(.*)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    expect(next).toBe(`/endpoints/${lane.name}/missed?limit=2&cursor=${cursor}`);
    expect(first.headers.get("tidegate-head")).toBe("00000000000000000003");
    expect(first.headers.get("cache-control")).toBe("no-store");
    const authorization = `Bearer ${keyOf(tenant, "receive")}`;
    const second = await api.get(tenant, next, { authorization });
    expect(second.text).toContain(`{"events":[${stored[2]}],`);
    expect(second.json.has_more).toBe(false);
  });

  test("ends at 4 MiB", async () => {
    const tenant = await feed.createTenant();
    await giveLog(sql, tenant, { perDay: 10, bytes: 1 << 20 });
    const lane = await giveLane(sql, tenant);
    const first = await page(api, lane);
    expect([sequences(first), first.json.has_more]).toEqual([range(1, 4), true]);
    expect((await walk(api, lane)).seen).toEqual(range(1, 10));
  });

  test("has a cursor that fits any filter, and takes any of the tenant's", async () => {
    const lane = await laneThat({});
    const { cursor } = (await page(api, lane, { limit: "4" })).json;
    expect(feed.cursors.read(cursor, lane.tenant.id)?.filter).toBe("any");
    const filtered = await api.get(lane.tenant, { types: "kind_1.*", cursor, limit: "1" });
    expect(sequences(filtered)).toEqual([7]);
    const other = filtered.json.cursor;
    expect(sequences(await page(api, lane, { cursor: other, limit: "1" }))).toEqual([8]);
    const wrong = await page(api, lane, { cursor: "x".repeat(64) });
    expect([wrong.status, wrong.slug]).toEqual([400, "cursor-invalid"]);
  });

  test("after which days have expired tells what was lost", async () => {
    const lane = await laneThat({});
    const { cursor } = (await page(api, lane, { limit: "4" })).json;
    const [{ oldest }] = await sql<[{ oldest: string }]>`
      select oldest_day::text as oldest from log_settings`;
    await sql`update log_settings set oldest_day = current_date - 1`;
    try {
      const expired = await page(api, lane, { cursor });
      expect([expired.status, expired.slug]).toEqual([410, "cursor-expired"]);
      expect(expired.json["lost"]).toBe(6);
      const { oldest_cursor: at } = expired.json as unknown as { oldest_cursor: string };
      expect((await walk(api, lane, { cursor: at })).seen).toEqual(range(11, 30));
      expect((await walk(api, lane)).seen).toEqual(range(11, 30));
    } finally {
      await sql`update log_settings set oldest_day = ${oldest}`;
    }
  });

  test("is nobody else's, and gone with its endpoint", async () => {
    const lane = await laneThat({});
    const stranger = await feed.createTenant(1);
    const refused = await page(api, lane, {}, stranger);
    expect([refused.status, refused.slug]).toEqual([404, "not-found"]);
    const scoped = await api.get(lane.tenant, `/endpoints/${lane.name}/missed`);
    expect([scoped.status, scoped.slug]).toEqual([403, "scope-missing"]);
    await sql`delete from endpoints where id = ${lane.uuid}`;
    await sql`delete from positions where consumer = ${lane.uuid}`;
    expect((await page(api, lane)).status).toBe(404);
  });

  test("is empty where there is nothing yet", async () => {
    const tenant = await feed.createTenant();
    const lane = await giveLane(sql, tenant);
    const { json } = await page(api, lane);
    expect(json).toMatchObject({ events: [], has_more: false });
    await feed.append(tenant, {});
    expect((await walk(api, lane, { cursor: json.cursor })).seen).toEqual([1]);
  });
});

describe("a page that waits", () => {
  test("is answered when something is appended that nobody pushes", async () => {
    const lane = await laneThat({ position: 30 });
    const answer = page(api, lane, { wait: "30" });
    await waitUntil(() => feed.followers() > 0);
    await feed.append(lane.tenant, {});
    expect(sequences(await answer)).toEqual([31]);
    expect(feed.followers()).toBe(0);
  });

  test("is answered when a delivery dies, or comes up again, before what was looked at", async () => {
    const lane = await laneThat({ position: 30, status: "active" });
    await giveRetries(sql, lane, [4], { awaiting: true, due: 2 });
    const answer = page(api, lane, { wait: "30" });
    await waitUntil(() => feed.followers() > 0);
    expect(sequences(await answer)).toEqual([4]);

    const { cursor } = (await page(api, lane, { limit: "1" })).json;
    const later = page(api, lane, { wait: "30", cursor });
    await waitUntil(() => feed.followers() > 0);
    await giveDeliveries(sql, lane, "dead", [17]);
    expect(sequences(await later)).toEqual([17]);
  });

  test("ends empty when its time is over", async () => {
    const lane = await laneThat({ position: 30 });
    const { json } = await page(api, lane, { wait: "1" });
    expect(json).toMatchObject({ events: [], has_more: false });
    expect(feed.followers()).toBe(0);
  });

  test("is refused when the endpoint goes meanwhile", async () => {
    const lane = await laneThat({ position: 30 });
    const answer = page(api, lane, { wait: "30" });
    await waitUntil(() => feed.followers() > 0);
    await sql`delete from endpoints where id = ${lane.uuid}`;
    expect((await answer).status).toBe(404);
  });
});

/**
 * Rows that Postgres reads for a look, out of tables and indexes, behind an endpoint that has missed
 * 40,000: they follow from what it shows. Before, all tables are taken for empty.
 */
test("a page costs what it shows, whatever was missed", async () => {
  const tenant = await feed.createTenant();
  const all = 40_000;
  await giveLog(sql, tenant, { perDay: all });
  const lanes = {
    waiting: await giveLane(sql, tenant, { filter: { types: ["kind_1.*", "kind_2.*"] } }),
    settled: await giveLane(sql, tenant, {}),
    dead: await giveLane(sql, tenant, { position: all }),
    retried: await giveLane(sql, tenant, { position: all }),
    blocked: await giveLane(sql, tenant, { position: all }),
  };
  for (const table of ["retries", "deliveries", "blocked_subjects", "receipt_ranges"]) {
    await sql.unsafe(`delete from ${table}`);
    await sql.unsafe(`vacuum (analyze) ${table}`);
  }
  // After five times a plan would be kept.
  for (let time = 0; time < 8; time += 1) await measureLook(lanes.dead, 0);
  await giveDeliveries(sql, lanes.dead, "dead", range(1, all));
  await giveDeliveries(sql, lanes.settled, "delivered", range(1, all - 1_000));
  await giveRetries(sql, lanes.retried, range(1, all));
  for (const subject of ["s1", "s2", "s3", "s4"]) await block(sql, lanes.blocked, subject, 0);

  for (const [kind, lane] of Object.entries(lanes)) {
    for (const after of [0, all / 2, all - 500]) {
      const { shown, rows } = await measureLook(lane, after);
      expect([kind, after, rows < 4_000 || rows]).toEqual([kind, after, true]);
      expect([kind, after, shown > 50]).toEqual([
        kind,
        after,
        kind !== "settled" || after > 39_000,
      ]);
    }
  }
});

async function measureLook({ name, tenant }: Lane, after: number) {
  return feed.database.orm.transaction(async (transaction) => {
    // A connection's counts also hold what it did before and has not handed in yet.
    const before = await rowsRead(transaction);
    const reader = createMissedReader(transaction);
    const misser = await reader.find(name, tenant.id);
    const [day] =
      misser === undefined ? [] : await reader.days(misser, { ...beginning, sequence: after });
    if (misser === undefined || day === undefined) throw new Error("there is nothing to look at");
    const at = { after, scanned: after, limit: 100, scanLimit: 101 };
    const found = await reader.look(misser, { ...day, ...at });
    const rows = (await rowsRead(transaction)) - before;
    return { shown: found?.sequences.length ?? 0, rows };
  });
}

async function rowsRead(transaction: OrmTransaction): Promise<number> {
  const [read] = await transaction.execute<{ rows: number }>(template`
    select coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)::bigint as rows
    from pg_stat_xact_user_tables`);
  return read?.rows ?? Infinity;
}
