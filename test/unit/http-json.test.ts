import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findFault } from "../../src/http/json-fault.ts";
import { decodeUtf8, isDeeper, parseJson } from "../../src/http/json.ts";
import { Problem } from "../../src/problem.ts";

describe("parseJson", () => {
  test.each([
    ["", 0, "a value"],
    ["  ", 2, "a value"],
    ["nul", 0, "a value"],
    ["truefalse", 0, "a value"],
    ["01", 0, "a value"],
    ["1 2", 2, "the end of the text"],
    ["{} }", 3, "the end of the text"],
    ["[1,]", 3, "a value"],
    ["[1 2]", 3, '"," or the end of the array or object'],
    ["[", 1, 'a value or "]"'],
    ["[}", 1, 'a value or "]"'],
    ["{", 1, 'a member name in double quotes or "}"'],
    ["{'a':1}", 1, 'a member name in double quotes or "}"'],
    ['{"a" 1}', 5, '":"'],
    ['{"a":1,}', 7, "a member name in double quotes"],
    ['{"a":}', 5, "a value"],
    ['{"a":1]', 6, '"," or the end of the array or object'],
    ['["a', 3, "a closing quote"],
    ['["a\nb"]', 3, "control characters to be escaped"],
    ['["\\x"]', 2, "a valid escape sequence"],
    ['["\\u12g4"]', 2, "a valid escape sequence"],
  ])("says where %j stops being JSON", (text, offset, expected) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(findFault(text)).toEqual({ offset, expected });
  });

  test("counts lines and columns from one", () => {
    const problem = problemOf(() => parseJson('{\n  "a": 1,\n  b: 2\n}'));
    expect(problem.slug).toBe("malformed-json");
    expect(problem.members).toEqual({ line: 3, column: 3, offset: 14 });
    expect(problem.detail).toBe("line 3, column 3: expected a member name in double quotes");
  });

  test("does not repeat the text in what it says", () => {
    const problem = problemOf(() => parseJson('{"password": hunter2}'));
    expect(JSON.stringify([problem.detail, problem.members])).not.toContain("hunter2");
  });

  test("takes 64 levels and refuses 65 with 422", () => {
    expect(parseJson(nested(64))).toBeDefined();
    const problem = problemOf(() => parseJson(nested(65)));
    expect(problem.slug).toBe("invalid");
    expect(problem.members).toEqual({
      errors: [{ pointer: "", detail: "nested deeper than 64 levels" }],
    });
  });

  test("refuses a million brackets without recursion", () => {
    expect(problemOf(() => parseJson(nested(1_000_000))).slug).toBe("invalid");
    expect(problemOf(() => parseJson("[".repeat(1_000_000), Infinity)).slug).toBe("malformed-json");
  });

  test("ends in a string that does not", () => {
    expect(problemOf(() => parseJson(`${"[".repeat(60)}"${"\\".repeat(99)}`)).slug).toBe(
      "malformed-json",
    );
  });
});

/*
 * Goal: the fault finder agrees with JSON.parse about every text, and brackets in strings do not
 * count as depth. Method: damage valid texts at a random place; measure depth by walking values.
 */
describe("against JSON.parse", () => {
  const damaged = fc
    .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.constantFrom("", '"', "\\", "{", "]", ",", "0"))
    .map(([text, place, character]) => {
      const at = place % (text.length + 1);
      return text.slice(0, at) + character + text.slice(at + 1);
    });

  test("a fault is found exactly when JSON.parse finds one", () => {
    fc.assert(
      fc.property(damaged, (text) => {
        const { expected, offset } = findFault(text);
        const isWhole = expected === "the end of the text" && offset === text.length;
        expect(isWhole).toBe(isJson(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test("depth is the depth of the value", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 1, max: 5 }), (text, limit) => {
        const padded = `${" ".repeat(10)}${text}`;
        expect(isDeeper(padded, limit)).toBe(depthOf(JSON.parse(text)) > limit);
      }),
      { numRuns: 2_000 },
    );
  });

  test("escaped quotes do not end a string", () => {
    const text = JSON.stringify({ a: ['\\"[[[[[[[[[[', "\\", '"'] });
    expect(isDeeper(text, 2)).toBe(false);
    expect(isDeeper(text, 1)).toBe(true);
  });
});

test("bytes that are not UTF-8 are malformed", () => {
  expect(decodeUtf8(Buffer.from('"é€😀"'))).toBe('"é€😀"');
  expect(problemOf(() => decodeUtf8(Buffer.from([0x22, 0xff, 0x22]))).slug).toBe("malformed-json");
  expect(problemOf(() => decodeUtf8(Buffer.from([0xed, 0xa0, 0x80]))).slug).toBe("malformed-json");
});

function nested(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function problemOf(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
