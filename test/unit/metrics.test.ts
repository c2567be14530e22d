import { expect, test } from "vitest";
import { createHistogram } from "../../src/telemetry/histogram.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { readMetrics } from "../support/metrics.ts";

test("a scrape shows what its sources say at that moment, and nothing from before", async () => {
  const metrics = createMetrics();
  const colours = new Map([["red", 1]]);
  const readings = () => [...colours].map(([colour, value]) => ({ labels: { colour }, value }));
  metrics.gauge({ name: "things", help: "By colour", labels: ["colour"], read: readings });
  metrics.counter({ name: "seen_total", help: "Seen", read: async () => [{ value: 7 }] });
  expect(readMetrics(await metrics.text()).get('things{colour="red"}')).toBe(1);
  colours.delete("red");
  colours.set("blue", 5);
  // Two at once must not add up.
  const [samples] = (await Promise.all([metrics.text(), metrics.text()])).map(readMetrics);
  expect(samples?.get('things{colour="blue"}')).toBe(5);
  expect(samples?.has('things{colour="red"}')).toBe(false);
  expect(samples?.get("seen_total")).toBe(7);
});

test("those of the process are there once, however many there are of ours", async () => {
  const texts = await Promise.all([createMetrics().text(), createMetrics().text()]);
  for (const text of texts) expect(readMetrics(text).has("process_cpu_seconds_total")).toBe(true);
});

test("a histogram tells how many values were not above each bound, and their sum", async () => {
  const metrics = createMetrics();
  const [red, blue] = [createHistogram([0.1, 1, 10]), createHistogram([0.1, 1, 10])];
  for (const value of [0, 0.1, 0.5, 1, 10.5, 100]) red.observe(value);
  metrics.histogram({
    ...{ name: "spread_seconds", help: "By colour", labels: ["colour"] },
    read: () => [
      { labels: { colour: "red" }, value: red },
      { labels: { colour: "blue" }, value: blue },
    ],
  });
  const text = await metrics.text();
  expect(text).toContain("# TYPE spread_seconds histogram");
  const samples = readMetrics(text);
  const buckets = ["0.1", "1", "10", "+Inf"].map((bound) =>
    samples.get(`spread_seconds_bucket{colour="red",le="${bound}"}`),
  );
  expect(buckets).toEqual([2, 4, 4, 6]);
  expect(samples.get('spread_seconds_sum{colour="red"}')).toBeCloseTo(112.1);
  expect(samples.get('spread_seconds_count{colour="red"}')).toBe(6);
  expect(samples.get('spread_seconds_count{colour="blue"}')).toBe(0);
});

test("what several metrics show a part of is read once for a scrape", async () => {
  const metrics = createMetrics();
  let reads = 0;
  const both = metrics.onceAScrape(() => {
    reads += 1;
    return reads;
  });
  metrics.gauge({ name: "one", help: "A part", read: () => [{ value: both() }] });
  metrics.gauge({ name: "other", help: "A part", read: () => [{ value: both() }] });
  await metrics.text();
  const samples = readMetrics(await metrics.text());
  expect([samples.get("one"), samples.get("other"), reads]).toEqual([2, 2, 2]);
});
