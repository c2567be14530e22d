/** Puts values where a request has room for some, and writes it down as bytes. */
import type { Request } from "./exercise.ts";
import { openApi, type Operation, type Schema } from "./openapi.ts";

export type Change =
  | { readonly kind: "path"; readonly value: string }
  /** One of the operation's parameters. */
  | { readonly kind: "query"; readonly at: number; readonly value: string }
  | { readonly kind: "query name"; readonly name: string; readonly value: string }
  | { readonly kind: "header"; readonly name: string; readonly value: string }
  /** In place of a member of the body, of one that it may have, or of an item. */
  | { readonly kind: "member"; readonly at: number; readonly value: Buffer }
  /** Under a name of its own, next to one. */
  | {
      readonly kind: "member beside";
      readonly at: number;
      readonly name: string;
      readonly value: Buffer;
    }
  /** Once more under the same name. */
  | { readonly kind: "repeated"; readonly at: number; readonly value: Buffer }
  | { readonly kind: "body"; readonly value: Buffer }
  /** Over some of the body's. */
  | { readonly kind: "bytes"; readonly at: number; readonly bytes: Uint8Array };

/** Where a value can stand in a body: the steps to it. */
export type Pointer = readonly string[];

/** Nobody reads the body of a GET. A connection that is closed over a large one is reset. */
const unreadMaxBytes = 1_024;

/** Deeper members are reached by replacing what they stand in. */
const pointerMaxSteps = 4;

/** Every place that the schemas of an operation's body name. */
export function bodyPointers({ requestBody }: Operation): Pointer[] {
  const found = new Map<string, Pointer>();
  for (const { schema } of Object.values(requestBody?.content ?? {})) visit(schema, []);
  return [...found.values()];

  function visit(given: Schema, steps: Pointer): void {
    if (steps.length > pointerMaxSteps) return;
    const schema = resolved(given);
    if (steps.length > 0) found.set(steps.join("/"), steps);
    for (const keyword of ["anyOf", "oneOf", "allOf"]) {
      for (const branch of (schema[keyword] ?? []) as Schema[]) visit(branch, steps);
    }
    for (const [name, member] of Object.entries((schema["properties"] ?? {}) as Schema)) {
      visit(member as Schema, [...steps, name]);
    }
    const { items, additionalProperties: others } = schema as { items?: Schema } & Schema;
    if (typeof items === "object") visit(items, [...steps, "0"]);
    if (typeof others === "object") visit(others as Schema, [...steps, "any"]);
  }
}

/** Requests with the bodies that the document gives as examples, one media type after the other. */
export function exampleRequests({ requestBody }: Operation): Request[] {
  return Object.entries(requestBody?.content ?? {}).flatMap(([type, { schema }]) =>
    examplesIn(schema).map((body) => ({ body, headers: { "content-type": type } })),
  );
}

function examplesIn(given: Schema): unknown[] {
  const { example, examples, anyOf, oneOf } = resolved(given);
  if (example !== undefined) return [example];
  if (Array.isArray(examples)) return examples as unknown[];
  return ((anyOf ?? oneOf ?? []) as Schema[]).flatMap(examplesIn);
}

export function toBytes(
  operation: Operation,
  request: Request,
  changes: readonly Change[],
  pointers: readonly Pointer[],
): Buffer {
  const whole = bodyOf(request, changes, pointers);
  const body = operation.requestBody ? whole : whole?.subarray(0, unreadMaxBytes);
  const headers: Record<string, string> = { host: "localhost", connection: "close" };
  if (body !== undefined) headers["content-type"] = "application/json";
  Object.assign(headers, request.headers);
  for (const each of changes) {
    if (each.kind === "header") headers[each.name] = each.value;
  }
  if (body !== undefined) headers["content-length"] = String(body.length);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const line = `${operation.method} ${targetOf(operation, request, changes)} HTTP/1.1\r\n`;
  const head = Buffer.from(`${line}${lines.join("")}\r\n`, "latin1");
  return Buffer.concat([head, body ?? Buffer.alloc(0)]);
}

function targetOf(operation: Operation, request: Request, changes: readonly Change[]): string {
  const inPath = changes.find((each) => each.kind === "path");
  const path = operation.path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => inPath?.value ?? encodeURIComponent(request.path?.[name] ?? ""),
  );
  const known = operation.parameters.filter((each) => each.in === "query");
  const pairs = changes.flatMap((each) => {
    if (each.kind === "query name") return [`${each.name}=${each.value}`];
    if (each.kind !== "query") return [];
    const name = known[each.at % Math.max(known.length, 1)]?.name ?? "tenant";
    // Nobody waits here for an event that does not come.
    return name === "wait" && /^\d+$/.test(each.value) ? [] : [`${name}=${each.value}`];
  });
  const { query = {} } = request;
  const given = typeof query === "string" ? query : new URLSearchParams(query).toString();
  const all = [given, ...pairs].filter((pair) => pair !== "").join("&");
  return all === "" ? path : `${path}?${all}`;
}

function bodyOf(
  { body }: Request,
  changes: readonly Change[],
  pointers: readonly Pointer[],
): Buffer | undefined {
  let bytes = body === undefined ? undefined : bytesOf(body);
  let value = body;
  const values: [literal: string, text: Buffer][] = [];
  for (const each of changes) {
    const mark = `placed ${values.length}`;
    switch (each.kind) {
      case "body":
        return each.value;
      case "member":
      case "member beside":
      case "repeated": {
        const steps = pointers[each.at % Math.max(pointers.length, 1)];
        if (steps === undefined || typeof body === "string") break;
        const isBeside = each.kind === "member beside";
        value = placed(value, isBeside ? [...steps.slice(0, -1), mark] : steps, mark);
        const literal = JSON.stringify(mark);
        values.push([isBeside ? `${literal}:${literal}` : literal, textOf(each, steps)]);
        bytes = bytesOf(value);
        break;
      }
      default:
        break;
    }
  }
  for (const [literal, text] of values) bytes = bytes && replaced(bytes, literal, text);
  for (const each of changes) {
    if (each.kind === "bytes") bytes = bytes && overwritten(bytes, each.at, each.bytes);
  }
  return bytes;
}

/** What stands for a change where its mark is. */
function textOf(change: Extract<Change, { at: number; value: Buffer }>, steps: Pointer): Buffer {
  const { kind, value } = change;
  switch (kind) {
    case "member":
      return value;
    case "member beside":
      return Buffer.concat([Buffer.from(`${JSON.stringify(change.name)}:`), value]);
    case "repeated":
      return Buffer.concat([value, Buffer.from(`,${JSON.stringify(steps.at(-1))}:`), value]);
  }
}

function bytesOf(body: unknown): Buffer {
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

function replaced(bytes: Buffer, literal: string, text: Buffer): Buffer {
  const at = bytes.indexOf(literal);
  // Replaced by a later change.
  if (at === -1) return bytes;
  return Buffer.concat([bytes.subarray(0, at), text, bytes.subarray(at + literal.length)]);
}

function overwritten(bytes: Buffer, at: number, by: Uint8Array): Buffer {
  const start = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(start + by.length)]);
}

/** The value with another one at the end of the steps; what is missing on the way is made. */
function placed(node: unknown, [step, ...rest]: Pointer, value: unknown): unknown {
  if (step === undefined) return value;
  if (step === "0") {
    const [first, ...others] = Array.isArray(node) ? (node as unknown[]) : [];
    return [placed(first, rest, value), ...others];
  }
  const members = typeof node === "object" && node !== null && !Array.isArray(node) ? node : {};
  return { ...members, [step]: placed((members as Schema)[step], rest, value) };
}

function resolved(schema: Schema): Schema {
  const reference = schema["$ref"];
  if (typeof reference !== "string") return schema;
  return openApi().document.components.schemas[reference.split("/").at(-1) ?? ""] ?? {};
}
