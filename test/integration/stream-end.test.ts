/** How streams are refused, kept alive, held up and ended. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyOf, openTestFeed, range, type TestEvent, type TestFeed } from "../support/feed.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { createSeveredFanout } from "../support/severed.ts";
import type { SseClient } from "../support/sse.ts";
import { hasEvents, sequences, startStreamApi, type StreamApi } from "../support/stream.ts";
import { waitUntil } from "../support/wait.ts";

let database: TestDatabase;
let feed: TestFeed;
let api: StreamApi;

beforeAll(async () => {
  database = await createTestDatabase();
  feed = await openTestFeed(database.url);
  api = await startStreamApi(feed);
});

afterAll(async () => {
  await api.close();
  await feed.stop();
  await database.drop();
});

describe("a refused stream", () => {
  test("is refused with a plain problem before it begins", async () => {
    const tenant = await feed.createTenant(2);
    const expectRefusal = async (client: SseClient, status: number, slug: string) => {
      await waitUntil(() => client.plainBody() !== "", { what: slug });
      expect(client.status()).toBe(status);
      expect(client.head()).toContain("application/problem+json");
      expect(client.plainBody()).toContain(`/problems/${slug}"`);
    };
    await expectRefusal(api.open(tenant, { cursor: "junk" }), 400, "cursor-invalid");
    await expectRefusal(api.open(tenant, {}, { lastEventId: "junk" }), 400, "cursor-invalid");
    await expectRefusal(api.open(tenant, { types: "*" }), 400, "invalid-parameter");
    const client = api.open(tenant, { types: "order.*" });
    await client.waitFor(hasEvents(2));
    const lastEventId = client.blocks()[0]?.id;
    await expectRefusal(api.open(tenant, {}, { lastEventId }), 400, "cursor-filter-mismatch");
    const rebased = api.open(tenant, { rebase: "true" }, { lastEventId });
    await rebased.waitFor(hasEvents(1));
    const other = await feed.createTenant();
    await expectRefusal(api.open(other, {}, { lastEventId }), 400, "cursor-invalid");
    const key = keyOf(tenant, "append");
    await expectRefusal(api.open(tenant, {}, { key }), 403, "scope-missing");
    await feed.sql`delete from events where tenant = ${tenant.id} and sequence = 2`;
    await feed.sql`update heads set head = 1 where tenant = ${tenant.id}`;
    const ahead = client.blocks()[1]?.id;
    await expectRefusal(
      api.open(tenant, { types: "order.*" }, { lastEventId: ahead }),
      410,
      "cursor-ahead",
    );
  });

  test("answers 503 when the process is full, and a reconnect with a long pause", async () => {
    await using own = await startStreamApi(feed, { streamsMax: 2 });
    const tenant = await feed.createTenant(1);
    const clients = [own.open(tenant), own.open(tenant)];
    for (const client of clients) await client.waitFor(hasEvents(1));
    const fresh = own.open(tenant);
    await waitUntil(() => fresh.status() === 503);
    expect(fresh.head()).toContain("retry-after: 30");
    const lastEventId = clients[0]?.blocks()[0]?.id;
    const again = own.open(tenant, {}, { lastEventId });
    await waitUntil(() => again.isEnded());
    expect(again.status()).toBe(200);
    expect(again.blocks()).toMatchObject([{ retry: "30000", event: "problem" }]);
    clients[0]?.cut();
    await waitUntil(() => own.streams.size() === 1);
    const free = own.open(tenant);
    await free.waitFor(hasEvents(1));
  });
});

describe("a quiet stream", () => {
  test("shows that it is alive: by a comment, or by its cursor when it moved", async () => {
    await using own = await startStreamApi(feed, { beatMs: 100 });
    const tenant = await feed.createTenant(2);
    const client = own.open(tenant, { types: "order.*" });
    await client.waitFor((blocks) => blocks.filter((block) => block.comment === "").length >= 2);
    await feed.append(tenant, { type: "other" }, { type: "other" });
    await client.waitFor((blocks) => blocks.some((block) => block.event === "cursor"));
    const block = client.blocks().find(({ event }) => event === "cursor");
    expect(block?.data).toBe(JSON.stringify({ cursor: block?.id }));
    expect(feed.cursors.read(block?.id ?? "", tenant.id)?.position.sequence).toBe(4);
    // And once only.
    const { length } = client.blocks();
    await client.waitFor((blocks) => blocks.length >= length + 2);
    expect(client.blocks().filter(({ event }) => event === "cursor")).toHaveLength(1);
  });

  test("ends cleanly when its time is over, with the cursor it has come to", async () => {
    await using own = await startStreamApi(feed, { lifetimeMs: 150 });
    const tenant = await feed.createTenant(2);
    const client = own.open(tenant, { types: "order.*" });
    await client.waitFor(hasEvents(2));
    await feed.append(tenant, { type: "other" });
    await waitUntil(() => client.isEnded());
    const last = client.blocks().at(-1);
    expect(last?.event).toBe("cursor");
    expect(feed.cursors.read(last?.id ?? "", tenant.id)?.position.sequence).toBe(3);
    await waitUntil(() => own.streams.size() === 0);
  });

  test("is told within the recheck what no frame told of", async () => {
    await using other = await createTestDatabase();
    await using severed = await openTestFeed(other.url, { fanout: createSeveredFanout() });
    await using own = await startStreamApi(severed);
    const tenant = await severed.createTenant();
    const client = own.open(tenant);
    await client.waitFor((blocks) => blocks.length > 0);
    for (let n = 1; n <= 3; n += 1) {
      await severed.append(tenant, {}, {});
      await client.waitFor(hasEvents(2 * n), 2_500);
    }
    expect(sequences(client)).toEqual(range(1, 6));
  });
});

describe("a client that stops reading", () => {
  const tenLarge = Array<TestEvent>(10).fill({ data: JSON.stringify("x".repeat(100_000)) });

  test("holds no more than a piece of the log, and reads on when it reads on", async () => {
    await using own = await startStreamApi(feed);
    const tenant = await feed.createTenant();
    const client = own.open(tenant, {}, { paused: true });
    await waitUntil(() => own.streams.size() === 1);
    const [socket] = own.sockets;
    let pendingMax = 0;
    for (let n = 0; n < 30; n += 1) {
      await feed.append(tenant, ...tenLarge);
      pendingMax = Math.max(pendingMax, socket?.writableLength ?? 0);
    }
    expect(pendingMax).toBeGreaterThan(0);
    expect(pendingMax).toBeLessThan(2_500_000);
    client.socket.resume();
    // The first one tells where the empty log began.
    await client.waitFor((blocks) => blocks.length > 300, 15_000);
    expect(sequences(client)).toEqual(range(1, 300));
  });

  test("is cut when it does not read for too long, and loses nothing by it", async () => {
    await using own = await startStreamApi(feed, { drainMs: 200 });
    const tenant = await feed.createTenant();
    const client = own.open(tenant, {}, { paused: true });
    await waitUntil(() => own.streams.size() === 1);
    for (let n = 0; n < 10; n += 1) await feed.append(tenant, ...tenLarge);
    await waitUntil(() => own.streams.size() === 0);
    client.socket.resume();
    await waitUntil(() => client.isClosed());
    const seen = sequences(client);
    expect(seen).toEqual(range(1, seen.length));
    expect(seen.length).toBeLessThan(100);
    const lastEventId = client.blocks().findLast(({ id }) => id !== undefined)?.id;
    const again = own.open(tenant, {}, { lastEventId });
    await again.waitFor((blocks) => blocks.length >= 100 - seen.length, 15_000);
    expect([...seen, ...sequences(again)]).toEqual(range(1, 100));
  });

  test("does not hold up the others", async () => {
    const tenant = await feed.createTenant();
    const stuck = api.open(tenant, {}, { paused: true });
    const reading = api.open(tenant);
    await reading.waitFor((blocks) => blocks.length > 0);
    for (let n = 0; n < 10; n += 1) await feed.append(tenant, ...tenLarge);
    await reading.waitFor((blocks) => blocks.length > 100, 10_000);
    expect(sequences(reading)).toEqual(range(1, 100));
    stuck.cut();
  });

  test("is told when retention has overtaken it", async () => {
    await using other = await createTestDatabase();
    await using old = await openTestFeed(other.url);
    await using own = await startStreamApi(old);
    const tenant = await old.createTenant();
    const client = own.open(tenant, {}, { paused: true });
    await waitUntil(() => own.streams.size() === 1);
    for (let n = 0; n < 10; n += 1) await old.append(tenant, ...tenLarge);
    await old.sql`update log_settings
      set oldest_day = (clock_timestamp() at time zone 'UTC')::date + 1`;
    client.socket.resume();
    await waitUntil(() => client.isEnded(), { deadlineMs: 10_000 });
    const problem = client.blocks().at(-1);
    expect(problem).toMatchObject({ event: "problem" });
    expect(problem?.id).toBeUndefined();
    const body = JSON.parse(problem?.data ?? "") as Record<string, unknown>;
    expect(body).toMatchObject({ status: 410, type: expect.stringMatching(/cursor-expired$/) });
    expect(body["lost"]).toBe(100 - sequences(client).length);
  });
});

describe("an open stream ends", () => {
  test("when its key is revoked, with the reason", async () => {
    await using own = await startStreamApi(feed, { checkMs: 50 });
    const tenant = await feed.createTenant(1);
    const kept = own.open(tenant);
    const key = keyOf(tenant, "receive");
    const revoked = own.open(tenant, {}, { key });
    await kept.waitFor(hasEvents(1));
    await revoked.waitFor(hasEvents(1));
    feed.revoke(key);
    await waitUntil(() => revoked.isEnded(), { deadlineMs: 1_000 });
    const problem = revoked.blocks().at(-1);
    expect(problem?.event).toBe("problem");
    expect(JSON.parse(problem?.data ?? "")).toMatchObject({ status: 401 });
    await feed.append(tenant, {});
    await kept.waitFor(hasEvents(2));
    expect(own.streams.size()).toBe(1);
  });

  test("not when nobody can tell whether its key is still valid", async () => {
    const directory = { ...feed.directory };
    await using own = await startStreamApi({ ...feed, directory }, { checkMs: 20 });
    const tenant = await feed.createTenant(1);
    const client = own.open(tenant);
    await client.waitFor(hasEvents(1));
    let asked = 0;
    directory.authenticate = async () => {
      asked += 1;
      throw new Error("no database");
    };
    await waitUntil(() => asked > 3);
    await feed.append(tenant, {});
    await client.waitFor(hasEvents(2));
  });

  test("when its client goes away, and leaves nothing behind", async () => {
    await using own = await startStreamApi(feed);
    const before = feed.followers();
    const tenant = await feed.createTenant(1);
    const clients = range(1, 5).map(() => own.open(tenant));
    clients.push(own.open(tenant, { types: "x" }));
    for (const client of clients) await client.waitFor((blocks) => blocks.length > 0);
    expect(own.streams.size()).toBe(6);
    expect(feed.followers()).toBe(before + 2);
    for (const client of clients) client.cut();
    await waitUntil(() => own.streams.size() === 0);
    expect(feed.followers()).toBe(before);
  });

  test("when the process stops: cleanly, and new ones are turned away", async () => {
    const own = await startStreamApi(feed);
    const tenant = await feed.createTenant(2);
    const clients = range(1, 3).map(() => own.open(tenant));
    for (const client of clients) await client.waitFor(hasEvents(2));
    own.streams.stop();
    const fresh = own.open(tenant);
    await waitUntil(() => fresh.status() === 503);
    const lastEventId = clients[0]?.blocks().at(-1)?.id;
    const again = own.open(tenant, {}, { lastEventId });
    await waitUntil(() => again.isEnded());
    expect(again.blocks()).toMatchObject([{ retry: "2000", event: "problem" }]);
    for (const client of clients) await waitUntil(() => client.isEnded());
    await own.close();
    expect(own.streams.size()).toBe(0);
  });
});
