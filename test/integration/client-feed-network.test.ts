/** The library's reader of a feed through what networks do to it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFeed, type FeedNotice, type FeedOptions } from "../../src/client/client.ts";
import { createChance } from "../support/chance.ts";
import { createReaders, deadlineMs, range } from "../support/feed-readers.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startMiddlebox, type Meddling } from "../support/middlebox.ts";
import { startProxy } from "../support/proxy.ts";
import { waitUntil } from "../support/wait.ts";

let gateway: TestGateway;

const { newTenant, append, read } = createReaders(() => gateway);

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway?.stop());

const isStream = (target: string) => target.startsWith("/events/stream");

async function through(
  meddle: (target: string, count: number) => Meddling,
  options: Partial<Omit<FeedOptions, "url">> = {},
  events = 5,
) {
  const { tenant, key } = await newTenant(events);
  const box = await startMiddlebox(gateway.url, meddle);
  return { tenant, box, reader: read({ key, url: box.url, ...options }) };
}

test.each<[string, Meddling]>([
  ["held back", "hold"],
  ["answered by somebody else", { status: 200, headers: { "content-type": "text/html" } }],
  ["forbidden by somebody else", { status: 403, body: "no" }],
  ["a gateway's 502", { status: 502, body: "no" }],
])("polls when the stream is %s, and tries it again later", async (_what, meddling) => {
  let isBlocked = true;
  const times = { firstBytesMs: 300, waitSeconds: 1, pollMs: 500 };
  const { tenant, box, reader } = await through(
    (target) => (isStream(target) && isBlocked ? meddling : "pass"),
    { times },
  );
  await using _box = box;
  await reader.noticed("polling");
  await append(tenant, 2, 6);
  await reader.until(7);
  isBlocked = false;
  await reader.noticed("streaming");
  await append(tenant, 2, 8);
  await reader.until(9);
  await reader.stop();
  expect(reader.sequences).toEqual(range(1, 9));
});

test("polls when streams are cut again and again, without a loss", async () => {
  const { tenant, box, reader } = await through(
    (target) => (isStream(target) ? { cutAfterBytes: 700 } : "pass"),
    { times: { waitSeconds: 1 } },
  );
  await using _box = box;
  let last = 5;
  await waitUntil(
    async () => {
      last += (await append(tenant, 1)).length;
      return reader.notices.some(({ kind }) => kind === "polling");
    },
    { deadlineMs, what: "polling" },
  );
  last += (await append(tenant, 5)).length;
  await reader.until(last);
  await reader.stop();
  expect(reader.sequences).toEqual(range(1, last));
  expect(reader.notices.find(({ kind }) => kind === "polling")).toMatchObject({
    reason: expect.stringContaining("streams are cut") as string,
  });
});

test("each event comes once and in order while connections break everywhere", async () => {
  const { tenant, key } = await newTenant();
  await using proxy = await startProxy(gateway.url);
  const reader = read({ key, url: proxy.url, pageSize: 20, transport: "stream" });
  for (let n = 0; n < 10; n += 1) {
    await append(tenant, 30, n * 30 + 1);
    await proxy.cut();
    await append(tenant, 10, n * 30 + 1);
    await proxy.restore();
    await reader.until(n * 20 + 1);
  }
  await reader.until(400);
  await reader.stop();
  expect(reader.sequences).toEqual(range(1, 400));
});

/**
 * Goal: who keeps the cursor together with the effects has each effect once and in order,
 * whenever it dies and whatever the network does. Method: consumers that die after a random
 * number of pages, before or after they have committed one, while connections are cut.
 */
test("effects are exactly once over restarts at any point", async () => {
  const { seed, below, pick } = createChance();
  const { tenant, key } = await newTenant();
  await using proxy = await startProxy(gateway.url);
  const committed = { effects: [] as number[], cursor: undefined as string | undefined };
  const total = 600;
  let appended = 0;
  let restarts = 0;
  while (committed.effects.length < total) {
    if (appended < total) appended += (await append(tenant, 20)).length;
    if (below(3) === 0) {
      await proxy.cut();
      await proxy.restore();
    }
    const wanted = Math.min(appended, committed.effects.length + 40);
    const { cursor } = committed;
    const transport = pick(["stream", "poll"] as const);
    const pageSize = 1 + below(30);
    let pages = 1 + below(8);
    restarts += 1;
    const feed = createFeed({ url: proxy.url, key, cursor, transport, pageSize });
    for await (const page of feed.pages()) {
      pages -= 1;
      if (pages === 0 && below(2) === 0) break;
      committed.effects.push(...page.events.map(({ sequence }) => Number(sequence)));
      committed.cursor = page.cursor;
      if (pages <= 0 || committed.effects.length >= wanted) break;
    }
  }
  expect(committed.effects, `seed ${seed}`).toEqual(range(1, total));
  expect(restarts).toBeGreaterThan(10);
});

test("a silent connection is given up", async () => {
  const { tenant, key } = await newTenant(1);
  await using proxy = await startProxy(gateway.url);
  const reader = read({ key, url: proxy.url, transport: "stream", times: { silenceMs: 500 } });
  await reader.noticed("streaming");
  proxy.silence();
  await reader.noticed("retrying");
  await proxy.cut();
  await proxy.restore();
  await append(tenant, 1, 2);
  await reader.until(2);
  await reader.stop();
});

test.each([
  ["seconds", () => "2"],
  ["a date", () => new Date(Date.now() + 3_000).toUTCString()],
])("comes back no sooner than Retry-After asks, in %s", async (_form, retryAfter) => {
  const times: number[] = [];
  const { box, reader } = await through((_target, count) => {
    times.push(Date.now());
    if (count > 0) return "pass";
    return { status: 503, headers: { "retry-after": retryAfter() } };
  });
  await using _box = box;
  await reader.until(5);
  await reader.stop();
  // A date has whole seconds, so it may come up to one sooner.
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1_990);
});

test("its signal ends a long poll, a stream and a pause at once, and their connections", async () => {
  const waits: Partial<Omit<FeedOptions, "url">>[] = [
    { transport: "poll" },
    { transport: "stream" },
  ];
  for (const options of waits) {
    const { box, reader } = await through(() => "pass", options);
    await using _box = box;
    await reader.until(5);
    await waitUntil(() => box.open() === 1, { deadlineMs });
    await reader.stop();
    await waitUntil(() => box.open() === 0, { deadlineMs });
  }
  const refusal = { status: 429, headers: { "retry-after": "3000" } };
  const { box, reader } = await through(() => refusal);
  await using _box = box;
  await reader.noticed("retrying");
  await reader.stop();
});

test("polls from the end of a stream until the gateway wants it back", async () => {
  const { tenant, key } = await newTenant(1);
  const targets: string[] = [];
  const ending = async (input: string, init: RequestInit) => {
    targets.push(new URL(input).pathname + new URL(input).search);
    if (!input.includes("/events/stream")) return await fetch(input, init);
    const headers = { "content-type": "text/event-stream" };
    return new Response("retry: 3600000\n\n", { headers });
  };
  const reader = read({ key, fetch: ending });
  await waitUntil(() => targets.length === 3, { deadlineMs });
  await append(tenant, 1);
  await reader.until(2);
  await reader.stop();
  expect(targets[1]).toMatch(/^\/events\/stream/);
  expect(targets[2]).toMatch(/^\/events\?.*wait=25/);
});

test("a consumer that leaves the loop closes the stream", async () => {
  const { tenant, key } = await newTenant(1);
  await using box = await startMiddlebox(gateway.url, () => "pass");
  for await (const { event } of createFeed({ url: box.url, key, onNotice })) {
    if (event.sequence.endsWith("2")) break;
  }
  await waitUntil(() => box.open() === 0, { deadlineMs });

  function onNotice({ kind }: FeedNotice): void {
    if (kind === "streaming") void append(tenant, 1, 2);
  }
});

test("a slow consumer holds the stream up, not its memory", async () => {
  const { tenant, key } = await newTenant(1);
  let sentBytes = 0;
  const counting: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const count = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        sentBytes += chunk.length;
        controller.enqueue(chunk);
      },
    });
    const { status, headers } = response;
    return new Response(response.body?.pipeThrough(count) ?? null, { status, headers });
  };
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const data = "x".repeat(100_000);
  let seen = 0;
  const controller = new AbortController();
  const { signal } = controller;
  const feed = createFeed({ url: gateway.url, key, signal, onNotice, fetch: counting });
  const { promise: streaming, resolve: isStreaming } = Promise.withResolvers<void>();
  const done = (async () => {
    for await (const { event } of feed) {
      seen += 1;
      if (event.sequence.endsWith("2")) await released;
      if (seen === 201) break;
    }
  })();
  await streaming;
  sentBytes = 0;
  for (let n = 0; n < 20; n += 1) {
    await gateway.append(tenant, ...Array.from({ length: 10 }, () => ({ data })));
  }
  // 20 MB were appended; beyond what sockets hold, nothing comes for who does not ask.
  expect(sentBytes).toBeLessThan(10_000_000);
  release();
  await done;
  expect(seen).toBe(201);

  function onNotice({ kind }: FeedNotice): void {
    if (kind === "streaming") isStreaming();
  }
});
