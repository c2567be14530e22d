/**
 * Goal: however few of the recorded outcomes are held, what a lane has covered is known exactly.
 * Method: a lane's scans and steps back over random outcomes, read in parts of a few.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createRecorded, type RecordedPart } from "../../src/push/recorded.ts";

const day = "2026-11-23";
const end = 100;

/** Of these, those above a sequence, a few at a time. */
function partOf(recorded: readonly number[], after: number, most: number): RecordedPart {
  const above = recorded.filter((sequence) => sequence > after);
  const through = (above[most] ?? Infinity) - 1;
  return { after, through, sequences: new Set(above.slice(0, most)) };
}

test("what was covered is known exactly, over steps back and long pages", async () => {
  const sequence = fc.integer({ min: 1, max: end });
  const page = fc.record({ after: fc.nat(end - 1), length: fc.integer({ min: 1, max: 40 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(sequence, { maxLength: end }),
      fc.integer({ min: 1, max: 10 }),
      fc.array(page, { minLength: 1, maxLength: 20 }),
      async (some, most, pages) => {
        const all = some.toSorted((a, b) => a - b);
        const known = createRecorded(partOf(all, 0, most), ({ sequence: after }) =>
          Promise.resolve(partOf(all, after, most)),
        );
        for (const { after, length } of pages) {
          const through = Math.min(after + length, end);
          await known.cover({ sequence: after, day }, through);
          for (let each = after + 1; each <= through; each += 1) {
            expect(known.has(each)).toBe(all.includes(each));
          }
          expect(known.highest()).toBeGreaterThanOrEqual(all.at(-1) ?? 0);
        }
        await known.cover({ sequence: 0, day }, end + 1);
        expect(known.highest()).toBeLessThanOrEqual(end);
      },
    ),
  );
});

test("nothing is read while the lane stays within what is held", () => {
  const all = [2, 4, 6];
  const known = createRecorded(partOf(all, 0, 10), () => Promise.reject(new Error("not needed")));
  expect(known.cover({ sequence: 0, day }, 1_000_000)).toBeUndefined();
  expect([known.has(4), known.has(5), known.highest()]).toEqual([true, false, 6]);
});
