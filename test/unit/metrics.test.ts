import { expect, test } from "vitest";
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
