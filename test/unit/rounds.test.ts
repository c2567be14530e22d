import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRate } from "../../src/push/rate.ts";
import { createRounds } from "../../src/push/rounds.ts";

describe("those who wait", () => {
  test("take turns, one slot each", () => {
    const rounds = createRounds<string>();
    for (const key of ["a", "b", "c"]) rounds.add(key);
    expect(take(rounds, 7)).toEqual(["a", "b", "c", "a", "b", "c", "a"]);
  });

  test("come in between, and go, without disturbing the others", () => {
    const rounds = createRounds<string>();
    rounds.add("a");
    rounds.add("b");
    expect(take(rounds, 1)).toEqual(["a"]);
    rounds.add("c");
    rounds.add("b");
    expect(take(rounds, 3)).toEqual(["b", "a", "c"]);
    rounds.delete("b");
    expect(take(rounds, 3)).toEqual(["a", "c", "a"]);
  });

  test("let those pass who may not, who keep their place", () => {
    const rounds = createRounds<string>();
    for (const key of ["a", "b", "c"]) rounds.add(key);
    expect(rounds.next((key) => key !== "a")).toBe("b");
    expect(rounds.next(() => false)).toBeUndefined();
    expect(rounds.next()).toBe("a");
  });

  test("get the same in slots, whatever each of their turns takes", () => {
    const costs = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(costs, (slotsOfEach) => {
        const rounds = createRounds<number>();
        slotsOfEach.forEach((_, key) => rounds.add(key));
        const taken = slotsOfEach.map(() => 0);
        for (let turn = 0; turn < 2_000; turn += 1) {
          const key = rounds.next() ?? 0;
          rounds.charge(key, slotsOfEach[key] ?? 1);
          taken[key] = (taken[key] ?? 0) + (slotsOfEach[key] ?? 1);
        }
        // A turn may be ahead or behind by what one delivery takes.
        expect(Math.max(...taken) - Math.min(...taken)).toBeLessThanOrEqual(16);
      }),
      { numRuns: 30 },
    );
  });
});

describe("the rate of a lane", () => {
  test("lets no more through than allowed, evenly, from the first moment on", () => {
    const sent = simulate(createRate(50), 10_000);
    expect(sent.length).toBeGreaterThanOrEqual(500);
    expect(sent.length).toBeLessThanOrEqual(505);
    for (let from = 0; from < 9_000; from += 250) {
      const inSecond = sent.filter((at) => at >= from && at < from + 1_000).length;
      expect(inSecond).toBeLessThanOrEqual(55);
    }
  });

  test("may be less than one a second", () => {
    expect(simulate(createRate(0.5), 20_000)).toHaveLength(10);
  });

  test("is a ramp after an outage, and none when that is over", () => {
    const rate = createRate(null);
    expect(rate.waitMs(0)).toBe(0);
    rate.startRamp(0);
    const sent = simulate(rate, 12_000);
    const inSecond = (n: number) => sent.filter((at) => Math.floor(at / 1_000) === n).length;
    expect(inSecond(0)).toBeLessThan(45);
    expect(inSecond(1)).toBeLessThan(80);
    expect(inSecond(3)).toBeGreaterThan(inSecond(1));
    // Once a millisecond: the simulation itself.
    expect(inSecond(10)).toBe(1_000);
  });

  test("is no debt of what was sent while there was none", () => {
    const rate = createRate(null);
    rate.startRamp(0);
    expect(rate.waitMs(10_000)).toBe(0);
    for (let n = 0; n < 100_000; n += 1) rate.take();
    rate.startRamp(110_000);
    expect(rate.waitMs(110_000)).toBeLessThanOrEqual(1_000);
  });

  /** Whoever always has something to send, looking once a millisecond. */
  function simulate(rate: ReturnType<typeof createRate>, forMs: number): number[] {
    const sent: number[] = [];
    for (let now = 0; now < forMs; now += 1) {
      if (rate.waitMs(now) > 0) continue;
      rate.take();
      sent.push(now);
    }
    return sent;
  }
});

function take(rounds: ReturnType<typeof createRounds<string>>, count: number): string[] {
  return Array.from({ length: count }, () => {
    const key = rounds.next() ?? "";
    rounds.charge(key, 1);
    return key;
  });
}
