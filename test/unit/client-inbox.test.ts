import fc from "fast-check";
import { expect, test } from "vitest";
import { quietMs } from "../../src/client/inbox/pump.ts";
import { contiguous, type HandledEvent } from "../../src/client/inbox/store.ts";

/** Events at these sequences, each after the one before it. */
function recordsAt(sequences: readonly number[]): HandledEvent[] {
  return sequences.map((sequence, index) => {
    const previous = sequences[index - 1] ?? 0;
    return { id: `evt_${sequence}`, sequence, previous, cursor: `c${sequence}` };
  });
}

test("a position moves over what follows without a hole, and has the last cursor there", () => {
  const [first, second, third, fourth] = recordsAt([3, 4, 9, 12]);
  const position = { sequence: 3, cursor: "c3" };
  const some = [second, fourth].filter((each) => each !== undefined);
  expect(contiguous({ position, handled: some })).toEqual({
    position: { sequence: 4, cursor: "c4" },
    missing: 9,
  });
  const all = [first, second, third && { ...third, cursor: undefined }];
  expect(contiguous({ position, handled: all.filter((each) => each !== undefined) })).toEqual({
    position: { sequence: 9, cursor: "c4" },
    missing: undefined,
  });
});

/**
 * Goal: the position never comes past what is not handled. Method: any events, any of them handled,
 * and the position at any of them below which all are.
 */
test("a position stops before the first event that is not handled", () => {
  const sequences = fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1 });
  fc.assert(
    fc.property(sequences, fc.infiniteStream(fc.boolean()), (given, chance) => {
      const all = recordsAt(given.sort((one, two) => one - two));
      const handled = all.filter(() => chance.next().value === true);
      const missing = all.find((each) => !handled.includes(each));
      const before = all.filter(
        (each) => missing === undefined || each.sequence < missing.sequence,
      );
      const { position, missing: upTo } = contiguous({
        position: { sequence: 0, cursor: undefined },
        handled,
      });
      expect(position.sequence).toBe(before.at(-1)?.sequence ?? 0);
      expect(upTo !== undefined).toBe(handled.length > before.length);
    }),
  );
});

test.each([
  { gapMs: 0, quiet: 5_000 },
  { gapMs: 100, quiet: 5_000 },
  { gapMs: 4_000, quiet: 16_000 },
  { gapMs: 3_600_000, quiet: 60_000 },
])("pushes every $gapMs ms stay away after $quiet ms", ({ gapMs, quiet }) => {
  expect(quietMs(gapMs, 5_000)).toBe(quiet);
});
