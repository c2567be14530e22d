/** Cursors of pages: what is refused, what is gone, and pages that never change. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMarks } from "../../src/feed/marks.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { generateKeyRing, parseKeyRing } from "../../src/keyring.ts";
import { createCursors } from "../../src/log/cursor.ts";
import { openTestFeed, range, type TestFeed } from "../support/feed.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { sequences, startPullApi, type Answer, type PullApi } from "../support/pull.ts";

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

describe("a cursor", () => {
  test("is refused with one answer, whatever is wrong with it", async () => {
    const tenant = await feed.createTenant(2);
    const { cursor } = (await api.get(tenant, { limit: "1" })).json;
    const other = await feed.createTenant(2);
    const foreign = (await api.get(other, { limit: "1" })).json.cursor;
    const otherKey = createMarks({
      log: feed.log,
      cursors: createCursors(parseKeyRing(generateKeyRing())),
    }).cursorAt(tenant.id, { sequence: 1, day: "2026-11-23", fingerprint: 1 }, Buffer.alloc(7));
    const flipped = Array.from(cursor, (character, at) => {
      const changed = character === "A" ? "B" : "A";
      return cursor.slice(0, at) + changed + cursor.slice(at + 1);
    });
    const wrong = [
      ...flipped,
      ...[0, 1, 32, 63].map((length) => cursor.slice(0, length)),
      `${cursor}A`,
      `${cursor}=`,
      ` ${cursor}`,
      "x".repeat(5_000),
      "evt_2026-11-23_abc",
      "é\0",
      foreign,
      otherKey,
    ];
    const bodies = new Set<string>();
    for (const text of wrong) {
      const answer = await api.get(tenant, { cursor: text });
      expect(answer).toMatchObject({ status: 400, slug: "cursor-invalid" });
      bodies.add(answer.text);
    }
    expect(bodies.size).toBe(1);
  });

  test("fits its own filter only, unless it is rebased", async () => {
    const tenant = await feed.createTenant();
    await feed.append(tenant, { type: "a" }, { type: "b" }, { type: "a" }, { type: "b" });
    const { cursor } = (await api.get(tenant, { types: "a", limit: "1" })).json;
    expect(await api.get(tenant, { cursor })).toMatchObject({
      status: 400,
      slug: "cursor-filter-mismatch",
    });
    expect((await api.get(tenant, { cursor, types: "b" })).slug).toBe("cursor-filter-mismatch");
    const rebased = await api.get(tenant, { cursor, types: "b", rebase: "true", limit: "1" });
    expect(sequences(rebased)).toEqual([2]);
    expect(rebased.headers.get("link")).not.toContain("rebase");
    expect(sequences(await api.get(tenant, { cursor: rebased.json.cursor, types: "b" }))).toEqual([
      4,
    ]);
  });

  test("of a push fits any filter", async () => {
    const tenant = await feed.createTenant();
    await feed.append(tenant, { type: "a" }, { type: "b" });
    const content = feed.cursors.read(
      (await api.get(tenant, { limit: "1" })).json.cursor,
      tenant.id,
    );
    const cursor = feed.cursors.mint({ ...(content ?? expect.fail()), filter: "any" });
    expect(sequences(await api.get(tenant, { cursor, types: "b" }))).toEqual([2]);
  });

  test("beyond the end of a restored log is ahead", async () => {
    const tenant = await feed.createTenant(5);
    const { cursor } = (await api.get(tenant)).json;
    await truncate(tenant, 3);
    const answer = await api.get(tenant, { cursor });
    expect(answer).toMatchObject({ status: 410, slug: "cursor-ahead" });
    await expectWaysOn(tenant, answer, 3);
  });

  test("whose event is another one now tells that the feed was reset", async () => {
    const tenant = await feed.createTenant(5);
    const { cursor } = (await api.get(tenant, { limit: "4" })).json;
    await truncate(tenant, 3);
    await feed.append(tenant, {}, {}, {});
    const answer = await api.get(tenant, { cursor });
    expect(answer).toMatchObject({ status: 410, slug: "feed-reset" });
    await expectWaysOn(tenant, answer, 6);
    const latest = await api.get(tenant, { from: "latest" });
    await feed.sql`
      update events set envelope = overlay(envelope placing '00000000' from
        position('"' in substr(envelope, 28)) + 27 - 8 for 8)
      where tenant = ${tenant.id} and sequence = 6`;
    expect((await api.get(tenant, { cursor: latest.json.cursor })).slug).toBe("feed-reset");
  });

  /** What a restore to an earlier state leaves. */
  async function truncate(tenant: Tenant, head: number) {
    await feed.sql`delete from events where tenant = ${tenant.id} and sequence > ${head}`;
    await feed.sql`update heads set head = ${head} where tenant = ${tenant.id}`;
  }

  /** The problem's cursors lead back into the feed. */
  async function expectWaysOn(tenant: Tenant, answer: Answer, head: number) {
    const { oldest_cursor: oldest, latest_cursor: latest } = answer.json;
    expect(sequences(await api.get(tenant, { cursor: String(oldest) }))).toEqual(range(1, head));
    expect(sequences(await api.get(tenant, { cursor: String(latest) }))).toEqual([]);
  }
});

test("a cursor that retention has overtaken tells what was lost and where to go on", async () => {
  await using other = await createTestDatabase();
  await using old = await openTestFeed(other.url);
  await using own = await startPullApi(old);
  const tenant = await old.createTenant(4);
  await moveToYesterday(old, tenant);
  await old.append(tenant, {}, {});
  const before = (await own.get(tenant, { limit: "1" })).json.cursor;
  const last = (await own.get(tenant, { limit: "4" })).json.cursor;
  expect(sequences(await own.get(tenant, { cursor: before }))).toEqual(range(2, 6));

  await old.sql`update log_settings set oldest_day = (clock_timestamp() at time zone 'UTC')::date`;
  const { slug, json } = await own.get(tenant, { cursor: before });
  expect({ slug, lost: json["lost"] }).toEqual({ slug: "cursor-expired", lost: 3 });
  const from = async (query: Record<string, string>) => sequences(await own.get(tenant, query));
  expect(await from({ cursor: String(json["oldest_cursor"]) })).toEqual([5, 6]);
  expect(await from({ cursor: String(json["latest_cursor"]) })).toEqual([]);
  // Whoever had read all that expired lost nothing.
  expect(await from({ cursor: last })).toEqual([5, 6]);
  expect(await from({})).toEqual([5, 6]);
  expect(await from({ from: "2020-01-01T00:00:00Z" })).toEqual([5, 6]);
});

/** As if all that was appended so far had been appended a day ago. */
async function moveToYesterday({ sql }: TestFeed, { id }: Tenant) {
  await sql`update events set day = day - 1, appended_at = appended_at - interval '1 day'
    where tenant = ${id}`;
  await sql`update log_days set day = day - 1, first_at = first_at - interval '1 day'
    where tenant = ${id}`;
  await sql`update heads set day = day - 1, at = at - interval '1 day' where tenant = ${id}`;
}

describe("a full page reached by a cursor", () => {
  test("never changes, and may be kept", async () => {
    const tenant = await feed.createTenant(6);
    const { cursor } = (await api.get(tenant, { limit: "2" })).json;
    const pages = [await api.get(tenant, { cursor, limit: "2" })];
    pages.push(await api.get(tenant, { cursor: pages[0]?.json.cursor ?? "", limit: "2" }));
    for (const { headers } of pages) {
      expect(headers.get("etag")).toMatch(/^"[!#-~]+"$/);
      expect(headers.get("cache-control")).toBe("private, max-age=3600, immutable");
      expect(headers.get("vary")?.toLowerCase()).toBe("accept, authorization");
    }
    await feed.append(tenant, {});
    const again = await api.get(tenant, { cursor: pages[0]?.json.cursor ?? "", limit: "2" });
    expect(again.text).toBe(pages[1]?.text);
    expect(again.headers.get("etag")).toBe(pages[1]?.headers.get("etag"));
  });

  test("is not sent again to whoever has it", async () => {
    const tenant = await feed.createTenant(6);
    const { cursor } = (await api.get(tenant, { limit: "2" })).json;
    const query = { cursor, limit: "2" };
    const etag = (await api.get(tenant, query)).headers.get("etag") ?? "";
    for (const known of [etag, `"other", ${etag}`, `W/${etag}`, "*"]) {
      const answer = await api.get(tenant, query, { "if-none-match": known });
      expect(answer).toMatchObject({ status: 304, text: "" });
      expect(answer.headers.get("etag")).toBe(etag);
    }
    for (const [changed, headers] of [
      [{ ...query, limit: "3" }, {}],
      [query, { accept: "application/cloudevents-batch+json" }],
    ] as const) {
      const answer = await api.get(tenant, changed, { "if-none-match": etag, ...headers });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("etag")).not.toBe(etag);
    }
  });

  test("alone may be kept: a first or a short one may not", async () => {
    const tenant = await feed.createTenant(5);
    const first = await api.get(tenant, { limit: "3" });
    const short = await api.get(tenant, { cursor: first.json.cursor, limit: "3" });
    for (const answer of [first, short]) {
      expect(answer.headers.get("etag")).toBeNull();
      expect(answer.headers.get("cache-control")).toBe("no-store");
    }
  });
});

test("a page of many events is the same whatever way it was read", async () => {
  const tenant = await feed.createTenant();
  const sizes = [10, 10, 2_000, 10, 30_000, 10, 1_000_000, 10];
  for (let n = 0; n < 5; n += 1) {
    const events = range(1, 200).map((index) => {
      // One size at a time: each is read in another way.
      const size = index === 100 ? (sizes[n] ?? 0) : 10;
      return { data: JSON.stringify("é".repeat(size / 2)) };
    });
    await feed.append(tenant, ...events);
  }
  const stored = await feed.envelopes(tenant);
  const texts: string[] = [];
  let answer = await api.get(tenant, { limit: "1" });
  while (answer.json.has_more) {
    const { cursor } = answer.json;
    answer = await api.get(tenant, { limit: "250", cursor });
    texts.push(
      /^\{"events":\[(.*)\],"cursor":"[\w-]{64}","has_more":\w+\}$/s.exec(answer.text)?.[1] ?? "",
    );
    const filtered = await api.get(tenant, {
      limit: "250",
      cursor,
      rebase: "true",
      types: "order.*",
    });
    expect(filtered.json.events).toEqual(answer.json.events);
  }
  expect(texts.join(",")).toBe(stored.slice(1).join(","));
});
