/** Sends requests to operations as openapi.yaml describes them, and finds what they can name. */
import { readAnswer, type Answer, type TestGateway } from "./gateway.ts";
import { openApi, type Operation, type Schema } from "./openapi.ts";
import type { Thing } from "./planted.ts";

export type Request = {
  readonly path?: Readonly<Record<string, string>>;
  /** Text is sent as it is. */
  readonly query?: Readonly<Record<string, string>> | string;
  /** Text is sent as it is, all else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Where a request can name something: `cursor` of the query, `/start/cursor` of the body. */
export type Place = {
  readonly in: "query" | "body" | "header";
  /** Of a body a pointer, in which `*` stands for the first item. */
  readonly name: string;
  readonly names: "tenant" | Thing;
};

/** Names that parameters and members have in all operations, and what they name. */
const thingsByName: Readonly<Record<string, Place["names"]>> = {
  tenant: "tenant",
  cursor: "cursor",
  endpoint: "endpoint",
  event: "event",
  events: "event",
  through: "cursor",
  key: "idempotencyKey",
};

/** Texts that name nothing which a tenant could have. */
const plainTexts = new Set([
  ...["window", "step", "from", "types", "subjects", "type", "source", "subject", "dataversion"],
  ...[
    "name",
    "description",
    "reason",
    "detail",
    "secret",
    "retry_schedule",
    "give_up_after",
    "window",
    "url",
    // Operators alone may ask, and of any tenant.
    "q",
    // A credential, as a key is: what it is good for is shown in test/integration/tickets.test.ts.
    "ticket",
    // What a producer says of its own trace; the gateway only passes it on.
    ...["traceparent", "tracestate"],
  ],
]);

/** An open stream is read until its first event, which is there when it opens. */
const streamDeadlineMs = 2_000;

export async function send(
  { url, operatorKey }: TestGateway,
  operation: Operation,
  request: Request,
  /** The operator's unless given; null for none. */
  key: string | null = operatorKey,
): Promise<Answer> {
  const { method } = operation;
  const headers = new Headers(request.headers);
  if (key !== null) headers.set("authorization", `Bearer ${key}`);
  const { body } = request;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  if (text !== undefined && !headers.has("content-type")) {
    headers.set("content-type", "application/json");
  }
  const init = { method, headers, ...(text !== undefined && { body: text }) };
  const response = await fetch(url + targetOf(operation, request), init);
  const type = response.headers.get("content-type");
  return type === "text/event-stream" ? await readStream(response) : await readAnswer(response);
}

function targetOf(operation: Operation, { path = {}, query = {} }: Request): string {
  const pathname = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = path[name];
    if (value === undefined) throw new Error(`the case of ${operation.id} gives no ${name}`);
    return encodeURIComponent(value);
  });
  const text = typeof query === "string" ? query : new URLSearchParams(query).toString();
  return text === "" ? pathname : `${pathname}?${text}`;
}

async function readStream(response: Response): Promise<Answer> {
  const { status, headers, body } = response;
  let text = "";
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  const deadline = setTimeout(() => void reader?.cancel(), streamDeadlineMs);
  while (reader !== undefined && !/data: .*\n\n/s.test(text)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
  }
  clearTimeout(deadline);
  await reader?.cancel();
  return { status, headers, text, json: undefined, slug: undefined };
}

/** Every place at which this request can name something of a tenant. */
export function placesOf(operation: Operation, body: unknown): Place[] {
  const query = operation.parameters
    .filter((parameter) => parameter.in === "query")
    .map(({ name, schema }) => ({ in: "query" as const, name, last: name, schema }));
  const schema = bodySchema(operation);
  const members = schema === undefined ? [] : [...membersOf(schema, body)];
  const inBody = members.map((member) => ({ in: "body" as const, ...member }));
  return [...query, ...inBody].flatMap((place) => {
    const names = thingNamed(operation, place.last, place.schema);
    return names === undefined ? [] : [{ in: place.in, name: place.name, names }];
  });
}

/** Every place of the operation, whichever form its body takes. */
export function allPlacesOf(operation: Operation): Place[] {
  return placesOf(operation, undefined);
}

/** The request with a value at a place. */
export function withValue(request: Request, place: Place, value: string): Request {
  const { query = {}, headers, body } = request;
  switch (place.in) {
    case "query":
      if (typeof query === "string") throw new Error("the query is text already");
      return { ...request, query: { ...query, [place.name]: value } };
    case "header":
      return { ...request, headers: { ...headers, [place.name]: value } };
    case "body":
      return { ...request, body: placed(body, place.name.split("/").slice(1), value) };
  }
}

function placed(node: unknown, [step, ...rest]: readonly string[], value: string): unknown {
  if (step === undefined) return value;
  if (step === "*") {
    const [first, ...others] = Array.isArray(node) ? (node as unknown[]) : [];
    return [placed(first, rest, value), ...others];
  }
  const members = typeof node === "object" && node !== null ? node : {};
  return { ...members, [step]: placed((members as Schema)[step], rest, value) };
}

function bodySchema({ requestBody }: Operation): Schema | undefined {
  return requestBody?.content["application/json"]?.schema;
}

type Member = { readonly name: string; readonly last: string; readonly schema: Schema };

/** The members that a body has or may have, where it has the form of only some of the branches. */
function* membersOf(given: Schema, value: unknown, base = ""): Generator<Member> {
  const schema = resolved(given);
  for (const keyword of ["anyOf", "oneOf", "allOf"]) {
    for (const branch of (schema[keyword] ?? []) as Schema[]) {
      const fits = value === undefined || openApi().faults(branch, value).length === 0;
      if (fits) yield* membersOf(branch, value, base);
    }
  }
  for (const [name, member] of Object.entries((schema["properties"] ?? {}) as Schema)) {
    const inner = (value as Schema | null | undefined)?.[name];
    yield* memberAndWithin(`${base}/${name}`, name, member as Schema, inner);
  }
}

function* memberAndWithin(
  name: string,
  last: string,
  given: Schema,
  value: unknown,
): Generator<Member> {
  const schema = resolved(given);
  const items = schema["items"] as Schema | undefined;
  if (items === undefined) {
    yield { name, last, schema };
    yield* membersOf(schema, value, name);
  } else {
    const [first] = Array.isArray(value) ? (value as unknown[]) : [];
    yield* memberAndWithin(`${name}/*`, last, items, first);
  }
}

function resolved(schema: Schema): Schema {
  const reference = schema["$ref"];
  if (typeof reference !== "string") return schema;
  const name = reference.split("/").at(-1) ?? "";
  return openApi().document.components.schemas[name] ?? {};
}

function thingNamed(
  operation: Operation,
  name: string,
  schema: Schema,
): Place["names"] | undefined {
  const names = isText(schema) ? thingsByName[name] : undefined;
  if (names !== undefined || !isText(schema) || plainTexts.has(name)) return names;
  throw new Error(
    `"${name}" of ${operation.id} may name a thing of a tenant: say in test/support/exercise.ts ` +
      "what it names (thingsByName), or that it names nothing (plainTexts)",
  );
}

/** Free text: what has a fixed set of values or the form of a time or URL names no thing. */
function isText(given: Schema): boolean {
  const schema = resolved(given);
  const branches = (schema["anyOf"] ?? schema["oneOf"] ?? []) as Schema[];
  if (branches.length > 0) return branches.some(isText);
  if (schema["items"] !== undefined) return isText(schema["items"] as Schema);
  const isFixed = ["enum", "const", "format"].some((keyword) => keyword in schema);
  return [schema["type"]].flat().includes("string") && !isFixed;
}
