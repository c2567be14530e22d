/**
 * The portal shows an event's data as it is stored. Property: however an object is written, the
 * text that is cut out of it is the text that was put in.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memberText } from "../../src/portal/page/views/events/member-text.ts";

describe("memberText", () => {
  test.each([
    ['{"data":1.0}', "1.0"],
    ['{"data":12345678901234567890,"b":1}', "12345678901234567890"],
    ['{ "a" : {"data":1} , "data" : [1, {"data":2}] }', '[1, {"data":2}]'],
    [String.raw`{"a":"\"data\":1,","data":"x\\"}`, String.raw`"x\\"`],
    [String.raw`{"\u0064ata":"by an escape"}`, '"by an escape"'],
    ['{"data":1,"data":2}', "2"],
    ['{"a":"data","b":":"}', undefined],
    ["{}", undefined],
    ["[1]", undefined],
  ])("finds in %s the value %s", (text, expected) => {
    expect(memberText(text, "data")).toBe(expected);
  });

  test("gives each value as it was written, whatever stands around it", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.json())), fc.json(), (others, value) => {
        const before = others
          .filter(([name]) => name !== "data")
          .map(([name, text]) => `${JSON.stringify(name)}: ${text}`);
        const text = `{${[...before, `"data" :${value}`].join(", ")}}`;
        expect(memberText(text, "data")).toBe(value.trim());
      }),
    );
  });
});
