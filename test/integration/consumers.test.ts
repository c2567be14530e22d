/** Named consumers, over HTTP, on a whole gateway and a second process beside it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../../src/db/database.ts";
import { createConsumerStore } from "../../src/deliveries/consumers.ts";
import type { TenantId } from "../../src/log/event.ts";
import { createChance } from "../support/chance.ts";
import { startTestGateway, succeed, type Answer, type TestGateway } from "../support/gateway.ts";
import { waitUntil } from "../support/wait.ts";

let gateway: TestGateway;
/** Another process of the installation. */
let second: TestGateway;
let database: Database;
let tenants = 0;

beforeAll(async () => {
  gateway = await startTestGateway({ TIDEGATE_ROLES: "api", TIDEGATE_RETENTION_DAYS: "5" });
  second = await startTestGateway(gateway.environment);
  database = openDatabase(gateway.databaseUrl, { connections: 4, name: "test" });
});

afterAll(async () => {
  await database?.stop();
  await second?.stop();
  await gateway?.stop();
});

type Shown = {
  name: string;
  types: string[] | null;
  position: string;
  handed_out: string;
  lag: { events: number; seconds: number };
  lost: number;
  retention_headroom_seconds: number | null;
};

/** A consumer, and what can be done with it, in any of the processes. */
async function newConsumer(events = 0, settings: object = { start: "earliest" }) {
  const tenant = await gateway.createTenant(`tenant_${(tenants += 1)}`);
  const append = async (count: number, event: object = {}) => {
    const some = Array.from({ length: count }, () => event);
    return (await gateway.append(tenant, ...some)).map(({ cursor }) => cursor);
  };
  if (events > 0) await append(events);
  const at = (path = "", name = "warehouse") => `/consumers/${name}${path}`;
  const ask = (method: string, path: string, body?: unknown, process = gateway) =>
    process.call(method, `${path}${path.includes("?") ? "&" : "?"}tenant=${tenant}`, { body });
  const put = (body: object) => ask("PUT", at(), body);
  const show = async () => (await succeed(ask("GET", at()))) as Shown;
  const read = (query = "", process = gateway) =>
    ask("GET", at(`/events?${query}`), undefined, process);
  const ack = (cursor: string, process = gateway) => ask("POST", at("/ack"), { cursor }, process);
  const seek = (from: unknown, process = gateway) => ask("POST", at("/seek"), { from }, process);
  const page = async (query = "", process = gateway) => pageOf(await read(query, process));
  await succeed(put(settings));
  return { tenant, append, ask, at, put, show, read, ack, seek, page };
}

function pageOf({ status, text, json }: Answer) {
  if (status !== 200) throw new Error(`${status} ${text}`);
  const events = json?.["events"] as { sequence: string }[];
  const seen = events.map(({ sequence }) => Number(sequence));
  return { seen, cursor: String(json?.["cursor"]), more: json?.["has_more"] === true };
}

describe("a consumer", () => {
  test("is created, shown, listed, changed and removed", async () => {
    const { ask, at, put, show } = await newConsumer(3, { types: ["order.*"], start: "earliest" });
    expect(await show()).toMatchObject({
      ...{ name: "warehouse", types: ["order.*"], subjects: null },
      ...{ position: "00000000000000000000", handed_out: "00000000000000000000", lost: 0 },
    });
    const changed = await put({ subjects: ["a"], start: "latest" });
    expect([changed.status, changed.json]).toMatchObject([
      200,
      { types: null, subjects: ["a"], position: "00000000000000000000" },
    ]);
    for (const name of ["b", "a", "_", "B"]) {
      expect((await ask("PUT", at("", name), {})).status).toBe(201);
    }
    const names = async (query: string) => {
      const { consumers, cursor, has_more } = await succeed(ask("GET", `/consumers?${query}`));
      return { names: (consumers as Shown[]).map(({ name }) => name), cursor, has_more };
    };
    const first = await names("limit=3");
    expect(first).toMatchObject({ names: ["B", "_", "a"], has_more: true });
    const rest = await names(`cursor=${String(first.cursor)}`);
    expect(rest).toMatchObject({ names: ["b", "warehouse"], has_more: false });

    expect((await ask("DELETE", at())).status).toBe(204);
    for (const [method, path, body] of [
      ["GET", at()],
      ["DELETE", at()],
      ["GET", at("/events")],
      ["POST", at("/ack"), { cursor: "x" }],
      ["POST", at("/seek"), { from: "latest" }],
    ] as const) {
      const gone = await ask(method, path, body);
      expect([path, gone.status, gone.slug]).toEqual([path, 404, "not-found"]);
    }
  });

  test.each([
    ["latest unless it is told otherwise", {}, 3],
    ["with the oldest event", { start: "earliest" }, 0],
    ["with the first event of a time", { start: { time: "2020-01-01T00:00:00Z" } }, 0],
  ])("starts %s", async (_, settings, position) => {
    const { show } = await newConsumer(3, settings);
    expect(Number((await show()).position)).toBe(position);
  });

  test("starts after a cursor", async () => {
    const { append, ask, at, page } = await newConsumer();
    const [, cursor] = await append(3);
    await succeed(ask("PUT", at("", "other"), { start: { cursor } }));
    expect(pageOf(await ask("GET", at("/events", "other"))).seen).toEqual([3]);
    expect((await page()).seen).toEqual([1, 2, 3]);
    const wrong = await ask("PUT", at("", "wrong"), { start: { cursor: "x".repeat(64) } });
    expect([wrong.status, wrong.slug]).toEqual([400, "cursor-invalid"]);
  });

  test("is created once by many at once", async () => {
    const { ask, at } = await newConsumer();
    const puts = [gateway, second, gateway, second].map((process) =>
      ask("PUT", at("", "other"), {}, process),
    );
    const statuses = (await Promise.all(puts)).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 200, 200, 201]);
  });

  test("has a place among a bounded number", async () => {
    const { tenant, ask, at } = await newConsumer();
    await database.sql`
      insert into consumers (tenant, id, name)
      select t.id, gen_random_uuid(), 'c' || n from tenants t, generate_series(1, 999) as n
      where t.name = ${tenant}`;
    const refused = await ask("PUT", at("", "other"), {});
    expect([refused.status, refused.slug]).toEqual([429, "quota-exceeded"]);
    expect(refused.json).toMatchObject({ limit: "consumers", value: 1_000 });
    expect((await ask("PUT", at(), {})).status).toBe(200);
  });
});

describe("what a consumer is handed", () => {
  test("follows its position, again and again until it is acknowledged", async () => {
    const { ack, page, read, show } = await newConsumer(10);
    const first = await page("limit=4");
    expect(first).toMatchObject({ seen: [1, 2, 3, 4], more: true });
    expect(await page("limit=4", second)).toEqual(first);
    expect(await show()).toMatchObject({
      ...{ position: "00000000000000000000", handed_out: "00000000000000000004" },
      lag: { events: 10 },
    });
    const acked = await ack(first.cursor);
    expect([acked.status, acked.json]).toEqual([200, { position: "00000000000000000004" }]);
    const answer = await read();
    expect(answer.headers.get("link")).toBeNull();
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(pageOf(answer)).toMatchObject({ seen: [5, 6, 7, 8, 9, 10], more: false });
  });

  test("matches its filter, and one that matches nothing comes forward all the same", async () => {
    const { append, ack, page, show, put } = await newConsumer(5, {
      ...{ types: ["invoice.*"], start: "earliest" },
    });
    const { seen, cursor } = await page();
    expect(seen).toEqual([]);
    await succeed(ack(cursor));
    expect(await show()).toMatchObject({
      ...{ position: "00000000000000000005", lag: { events: 0 } },
      retention_headroom_seconds: null,
    });
    await append(1, { type: "invoice.paid" });
    await append(1, { type: "order.paid" });
    const before = await page();
    expect(before.seen).toEqual([6]);
    // It stays where it is; a page that was handed out before can still be acknowledged.
    await succeed(put({ types: ["order.*"] }));
    expect((await page()).seen).toEqual([7]);
    expect((await ack(before.cursor)).status).toBe(200);
  });

  test("comes as soon as there is something", async () => {
    const { append, page, show } = await newConsumer(3, { start: "latest" });
    const answers = [page("wait=30"), page("wait=30&limit=1", second)];
    await append(1);
    expect((await Promise.all(answers)).map(({ seen }) => seen)).toEqual([[4], [4]]);
    expect((await show()).handed_out).toBe("00000000000000000004");
  });

  test("is read anew after a seek, a change of the filter or the end of the consumer", async () => {
    const { ask, at, page, put, read, seek, show } = await newConsumer(3, { start: "latest" });
    // Nothing is appended: each is found by whoever waits for it.
    const sought = page("wait=60&limit=2");
    await waitUntil(async () => (await page()).seen.length === 0);
    await succeed(seek("earliest"));
    expect((await sought).seen).toEqual([1, 2]);
    expect((await show()).handed_out).toBe("00000000000000000002");

    await succeed(put({ types: ["invoice.*"] }));
    const changed = page("wait=60", second);
    expect((await page()).seen).toEqual([]);
    await succeed(put({ types: ["order.*"] }));
    expect((await changed).seen).toEqual([1, 2, 3]);

    await succeed(seek("latest"));
    const gone = read("wait=60");
    expect((await page()).seen).toEqual([]);
    await ask("DELETE", at());
    expect((await gone).status).toBe(404);
  });

  test("ends with the wait when there is nothing", async () => {
    const { page } = await newConsumer(3, { start: "latest" });
    expect(await page("wait=1")).toMatchObject({ seen: [], more: false });
  });
});

describe("an acknowledgement", () => {
  test("that is older changes nothing, and one ahead of what was handed out is refused", async () => {
    const { append, ack, page, show } = await newConsumer();
    const cursors = await append(6);
    const early = await ack(cursors[0] ?? "");
    expect([early.status, early.slug, early.json]).toMatchObject([
      ...[422, "ack-ahead"],
      { handed_out: "00000000000000000000" },
    ]);
    await page("limit=4");
    expect((await ack(cursors[4] ?? "")).slug).toBe("ack-ahead");
    expect((await ack(cursors[3] ?? "")).json).toEqual({ position: "00000000000000000004" });
    for (const older of cursors.slice(0, 4)) {
      expect((await ack(older)).json).toEqual({ position: "00000000000000000004" });
    }
    expect((await show()).position).toBe("00000000000000000004");
    const wrong = await ack("x".repeat(64));
    expect([wrong.status, wrong.slug]).toEqual([400, "cursor-invalid"]);
  });

  test("counts by the furthest of many at once, from several processes", async () => {
    const { append, ack, page, show } = await newConsumer();
    const cursors = await append(40);
    await page();
    const chance = createChance();
    const order = cursors.map((cursor) => ({ cursor, at: chance.below(1_000) }));
    const shuffled = order.toSorted((a, b) => a.at - b.at);
    const acks = shuffled.map(({ cursor }, n) => ack(cursor, n % 2 === 0 ? gateway : second));
    const seen = await Promise.all(acks);
    expect(seen.map(({ status }) => status)).toEqual(seen.map(() => 200));
    expect((await show()).position).toBe("00000000000000000040");
  });

  test("of before a seek does not carry it away again", async () => {
    const { append, ack, page, seek, show } = await newConsumer();
    const cursors = await append(8);
    const { cursor } = await page();
    await succeed(seek({ cursor: cursors[1] }));
    expect((await ack(cursor)).slug).toBe("ack-ahead");
    expect((await show()).position).toBe("00000000000000000002");
    // Once it was handed out again it counts again.
    await page("limit=3");
    expect((await ack(cursor)).slug).toBe("ack-ahead");
    expect((await ack(cursors[4] ?? "")).json).toEqual({ position: "00000000000000000005" });
    await succeed(seek("latest"));
    expect((await ack(cursors[6] ?? "")).json).toEqual({ position: "00000000000000000008" });
    await succeed(seek({ time: "2020-01-01T00:00:00Z" }));
    expect((await page("limit=2")).seen).toEqual([1, 2]);
  });

  /**
   * Goal: whatever seeks back, acknowledgements and pages do at once, nothing is acknowledged that
   * was not handed out after the last seek. Method: they run from both processes; when all are
   * answered, a last seek goes to the beginning beside acknowledgements of all there is.
   */
  test("and a seek at once end where the seek went, or were before it", async () => {
    const { append, ack, page, seek, show } = await newConsumer();
    const cursors = await append(20);
    const last = cursors.at(-1) ?? "";
    for (let round = 0; round < 15; round += 1) {
      await page();
      const processes = [gateway, second];
      const acks = [0, 1, 2, 3].map((n) => ack(last, processes[n % 2]));
      const [sought] = await Promise.all([seek("earliest", second), ...acks]);
      expect(sought.status).toBe(200);
      const { position, handed_out } = await show();
      expect([position, handed_out]).toEqual(["00000000000000000000", "00000000000000000000"]);
    }
  });

  test("waits for a seek that is under way", async () => {
    const { tenant, append, ack, page, show } = await newConsumer();
    const [first, , , fourth] = await append(4);
    await page();
    const consumers = createConsumerStore(database);
    const [row] = await database.sql<{ id: TenantId }[]>`
      select id from tenants where name = ${tenant}`;
    const consumer = await consumers.find(row?.id ?? ("" as TenantId), "warehouse");
    if (consumer === undefined) throw new Error("there is no consumer");
    let acking: Promise<Answer> | undefined;
    await database.sql.begin(async (transaction) => {
      const { id } = consumer;
      await transaction`update consumers set handed_out = 1 where id = ${id}`;
      acking = ack(fourth ?? "");
      await waitUntil(async () => (await waitingForLocks()) > 0, { deadlineMs: 20_000 });
      await transaction`
        update positions set sequence = 1, generation = generation + 1 where consumer = ${id}`;
    });
    expect((await acking)?.slug).toBe("ack-ahead");
    expect((await show()).position).toBe("00000000000000000001");
    expect((await ack(first ?? "")).status).toBe(200);
    // A page that was read before it is not handed out either.
    expect(await consumers.handOut(consumer, 4)).toBe(false);
    expect((await show()).handed_out).toBe("00000000000000000001");
  });
});

describe("retention", () => {
  test("is told by how long the first event is kept that is not acknowledged", async () => {
    const { ack, page, show } = await newConsumer(4);
    const midnight = new Date().setUTCHours(0, 0, 0, 0);
    const until = (now: number) => Math.floor((midnight + 6 * 86_400_000 - now) / 1_000);
    const latest = until(Date.now() - 1_000);
    const { retention_headroom_seconds: headroom } = await show();
    expect(headroom).toBeLessThanOrEqual(latest);
    expect(headroom).toBeGreaterThanOrEqual(until(Date.now() + 1_000));
    await succeed(ack((await page()).cursor));
    expect((await show()).retention_headroom_seconds).toBeNull();
  });

  test("that has overtaken a consumer is a 410, until it seeks or has acknowledged so far", async () => {
    const { tenant, append, ack, page, read, seek, show } = await newConsumer();
    await append(4);
    // As if the first three had been appended two days ago. Then retention comes to them.
    await moveDaysBack(tenant, 3);
    const { cursor } = await page("limit=2");
    await page("limit=3");
    const [{ oldest }] = await database.sql<[{ oldest: string }]>`
      select oldest_day::text as oldest from log_settings`;
    await database.sql`update log_settings set oldest_day = current_date - 1`;
    try {
      const refused = await read("wait=5");
      expect([refused.status, refused.slug]).toEqual([410, "cursor-expired"]);
      expect(refused.json).toMatchObject({ lost: 3 });
      expect((await read()).slug).toBe("cursor-expired");
      expect(await show()).toMatchObject({ lost: 3, retention_headroom_seconds: 0 });
      // Two of the three were handed out before, so only the third was lost.
      await succeed(ack(cursor));
      expect((await read()).json).toMatchObject({ lost: 1 });

      await succeed(seek({ cursor: refused.json?.["oldest_cursor"] }));
      expect(await show()).toMatchObject({ lost: 0, position: "00000000000000000003" });
      expect((await page()).seen).toEqual([4]);
    } finally {
      await database.sql`update log_settings set oldest_day = ${oldest}`;
    }
  });

  test("a log that was restored under the reader is told when it acknowledges", async () => {
    const { tenant, append, ack, page } = await newConsumer();
    const [, , cursor] = await append(4);
    await page();
    // The third event is another one now.
    await database.sql`
      update events set envelope = regexp_replace(envelope, '[0-9a-f]{8}"', 'ffffffff"')
      where sequence = 3 and tenant = (select id from tenants where name = ${tenant})`;
    const refused = await ack(cursor ?? "");
    expect([refused.status, refused.slug]).toEqual([410, "feed-reset"]);
  });
});

test("nobody pushes for a consumer", async () => {
  const { tenant } = await newConsumer(3);
  const rows = await database.sql`
    select p.status from positions p join tenants t on t.id = p.tenant where t.name = ${tenant}`;
  expect(rows).toEqual([{ status: "polling" }]);
  const { endpoints } = await succeed(gateway.call("GET", `/tenants/${tenant}`));
  expect(endpoints).toMatchObject({ total: 0, polling: 0 });
});

async function moveDaysBack(tenant: string, through: number): Promise<void> {
  const { sql } = database;
  await sql`select create_partitions(current_date - 2, current_date)`;
  await sql`
    with owner as (select id from tenants where name = ${tenant}), moved as (
      update events set day = current_date - 2
      where tenant = (select id from owner) and sequence <= ${through}
    ), begun as (
      insert into log_days (tenant, day, first_sequence, first_at)
      select id, current_date - 2, 1, now() from owner
    )
    update log_days set first_sequence = ${through + 1}
    where tenant = (select id from owner) and day = current_date`;
}

async function waitingForLocks(): Promise<number> {
  const [row] = await database.sql<[{ waiting: number }]>`
    select count(*) as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  return row.waiting;
}
