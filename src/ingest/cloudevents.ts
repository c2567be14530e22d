/**
 * Reads CloudEvents 1.0.2, as JSON objects or as attributes that come apart from their data. They
 * are held to the specification, and to what our own events are held to besides: a type of our
 * form, bounds. The producer's `id` becomes the key, since the log gives ids of its own;
 * `sequence` is the log's too and refused. What we do not know is kept as it is.
 */
import { resourceName } from "../http/schemas.ts";
import { eventTypeForm } from "../log/filter.ts";
import { Problem } from "../problem.ts";
import { invalid, isReservedType, keyMaxLength, type Content, type Item } from "./event.ts";
import { isBase64, isMediaType, isPlainText, isTime, isUri, isUriReference } from "./forms.ts";
import type { RawMember } from "./json.ts";

/** The specification suggests names of up to 20 characters. */
const nameForm = /^[a-z0-9]{1,64}$/;

/** More than any extension in use needs. All of them go out with every copy of the event. */
const attributesMax = 64;

/** Those that are not set, and so written as null, included. */
const membersMax = 256;

/** Of names and values together, in characters. */
const attributesMaxLength = 16_384;

const integerMin = -(2 ** 31);
const integerMax = 2 ** 31 - 1;

/** A response lists no more. */
const faultsMax = 20;

type Fault = { readonly pointer: string; readonly detail: string };

/** What an attribute of this name has against its value, which is a text. */
type Check = (text: string) => string | undefined;

const required = ["specversion", "id", "source", "type"];

// A map, because `constructor` is a name that an extension may have.
const checks = new Map<string, Check>([
  ["specversion", (text) => unless(text === "1.0", 'expected "1.0"')],
  ["id", lengthUpTo(keyMaxLength)],
  ["source", (text) => lengthUpTo(1_024)(text) ?? unless(isUriReference(text), "no URI reference")],
  ["type", (text) => lengthUpTo(256)(text) ?? typeFault(text)],
  ["subject", lengthUpTo(1_024)],
  ["time", (text) => unless(isTime(text), "expected an RFC 3339 time")],
  [
    "datacontenttype",
    (text) => lengthUpTo(256)(text) ?? unless(isMediaType(text), "no media type"),
  ],
  ["dataschema", (text) => lengthUpTo(2_048)(text) ?? unless(isUri(text), "no absolute URI")],
  ["dataversion", lengthUpTo(64)],
  ["tenant", (text) => unless(resourceName.safeParse(text).success, "no name of a tenant")],
  ["sequence", () => "the gateway numbers the events"],
  ["data", () => "no name of an attribute"],
]);

/** Where an attribute stands in our envelope; all others are extensions. */
const placed = new Set([...checks.keys()].filter((name) => name !== "dataschema"));

/** An event in the JSON format; `data` is its member of that name, if it has one. */
export function readStructured(value: unknown, data: RawMember | undefined): Item {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("", "expected an object");
  }
  const members = value as Record<string, unknown>;
  const content = contentOf(members["data"], data, members["data_base64"] ?? undefined);
  const attributes: [string, unknown][] = [];
  // One after the other, since there may be a million.
  for (const name in members) {
    if (name === "data" || name === "data_base64") continue;
    if (attributes.length === membersMax) throw invalid("", `more than ${membersMax} members`);
    attributes.push([name, members[name]]);
  }
  return readAttributes(attributes, content);
}

function contentOf(value: unknown, data: RawMember | undefined, base64: unknown): Content {
  if (base64 === undefined) {
    return data === undefined ? { kind: "none" } : { kind: "json", raw: data, value };
  }
  // Some serializers write what is not set as null.
  if (data !== undefined && value !== null) {
    throw invalid("/data_base64", "an event has either data or data_base64");
  }
  if (typeof base64 !== "string" || !isBase64(base64)) {
    throw invalid("/data_base64", "expected a text in base64");
  }
  return { kind: "base64", text: base64 };
}

/** An event from its attributes in the order given; those that are null are not set. */
export function readAttributes(
  attributes: readonly (readonly [name: string, value: unknown])[],
  content: Content,
): Item {
  const texts = new Map<string, string>();
  let extensions = "";
  const faults: Fault[] = [];
  const set = withinBounds(attributes);
  for (const [name, value] of set) {
    const detail = faultOf(name, value);
    if (detail !== undefined) faults.push({ pointer: `/${pointerStep(name)}`, detail });
    else if (placed.has(name)) texts.set(name, String(value));
    else extensions += `"${name}":${JSON.stringify(value)},`;
  }
  for (const name of required) {
    if (!set.some(([given]) => given === name))
      faults.push({ pointer: `/${name}`, detail: "expected a value" });
  }
  const [first] = faults;
  if (first !== undefined) {
    const detail = `${first.pointer}: ${first.detail}`;
    throw new Problem("invalid", detail, { members: { errors: faults.slice(0, faultsMax) } });
  }
  return {
    tenant: texts.get("tenant"),
    input: {
      type: texts.get("type") ?? "",
      source: texts.get("source"),
      subject: texts.get("subject"),
      time: texts.get("time"),
      dataversion: texts.get("dataversion"),
      key: texts.get("id"),
      datacontenttype: texts.get("datacontenttype"),
      extensions,
    },
    content,
  };
}

function withinBounds(attributes: readonly (readonly [string, unknown])[]) {
  const set = attributes.filter(([, value]) => value !== null && value !== undefined);
  if (set.length > attributesMax) throw invalid("", `more than ${attributesMax} attributes`);
  let length = 0;
  for (const [name, value] of set) {
    length += name.length + (typeof value === "string" ? value.length : 0);
  }
  if (length > attributesMaxLength) {
    throw invalid("", `the attributes have more than ${attributesMaxLength} characters`);
  }
  return set;
}

function faultOf(name: string, value: unknown): string | undefined {
  const check = checks.get(name);
  if (check === undefined) {
    if (!nameForm.test(name)) return "a name has up to 64 lower-case letters and digits";
    return extensionFault(value);
  }
  if (typeof value !== "string") return "expected a text";
  return textFault(value) ?? check(value);
}

function extensionFault(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return textFault(value);
    case "boolean":
      return undefined;
    case "number":
      if (Number.isInteger(value) && value >= integerMin && value <= integerMax) return undefined;
      return "a number is an integer of 32 bits";
    default:
      return "expected a text, a boolean or an integer of 32 bits";
  }
}

function textFault(text: string): string | undefined {
  return unless(isPlainText(text), "contains a character that CloudEvents do not allow");
}

function typeFault(type: string): string | undefined {
  if (!eventTypeForm.test(type)) return "expected words of letters, digits and _ between dots";
  return unless(!isReservedType(type), "tidegate.* is reserved");
}

function lengthUpTo(max: number): Check {
  return (text) => {
    const length = text.length > max ? Array.from(text).length : text.length;
    return unless(length > 0 && length <= max, `expected 1 to ${max} characters`);
  };
}

function unless(isFine: boolean, fault: string): string | undefined {
  return isFine ? undefined : fault;
}

/** RFC 6901. */
function pointerStep(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
