/** What attempts are counted in: histograms with a bound, in memory with a bound, in even steps. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addTo, bucketsMax, increment, percentileMs } from "../../src/deliveries/histogram.ts";
import { countAttempt, createTally, everything, type Counted } from "../../src/deliveries/tally.ts";
import type { TenantId } from "../../src/log/event.ts";
import { defaultStepMs, spanOf, stepFault } from "../../src/stats/steps.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const noon = Date.parse("2026-11-23T12:00:00.000Z");

function histogramOf(times: readonly number[]): number[] {
  const counts: number[] = [];
  for (const ms of times) increment(counts, ms);
  return counts;
}

describe("a percentile", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  /** As many short ones as long ones, up to 12 minutes. */
  const time = fc
    .tuple(fc.integer({ min: 0, max: 19 }), fc.double({ min: 1, max: 2, noNaN: true }))
    .map(([power, factor]) => Math.min(Math.floor(2 ** power * factor) - 1, 741_454));

  test("is off by less than the width of a bucket, and not at all below 4 ms", () => {
    const times = fc.array(time, { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(times, share, (some, part) => {
        const sorted = some.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(Math.ceil(part * sorted.length), 1) - 1] ?? 0;
        const told = percentileMs(histogramOf(some), part) ?? Number.NaN;
        if (exact < 4) expect(told).toBe(exact);
        else expect(Math.abs(told - exact) / exact).toBeLessThan(Math.SQRT2 - 1);
      }),
    );
  });

  test("is of the sum what it is of all the times together", () => {
    const times = fc.array(time, { maxLength: 50 });
    fc.assert(
      fc.property(times, times, (some, others) => {
        const sum = histogramOf(some);
        addTo(sum, histogramOf(others));
        expect(sum).toEqual(histogramOf([...some, ...others]));
      }),
    );
  });

  test("is null for no times, and the longest time that is told apart for longer ones", () => {
    expect(percentileMs([], 0.5)).toBeNull();
    expect(percentileMs([0, 0], 0.99)).toBeNull();
    for (const ms of [741_456, 3_600_000, 2 ** 31 - 1]) {
      expect(histogramOf([ms])).toHaveLength(bucketsMax);
      expect(percentileMs(histogramOf([ms]), 0.5)).toBe(741_456);
    }
  });
});

describe("what is counted", () => {
  const one = { failed: false, retry: false, queueMs: 1, latencyMs: 20 };
  const tenant = "aaaaaaaa-0000-7000-8000-000000000000" as TenantId;
  const owner = (id: number) => ({ tenant, id: `e-${id}` });
  const sum = (rows: readonly Counted[]) =>
    rows.reduce((total, { counts }) => total + counts.attempts, 0);

  test("stands by minute, endpoint and type, also when the clock steps back", () => {
    const tally = createTally({ many: () => {} });
    for (const [id, type, at] of [
      [1, "a", noon],
      [1, "a", noon + minuteMs - 1],
      [1, "b", noon + minuteMs],
      [2, "a", noon + minuteMs + 1],
      [1, "a", noon],
    ] as const) {
      countAttempt(tally.countsOf(owner(id), type, at), { ...one, failed: type === "b" });
    }
    const taken = tally.take();
    const shown = taken.map(({ minute, endpoint, type, counts: { attempts, failures } }) =>
      [(minute - noon) / minuteMs, endpoint, type, attempts, failures].join(" "),
    );
    expect(shown).toEqual(["0 e-1 a 2 0", "1 e-1 b 1 1", "1 e-2 a 1 0", "0 e-1 a 1 0"]);
    expect(taken[0]?.counts.latencyMs).toEqual(histogramOf([20, 20]));
    expect(tally.take()).toEqual([]);
  });

  test("has a bound of types in a day, beyond which they are told together", () => {
    const tally = createTally({ many: () => {} });
    const count = (types: number, at: number) => {
      for (let type = 0; type < types; type += 1) {
        countAttempt(tally.countsOf(owner(type % 3), `order.${type}`, at), one);
      }
      return tally.take();
    };
    for (const at of [noon, noon + 24 * hourMs]) {
      const taken = count(1_000, at);
      expect(new Set(taken.map(({ type }) => type)).size).toBe(201);
      expect(sum(taken.filter(({ type }) => type === "other"))).toBe(800);
    }
  });

  test("has a bound of endpoints, beyond which it counts for the tenant, and then for all", () => {
    let told = 0;
    const tally = createTally({ many: () => (told += 1) });
    for (let n = 0; n < 60_000; n += 1) {
      const whose = `${n}` as TenantId;
      countAttempt(tally.countsOf({ tenant: whose, id: `e-${n}` }, "a", noon), one);
    }
    const taken = tally.take();
    expect(told).toBe(1);
    expect(taken).toHaveLength(40_001);
    expect(sum(taken)).toBe(60_000);
    expect(taken.filter(({ endpoint }) => endpoint === everything)).toHaveLength(20_001);
    expect(taken.find((row) => row.tenant === everything)?.counts.attempts).toBe(20_000);
  });
});

describe("the steps of a window", () => {
  test.each([
    ["1h", hourMs, minuteMs],
    ["6h", 6 * hourMs, 2 * minuteMs],
    ["24h", 24 * hourMs, 5 * minuteMs],
    ["2d", 48 * hourMs, 10 * minuteMs],
    ["7d", 168 * hourMs, hourMs],
    ["30d", 720 * hourMs, 3 * hourMs],
    ["5y", 5 * 365 * 24 * hourMs, 7 * 24 * hourMs],
  ])("are plain and not too many: %s", (_, windowMs, stepMs) => {
    expect(defaultStepMs(windowMs)).toBe(stepMs);
    expect(stepFault(windowMs, stepMs)).toBeUndefined();
  });

  test("end with the one that is running and are aligned with the clock", () => {
    const span = spanOf(hourMs, 5 * minuteMs, noon + 7 * minuteMs + 12_345);
    const at = (minute: number) => noon + minute * minuteMs;
    expect(span).toEqual({ from: at(10 - 60), to: at(10), stepMs: 5 * minuteMs });
    expect(spanOf(hourMs, 25 * minuteMs, noon).to - spanOf(hourMs, 25 * minuteMs, noon).from).toBe(
      75 * minuteMs,
    );
  });

  test("are refused when they are too many, or finer than what is kept", () => {
    expect(stepFault(25 * hourMs, minuteMs)).toBeUndefined();
    expect(stepFault(26 * hourMs, minuteMs)).toContain("1500");
    expect(stepFault(49 * hourMs, 30 * minuteMs)).toContain("whole hours");
    expect(stepFault(49 * hourMs, hourMs)).toBeUndefined();
  });
});
