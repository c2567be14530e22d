/** Streams of a log, over HTTP, on a real Postgres. */
import { randomInt } from "node:crypto";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { EventSource } from "eventsource";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyOf, openTestFeed, range, type TestEvent, type TestFeed } from "../support/feed.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startPullApi } from "../support/pull.ts";
import { eventsOf, parseBlocks, type Block } from "../support/sse.ts";
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

describe("a stream", () => {
  test("catches up, then goes on live, each event once and as it is stored", async () => {
    const tenant = await feed.createTenant(350);
    const client = api.open(tenant);
    await client.waitFor(hasEvents(350));
    for (let n = 0; n < 20; n += 1) await feed.append(tenant, { data: "[1.0,1e21]" }, {});
    await client.waitFor(hasEvents(390));
    expect(client.head()).toContain("content-type: text/event-stream\r\n");
    expect(client.head()).toContain("x-accel-buffering: no");
    expect(client.blocks().map((block) => block.data)).toEqual(await feed.envelopes(tenant));
    for (const block of client.blocks()) expect(block.id).toMatch(/^[\w-]{64}$/);
  });

  test("carries retry in its first block, and id last in every block", async () => {
    const tenant = await feed.createTenant(3);
    const client = api.open(tenant);
    await client.waitFor(hasEvents(3));
    const blocks = client.body().split("\n\n").slice(0, -1);
    expect(blocks[0]).toMatch(/^retry: \d+\ndata: .*\nid: \S{64}$/);
    for (const block of blocks.slice(1)) expect(block).toMatch(/^data: .*\nid: \S{64}$/);
    const retry = Number(client.blocks()[0]?.retry);
    expect(retry).toBeGreaterThanOrEqual(1_600);
    expect(retry).toBeLessThanOrEqual(2_400);
  });

  test("from=latest tells its cursor at once, so that nothing is lost when it is cut", async () => {
    const tenant = await feed.createTenant(3);
    const client = api.open(tenant, { from: "latest" });
    await client.waitFor((blocks) => blocks.length === 1);
    const [block] = client.blocks();
    expect(block).toMatchObject({ event: "cursor", data: JSON.stringify({ cursor: block?.id }) });
    expect(block?.retry).toBeDefined();
    client.cut();
    await feed.append(tenant, {}, {});
    const again = api.open(tenant, { from: "latest" }, { lastEventId: block?.id });
    await again.waitFor(hasEvents(2));
    expect(sequences(again)).toEqual([4, 5]);
  });

  test("resumes after Last-Event-ID, which wins over cursor and from", async () => {
    const tenant = await feed.createTenant(10);
    const first = api.open(tenant);
    await first.waitFor(hasEvents(10));
    const [second, seventh] = [first.blocks()[1]?.id, first.blocks()[6]?.id];
    const query = { cursor: second ?? "", from: "earliest" };
    const resumed = api.open(tenant, query, { lastEventId: seventh });
    await resumed.waitFor(hasEvents(3));
    expect(sequences(resumed)).toEqual([8, 9, 10]);
    const byCursor = api.open(tenant, query);
    await byCursor.waitFor(hasEvents(8));
    expect(sequences(byCursor)).toEqual(range(3, 10));
    // What a client sends that has received nothing yet.
    const fresh = api.open(tenant, { from: "earliest" }, { lastEventId: "" });
    await fresh.waitFor(hasEvents(10));
  });

  test("shares its cursors with pages", async () => {
    await using pages = await startPullApi(feed);
    const tenant = await feed.createTenant(4);
    const client = api.open(tenant, { types: "order.*" });
    await client.waitFor(hasEvents(4));
    const [, second, , last] = client.blocks();
    const page = await pages.get(tenant, { types: "order.*", cursor: second?.id ?? "" });
    expect(page.json.events).toHaveLength(2);
    expect(page.json.cursor).toBe(last?.id);
  });

  test("shows the events that match, in order, whatever the filters beside it", async () => {
    const tenant = await feed.createTenant();
    const filters = [{}, { types: "a.*" }, { types: "b.x" }, { subjects: "s1" }, { types: "none" }];
    const clients = filters.map((filter) => api.open(tenant, filter));
    await Promise.all(clients.map((client) => client.waitFor((blocks) => blocks.length > 0)));
    const events: TestEvent[] = [];
    for (let n = 1; n <= 200; n += 1) {
      const type = ["a.x", "b.x", "c.x"][randomInt(3)] ?? "";
      const subject = `s${randomInt(3)}`;
      events.push({ type, subject });
      if (n % 7 === 0) await feed.append(tenant, ...events.slice(n - 7, n));
    }
    await feed.append(tenant, ...events.slice(196));
    const wanted = (keep: (event: TestEvent) => boolean) =>
      events.flatMap((event, index) => (keep(event) ? [index + 1] : []));
    const expected = [
      wanted(() => true),
      wanted(({ type }) => type === "a.x"),
      wanted(({ type }) => type === "b.x"),
      wanted(({ subject }) => subject === "s1"),
      [],
    ];
    for (const [index, client] of clients.entries()) {
      await client.waitFor(hasEvents(expected[index]?.length ?? 0));
      expect(sequences(client)).toEqual(expected[index]);
    }
  });
});

/**
 * Goal: a client that is cut anywhere and resumes with the last id that it has whole gets every
 * event once. Method: while events are appended, clients are cut at random moments, in the middle
 * of blocks too, and connect again.
 */
test("clients that are cut at random get every event once", async () => {
  const tenant = await feed.createTenant();
  const total = 600;
  let appended = 0;
  const appending = (async () => {
    while (appended < total) {
      const events = Array.from({ length: Math.min(randomInt(1, 8), total - appended) }, () => ({
        data: JSON.stringify("x".repeat(randomInt(3_000))),
      }));
      await feed.append(tenant, ...events);
      appended += events.length;
    }
  })();
  const follow = async () => {
    const seen: number[] = [];
    let lastEventId: string | undefined;
    while (seen.length < total) {
      const client = api.open(tenant, {}, { lastEventId });
      const cutAt = randomInt(100, 40_000);
      const isEnough = () =>
        client.body().length >= cutAt || seen.length + sequences(client).length >= total;
      await waitUntil(isEnough, { deadlineMs: 20_000 });
      client.cut();
      const blocks = parseBlocks(client.body().slice(0, cutAt));
      seen.push(...eventsOf(blocks).map((event) => Number(event.sequence)));
      lastEventId = blocks.findLast((block) => block.id !== undefined)?.id ?? lastEventId;
    }
    return seen;
  };
  const all = await Promise.all(range(1, 6).map(follow));
  await appending;
  for (const seen of all) expect(seen).toEqual(range(1, total));
});

test("a standard EventSource gets every event once over many short streams", async () => {
  await using own = await startStreamApi(feed, { lifetimeMs: 150, retryMs: 60 });
  const tenant = await feed.createTenant(5);
  const seen: number[] = [];
  let opened = 0;
  const source = new EventSource(`${own.url}/events/stream?from=earliest`, {
    fetch: (url, init) =>
      fetch(url, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${keyOf(tenant)}` },
      }),
  });
  source.addEventListener("open", () => (opened += 1));
  source.addEventListener("message", ({ data }) => {
    seen.push(Number((JSON.parse(data as string) as { sequence: string }).sequence));
  });
  for (let n = 0; n < 60; n += 1) {
    await feed.append(tenant, {});
    await delay(randomInt(30));
  }
  await waitUntil(() => seen.length >= 65 && opened > 3, { deadlineMs: 15_000 });
  source.close();
  expect(seen).toEqual(range(1, 65));
});

test("is whole behind another answer on its connection, and for a client of HTTP/1.0", async () => {
  await using own = await startStreamApi(feed, { lifetimeMs: 300 });
  const tenant = await feed.createTenant(350);
  const fields = `host: x\r\nauthorization: Bearer ${keyOf(tenant)}\r\n`;
  const asked = `GET /events/stream HTTP/1.1\r\n${fields}`;
  const both = await answerTo(own.port, `${asked}\r\n${asked}connection: close\r\n\r\n`);
  const [old = ""] = await answerTo(own.port, `GET /events/stream HTTP/1.0\r\n${fields}\r\n`);
  expect(both).toHaveLength(2);
  for (const body of [...both.map(withoutChunks), old]) {
    const seen = eventsOf(parseBlocks(body)).map(({ sequence }) => Number(sequence));
    expect(seen).toEqual(range(1, 350));
  }
});

/** The bodies of what comes over a connection, until it is closed. */
async function answerTo(port: number, requests: string): Promise<string[]> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.write(requests);
  const answers = (await text(socket)).split("HTTP/1.1 200 OK\r\n").slice(1);
  return answers.map((answer) => answer.slice(answer.indexOf("\r\n\r\n") + "\r\n\r\n".length));
}

function withoutChunks(body: string): string {
  return `\r\n${body}`.replaceAll(/\r\n[0-9a-f]+\r\n/g, "");
}

test("a payload with line ends in it cannot forge a block", async () => {
  const tenant = await feed.createTenant();
  const client = api.open(tenant);
  await client.waitFor((blocks) => blocks.length > 0);
  const hostile = '"x\n\nevent: problem\ndata: {}\nid: forged\r\rdata: forged\r\n\r\nid: forged"';
  await feed.append(tenant, { data: hostile }, {});
  await client.waitFor(hasEventsRaw(2));
  const blocks = client.blocks().filter(({ event }) => event === undefined);
  expect(blocks).toHaveLength(2);
  for (const { id, event, data } of blocks) {
    expect(feed.cursors.read(id ?? "", tenant.id)).toBeDefined();
    expect(event).toBeUndefined();
    expect(data).toContain('"specversion"');
  }
  expect(client.body()).not.toMatch(/\r/);
});

/** Without reading the data, which that test makes unreadable. */
function hasEventsRaw(count: number) {
  return (blocks: Block[]) => blocks.filter(({ event }) => event === undefined).length >= count;
}
