/**
 * Goal: whatever is dropped and when, a lane is given each event of its log once and in order, and
 * its position never passes one that is not settled. Method: a log in memory grows while events are
 * taken, given back, settled in random order and dropped at random moments, by the lane itself or by
 * the budget of all lanes.
 */
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Feed } from "../../src/feed/feed.ts";
import type { LogEvent } from "../../src/log/event.ts";
import { compileFilter } from "../../src/log/filter.ts";
import { createBufferBudget, type BufferBudget } from "../../src/push/budget.ts";
import type { Endpoint } from "../../src/push/endpoints.ts";
import { createReadAhead, type Item } from "../../src/push/read-ahead.ts";
import { createWindow } from "../../src/push/window.ts";
import { createLogger } from "../../src/telemetry/logger.ts";

const day = "2026-11-23";

function eventOf(sequence: number): LogEvent {
  const type = sequence % 3 === 0 ? "other" : "wanted";
  return { sequence, day, type, subject: null, appendedAt: 0, envelope: "x".repeat(100) };
}

/** Reads ahead of a log in memory that only this test appends to. */
function open(budget: BufferBudget, wanted = 8) {
  const log: LogEvent[] = [];
  const read: Feed["read"] = async (_tenant, after, limit) => {
    await turn();
    const events = log.slice(after.sequence, after.sequence + limit);
    return { kind: "events", events, atHead: after.sequence + events.length >= log.length };
  };
  const window = createWindow({ sequence: 0, day }, 0);
  const filter = compileFilter({ types: ["wanted"], subjects: null });
  const ahead = createReadAhead({
    endpoint: { tenant: "t", filter } as unknown as Endpoint,
    feed: { read } as Feed,
    window,
    budget,
    log: createLogger({ level: "silent" }),
    wanted: () => wanted,
    cover: () => undefined,
    isKnown: () => false,
    ready: () => {},
    moved: () => {},
  });
  return {
    ...{ ahead, window, log },
    append(count: number) {
      for (let n = 0; n < count; n += 1) log.push(eventOf(log.length + 1));
      ahead.wake();
    },
  };
}

describe("what is read ahead", () => {
  test("comes once and in order, whatever is dropped meanwhile", async () => {
    const acts = ["take", "take", "settle", "settle", "drop", "append", "wait", "probe", "fail"];
    const step = fc.record({ act: fc.constantFrom(...acts), which: fc.nat(50) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 200 }), async (steps) => {
        const { ahead, window, append, log } = open(createBufferBudget(1 << 20));
        const taken = new Set<number>();
        const begun: Item[] = [];
        const probes: Item[] = [];
        for (const { act, which } of steps) {
          if (act === "append") append(which % 10);
          if (act === "drop") ahead.drop();
          if (act === "wait") await turn();
          if (act === "take") take();
          if (act === "probe") probe(which);
          if (act === "fail") fail();
          if (act === "settle") settle(which);
          check();
        }
        while (probes.length > 0) fail();
        while (window.low().sequence < log.length) {
          take();
          settle(0);
          await turn();
        }
        expect(taken).toEqual(new Set(matching()));

        function matching() {
          return log.filter(({ type }) => type === "wanted").map(({ sequence }) => sequence);
        }

        function take() {
          const item = ahead.take();
          if (item === undefined) return;
          expect(item.event.sequence).toBe(matching().find((sequence) => !taken.has(sequence)));
          note(item);
          begun.push(item);
        }

        /** Any of what is there, and not always the first. */
        function probe(which: number) {
          const item = ahead.takeAny(() => true, which / 51);
          if (item === undefined) return;
          note(item);
          probes.push(item);
        }

        function note({ event: { sequence }, previous }: Item) {
          expect(taken).not.toContain(sequence);
          taken.add(sequence);
          expect(previous).toBe(matching().findLast((before) => before < sequence) ?? 0);
        }

        /** The endpoint is not back: it keeps nothing in memory. */
        function fail() {
          const item = probes.shift();
          if (item === undefined) return;
          taken.delete(item.event.sequence);
          ahead.giveBack(item);
          ahead.drop();
        }

        function settle(index: number) {
          const [item] = begun.splice(index % Math.max(begun.length, 1), 1);
          if (item !== undefined) window.settle(item.event.sequence);
        }

        function check() {
          const open = [...begun, ...probes].map(({ event }) => event.sequence);
          expect(window.low().sequence).toBeLessThan(Math.min(...open, Infinity));
        }
      }),
      { numRuns: 100 },
    );
  });

  test("holds what lies before a probe that failed, when that was let go of meanwhile", async () => {
    const { ahead, window, append, log } = open(createBufferBudget(1 << 20));
    append(12);
    for (let n = 0; n < 20; n += 1) await turn();
    const probe = ahead.takeAny(() => true, 0.7);
    expect(probe?.event.sequence).toBeGreaterThan(1);
    ahead.drop(); // by the budget
    if (probe !== undefined) ahead.giveBack(probe);
    ahead.drop(); // the endpoint is not back
    expect(window.low().sequence).toBe(0);
    const taken: (readonly [number, number])[] = [];
    while (window.low().sequence < log.length) {
      ahead.fill();
      await turn();
      const item = ahead.take();
      if (item === undefined) continue;
      taken.push([item.event.sequence, item.previous]);
      window.settle(item.event.sequence);
    }
    expect(taken).toEqual([1, 2, 4, 5, 7, 8, 10, 11].map((n, at, all) => [n, all[at - 1] ?? 0]));
  });

  test("is no more than is wanted, however much there is", async () => {
    const { ahead, append } = open(createBufferBudget(1 << 20));
    append(10_000);
    for (let n = 0; n < 50; n += 1) await turn();
    expect(ahead.size()).toBe(8);
  });

  test("is let go of by the slowest when all together have too much", async () => {
    const budget = createBufferBudget(2_000);
    const lanes = Array.from({ length: 4 }, () => open(budget));
    for (const { append } of lanes.slice(0, 2)) append(100);
    for (let n = 0; n < 20; n += 1) await turn();
    expect(lanes.map(({ ahead }) => ahead.size())).toEqual([8, 8, 0, 0]);
    lanes[0]?.ahead.take(); // the second has waited for longer now
    lanes[2]?.append(100);
    for (let n = 0; n < 20; n += 1) await turn();
    expect(lanes[1]?.ahead.size()).toBe(0);
    expect(lanes[2]?.ahead.size()).toBe(8);
    // It reads again when it is its turn, and misses nothing.
    expect(lanes[1]?.ahead.take()).toBeUndefined();
    for (let n = 0; n < 20; n += 1) await turn();
    expect(lanes[1]?.ahead.take()?.event.sequence).toBe(1);
  });
});
