/** Small things about figures on which the portal's views rest. */
import { describe, expect, test } from "vitest";
import { showDuration } from "../../src/portal/page/parts/duration.ts";
import { lonely } from "../../src/portal/page/parts/lonely.ts";
import { showBytes, showShare } from "../../src/portal/page/parts/number.ts";

const unbroken = (text: string) => text.replaceAll("~", "\u00a0");

test("a duration has no zero behind its point", () => {
  expect([999, 1_000, 1_500, 10_000, 59_000, 60_000, 90_000].map(showDuration)).toEqual(
    ["999~ms", "1~s", "1.5~s", "10~s", "59~s", "1~min", "1~min 30~s"].map(unbroken),
  );
});

test("no line ends between a number and its unit", () => {
  expect([showBytes(12), showBytes(2_048), showShare(0.5)]).toEqual(
    ["12~B", "2.0~KiB", "50~%"].map(unbroken),
  );
});

describe("values that stand alone", () => {
  test.each([
    [[], []],
    [[3], [0]],
    [[null, 3, null], [1]],
    [[1, 2, null, 4], [3]],
    [[1, null, undefined, 4, 5], [0]],
    [[0, null], [0]],
  ])("of %j are at %j", (values, at) => {
    expect(lonely(values)).toEqual(at);
  });
});
