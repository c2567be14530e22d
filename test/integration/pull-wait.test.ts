/** Long polls, over HTTP, on a real Postgres. */
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyOf, openTestFeed, range, type TestFeed } from "../support/feed.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { sequences, startPullApi, type PullApi } from "../support/pull.ts";
import { createSeveredFanout } from "../support/severed.ts";
import { waitUntil } from "../support/wait.ts";

let database: TestDatabase;
let feed: TestFeed;
let api: PullApi;

beforeAll(async () => {
  database = await createTestDatabase();
  feed = await openTestFeed(database.url);
  api = await startPullApi(feed);
});

afterAll(async () => {
  await api.close();
  await feed.stop();
  await database.drop();
});

describe("a long poll", () => {
  test("is answered as soon as an event matches", async () => {
    const tenant = await feed.createTenant(3);
    const { cursor } = (await api.get(tenant, { types: "wanted" })).json;
    const answer = api.get(tenant, { cursor, types: "wanted", wait: "20" });
    await waitUntil(() => feed.followers() > 0);
    await feed.append(tenant, {}, {});
    await delay(50);
    expect(feed.followers()).toBe(1);
    const appendedAt = performance.now();
    await feed.append(tenant, { type: "wanted" });
    expect(sequences(await answer)).toEqual([6]);
    expect(performance.now() - appendedAt).toBeLessThan(500);
    expect(feed.followers()).toBe(0);
  });

  test("does not wait when something is there already", async () => {
    const tenant = await feed.createTenant(3);
    const startedAt = performance.now();
    expect(sequences(await api.get(tenant, { wait: "20" }))).toEqual([1, 2, 3]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test("ends empty when its time is over, with a cursor that has moved", async () => {
    const tenant = await feed.createTenant(2);
    const startedAt = performance.now();
    const [byQuery, byHeader] = await Promise.all([
      api.get(tenant, { types: "wanted", wait: "1" }),
      api.get(tenant, { types: "wanted" }, { prefer: 'respond-async, wait="1"' }),
    ]);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    for (const { json } of [byQuery, byHeader]) {
      expect(json).toMatchObject({ events: [], has_more: false });
      expect(feed.cursors.read(json.cursor, tenant.id)?.position.sequence).toBe(2);
    }
    expect(feed.followers()).toBe(0);
  });

  test("frees everything when its client goes away", async () => {
    const tenant = await feed.createTenant();
    const socket = connect(api.port, "127.0.0.1");
    socket.write(
      `GET /events?wait=60 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${keyOf(tenant)}\r\n\r\n`,
    );
    await waitUntil(() => feed.followers() === 1);
    socket.destroy();
    await waitUntil(() => feed.followers() === 0, { deadlineMs: 1_000 });
    await waitUntil(() => api.lines.some((line) => line.status === 499));
  });

  test("gives nothing to a key that was revoked while it waited", async () => {
    const tenant = await feed.createTenant();
    const key = keyOf(tenant, "receive");
    const headers = { authorization: `Bearer ${key}` };
    const answer = api.get(tenant, { wait: "20" }, headers);
    await waitUntil(() => feed.followers() === 1);
    feed.revoke(key);
    await feed.append(tenant, {});
    expect(await answer).toMatchObject({ status: 401, slug: "unauthorized" });
  });

  test("of a thousand clients is answered to all of them, and appends do not wait", async () => {
    const tenant = await feed.createTenant();
    const { cursor } = (await api.get(tenant)).json;
    const answers = range(1, 1_000).map(() => api.get(tenant, { cursor, wait: "30" }));
    await waitUntil(() => feed.followers() === 1_000, { deadlineMs: 20_000 });
    const startedAt = performance.now();
    await feed.append(tenant, {});
    expect(performance.now() - startedAt).toBeLessThan(200);
    for (const answer of await Promise.all(answers)) expect(sequences(answer)).toEqual([1]);
    expect(feed.followers()).toBe(0);
  });

  test("finds within the recheck what no frame told of", async () => {
    await using other = await createTestDatabase();
    await using severed = await openTestFeed(other.url, { fanout: createSeveredFanout() });
    await using own = await startPullApi(severed);
    const tenant = await severed.createTenant();
    const answer = own.get(tenant, { wait: "20" });
    await waitUntil(() => severed.followers() === 1);
    const startedAt = performance.now();
    await severed.append(tenant, {});
    expect(sequences(await answer)).toEqual([1]);
    expect(performance.now() - startedAt).toBeLessThan(2_500);
  });

  test("is answered at once when the process stops", async () => {
    const own = await startPullApi(feed);
    const tenant = await feed.createTenant(1);
    const answer = own.get(tenant, { from: "latest", wait: "60" });
    await waitUntil(() => feed.followers() === 1);
    own.pull.stop();
    expect((await answer).json).toMatchObject({ events: [], has_more: false });
    expect(sequences(await own.get(tenant, { wait: "60" }))).toEqual([1]);
    const late = await own.get(tenant, { from: "latest", wait: "60" });
    expect(late.json).toMatchObject({ events: [], has_more: false });
    await own.close();
  });
});
