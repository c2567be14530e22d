import { expect, test } from "vitest";
import { z } from "zod";
import { listIssues } from "../../src/http/issues.ts";

test("a pointer names the value, with ~ and / escaped", () => {
  const schema = z.object({ "a/b": z.array(z.object({ "~": z.string() })) });
  expect(issuesOf(schema, { "a/b": [{ "~": "" }, { "~": 1 }] })).toEqual([
    { pointer: "/a~1b/1/~0", detail: "expected string, received number" },
  ]);
});

test("the whole value has the empty pointer", () => {
  expect(issuesOf(z.object({}), [])).toEqual([
    { pointer: "", detail: "expected object, received array" },
  ]);
});

test("every unknown member is pointed at", () => {
  const schema = z.object({ inner: z.strictObject({}) });
  expect(issuesOf(schema, { inner: { one: 1, two: 2 } })).toEqual([
    { pointer: "/inner/one", detail: "unknown member" },
    { pointer: "/inner/two", detail: "unknown member" },
  ]);
});

test("of a union's forms the one that the value resembles is spoken of", () => {
  const start = z.union([
    z.enum(["latest", "earliest"]),
    z.object({ cursor: z.string() }),
    z.string().array(),
  ]);
  expect(issuesOf(z.object({ start }), { start: { cursor: 5 } })).toEqual([
    { pointer: "/start/cursor", detail: "expected string, received number" },
  ]);
  expect(issuesOf(z.object({ start }), { start: 5 })).toEqual([
    { pointer: "/start", detail: "has none of the forms it may have" },
  ]);
});

test("the list ends somewhere", () => {
  expect(issuesOf(z.array(z.string()), Array<number>(1_000).fill(1))).toHaveLength(20);
});

function issuesOf(schema: z.ZodType, value: unknown) {
  const { error } = schema.safeParse(value);
  return error === undefined ? [] : listIssues(error);
}
