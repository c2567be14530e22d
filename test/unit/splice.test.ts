import fc from "fast-check";
import { expect, test } from "vitest";
import { splice } from "../../src/feed/splice.ts";

test.each([
  { end: 5, first: 6, last: 6, fit: { kind: "next", skip: 0 }, what: "what comes next" },
  { end: 5, first: 6, last: 9, fit: { kind: "next", skip: 0 }, what: "a run that comes next" },
  { end: 5, first: 4, last: 7, fit: { kind: "next", skip: 2 }, what: "a run known in part" },
  { end: 5, first: 5, last: 6, fit: { kind: "next", skip: 1 }, what: "a run known but for one" },
  { end: 5, first: 5, last: 5, fit: { kind: "repeat" }, what: "the last one again" },
  { end: 5, first: 1, last: 3, fit: { kind: "repeat" }, what: "an older run" },
  { end: 5, first: 7, last: 7, fit: { kind: "gap" }, what: "a run behind a hole of one" },
  { end: 0, first: 1, last: 1, fit: { kind: "next", skip: 0 }, what: "the first of all" },
  { end: 0, first: 2, last: 2, fit: { kind: "gap" }, what: "the second of all as the first" },
])("$what is told apart", ({ end, first, last, fit }) => {
  expect(splice(end, first, last)).toEqual(fit);
});

/**
 * Goal: the arithmetic agrees with sets of numbers. Method: for any end and run, compare with what
 * 1 … end and first … last have in common; fast-check prints the seed of a failure.
 */
test("a splice says of any run what sets of numbers say", () => {
  const [end, first, length] = [fc.nat(30), fc.integer({ min: 1, max: 30 }), fc.nat(20)];
  fc.assert(
    fc.property(end, first, length, (end, first, length) => {
      const run = Array.from({ length: length + 1 }, (_, index) => first + index);
      const unknown = run.filter((sequence) => sequence > end);
      const fit = splice(end, first, first + length);
      if (unknown.length === 0) expect(fit).toEqual({ kind: "repeat" });
      else if (unknown[0] !== end + 1) expect(fit).toEqual({ kind: "gap" });
      else expect(fit).toEqual({ kind: "next", skip: run.length - unknown.length });
    }),
  );
});
