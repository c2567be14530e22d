import fc from "fast-check";
import { expect, test } from "vitest";
import { createLineSplitter } from "../../src/ingest/lines.ts";

const maxBytes = 8;

type Seen = [number: number, text: string | undefined];

function split(pieces: readonly Buffer[]): Seen[] {
  const splitter = createLineSplitter(maxBytes);
  const seen: Seen[] = [];
  // At once, since the bytes are only lent.
  const see = (line: { number: number; bytes: Buffer | undefined }) =>
    seen.push([line.number, line.bytes?.toString("latin1")]);
  for (const piece of pieces) for (const line of splitter.push(piece)) see(line);
  const last = splitter.end();
  if (last !== undefined) see(last);
  return seen;
}

// Goal: how the bytes arrive makes no difference. Method: cut a text anywhere, compare the lines
// with those that splitting it as a whole gives.
test("lines are the same however they arrive", () => {
  const text = fc
    .array(fc.constantFrom("a", "bc", "\n", "\n", "\r", " ", "defghij"), { maxLength: 30 })
    .map((all) => all.join(""));
  fc.assert(
    fc.property(text, fc.array(fc.nat(60), { maxLength: 8 }), (whole, cuts) => {
      const ends = [...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].toSorted(
        (a, b) => a - b,
      );
      const pieces = ends.map((end, index) => Buffer.from(whole.slice(ends[index - 1] ?? 0, end)));
      const expected = whole
        .split("\n")
        .map((line, index): Seen => [index + 1, line])
        .filter(([, line]) => /[^ \r]/.test(line ?? "") || (line ?? "").length > maxBytes)
        .map(([number, line]): Seen => [number, fits(line) ? line : undefined]);
      expect(split(pieces)).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
});

function fits(line = ""): boolean {
  return line.length <= maxBytes;
}

test("a line that is too long is told once and holds up nothing", () => {
  const pieces = ["1234", "5678", "9".repeat(100), "9\nok"].map((text) => Buffer.from(text));
  expect(split(pieces)).toEqual([
    [1, undefined],
    [2, "ok"],
  ]);
});
