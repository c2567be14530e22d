/** Says what a JSON Schema has against a value, in the form a response carries. */
import type { ErrorObject } from "ajv/dist/2020.js";

export type Fault = {
  /** JSON pointer (RFC 6901) to the value at fault. */
  readonly pointer: string;
  readonly detail: string;
};

/** More would help nobody, and a large batch could make the answer larger than the request. */
const faultsMax = 20;

/** In characters. Names of members, values of an `enum` and patterns may be long. */
const pointerMaxLength = 1_024;
const detailMaxLength = 256;

/** They say that no branch fits; what the branches have against the value says more. */
const summaries = new Set(["anyOf", "oneOf", "if", "propertyNames"]);

/** `base` is the pointer to the value that was checked. */
export function describeErrors(errors: readonly ErrorObject[], base: string): Fault[] {
  const telling = errors.filter(({ keyword }) => !summaries.has(keyword));
  const details = new Map<string, Set<string>>();
  for (const error of telling.length > 0 ? telling : errors) {
    const pointer = base + shortened(placeOf(error));
    const known = details.get(pointer);
    if (known !== undefined) known.add(detailOf(error));
    else if (details.size < faultsMax) details.set(pointer, new Set([detailOf(error)]));
  }
  // Several about one value come from several branches, of which one has to fit.
  return Array.from(details, ([pointer, each]) => ({
    pointer,
    detail: cut([...each].join(", or ")),
  }));
}

/** One step of a pointer. */
export function step(name: string): string {
  return `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** What is missing or too much is pointed at itself, and not at the object around it. */
function placeOf({ instancePath, params, propertyName }: ErrorObject): string {
  const { missingProperty, additionalProperty, unevaluatedProperty } = params as Params;
  const name = missingProperty ?? additionalProperty ?? unevaluatedProperty ?? propertyName;
  return name === undefined ? instancePath : instancePath + step(name);
}

type Params = { readonly [name: string]: string | undefined };

function detailOf(error: ErrorObject): string {
  const { keyword, params, schema, message = "is not valid", propertyName } = error;
  if (propertyName !== undefined) return `its name ${message}`;
  switch (keyword) {
    case "required":
      return "is required";
    case "dependentRequired":
    case "dependencies":
      return `is required beside "${String(params["property"])}"`;
    case "additionalProperties":
    case "unevaluatedProperties":
      return "unknown member";
    case "false schema":
      return "must not be there";
    case "const":
      return `must be ${JSON.stringify(schema)}`;
    case "enum":
      return `must be one of ${(schema as unknown[]).map((value) => JSON.stringify(value)).join(", ")}`;
    case "uniqueItems":
      return "must not have an item twice";
    case "type":
      return `must be ${String(params["type"]).replaceAll(",", " or ")}`;
    case "oneOf":
      return "must match exactly one of several forms";
    case "not":
      return "must not have the form that it has";
    default:
      return message;
  }
}

/** Of a pointer that is too long, the part that leads to a value around it. */
function shortened(pointer: string): string {
  if (pointer.length <= pointerMaxLength) return pointer;
  return pointer.slice(0, pointer.lastIndexOf("/", pointerMaxLength));
}

export function cut(detail: string): string {
  return detail.length <= detailMaxLength ? detail : `${detail.slice(0, detailMaxLength)}…`;
}
