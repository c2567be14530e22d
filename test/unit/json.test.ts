import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isStorableText,
  rawMember,
  rawMemberOfEach,
  rawValue,
  withoutDeepElements,
} from "../../src/ingest/json.ts";

/** Spellings that JSON.stringify(JSON.parse()) would change, beside ordinary ones. */
const number = fc.constantFrom(
  ..."0 1 -0 1.0 -1.50 1e21 1E+2 1e400 -1e-400 12345678901234567890 0.1000".split(" "),
);
const escapes = fc.constantFrom(...'\\" \\\\ \\/ \\n \\u0061 \\ud800 \\u0000'.split(" "));
const characters = fc.constantFrom(..."[ ] { } , : a é → 🚀 \u2028".split(" "), " ");
const string = fc
  .array(fc.oneof(escapes, characters), { maxLength: 8 })
  .map((all) => `"${all.join("")}"`);
/** Few names, so that repeated ones are common. */
const name = fc.oneof(fc.constantFrom('"a"', '"data"', '"d\\u0061ta"', '""'), string);
const plain = fc.oneof(number, string, fc.constantFrom("true", "false", "null"));

/** A random JSON value as the list of its tokens. */
const { value } = fc.letrec<Record<"value" | "list" | "member" | "object", string[]>>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    plain.map((token) => [token]),
    tie("list"),
    tie("object"),
  ),
  list: fc.array(tie("value"), { maxLength: 4 }).map((all) => enclosed("[", all, "]")),
  member: fc.tuple(name, tie("value")).map(([key, tokens]) => [key, ":", ...tokens]),
  object: fc.array(tie("member"), { maxLength: 4 }).map((all) => enclosed("{", all, "}")),
}));

function enclosed(open: string, parts: readonly string[][], close: string): string[] {
  return [open, ...parts.flatMap((part, at) => (at === 0 ? part : [",", ...part])), close];
}

/** Endless insignificant white space, mostly none. */
const gaps = fc.infiniteStream(fc.constantFrom("", "", "", " ", "\n", "\r\n\t", "      "));

function spread(tokens: readonly string[], spaces: Iterator<string>): string {
  const gap = (): string => String(spaces.next().value);
  return tokens.map((token) => `${gap()}${token}${gap()}`).join("");
}

describe("the raw text of a member", () => {
  // Goal: no token is changed, added or lost, whatever stands between them. Method: build a body
  // from tokens, put white space between them, and expect the tokens of `data` back, joined.
  test("has exactly the tokens that were written", () => {
    fc.assert(
      fc.property(value, value, gaps, (data, other, spaces) => {
        const body = ["{", '"a"', ":", ...other, ",", '"data"', ":", ...data, "}"];
        const text = spread(body, spaces);
        JSON.parse(text);
        expect(rawMember(text, "data")?.text).toBe(data.join(""));
        expect(rawMember(text, "a")?.text).toBe(other.join(""));
      }),
      { numRuns: 1_000 },
    );
  });

  test("of each element of a list is found, in order", () => {
    const item = fc.oneof<fc.Arbitrary<{ data: string[] | null; tokens: string[] }>[]>(
      value.map((data) => ({ data, tokens: ["{", '"data"', ":", ...data, "}"] })),
      fc.constantFrom("1", "null", '"data"').map((token) => ({ data: null, tokens: [token] })),
      fc.constant({ data: null, tokens: ["[", "{", '"data"', ":", "1", "}", "]"] }),
      fc.constant({ data: null, tokens: ["{", "}"] }),
    );
    fc.assert(
      fc.property(fc.array(item), value, gaps, (items, other, spaces) => {
        const expected = items.map(({ data }) => data?.join(""));
        const list = enclosed(
          "[",
          items.map(({ tokens }) => tokens),
          "]",
        );
        const bare = rawMemberOfEach(spread(list, spaces), "data");
        expect(bare?.map((member) => member?.text)).toEqual(expected);

        const body = ["{", '"a"', ":", ...other, ",", '"events"', ":", ...list, "}"];
        const inBody = rawMemberOfEach(spread(body, spaces), "data", "events");
        expect(inBody?.map((member) => member?.text)).toEqual(expected);
      }),
    );
  });

  test.each([
    ["1.0"],
    ["-0"],
    ["1e400"],
    ["12345678901234567890"],
    ['{"a":1,"a":2}'],
    ['"\\u0061\\/\\"\\\\"'],
    ['"\\\\"'],
    ['"\\ud800"'],
    ['" \u2028 a  b "'],
    ["[]"],
    ["{}"],
    ['""'],
    ["null"],
  ])("keeps the spelling of %s", (data) => {
    expect(rawMember(`{"data":${data}}`, "data")?.text).toBe(data);
    expect(rawMember(`\n{ "data" : ${data} , "b": 1 } `, "data")?.text).toBe(data);
    expect(rawMember(`{"data":[ ${data}, 1 ]}`, "data")?.text).toBe(`[${data},1]`);
  });

  test("is found under a name written with escapes", () => {
    expect(rawMember('{"d\\u0061ta":1}', "data")?.text).toBe("1");
    expect(rawMember('{"\\u0064\\u0061\\u0074\\u0061":1}', "data")?.text).toBe("1");
  });

  test("is only that of the object itself, under exactly this name", () => {
    expect(rawMember('{"a":{"data":1},"Data":2,"datas":3,"dat":4}', "data")).toBeUndefined();
    expect(rawMember('{"d\\\\u0061ta":1,"a":"data","data\\u0000":2}', "data")).toBeUndefined();
    expect(rawMember("{}", "data")).toBeUndefined();
    expect(rawMember('[{"data":1}]', "data")).toBeUndefined();
    expect(rawMember('"data"', "data")).toBeUndefined();
  });

  test("says when the name is repeated, and is the one JSON.parse keeps", () => {
    expect(rawMember('{"data":1,"a":2}', "data")).toMatchObject({ text: "1", repeated: false });
    const twice = '{"data":1,"a":{"data":2},"d\\u0061ta":3}';
    expect(rawMember(twice, "data")).toMatchObject({ text: "3", repeated: true });
    const batch = '{"events":[{"data":1,"data":2},{"data":3}]}';
    const items = rawMemberOfEach(batch, "data", "events");
    expect(items?.map((item) => item?.repeated)).toEqual([true, false]);
  });

  test("comes with its depth", () => {
    for (const [data, depth] of [
      ["1", 0],
      ['"[["', 0],
      ["[]", 1],
      ["[[],{}]", 2],
      ['{"a":[1]}', 2],
    ]) {
      expect(rawMember(`{"data":${data}}`, "data")?.depth).toBe(depth);
    }
  });
});

test("a list that is missing or repeated is no list", () => {
  expect(rawMemberOfEach('{"a":[]}', "data", "events")).toBeUndefined();
  expect(rawMemberOfEach('{"events":[],"events":[]}', "data", "events")).toBeUndefined();
  expect(rawMemberOfEach('{"events":1,"events":[]}', "data", "events")).toBeUndefined();
  expect(rawMemberOfEach("[]", "data", "events")).toBeUndefined();
});

test("text that Postgres or UTF-8 cannot hold is not storable", () => {
  for (const text of ["", "a", "é → 🚀", "\u0001\n\u2028", "\ufffd"]) {
    expect(isStorableText(text)).toBe(true);
  }
  for (const escaped of ['"a\\u0000"', '"\\ud83d"', '"\\ude80"', '"\\ude80\\ud83d"']) {
    expect(isStorableText(JSON.parse(escaped) as string)).toBe(false);
  }
});

// Goal: what stands beside an element that is too deep is not touched. Method: mix deep elements
// into lists of random values, and expect the same text with null for each of them.
test("elements that are nested too deep are taken out of their list, and nothing else", () => {
  const depthMax = 6;
  const deep = fc.integer({ min: depthMax + 1, max: 2_000 }).map((levels) => {
    const [open, close] = ["[", "]"].map((bracket) => Array<string>(levels).fill(bracket));
    return [...(open ?? []), '"]"', ...(close ?? [])];
  });
  const element = fc.oneof(
    value.map((tokens) => ({ tokens, isDeep: false })),
    deep.map((tokens) => ({ tokens, isDeep: true })),
  );
  fc.assert(
    fc.property(fc.array(element, { maxLength: 6 }), gaps, (elements, spaces) => {
      const spaced = elements.map(({ tokens }) => spread(tokens, spaces).trim());
      const shallow = elements.map(({ isDeep }, at) => (isDeep ? "null" : spaced[at]));
      const indices = elements.flatMap(({ isDeep }, at) => (isDeep ? [at] : []));
      for (const [before, list, after] of [
        ["[", undefined, " ]"],
        ['{"a":[[1]], "events" : [', "events", "]}"],
      ] as const) {
        const found = withoutDeepElements(before + spaced.join(",") + after, depthMax, list);
        expect(found.text).toBe(before + shallow.join(",") + after);
        expect([...found.deep]).toEqual(indices);
      }
    }),
  );
});

test("the text of a whole value has its tokens and nothing between them", () => {
  fc.assert(
    fc.property(value, gaps, (tokens, spaces) => {
      expect(rawValue(spread(tokens, spaces)).text).toBe(tokens.join(""));
    }),
  );
});
