/**
 * Goal: a lane's position never passes an event that is not settled, and never stays behind without
 * need. Method: random logs are scanned in random steps, some of the events match, and those are
 * settled in random order; after each step the low-water mark is compared with a model.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createWindow } from "../../src/push/window.ts";

const day = "2026-11-23";
const at = (sequence: number) => ({ sequence, day });

describe("the window of a lane", () => {
  test("its low-water mark is right before the first event that is not settled", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ matches: fc.boolean(), settleLater: fc.nat(20) }), { maxLength: 60 }),
        (events) => {
          const window = createWindow(at(0), 0);
          const open: number[] = [];
          let matched = 0;
          events.forEach(({ matches, settleLater }, index) => {
            const sequence = index + 1;
            if (matches) {
              expect(window.add(at(sequence))).toEqual({ previous: matched, isNew: true });
              matched = sequence;
              open.push(sequence);
            }
            window.moveTo(at(sequence));
            if (settleLater % 3 === 0) settle(settleLater);
            check(sequence);
          });
          while (open.length > 0) {
            settle(open.length * 7);
            check(events.length);
          }

          function settle(which: number) {
            const [sequence] = open.splice(which % Math.max(open.length, 1), 1);
            if (sequence !== undefined) window.settle(sequence);
          }

          function check(scanned: number) {
            const { sequence: low, matched: lowMatched } = window.low();
            const firstOpen = Math.min(...open, Infinity);
            expect(low).toBeLessThan(firstOpen);
            if (open.length === 0)
              expect({ low, lowMatched }).toEqual({ low: scanned, lowMatched: matched });
            // Every event that matched before the first open one is settled and passed.
            const lastSettled = events.findLastIndex(
              ({ matches }, index) => matches && index + 1 < firstOpen && index < scanned,
            );
            expect(low).toBeGreaterThanOrEqual(lastSettled + 1);
            expect(lowMatched).toBeLessThanOrEqual(low);
          }
        },
      ),
    );
  });

  test("an event whose outcome was recorded before is passed, and the next one names it", () => {
    const window = createWindow(at(4), 3);
    expect(window.skip(at(5))).toBe(3);
    expect(window.add(at(6)).previous).toBe(5);
    window.moveTo(at(7));
    expect(window.low()).toEqual({ sequence: 4, day, matched: 3 });
    window.settle(6);
    expect(window.low()).toEqual({ sequence: 7, day, matched: 6 });
    expect(window.size()).toBe(0);
  });

  test("settling what is not open changes nothing", () => {
    const window = createWindow(at(1), 1);
    window.settle(9);
    expect(window.low()).toEqual({ sequence: 1, day, matched: 1 });
  });

  test("events that are dropped are scanned again, and what was begun behind them is not", () => {
    const window = createWindow(at(0), 0);
    const added = [1, 2, 3, 4, 5].map((sequence) => ({
      event: at(sequence),
      previous: window.add(at(sequence)).previous,
    }));
    window.moveTo(at(6));
    for (const settled of [1, 3]) window.settle(settled);
    // 4 is under way, as subjects pass one another.
    window.moveBack(added.filter(({ event }) => event.sequence === 2 || event.sequence === 5));
    expect(window.scanned().sequence).toBe(1);
    expect(window.low()).toEqual({ sequence: 1, day, matched: 1 });

    expect(window.add(at(2))).toEqual({ previous: 1, isNew: true });
    window.moveTo(at(2));
    expect(window.low().sequence).toBe(1);
    expect([3, 4, 5].map((sequence) => window.add(at(sequence)))).toEqual([
      { previous: 2, isNew: false },
      { previous: 3, isNew: false },
      { previous: 4, isNew: true },
    ]);
    window.moveTo(at(6));
    window.settle(2);
    expect(window.low()).toEqual({ sequence: 3, day, matched: 3 });
    for (const settled of [5, 4]) window.settle(settled);
    expect(window.low()).toEqual({ sequence: 6, day, matched: 5 });
  });

  test("the mark does not pass an event that is read again over one that a subject took", () => {
    const window = createWindow(at(53), 53);
    for (const sequence of [54, 55, 60]) window.add(at(sequence));
    window.moveTo(at(60));
    // 54 and 60 are under way, 55 is read ahead: its subject is that of 54.
    window.moveBack([{ event: at(55), previous: 54 }]);
    window.settle(54);
    window.settle(60); // It has failed, and its subject is blocked.
    window.add(at(55));
    window.skip(at(60));
    window.moveTo(at(60));
    expect(window.low().sequence).toBe(54);
  });

  test("passes over what a receipt has settled, but not what is under way", () => {
    const window = createWindow(at(0), 0);
    window.add(at(1));
    window.add(at(3));
    window.moveTo(at(4));
    window.settle(3);
    window.skipTo(at(10), 9);
    expect(window.low()).toEqual({ ...at(0), matched: 0 });
    expect(window.scanned()).toEqual(at(10));
    expect(window.add(at(12))).toEqual({ previous: 9, isNew: true });
    window.moveTo(at(12));
    window.settle(1);
    expect(window.low()).toEqual({ ...at(3), matched: 3 });
    window.settle(12);
    expect(window.low()).toEqual({ ...at(12), matched: 12 });
  });
});
