/** The library's reader of server-sent events. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSseParser, type Block } from "../../src/client/sse.ts";

function parse(...pieces: string[]): Block[] {
  const parser = createSseParser();
  return pieces.flatMap((piece) => parser(piece));
}

const block = (fields: Partial<Block>): Block => ({
  event: "message",
  data: undefined,
  id: undefined,
  retryMs: undefined,
  ...fields,
});

test("reads what a gateway sends", () => {
  const text =
    'retry: 2000\ndata: {"a":1}\nid: c1\n\n:\n\nevent: cursor\ndata: {"cursor":"c2"}\nid: c2\n\n' +
    'event: problem\ndata: {"status":410}\n\n';
  expect(parse(text)).toEqual([
    block({ retryMs: 2_000, data: '{"a":1}', id: "c1" }),
    block({ event: "cursor", data: '{"cursor":"c2"}', id: "c2" }),
    block({ event: "problem", data: '{"status":410}' }),
  ]);
});

test.each([
  ["data: a\ndata: b\n\n", [block({ data: "a\nb" })]],
  ["data:  two spaces\n\n", [block({ data: " two spaces" })]],
  ["data\n\n", [block({ data: "" })]],
  ["id\n\n", [block({ id: "" })]],
  ["id: a\0b\n\n", []],
  ["retry: soon\n\n", []],
  ["other: field\n: comment\n\n", []],
  ["\uFEFFdata: after a mark\n\n", [block({ data: "after a mark" })]],
  ["data: never ended\nid: c\n", []],
])("follows the standard: %j", (text, blocks) => {
  expect(parse(text)).toEqual(blocks);
});

/**
 * Goal: where the network cuts the text into pieces changes nothing. Method: random blocks with
 * random line ends, cut anywhere, against the same text as one piece, and against what was meant.
 */
test("gives the same blocks however the text is cut, and whatever ends its lines", () => {
  const words = fc.string({ unit: "grapheme", maxLength: 20 }).filter((s) => !/[\r\n\0]/.test(s));
  const meant = fc.record({ data: fc.array(words, { minLength: 1, maxLength: 3 }), id: words });
  fc.assert(
    fc.property(
      fc.array(meant, { maxLength: 8 }),
      fc.constantFrom("\n", "\r", "\r\n"),
      fc.array(fc.nat(), { maxLength: 30 }),
      (blocks, lineEnd, cuts) => {
        const lines = blocks.flatMap(({ data, id }) => [
          ...data.map((each) => `data: ${each}`),
          `id: ${id}`,
          "",
        ]);
        const text = lines.map((line) => line + lineEnd).join("");
        const at = [...cuts.map((cut) => cut % (text.length + 1)), text.length].toSorted(
          (a, b) => a - b,
        );
        const pieces = at.map((end, index) => text.slice(at[index - 1] ?? 0, end));
        const wanted = blocks.map(({ data, id }) => block({ data: data.join("\n"), id }));
        expect(parse(...pieces)).toEqual(wanted);
        expect(parse(...text.split(""))).toEqual(wanted);
      },
    ),
  );
});

test("a block without an end does not fill the memory", () => {
  const parser = createSseParser();
  const piece = "x".repeat(1 << 20);
  expect(() => {
    for (let n = 0; n < 20; n += 1) parser(piece);
  }).toThrow("no end");
  const lines = createSseParser();
  expect(() => {
    for (let n = 0; n < 20; n += 1) lines(`data: ${piece}\n`);
  }).toThrow("no end");
});
