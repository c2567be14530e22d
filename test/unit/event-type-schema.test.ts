/** JSON Schemas of event types: which are refused, where they are at fault, and what they check. */
import { describe, expect, test } from "vitest";
import { compileSchema } from "../../src/control/event-types/json-schema.ts";
import { memberText } from "../../src/control/event-types/member-text.ts";
import { schemaFaults } from "../../src/control/event-types/schema-faults.ts";

const dialect = "https://json-schema.org/draft/2020-12/schema";

/** A schema as text, where an object cannot say it. */
type Given = string | object | boolean;

function faultsOf(schema: Given) {
  return schemaFaults(typeof schema === "string" ? schema : JSON.stringify(schema));
}

function check(schema: Given, data: unknown) {
  expect(faultsOf(schema)).toEqual([]);
  return compileSchema(typeof schema === "string" ? schema : JSON.stringify(schema))(data);
}

const integers = { type: "array", items: { type: "integer" } };

describe("a schema may be", () => {
  test.each<[string, Given]>([
    ["true", true],
    ["false", false],
    ["empty", {}],
    ["of the dialect that it names", { $schema: dialect, type: "object" }],
    ["of the dialect with a fragment", { $schema: `${dialect}#` }],
    ["recursive", { properties: { children: { type: "array", items: { $ref: "#" } } } }],
    ["made of definitions", { $ref: "#/$defs/a", $defs: { a: integers } }],
    ["made of named anchors", { $ref: "#a", $defs: { a: { $anchor: "a", ...integers } } }],
    ["dynamic", { $dynamicRef: "#a", $defs: { a: { $dynamicAnchor: "a", ...integers } } }],
    ["with names of its own", { $id: "https://example.com/a", items: { $id: "b", $ref: "a" } }],
    ["about schemas", { $ref: dialect }],
    ["one with keywords that nobody knows", { "x-owner": "billing", toString: 1, id: 7 }],
    ["one with formats that nobody knows", { format: "constructor" }],
    ["one of OpenAPI", { nullable: true, discriminator: { propertyName: "kind" }, example: 1 }],
  ])("%s", (_, schema) => {
    expect(faultsOf(schema)).toEqual([]);
  });
});

describe("a schema may not", () => {
  test.each<[string, Given, string, string]>([
    ["name a type there is not", { type: "strnig" }, "/type", "must be one of"],
    [
      "have members of a wrong type",
      { properties: { a: { minLength: "1" } } },
      "/properties/a/minLength",
      "must be integer",
    ],
    [
      "have a keyword in a wrong form, deep inside",
      { $defs: { "a/b": { anyOf: [true, { required: "a" }] } } },
      "/$defs/a~1b/anyOf/1/required",
      "must be array",
    ],
    ["have numbers for schemas", { properties: { a: 3 } }, "/properties/a", "object or boolean"],
    ["be of another dialect", draft(7), "/$schema", dialect],
    ["be of another dialect inside", { items: draft(4) }, "/items/$schema", dialect],
    ["name a dialect of its own", { $schema: "https://example.com/meta" }, "/$schema", dialect],
    ["have a broken pattern", { items: { pattern: "(" } }, "/items/pattern", "regular expression"],
    [
      "have a broken pattern for names",
      { patternProperties: { "[/": true } },
      "/patternProperties/[~1",
      "regular expression",
    ],
    ["refer to nothing", { items: { $ref: "#/$defs/x" } }, "/items/$ref", "leads to nothing"],
    [
      "refer to another place",
      { $defs: { a: { $ref: "http://169.254.169.254/a.json" } }, $ref: "#/$defs/a" },
      "/$defs/a/$ref",
      "leads to nothing",
    ],
    ["refer to a file", { $ref: "file:///etc/passwd" }, "/$ref", "leads to nothing"],
    ["refer dynamically to nothing", { $dynamicRef: "#a" }, "/$dynamicRef", "leads to nothing"],
    [
      "give a dynamic name to two",
      { $defs: { a: { $dynamicAnchor: "n" }, b: { $id: "b", $dynamicAnchor: "n" } } },
      "/$defs/a/$dynamicAnchor",
      "given twice",
    ],
    ["be its own reference", { $ref: "#" }, "", "without end"],
    [
      "be the reference of its reference",
      { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } },
      "",
      "without end",
    ],
    [
      "give one name to two",
      { $defs: { a: { $id: "http://x/a" }, b: { $id: "http://x/a", type: "null" } } },
      "",
      "more than one schema",
    ],
    [
      "describe a member that is no member",
      '{"properties":{"__proto__":{"type":"string"}}}',
      "/properties/__proto__",
      "cannot be checked",
    ],
    [
      "have too many parts",
      { anyOf: Array.from({ length: 1_001 }, () => ({})) },
      "",
      "more than 1000 subschemas",
    ],
  ])("%s", (_, schema, pointer, detail) => {
    const [fault] = faultsOf(schema);
    expect(fault?.pointer).toBe(`/schema${pointer}`);
    expect(fault?.detail).toContain(detail);
  });

  function draft(number: number) {
    return { $schema: `http://json-schema.org/draft-0${number}/schema#` };
  }
});

test("texts in a schema are never run as code", () => {
  const text = '"`${process.exit(1)}`\u2028\\");process.exit(1);//';
  const schema = {
    title: text,
    properties: { [text]: { const: text, format: text } },
    required: [text],
    pattern: text.replaceAll(/\W/g, "\\$&").replaceAll(/[\u2028"`;]|\\[\u2028"`;]/g, "."),
    [text]: text,
  };
  const { pattern: _, ...plain } = schema;
  expect(check(plain, { [text]: text })).toEqual([]);
  expect(check(plain, { [text]: 1 })).toHaveLength(1);
  expect(faultsOf({ $ref: `#/$defs/${text}` })).toHaveLength(1);
});

const order = {
  type: "object",
  required: ["amount", "currency"],
  properties: {
    amount: { type: "number", minimum: 0, multipleOf: 0.01 },
    currency: { enum: ["EUR", "USD"] },
    "a/b": { type: "array", items: { type: ["string", "null"], maxLength: 3 } },
    email: { type: "string", format: "email" },
  },
  propertyNames: { maxLength: 8 },
  additionalProperties: false,
};

const named = { $dynamicAnchor: "n", type: "string" };

const least = { amount: 4.35, currency: "EUR" };

describe("data that fits has no faults", () => {
  test.each<[string, Given, unknown]>([
    ["an order", order, { ...least, "a/b": ["abc", null], email: "a@example.com" }],
    ["what is beyond numbers", { type: "number", minimum: 1 }, JSON.parse("1e400")],
    ["anything, where nobody knows the format", { format: "toString" }, "x"],
    ["null only where the standard has it", { type: ["string", "null"] }, null],
    ["an enum's object", { enum: [{ b: 1, a: [2] }] }, { a: [2], b: 1 }],
    ["numbers that are the same", { const: 1 }, JSON.parse("1.0")],
    ["a list of different things", { uniqueItems: true }, [1, "1", [1], { a: 1 }, { a: 2 }, null]],
    ["a list that may repeat", { uniqueItems: false }, [1, 1]],
    ["what is no list", { uniqueItems: true }, "aa"],
    ["one of several forms", { oneOf: [{ type: "string" }, { minimum: 3 }] }, 4],
    ["a member called like a method", { properties: { toString: { type: "string" } } }, {}],
    ["members that methods hide", { const: { valueOf: 1 } }, { valueOf: 1 }],
  ])("%s", (_, schema, data) => {
    expect(check(schema, data)).toEqual([]);
  });
});

describe("data that does not fit is pointed at", () => {
  test.each<[string, Given, unknown, string, string]>([
    ["a missing member", order, { amount: 1 }, "/currency", "is required"],
    ["a member too many", order, { ...least, "~": 1 }, "/~0", "unknown member"],
    ["the type", order, { ...least, amount: "1" }, "/amount", "must be number"],
    ["one of two types", order, { ...least, "a/b": ["a", 1] }, "/a~1b/1", "must be string or null"],
    ["the bound", order, { ...least, amount: -1 }, "/amount", "must be >= 0"],
    ["the step", order, { ...least, amount: 4.355 }, "/amount", "must be multiple of 0.01"],
    ["the enum", order, { ...least, currency: "F" }, "/currency", 'must be one of "EUR", "USD"'],
    ["the format", order, { ...least, email: "a" }, "/email", 'must match format "email"'],
    [
      "a member's name",
      order,
      { ...least, longer_than_8: 1 },
      "/longer_than_8",
      "its name must NOT have more than 8 characters",
    ],
    ["a false schema", { properties: { a: false } }, { a: 1 }, "/a", "must not be there"],
    ["the whole", false, 1, "", "must not be there"],
    ["a constant", { const: null }, 0, "", "must be null"],
    [
      "a repeated item",
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      "",
      "twice",
    ],
    [
      "several forms",
      { anyOf: [{ type: "string" }, { type: "null" }] },
      1,
      "",
      "must be string, or must be null",
    ],
    ["two forms at once", { oneOf: [true, true] }, 1, "", "exactly one"],
    ["what must not be", { not: {} }, 1, "", "must not have the form that it has"],
    ["a condition", '{"if":{},"then":{"required":["a"]}}', {}, "/a", "is required"],
    ["a dependency", { dependentRequired: { a: ["b"] } }, { a: 1 }, "/b", 'is required beside "a"'],
    ["a method instead of a member", { required: ["constructor"] }, {}, "/constructor", "required"],
    ["null, which only OpenAPI allows", { type: "string", nullable: true }, null, "", "string"],
    ["a dynamic reference", { $dynamicRef: "#n", $defs: { n: named } }, [1], "", "be string"],
    [
      "a tree",
      { $dynamicAnchor: "n", items: { $dynamicRef: "#n" }, type: "array" },
      [[1]],
      "/0/0",
      "array",
    ],
    ["a schema inside itself", { items: { $ref: "#" }, type: "array" }, [[1]], "/0/0", "array"],
  ])("%s", (_, schema, data, pointer, detail) => {
    const faults = check(schema, data);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.pointer).toBe(`/data${pointer}`);
    expect(faults[0]?.detail).toContain(detail);
  });
});

describe("data of strangers", () => {
  test("may have members that objects have from their prototype", () => {
    const data = JSON.parse('{"__proto__":{"a":1},"constructor":1,"valueOf":2,"toString":3}');
    expect(check({ type: "object", maxProperties: 4 }, data)).toEqual([]);
    expect(check({ required: ["a"] }, data)).toHaveLength(1);
    expect(check({ uniqueItems: true }, [data, data])).toHaveLength(1);
    expect(check({ enum: [{}] }, data)).toHaveLength(1);
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });

  test("takes no more time than its length, where it is compared", () => {
    // Comparing each with each would take minutes.
    const items = Array.from({ length: 200_000 }, (_, index) => [index]);
    expect(check({ uniqueItems: true }, items)).toEqual([]);
    const names = Array.from({ length: 20_000 }, (_, index) => `name ${index}`);
    const data = Array.from({ length: 200_000 }, () => names.at(-1));
    expect(check({ items: { enum: names } }, data)).toEqual([]);
  });

  test("that a schema follows without end is refused", () => {
    const endless = { properties: { a: { allOf: [{ $ref: "#/properties/a" }] } } };
    expect(check(endless, {})).toEqual([]);
    expect(check(endless, { a: 1 })).toEqual([
      { pointer: "/data", detail: "cannot be checked against the schema of its type" },
    ]);
  });

  test("gets a short answer, whatever it is called", () => {
    const name = "n".repeat(100_000);
    const [fault] = check(
      { additionalProperties: { additionalProperties: false } },
      {
        a: { [name]: 1 },
      },
    );
    expect(fault).toEqual({ pointer: "/data/a", detail: "unknown member" });
    const [long] = check({ pattern: `^${name.slice(0, 1_000)}$` }, "");
    expect(long?.detail.length).toBeLessThan(300);
    const many = check({ anyOf: names(50).map((one) => ({ required: [one] })) }, {});
    expect(many).toHaveLength(20);
  });

  function names(count: number): string[] {
    return Array.from({ length: count }, (_, index) => `member${index}`);
  }
});

describe("the text of a member", () => {
  test.each<[string, string, string | undefined]>([
    [
      "is what was written, without white space",
      '{ "a": {"b" : [1.0, 1e400 ]} }',
      '{"b":[1.0,1e400]}',
    ],
    ["keeps the order of names", '{"a":{"2":0,"1":0}}', '{"2":0,"1":0}'],
    [
      "keeps white space, escapes and brackets in strings",
      '{"a":"} \\"\\\\\\u0041,{"}',
      '"} \\"\\\\\\u0041,{"',
    ],
    ["may be a plain value", '{"b":[{"a":2}],"a" : true}', "true"],
    ["is found by an escaped name", '{"\\u0061":1}', "1"],
    ["is the last of several", '{"a":1,"a":{"a":2}}', '{"a":2}'],
    ["is not one of an object inside", '{"b":{"a":1},"c":["a",{"a":1}]}', undefined],
    ["may be missing", "{}", undefined],
  ])("%s", (_, text, expected) => {
    expect(memberText(text, "a")).toBe(expected);
  });
});
