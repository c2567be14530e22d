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
import { createLogger } from "../../src/telemetry.ts";

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
    const step = fc.record({
      act: fc.constantFrom("take", "take", "take", "settle", "settle", "drop", "append", "wait"),
      which: fc.nat(50),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 200 }), async (steps) => {
        const { ahead, window, append, log } = open(createBufferBudget(1 << 20));
        const taken: number[] = [];
        const begun: Item[] = [];
        for (const { act, which } of steps) {
          if (act === "append") append(which % 10);
          if (act === "drop") ahead.drop();
          if (act === "wait") await turn();
          if (act === "take") take();
          if (act === "settle") settle(which);
          check();
        }
        while (window.low().sequence < log.length) {
          take();
          settle(0);
          await turn();
        }
        const matching = log
          .filter(({ type }) => type === "wanted")
          .map(({ sequence }) => sequence);
        expect(taken).toEqual(matching);

        function take() {
          const item = ahead.take();
          if (item === undefined) return;
          const before = taken.at(-1) ?? 0;
          expect(item.previous).toBe(before);
          taken.push(item.event.sequence);
          begun.push(item);
        }

        function settle(index: number) {
          const [item] = begun.splice(index % Math.max(begun.length, 1), 1);
          if (item !== undefined) window.settle(item.event.sequence);
        }

        function check() {
          const unsettled = Math.min(...begun.map(({ event }) => event.sequence), Infinity);
          expect(window.low().sequence).toBeLessThan(unsettled);
        }
      }),
      { numRuns: 60 },
    );
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
