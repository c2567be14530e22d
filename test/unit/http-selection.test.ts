import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { selectionQuery, splitSubjects, toSelection } from "../../src/http/selection.ts";

const schema = z.object(selectionQuery);

function parse(query: Record<string, string>) {
  return toSelection(schema.parse(query));
}

describe("a selection", () => {
  test("starts at the beginning and takes everything unless it is told otherwise", () => {
    expect(parse({})).toEqual({
      start: { kind: "earliest" },
      filter: { types: null, subjects: null },
      rebase: false,
    });
  });

  test("starts at its cursor, whatever it has for from", () => {
    expect(parse({ cursor: "abc", from: "latest" }).start).toEqual({
      kind: "cursor",
      cursor: "abc",
    });
    expect(parse({ cursor: "" }).start).toEqual({ kind: "cursor", cursor: "" });
  });

  test.each([
    ["latest", { kind: "latest" }],
    ["1970-01-01T00:00:01Z", { kind: "time", at: 1_000 }],
    ["1970-01-01T01:00:00.001+01:00", { kind: "time", at: 1 }],
    ["1970-01-01T01:00:00 01:00", { kind: "time", at: 0 }],
  ])("from=%s starts there", (from, start) => {
    expect(parse({ from }).start).toEqual(start);
  });

  test.each(["", "now", "1970-01-01", "1970-01-01T00:00:00", "0", "1970-02-30T00:00:00Z"])(
    "from=%j is refused",
    (from) => {
      expect(schema.safeParse({ from }).success).toBe(false);
    },
  );
});

describe("subjects", () => {
  test.each([
    ["a", ["a"]],
    ["a,b", ["a", "b"]],
    ["a\\,b,c", ["a,b", "c"]],
    ["a\\\\,b", ["a\\", "b"]],
    ["a\\b", ["a\\b"]],
    ["a, b", ["a", " b"]],
    ["a,", ["a", ""]],
    [",", ["", ""]],
    ["", [""]],
  ])("%j are %j", (text, subjects) => {
    expect(splitSubjects(text)).toEqual(subjects);
  });

  test("any list of them can be written", () => {
    const subject = fc.string({ unit: fc.constantFrom("a", ",", "\\", "é", " ") });
    fc.assert(
      fc.property(fc.array(subject, { minLength: 1 }), (subjects) => {
        const text = subjects.map((each) => each.replaceAll(/[\\,]/g, "\\$&")).join(",");
        expect(splitSubjects(text)).toEqual(subjects);
      }),
    );
  });
});
