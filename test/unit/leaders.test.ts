/** Who has a place among the leaders, and how often that changes. */
import { expect, test } from "vitest";
import { createLeaders } from "../../src/telemetry/leaders.ts";

const minuteMs = 60_000;

function addAll(leaders: ReturnType<typeof createLeaders>, weights: Record<string, number>) {
  for (const [key, weight] of Object.entries(weights)) leaders.add(key, weight);
}

test("free places go to whoever comes first, and later ones to whoever outweighs a holder twice", () => {
  const leaders = createLeaders(4, 0);
  addAll(leaders, { a: 1, b: 10, c: 10, d: 10, e: 19, f: 300 });
  expect(leaders.keys()).toEqual(["a", "b", "c", "d"]);
  // Not yet: series are not to come and go with every scrape.
  leaders.review(minuteMs - 1);
  expect(leaders.has("f")).toBe(false);
  leaders.review(minuteMs);
  // One of four at a time.
  expect(new Set(leaders.keys())).toEqual(new Set(["b", "c", "d", "f"]));
  leaders.review(2 * minuteMs);
  // Less than twice what they have.
  expect(leaders.has("e")).toBe(false);
  leaders.add("e", 10);
  leaders.review(3 * minuteMs);
  expect(leaders.has("e")).toBe(true);
});

test("weights decay, so what is busy now outweighs what was", () => {
  const leaders = createLeaders(1, 0);
  leaders.add("then", 1_000);
  leaders.review(60 * minuteMs);
  leaders.add("now", 10);
  leaders.review(61 * minuteMs);
  expect(leaders.keys()).toEqual(["now"]);
});

test("of a million keys a bounded number is remembered, and the heavy ones always", () => {
  const leaders = createLeaders(2, 0);
  addAll(leaders, { idle1: 1, idle2: 1 });
  for (let index = 0; index < 1_000_000; index += 1) {
    leaders.add(`light-${index}`, 1);
    if (index % 500 === 0) leaders.add("heavy", 1);
  }
  expect(leaders.size()).toBeLessThanOrEqual(4_098);
  leaders.review(minuteMs);
  expect(leaders.has("heavy")).toBe(true);
});

test("without places nobody has one", () => {
  const leaders = createLeaders(0, 0);
  expect(leaders.add("a", 1)).toBe(false);
  leaders.review(minuteMs);
  expect(leaders.size()).toBe(0);
});
