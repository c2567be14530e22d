/** The library's reader of a feed against a whole gateway, and through what networks do to it. */
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createFeed,
  FeedGoneError,
  ProblemError,
  type CursorStore,
  type FeedNotice,
  type FeedOptions,
  type FeedSkip,
} from "../../src/client/client.ts";
import { createChance } from "../support/chance.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startMiddlebox, type Meddling } from "../support/middlebox.ts";
import { startProxy } from "../support/proxy.ts";
import { waitUntil } from "../support/wait.ts";

/** The machine may be busy. */
const deadlineMs = 20_000;

let gateway: TestGateway;
let tenants = 0;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway?.stop());

async function newTenant(events = 0): Promise<{ tenant: string; key: string }> {
  tenants += 1;
  const tenant = await gateway.createTenant(`feed-${tenants}`);
  if (events > 0) await append(tenant, events);
  return { tenant, key: await gateway.createKey(tenant, ["read"]) };
}

async function append(tenant: string, count: number, from = 1) {
  const events = Array.from({ length: count }, (_, n) => ({ data: { n: from + n } }));
  return await gateway.append(tenant, ...events);
}

const isStream = (target: string) => target.startsWith("/events/stream");

/** Reads in the background and keeps what it was given. */
function read(options: Omit<FeedOptions, "url"> & { url?: string }) {
  const controller = new AbortController();
  const sequences: number[] = [];
  const cursors: (string | undefined)[] = [];
  const notices: FeedNotice[] = [];
  const feed = createFeed({
    url: gateway.url,
    signal: controller.signal,
    onNotice: (notice) => void notices.push(notice),
    ...options,
  });
  const done = (async () => {
    for await (const { event, cursor } of feed) {
      sequences.push(Number(event.sequence));
      cursors.push(cursor);
    }
  })();
  // A failure is for who awaits it; until then it must not end the process.
  done.catch(() => {});
  return {
    ...{ feed, sequences, cursors, notices, done },
    until: (count: number) =>
      Promise.race([
        waitUntil(() => sequences.length >= count, { deadlineMs, what: `${count} events` }),
        done.then(() => expect.fail("the feed ended")),
      ]),
    noticed: (kind: FeedNotice["kind"]) =>
      waitUntil(() => notices.some((notice) => notice.kind === kind), { deadlineMs, what: kind }),
    async stop() {
      controller.abort();
      await done;
    },
  };
}

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

function memoryStore(start?: string) {
  const saves: string[] = [];
  const store: CursorStore = {
    load: () => Promise.resolve(saves.at(-1) ?? start),
    save: async (cursor) => void saves.push(cursor),
  };
  return { store, saves };
}

describe("a feed", () => {
  test("catches up by pages, goes on by the stream, and ends quietly with its signal", async () => {
    const { tenant, key } = await newTenant(450);
    const reader = read({ key });
    await reader.until(450);
    await reader.noticed("streaming");
    await append(tenant, 50, 451);
    await reader.until(500);
    await reader.stop();
    expect(reader.sequences).toEqual(range(1, 500));
    // One at the end of each page, one for each event of the stream.
    expect(reader.cursors.slice(0, 450).filter(Boolean)).toHaveLength(3);
    expect(reader.cursors.slice(450).filter(Boolean)).toHaveLength(50);
    expect(reader.feed.cursor()).toBe(reader.cursors.at(-1));
  });

  test("filters by types and subjects, commas and backslashes among them", async () => {
    const { tenant, key } = await newTenant();
    const subjects = ["a,b", "a\\", "\\,", "plain"];
    const all = [...subjects, "a", "b"].flatMap((subject) => [
      { subject },
      { subject, type: "invoice.paid" },
    ]);
    await gateway.append(tenant, ...all);
    const reader = read({ key, types: ["order.*"], subjects });
    await reader.until(4);
    await reader.stop();
    expect(reader.sequences).toEqual([1, 3, 5, 7]);
    expect(() => createFeed({ url: gateway.url, key, types: [] })).toThrow("must not be empty");
  });

  test("begins where it is told", async () => {
    const { tenant, key } = await newTenant(3);
    const [, second] = await append(tenant, 2, 4);
    const latest = read({ key, from: "latest" });
    await latest.noticed("streaming");
    const after = read({ key, cursor: second?.cursor ?? expect.fail() });
    await after.noticed("streaming");
    await append(tenant, 1, 6);
    await Promise.all([latest.until(1), after.until(1)]);
    await Promise.all([latest.stop(), after.stop()]);
    expect([latest.sequences, after.sequences]).toEqual([[6], [6]]);
    const dated = read({ key, from: new Date(0) });
    await dated.until(6);
    await dated.stop();
  });

  test("an operator's key names the tenant", async () => {
    const { tenant } = await newTenant(2);
    const reader = read({ key: gateway.operatorKey, tenant });
    await reader.until(2);
    await reader.stop();
  });

  test("one reader at a time; a later one goes on after what was consumed", async () => {
    const { key } = await newTenant(5);
    const feed = createFeed({ url: gateway.url, key, pageSize: 2 });
    const seen: number[] = [];
    for await (const { event } of feed) {
      seen.push(Number(event.sequence));
      if (seen.length === 1) await expect(feed.pages().next()).rejects.toThrow("being read");
      if (seen.length === 4) break;
    }
    const pages = feed.pages();
    const { value: page } = await pages.next();
    await pages.return?.();
    // The fourth was never followed by another request: it counts as not consumed.
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(page.events.map(({ sequence }: { sequence: string }) => Number(sequence))).toEqual([
      3, 4,
    ]);
  });
});

describe("a feed with a store", () => {
  test("saves only what was consumed, and goes on from there", async () => {
    const { key } = await newTenant(6);
    const { store, saves } = memoryStore();
    const options = { url: gateway.url, key, store, pageSize: 3, transport: "poll" } as const;
    let count = 0;
    for await (const { cursor } of createFeed(options)) {
      count += 1;
      // The page's last event is in the consumer's hands, so its cursor is not saved yet.
      if (cursor !== undefined) expect(saves).toEqual([]);
      if (count === 5) break;
    }
    expect(saves).toHaveLength(1);
    const again = read({ key, store });
    await again.until(3);
    await again.stop();
    expect(again.sequences).toEqual([4, 5, 6]);
    expect(saves.length).toBeLessThanOrEqual(3);
    const last = read({ key, cursor: saves.at(-1) ?? "" });
    await last.noticed("streaming");
    await last.stop();
    expect(last.sequences).toEqual([]);
  });

  test("saves seldom while much comes, and what is left at the end", async () => {
    const { tenant, key } = await newTenant(1);
    const { store, saves } = memoryStore();
    const reader = read({ key, store });
    await reader.noticed("streaming");
    const startedAt = Date.now();
    for (let n = 0; n < 50; n += 1) await append(tenant, 1, n + 2);
    await reader.until(51);
    await reader.stop();
    // One a second, what there was before, and what is left.
    expect(saves.length).toBeLessThanOrEqual((Date.now() - startedAt) / 1_000 + 4);
    expect(saves.at(-1)).toBe(reader.cursors.at(-1));
  });

  test("a store that fails ends the reading with its error", async () => {
    const { key } = await newTenant(3);
    const load = () => Promise.reject(new Error("no disk"));
    await expect(read({ key, store: { load, save: load } }).done).rejects.toThrow("no disk");
    const { store } = memoryStore();
    await expect(read({ key, store: { ...store, save: load } }).done).rejects.toThrow("no disk");
  });
});

describe("a feed through a network that meddles", () => {
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
});

describe("what cannot be continued", () => {
  test.each([
    ["a wrong key", { key: "tg_wrong" }, 401, "unauthorized"],
    ["a wrong cursor", { cursor: "x" }, 400, "cursor-invalid"],
  ])("%s fails at once with the problem", async (_what, change, status, slug) => {
    const { key } = await newTenant();
    const { done, notices } = read({ key, ...change });
    const error = await done.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({ status, slug });
    expect(notices).toEqual([]);
  });

  test("a key without the scope fails, and one that is revoked ends the stream", async () => {
    const { tenant } = await newTenant(1);
    const appends = await gateway.createKey(tenant, ["append"]);
    await expect(read({ key: appends }).done).rejects.toMatchObject({ slug: "scope-missing" });
    const body = { tenant, scopes: ["read"] };
    const { json } = await gateway.call("POST", "/keys", { body });
    const reader = read({ key: String(json?.["key"]) });
    await reader.noticed("streaming");
    await gateway.call("DELETE", `/keys/${String(json?.["id"])}`);
    await expect(reader.done).rejects.toMatchObject({ status: 401 });
  });

  test("another filter than the cursor's goes on at the same place", async () => {
    const { tenant, key } = await newTenant(4);
    const { store, saves } = memoryStore();
    const first = read({ key, types: ["order.*"], store });
    await first.until(4);
    await first.stop();
    expect(saves.length).toBeGreaterThan(0);
    await gateway.append(tenant, { type: "invoice.paid" }, {}, { type: "invoice.sent" });
    const second = read({ key, types: ["invoice.*"], store });
    await second.until(2);
    await second.noticed("filter-changed");
    await second.stop();
    expect(second.sequences).toEqual([5, 7]);
  });

  test("expired events fail with the feed's ends, or are skipped with their number", async () => {
    const { tenant, key } = await newTenant(5);
    const sql = postgres(gateway.databaseUrl, { max: 1 });
    try {
      await sql`update events set day = day - 1, appended_at = appended_at - interval '1 day'`;
      await sql`update log_days set day = day - 1, first_at = first_at - interval '1 day'`;
      await sql`update heads set day = day - 1, at = at - interval '1 day'`;
      await append(tenant, 3, 6);
      const behind = { key, cursor: await cursorAt(tenant, key, 2) };
      await sql`
        update log_settings set oldest_day = (pg_catalog.clock_timestamp() at time zone 'UTC')::date`;
      const error = await read(behind).done.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(FeedGoneError);
      expect(error).toMatchObject({ slug: "cursor-expired", lost: 3 });
      const { oldestCursor, latestCursor } = error as FeedGoneError;
      const skips: FeedSkip[] = [];
      const onSkip = (skip: FeedSkip) => void skips.push(skip);
      const reader = read({ ...behind, onExpired: "skip", onSkip });
      await reader.until(3);
      await reader.stop();
      expect(reader.sequences).toEqual([6, 7, 8]);
      expect(skips).toMatchObject([{ reason: "cursor-expired", lost: 3, cursor: oldestCursor }]);
      const latest = read({ key, cursor: latestCursor });
      await latest.noticed("streaming");
      await latest.stop();
    } finally {
      await sql`update log_settings set oldest_day = oldest_day - 30`;
      await sql.end();
    }
  });

  test("a feed that was restored to an earlier state fails, or begins again", async () => {
    const { tenant, key } = await newTenant(3);
    const { json } = await gateway.call("GET", `/events?from=latest&tenant=${tenant}`);
    const [oldest, latest] = [await cursorAt(tenant, key, 1), String(json?.["cursor"])];
    const type = "https://tidegate.dev/problems/feed-reset";
    const problem = { type, title: "The feed was restored to an earlier state", status: 410 };
    const body = JSON.stringify({ ...problem, oldest_cursor: oldest, latest_cursor: latest });
    const headers = { "content-type": "application/problem+json" };
    const refusal = { status: 410, headers, body };
    await using box = await startMiddlebox(gateway.url, (_target, count) =>
      count < 2 ? refusal : "pass",
    );
    const options = { key, url: box.url, cursor: latest };
    await expect(read(options).done).rejects.toMatchObject({
      slug: "feed-reset",
      lost: undefined,
      oldestCursor: oldest,
      latestCursor: latest,
    });
    const reader = read({ ...options, onExpired: "skip", transport: "poll", pageSize: 1 });
    await reader.until(2);
    await reader.stop();
    expect(reader.sequences).toEqual([2, 3]);
  });
});

async function cursorAt(tenant: string, key: string, count: number): Promise<string> {
  const path = `/events?limit=${count}&tenant=${tenant}`;
  return String((await gateway.call("GET", path, { key })).json?.["cursor"]);
}
