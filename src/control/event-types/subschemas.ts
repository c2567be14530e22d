/** The schemas that a JSON Schema is made of, with the place of each. */
import { step } from "./faults.ts";

export type Schema = { [keyword: string]: unknown };

/** A schema within a schema, or the whole. A boolean is a schema as well. */
export type Place = { readonly pointer: string; readonly schema: Schema | boolean };

const inPlace = [
  ...["additionalProperties", "unevaluatedProperties", "propertyNames", "items", "contains"],
  ...["unevaluatedItems", "if", "then", "else", "not", "contentSchema"],
];
const inLists = ["allOf", "anyOf", "oneOf", "prefixItems"];

/** Members of their values are schemas by name. */
export const byName = [
  ...["properties", "patternProperties", "dependentSchemas", "dependencies"],
  ...["$defs", "definitions"],
];

/** The whole and every subschema, as far as the value is a schema; no deeper than a body may be. */
export function* subschemas(schema: unknown, pointer = "/schema"): Generator<Place> {
  if (typeof schema === "boolean") yield { pointer, schema };
  if (!isObject(schema)) return;
  yield { pointer, schema };
  for (const keyword of inPlace) yield* subschemas(schema[keyword], pointer + step(keyword));
  for (const keyword of inLists) {
    const list = schema[keyword];
    if (Array.isArray(list)) yield* subschemasOf(list, pointer + step(keyword));
  }
  for (const keyword of byName) {
    const named = schema[keyword];
    if (isObject(named)) yield* subschemasOf(named, pointer + step(keyword));
  }
}

function* subschemasOf(schemas: object, pointer: string): Generator<Place> {
  for (const [name, each] of Object.entries(schemas)) yield* subschemas(each, pointer + step(name));
}

export function isObject(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
