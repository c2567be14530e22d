/** Judges the schema of an event type before it is registered: every fault is pointed at. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { cut, describeErrors, step, type Fault } from "./faults.ts";
import { compile, createAjv } from "./json-schema.ts";
import { byName, isObject, subschemas, type Place } from "./subschemas.ts";

const dialect = "https://json-schema.org/draft/2020-12/schema";

/**
 * A schema is compiled at once, while nothing else runs, and the time grows with the square of
 * how much one object lists: 1,000 properties take 300 ms.
 */
const subschemasMax = 1_000;

const leadsNowhere = "leads to nothing in the schema";

let metaSchema: ValidateFunction | undefined;

/** What is wrong with a schema, in the text of a JSON value; empty when it can be used. */
export function schemaFaults(text: string): Fault[] {
  const schema = JSON.parse(text) as unknown;
  const places = [...subschemas(schema)];
  if (places.length > subschemasMax) {
    return [{ pointer: "/schema", detail: `has more than ${subschemasMax} subschemas` }];
  }
  const ofDialect = places.flatMap(dialectFaults);
  if (ofDialect.length > 0) return ofDialect;
  metaSchema ??= createAjv().getSchema(dialect);
  if (metaSchema === undefined) throw new Error("ajv does not have its meta-schema");
  if (!metaSchema(schema)) return describeErrors(metaSchema.errors ?? [], "/schema");
  const twice = repeated(places.map(dynamicAnchorOf));
  const ofKeywords = places.flatMap((place) => keywordFaults(place, twice));
  if (ofKeywords.length > 0) return ofKeywords;
  return compileFaults(text, places);
}

function dialectFaults({ pointer, schema }: Place): Fault[] {
  if (!isObject(schema) || schema["$schema"] === undefined) return [];
  const given = schema["$schema"];
  if (typeof given === "string" && given.replace(/#$/, "") === dialect) return [];
  return [{ pointer: `${pointer}/$schema`, detail: `must be ${dialect}` }];
}

/** What the meta-schema does not tell. */
function keywordFaults({ pointer, schema }: Place, twice: ReadonlySet<unknown>): Fault[] {
  if (!isObject(schema)) return [];
  const faults: Fault[] = [];
  const { pattern, patternProperties, $dynamicAnchor } = schema;
  if (twice.has($dynamicAnchor)) {
    const detail = "is given twice: which one is meant would depend on the way there";
    faults.push({ pointer: `${pointer}/$dynamicAnchor`, detail });
  }
  if (typeof pattern === "string") faults.push(...regexFaults(pattern, `${pointer}/pattern`));
  for (const name of Object.keys(isObject(patternProperties) ? patternProperties : {})) {
    faults.push(...regexFaults(name, `${pointer}/patternProperties${step(name)}`));
  }
  for (const keyword of byName) {
    const named = schema[keyword];
    if (!isObject(named) || !Object.hasOwn(named, "__proto__")) continue;
    const detail = "a member of this name cannot be checked";
    faults.push({ pointer: `${pointer}/${keyword}/__proto__`, detail });
  }
  return faults;
}

function dynamicAnchorOf({ schema }: Place): unknown {
  return isObject(schema) ? schema["$dynamicAnchor"] : undefined;
}

function repeated(values: readonly unknown[]): Set<unknown> {
  return new Set(values.filter((value, at) => value !== undefined && values.indexOf(value) !== at));
}

function regexFaults(source: string, pointer: string): Fault[] {
  try {
    // Compiled when it is first used, and perhaps found too large.
    new RegExp(source, "u").test("");
    return [];
  } catch {
    return [{ pointer, detail: "must be a regular expression (ECMA-262, with the u flag)" }];
  }
}

/** One value of each kind: over some of them, a schema that is its own reference never ends. */
const samples = [null, true, 0, "", [], {}];

function compileFaults(text: string, places: readonly Place[]): Fault[] {
  try {
    const validate = compile(text);
    for (const sample of samples) validate(sample);
    return [];
  } catch (error) {
    return [compileFault(error, places)];
  }
}

function compileFault(error: unknown, places: readonly Place[]): Fault {
  if (error instanceof Ajv2020.MissingRefError) {
    const { missingRef } = error;
    return { pointer: placeOfReference(missingRef, places), detail: leadsNowhere };
  }
  if (error instanceof RangeError) {
    return { pointer: "/schema", detail: "is too large, or refers to itself without end" };
  }
  const detail = error instanceof Error ? error.message : "cannot be compiled";
  return { pointer: "/schema", detail: cut(detail) };
}

/** ajv tells only where a reference leads, and not where it stands. */
function placeOfReference(missing: string, places: readonly Place[]): string {
  for (const { pointer, schema } of places) {
    if (!isObject(schema)) continue;
    for (const keyword of ["$ref", "$dynamicRef"]) {
      const reference = schema[keyword];
      const isMeant = typeof reference === "string" && reference !== "";
      if (isMeant && missing.endsWith(reference)) return `${pointer}/${keyword}`;
    }
  }
  return "/schema";
}
