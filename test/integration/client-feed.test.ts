/** The library's reader of a feed against a whole gateway. */
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createFeed,
  FeedGoneError,
  ProblemError,
  type CursorStore,
  type FeedSkip,
} from "../../src/client/client.ts";
import { createReaders, range } from "../support/feed-readers.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startMiddlebox } from "../support/middlebox.ts";

let gateway: TestGateway;

const { newTenant, append, read } = createReaders(() => gateway);

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway?.stop());

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
