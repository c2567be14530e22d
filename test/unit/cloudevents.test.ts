import { expect, test } from "vitest";
import { readAttributes, readStructured } from "../../src/ingest/cloudevents.ts";
import { rawMember } from "../../src/ingest/json.ts";
import type { Problem } from "../../src/problem.ts";

const base = { specversion: "1.0", id: "1", source: "/", type: "a.b" };

/** The pointers to what is wrong. */
function faultsOf(more: Record<string, unknown>): string[] {
  try {
    readAttributes(Object.entries({ ...base, ...more }), { kind: "none" });
    return [];
  } catch (error) {
    const { errors } = (error as Problem).members;
    return (errors as { pointer: string }[]).map(({ pointer }) => pointer);
  }
}

test.each<[string, readonly unknown[], readonly unknown[]]>([
  ["specversion", ["1.0"], ["0.3", "1.0.2", "", 1, null]],
  ["id", ["x", "é".repeat(256)], ["", "x".repeat(257), 1, null, "a\0"]],
  ["source", ["/", "urn:x", "a/b?c#d"], ["", "a b", "é", null, "x".repeat(1_025)]],
  ["type", ["a", "a.b_1"], ["", "a b", "a.", "tidegate.x", "tidegate", null, 1]],
  ["subject", ["x", "é\u2028", null], ["", "a\n", "\ud800", "\u{1ffff}", true]],
  ["time", ["2026-11-23T12:00:00Z", null], ["now", "", 1]],
  ["datacontenttype", ["text/plain;charset=utf-8", null], ["json", ""]],
  ["dataschema", ["https://example.com/s#x", null], ["/s", ""]],
  ["dataversion", ["1", null], ["", 1, "x".repeat(65)]],
  ["tenant", ["acme", null], ["a/b", "", 1]],
  ["sequence", [null], ["1", 1]],
  ["data", [null], ["x"]],
  ["constructor", ["", "x", true, 0, 2_147_483_647, -2_147_483_648], [1.5, 2 ** 31, {}, [], "\r"]],
  ["9lives", ["x"], [Number.POSITIVE_INFINITY]],
  ["Upper", [null], ["x"]],
  ["my-name", [null], ["x"]],
  ["__proto", [null], ["x"]],
  ["x".repeat(64), ["x"], []],
  ["x".repeat(65), [null], ["x"]],
])("the attribute %s is held to its rules", (name, allowed, refused) => {
  for (const value of allowed) expect([value, faultsOf({ [name]: value })]).toEqual([value, []]);
  for (const value of refused) {
    expect([value, faultsOf({ [name]: value })]).toEqual([value, [`/${name}`]]);
  }
});

test("attributes are bounded in number and in characters", () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, ""]));
  expect([faultsOf(many(60)), faultsOf(many(61))]).toEqual([[], [""]]);
  expect([faultsOf({ a: "x".repeat(16_000) }), faultsOf({ a: "x".repeat(16_384) })]).toEqual([
    ...[[], [""]],
  ]);
});

test.each([
  ['"data":1', "json"],
  ['"data":null', "json"],
  ['"data_base64":"AA=="', "base64"],
  ['"data_base64":""', "base64"],
  ['"data":null,"data_base64":"AA=="', "base64"],
  ['"data":{},"data_base64":null', "json"],
  ['"subject":"x"', "none"],
  ['"data":1,"data_base64":"AA=="', "/data_base64"],
  ['"data_base64":"AA"', "/data_base64"],
  ['"data_base64":1', "/data_base64"],
])("the members %s make content of one kind", (members, kind) => {
  const text = `${JSON.stringify(base).slice(0, -1)},${members}}`;
  let found: unknown;
  try {
    found = readStructured(JSON.parse(text), rawMember(text, "data")).content.kind;
  } catch (error) {
    found = ((error as Problem).members["errors"] as { pointer: string }[])[0]?.pointer;
  }
  expect(found).toBe(kind);
});
