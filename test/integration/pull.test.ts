/** Pages of a log, over HTTP, on a real Postgres. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyOf, openTestFeed, range, type TestFeed } from "../support/feed.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { sequences, startPullApi, type PullApi } from "../support/pull.ts";
import { createSeveredFanout } from "../support/severed.ts";

const batchType = "application/cloudevents-batch+json";

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

describe("a page", () => {
  test("is the stored envelopes, byte for byte", async () => {
    const tenant = await feed.createTenant();
    const data = [
      '{"a":1.0,"b":1e21,"c":12345678901234567890,"a":2}',
      '"\\u00e9 é 🎈 \\ud83c \\n"',
      "null",
      "[0.10,-0]",
    ];
    await feed.append(tenant, ...data.map((text) => ({ data: text })));
    const stored = await feed.envelopes(tenant);
    expect(stored.map((envelope) => envelope.endsWith(`,"data":${data[0]}}`))[0]).toBe(true);

    const page = await api.get(tenant);
    expect(page.text).toBe(
      `{"events":[${stored.join(",")}],"cursor":"${page.json.cursor}","has_more":false}`,
    );
    expect(page.headers.get("content-type")).toBe("application/json");
    expect(page.headers.get("cache-control")).toBe("no-store");

    const batch = await api.get(tenant, {}, { accept: batchType });
    expect(batch.text).toBe(`[${stored.join(",")}]`);
    expect(batch.headers.get("content-type")).toBe(batchType);
    expect(batch.headers.get("tidegate-cursor")).toBe(page.json.cursor);
    expect(batch.headers.get("link")).toContain(page.json.cursor);
  });

  test("leads to the next one until the end, and on when more is appended", async () => {
    const tenant = await feed.createTenant(25);
    const seen: number[] = [];
    let answer = await api.get(tenant, { limit: "10" });
    for (;;) {
      seen.push(...sequences(answer));
      expect(answer.headers.get("tidegate-head")).toBe("00000000000000000025");
      expect(answer.json.has_more).toBe(seen.length < 25);
      if (!answer.json.has_more) break;
      answer = await api.get(tenant, { limit: "10", cursor: answer.json.cursor });
    }
    expect(seen).toEqual(range(1, 25));

    const empty = await api.get(tenant, { cursor: answer.json.cursor });
    expect(empty.json).toMatchObject({ events: [], has_more: false, cursor: answer.json.cursor });
    await feed.append(tenant, {}, {});
    expect(sequences(await api.get(tenant, { cursor: answer.json.cursor }))).toEqual([26, 27]);
  });

  test("names the next one in Link, with the same selection", async () => {
    const tenant = await feed.createTenant();
    await feed.append(tenant, { subject: "a,b" }, { subject: "é" }, { subject: "a,b" });
    const target = `/events?from=earliest&subjects=a%5C,b&limit=1&tenant=${tenant.name}`;
    const first = await api.get(tenant, target);
    const link = /^<(\/events\?[!-;=?-~]+)>; rel="next"$/.exec(first.headers.get("link") ?? "");
    const next = await api.get(tenant, link?.[1] ?? "");
    expect(next.status).toBe(200);
    expect([...sequences(first), ...sequences(next)]).toEqual([1, 3]);
    expect(link?.[1]).not.toContain("from=");
  });

  test("ends at 4 MiB, and counts as full then", async () => {
    const tenant = await feed.createTenant();
    const large = JSON.stringify("x".repeat(1 << 20));
    for (let n = 0; n < 6; n += 1) await feed.append(tenant, { data: large });
    const page = await api.get(tenant);
    expect(sequences(page)).toEqual([1, 2, 3, 4]);
    expect(page.json.has_more).toBe(true);
    expect(sequences(await api.get(tenant, { cursor: page.json.cursor }))).toEqual([5, 6]);
  });

  test("of an empty log is empty and has a cursor that works later", async () => {
    const tenant = await feed.createTenant();
    const { json, headers } = await api.get(tenant);
    expect(json).toMatchObject({ events: [], has_more: false });
    expect(headers.get("tidegate-head")).toBe("00000000000000000000");
    await feed.append(tenant, {});
    expect(sequences(await api.get(tenant, { cursor: json.cursor }))).toEqual([1]);
  });

  test("shows at once what was appended, although the tenant's tail knows nothing of it", async () => {
    await using other = await createTestDatabase();
    await using severed = await openTestFeed(other.url, { fanout: createSeveredFanout() });
    await using own = await startPullApi(severed);
    const tenant = await severed.createTenant();
    const unfollow = severed.feed.follow(tenant.id, tenant.shard, () => {});
    for (let n = 1; n <= 20; n += 1) {
      await severed.append(tenant, {});
      expect(sequences(await own.get(tenant))).toEqual(range(1, n));
    }
    unfollow();
  });
});

describe("a selection", () => {
  test("filters by type and subject, and its cursor moves past what does not match", async () => {
    const tenant = await feed.createTenant();
    await feed.append(
      tenant,
      { type: "order.created", subject: "a" },
      { type: "order.line.added", subject: "b" },
      { type: "invoice.paid", subject: "a" },
      { type: "order.created" },
      { type: "user.created", subject: "c,d" },
    );
    const of = async (query: Record<string, string>) => sequences(await api.get(tenant, query));
    expect(await of({ types: "order.*" })).toEqual([1, 2, 4]);
    expect(await of({ types: "order.created,invoice.paid" })).toEqual([1, 3, 4]);
    expect(await of({ subjects: "a" })).toEqual([1, 3]);
    expect(await of({ subjects: "a,b", types: "order.*" })).toEqual([1, 2]);
    expect(await of({ subjects: "c\\,d" })).toEqual([5]);

    const nothing = await api.get(tenant, { types: "no.such" });
    expect(nothing.json).toMatchObject({ events: [], has_more: false });
    const content = feed.cursors.read(nothing.json.cursor, tenant.id);
    expect(content?.position.sequence).toBe(5);
  });

  test("that matches little comes forward in short pages, and loses nothing", async () => {
    const tenant = await feed.createTenant();
    const rare = new Set([1, 9_000, 12_500, 21_000]);
    for (let first = 1; first <= 21_000; first += 1_000) {
      const events = range(first, first + 999).map((n) => ({
        type: rare.has(n) ? "rare" : "often",
      }));
      await feed.append(tenant, ...events);
    }
    const seen: number[] = [];
    const positions: number[] = [];
    let answer = await api.get(tenant, { types: "rare" });
    for (;;) {
      seen.push(...sequences(answer));
      positions.push(feed.cursors.read(answer.json.cursor, tenant.id)?.position.sequence ?? 0);
      if (!answer.json.has_more) break;
      answer = await api.get(tenant, { types: "rare", cursor: answer.json.cursor });
    }
    expect(seen).toEqual([...rare]);
    expect(positions.length).toBeGreaterThan(1);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(positions.at(-1)).toBe(21_000);
  });

  test("starts at the end with from=latest, and at an append time", async () => {
    const tenant = await feed.createTenant(3);
    await delay(5);
    const time = new Date();
    const latest = await api.get(tenant, { from: "latest" });
    expect(sequences(latest)).toEqual([]);
    await feed.append(tenant, {}, {});
    expect(sequences(await api.get(tenant, { cursor: latest.json.cursor }))).toEqual([4, 5]);
    expect(sequences(await api.get(tenant, { from: time.toISOString() }))).toEqual([4, 5]);

    const inIndia = `${new Date(time.getTime() + 19_800_000).toISOString().slice(0, -1)}+05:30`;
    expect(sequences(await api.get(tenant, { from: inIndia }))).toEqual([4, 5]);
    // As people paste it: the + has become a space.
    expect(sequences(await api.get(tenant, `/events?from=${inIndia}`))).toEqual([4, 5]);
    expect(sequences(await api.get(tenant, { from: "0001-01-01T00:00:00Z" }))).toEqual(range(1, 5));
    expect(sequences(await api.get(tenant, { from: "9999-12-31T23:59:59Z" }))).toEqual([]);
  });

  test.each([
    ["from", "yesterday"],
    ["from", ""],
    ["limit", "0"],
    ["limit", "1001"],
    ["limit", "ten"],
    ["types", ""],
    ["types", "order.*.created"],
    ["types", "order.created,"],
    ["subjects", "a,,b"],
    ["wait", "61"],
    ["wait", "-1"],
    ["rebase", "yes"],
  ])("with %s=%j is refused, and the parameter is named", async (parameter, value) => {
    const tenant = await feed.createTenant();
    const answer = await api.get(tenant, { [parameter]: value });
    expect(answer).toMatchObject({ status: 400, slug: "invalid-parameter", json: { parameter } });
  });
});

describe("one event", () => {
  test("is its stored envelope", async () => {
    const tenant = await feed.createTenant();
    const [id = ""] = await feed.append(tenant, { data: '{"a":1.0}' });
    const [stored] = await feed.envelopes(tenant);
    const answer = await api.get(tenant, `/events/${id}`);
    expect(answer.text).toBe(stored);
    expect(answer.headers.get("content-type")).toBe("application/json");
    const asCloudEvent = await api.get(tenant, `/events/${id}`, {
      accept: "application/cloudevents+json",
    });
    expect(asCloudEvent.headers.get("content-type")).toBe("application/cloudevents+json");
    // The id tells the operator's tenant; naming it is allowed.
    const operator = { authorization: "Bearer operator" };
    expect((await api.get(tenant, `/events/${id}`, operator)).text).toBe(stored);
    expect((await api.get(tenant, `/events/${id}?tenant=${tenant.name}`, operator)).text).toBe(
      stored,
    );
  });

  test("of another tenant does not exist, nor does any other id", async () => {
    const tenant = await feed.createTenant();
    const other = await feed.createTenant();
    const [id = ""] = await feed.append(tenant, {});
    const operator = { authorization: "Bearer operator" };
    const answers = [
      await api.get(other, `/events/${id}`),
      await api.get(tenant, `/events/${id}?tenant=${other.name}`, operator),
      await api.get(tenant, `/events/${id.slice(0, -1)}${id.endsWith("0") ? "1" : "0"}`),
      await api.get(tenant, `/events/${id.replace("2026", "2025")}`),
      await api.get(tenant, `/events/${id.replace(/-\d\d_/, "-32_")}`),
      await api.get(tenant, `/events/evt_2026-02-30_${"0".repeat(16)}1${"0".repeat(8)}`, operator),
      await api.get(tenant, `/events/evt_2026-02-28_${"0".repeat(16)}1${"0".repeat(8)}`, operator),
      await api.get(tenant, "/events/x"),
      await api.get(tenant, `/events/${"f".repeat(2_000)}`),
    ];
    expect(answers[1]?.slug).toBe("not-found");
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
  });
});

test("reading needs the scope, and an operator names the tenant", async () => {
  const tenant = await feed.createTenant(1);
  const other = await feed.createTenant();
  const as = async (key: string, query = "") =>
    (await api.get(tenant, `/events${query}`, { authorization: `Bearer ${key}` })).status;
  expect(await as(keyOf(tenant, "append"))).toBe(403);
  expect(await as(keyOf(tenant, "receive"))).toBe(200);
  expect(await as("nobody")).toBe(401);
  expect(await as("operator")).toBe(400);
  expect(await as("operator", `?tenant=${tenant.name}`)).toBe(200);
  expect(await as(keyOf(other), `?tenant=${tenant.name}`)).toBe(404);
});
