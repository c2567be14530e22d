/**
 * JSON Schema 2020-12 as event types have it: what may be registered, and how events are checked
 * against it. `format` is checked too; keywords that nobody knows say nothing. A reference leads
 * within the schema or to the meta-schema: nothing is ever fetched.
 *
 * Schemas come from operators, who are trusted not to write slow ones: a pattern that backtracks
 * without end stops the process, and so can nested data where alternatives (`oneOf`, `anyOf`)
 * refer to themselves, since each level tries all of them. Data is not trusted beyond that: the
 * standard's other keywords take about linear time, and an exception is a refusal.
 */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats, { type FormatName } from "ajv-formats";
import { defineEquality } from "./equality.ts";
import { describeErrors, type Fault } from "./faults.ts";
import { isObject, subschemas, type Schema } from "./subschemas.ts";

/** What is wrong with the data of an event; empty when it fits. */
export type CheckData = (data: unknown) => readonly Fault[];

/**
 * Those of the standard that there are. Others ajv-formats has are left out: its `url` takes half
 * a second over 32 kB and sixteen times as long over 128.
 */
const formats: FormatName[] = [
  ...(["date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6"] as const),
  ...(["uri", "uri-reference", "uri-template", "json-pointer", "relative-json-pointer"] as const),
  ...(["uuid", "regex"] as const),
];

/** Keywords of other dialects, which would change what ajv does. Here nobody knows them. */
const foreignKeywords = ["$async", "id", "nullable"];

const noFaults: readonly Fault[] = [];

/** Expects a text that `schemaFaults` has nothing against. */
export function compileSchema(text: string): CheckData {
  const validate = compile(text);
  return (data) => {
    try {
      if (validate(data)) return noFaults;
    } catch {
      return [{ pointer: "/data", detail: "cannot be checked against the schema of its type" }];
    }
    return describeErrors(validate.errors ?? [], "/data");
  };
}

/** What ajv makes of a schema; throws where it cannot. */
export function compile(text: string): ValidateFunction {
  const schema = JSON.parse(text) as object | boolean;
  const [whole, ...others] = [...subschemas(schema)].map((place) => place.schema).filter(isObject);
  if (whole !== undefined) {
    const elsewhere = new Set(others.flatMap(anchorsOf));
    const wholes = new Set(anchorsOf(whole).filter((anchor) => !elsewhere.has(anchor)));
    for (const each of [whole, ...others]) adapt(each, wholes);
  }
  return createAjv().compile(schema);
}

/** An instance of its own for each schema, so that what one calls itself is nothing to others. */
export function createAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    strict: false,
    logger: false,
    validateSchema: false,
    // Else every object has a `constructor`, and one that is required is never missing.
    ownProperties: true,
    // Else 4.35 is no multiple of 0.01.
    multipleOfPrecision: 6,
    // Else a definition is written out wherever it is used.
    inlineRefs: false,
    // Else compiling takes twice as long, and checks are no faster.
    code: { optimize: false },
    verbose: true,
  });
  addFormats.default(ajv, { formats, keywords: false });
  // Else `constructor` is a format.
  Object.setPrototypeOf(ajv.formats, null);
  defineEquality(ajv);
  return ajv;
}

/** Changes what ajv understands otherwise than the standard does. */
function adapt(schema: Schema, wholes: ReadonlySet<string>): void {
  for (const keyword of foreignKeywords) delete schema[keyword];
  const { $ref, $dynamicRef, allOf } = schema;
  // ajv does not find the anchors of the whole.
  const found = (reference: string) => (wholes.has(reference) ? "#" : reference);
  if (typeof $ref === "string") schema["$ref"] = found($ref);
  if (typeof $dynamicRef !== "string") return;
  // To ajv most of them mean the whole schema. Where no anchor is given twice, they mean the same
  // as plain references.
  delete schema["$dynamicRef"];
  const others = Array.isArray(allOf) ? (allOf as unknown[]) : [];
  schema["allOf"] = [...others, { $ref: found($dynamicRef) }];
}

/** The references to a schema by its own names. */
function anchorsOf({ $anchor, $dynamicAnchor }: Schema): string[] {
  return [$anchor, $dynamicAnchor].flatMap((name) =>
    typeof name === "string" ? [`#${name}`] : [],
  );
}
