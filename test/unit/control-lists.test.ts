/** Ids that sort by age, and pages of lists. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { timeOrderedUuid } from "../../src/db/ids.ts";
import { keyAfter, toPage } from "../../src/control/pages.ts";
import { shardOf } from "../../src/control/tenants/tenants.ts";
import type { TenantId } from "../../src/log/event.ts";

describe("a time-ordered uuid", () => {
  test("has the form of version 7 and starts with its time", () => {
    const uuid = timeOrderedUuid(Date.UTC(2026, 10, 23));
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(uuid.replace("-", "").slice(0, 12), 16)).toBe(Date.UTC(2026, 10, 23));
  });

  test("sorts by its time", () => {
    const time = fc.integer({ min: 0, max: 2 ** 48 - 2 });
    fc.assert(
      fc.property(time, (ms) => {
        expect(timeOrderedUuid(ms) < timeOrderedUuid(ms + 1)).toBe(true);
      }),
    );
  });
});

describe("a page", () => {
  const form = /^[a-z]$/;
  const all = ["a", "b", "c", "d", "e"];

  test.each([1, 2, 5, 9])("of %i leads to every item once", (limit) => {
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let more = true; more;) {
      const after = keyAfter({ limit, cursor }, form);
      const rows = all.filter((item) => after === undefined || item > after).slice(0, limit + 1);
      const page = toPage(rows, { limit, cursor }, (item) => item);
      expect(page.items.length).toBeLessThanOrEqual(limit);
      seen.push(...page.items);
      more = page.hasMore;
      cursor = page.cursor ?? undefined;
    }
    expect(seen).toEqual(all);
  });

  test("without items keeps the cursor it was asked with", () => {
    expect(toPage([], { limit: 1 }, String)).toEqual({ items: [], cursor: null, hasMore: false });
    expect(toPage([], { limit: 1, cursor: "ZQ" }, String).cursor).toBe("ZQ");
  });

  test.each(["", "e", "ZQ=", "ZQ==", "ZWU", " ZQ", "ZR"])("%j is no cursor of it", (cursor) => {
    expect(() => keyAfter({ limit: 1, cursor }, form)).toThrow(
      expect.objectContaining({ slug: "cursor-invalid" }),
    );
  });
});

test("shards are spread evenly over tenants", () => {
  const counts = new Map<number, number>();
  for (let index = 0; index < 4_000; index += 1) {
    const shard = shardOf(crypto.randomUUID() as string as TenantId, 4);
    counts.set(shard, (counts.get(shard) ?? 0) + 1);
  }
  expect(new Set(counts.keys())).toEqual(new Set([0, 1, 2, 3]));
  for (const count of counts.values()) expect(count).toBeGreaterThan(800);
});
