import { describe, expect, test } from "vitest";
import { acceptQuality, preference } from "../../src/http/preferences.ts";

describe("acceptQuality", () => {
  test.each([
    [undefined, 0],
    ["*/*", 0],
    ["application/*", 0],
    ["application/x", 1],
    ["Application/X", 1],
    ["text/html, application/x;q=0.5", 0.5],
    ["application/x; charset=utf-8; q=0.25", 0.25],
    ["application/x;q=0", 0],
    ["application/x;q=much", 0],
    ["application/xml", 0],
  ])("of %j is %d", (accept, quality) => {
    expect(acceptQuality(accept, "application/x")).toBe(quality);
  });
});

describe("preference", () => {
  test.each([
    [undefined, undefined],
    ["wait=10", "10"],
    ["Wait = 10", "10"],
    ['respond-async, wait="10"; foo', "10"],
    ["wait", ""],
    ["waiting=10", undefined],
    ["wait=1, wait=2", "1"],
  ])("wait in %j is %j", (prefer, value) => {
    expect(preference(prefer, "wait")).toBe(value);
  });
});
