import { expect, test } from "vitest";
import { arrayText, separated } from "../../src/db/database.ts";

test("pieces of JSON are separated, and none can stand for two", () => {
  expect(separated(["", '{"a":"\\u001f"}'])).toBe('\u001f\u001f{"a":"\\u001f"}');
  expect(() => separated(["a\u001fb"])).toThrow(expect.objectContaining({ code: "22021" }));
});

test("an array's text escapes what would end its elements", () => {
  expect(arrayText(["a", 'b"', "c\\", null, 1, ""])).toBe(String.raw`{"a","b\"","c\\",NULL,1,""}`);
});
