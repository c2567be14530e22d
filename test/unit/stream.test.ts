import { expect, test } from "vitest";
import { isSuccessor } from "../../src/fanout/stream.ts";

const former = { created: "2026-11-23T12:00:00.123456789Z", lastSequence: 40 };

test.each([
  ["the same", { ...former }, false],
  ["grown", { ...former, lastSequence: 41 }, false],
  ["made anew", { created: "2026-11-23T12:00:00.123456790Z", lastSequence: 90 }, true],
  ["come back empty under its old date", { ...former, lastSequence: 0 }, true],
])("a stream that is %s is told from its successor", (_, next, isAnother) => {
  expect(isSuccessor(next, former)).toBe(isAnother);
});

test("the first stream that is seen succeeds nothing", () => {
  expect(isSuccessor(former, undefined)).toBe(false);
});
