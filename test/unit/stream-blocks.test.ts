import fc from "fast-check";
import { expect, test } from "vitest";
import { Problem } from "../../src/problem.ts";
import {
  commentBlock,
  cursorBlock,
  eventBlock,
  problemBlock,
  retryField,
} from "../../src/stream/blocks.ts";
import { parseBlocks } from "../support/sse.ts";

test("blocks end with their id, so that a client that is cut repeats the event", () => {
  expect(eventBlock('{"a":1}', "c1")).toBe('data: {"a":1}\nid: c1\n\n');
  expect(cursorBlock("c1")).toBe('event: cursor\ndata: {"cursor":"c1"}\nid: c1\n\n');
  expect(retryField(2_000) + commentBlock).toBe("retry: 2000\n:\n\n");
});

test("a problem has no id, so that its client stays where it is", () => {
  const [block] = parseBlocks(problemBlock(new Problem("cursor-ahead", "line\nend")));
  expect(block?.event).toBe("problem");
  expect(block).not.toHaveProperty("id");
  expect(JSON.parse(block?.data ?? "")).toMatchObject({ status: 410, detail: "line\nend" });
});

test("whatever an event says, it is the data of one block and nothing else", () => {
  const unit = fc.constantFrom("\n", "\r", "\r\n", "id: x", "data: x", "event: x", ":", " ", "é");
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      const blocks = parseBlocks(eventBlock(text, "c1"));
      const lines = text.split(/\r\n|[\r\n]/);
      expect(blocks).toEqual([{ data: lines.join("\n"), id: "c1" }]);
      expect(eventBlock(text, "c1")).not.toContain("\r");
    }),
  );
});
