import { expect, test } from "vitest";

import { bodyText } from "../../src/push/outcome.ts";

function responseWith(body: Buffer, truncated = false) {
  return { status: 500, headers: {}, body, truncated };
}

test("a body is shown as text", () => {
  expect(bodyText(responseWith(Buffer.from("größer 🌊")))).toBe("größer 🌊");
});

test("a character that was cut in half is left out", () => {
  const cut = Buffer.from("größer 🌊").subarray(0, -2);
  expect(bodyText(responseWith(cut, true))).toBe("größer ");
});

test("bytes that are no text, and NUL, are shown as the replacement character", () => {
  expect(bodyText(responseWith(Buffer.from([0x61, 0xff, 0x00, 0x62])))).toBe("a\uFFFD\uFFFDb");
});
