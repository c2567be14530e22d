/** The document of a few sample routes: valid OpenAPI 3.1, and what the declarations say. */
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { createDocumentRoutes, openApiDocument, openApiYaml } from "../../src/http/openapi.ts";
import { problemSchemaOf } from "../../src/http/problem-schemas.ts";
import { rawBody, route } from "../../src/http/route.ts";
import { pageOf, pageQuery, tenantMember, timestamp } from "../../src/http/schemas.ts";

const thing = z.object({ id: z.string(), created_at: timestamp }).meta({ id: "Thing" });
const newThing = z.strictObject({ ...tenantMember, note: z.string() }).meta({ id: "NewThing" });
const shared = { tag: "things", summary: "A sample" } as const;
const never = (): never => {
  throw new Error("only documented");
};

const routes = [
  route({
    ...shared,
    method: "get",
    path: "/things",
    id: "listThings",
    access: "read",
    tenant: "named",
    ticket: async () => undefined,
    query: z.object(pageQuery),
    responses: { 200: pageOf("things", thing) },
    problems: ["cursor-invalid"],
    handle: never,
  }),
  route({
    ...shared,
    method: "patch",
    path: "/things/{id}",
    id: "changeThing",
    access: "operator",
    params: z.object({ id: z.string() }),
    body: newThing,
    responses: { 200: { body: thing, headers: { etag: "Names this state" } } },
    handle: never,
  }),
  route({
    ...shared,
    method: "post",
    path: "/things",
    id: "sendThings",
    access: "append",
    limit: "appends",
    body: rawBody({ content: { "application/x-ndjson": z.string() } }),
    responses: { 204: { description: "Taken" } },
    handle: never,
  }),
  ...createDocumentRoutes(() => document),
];

const document = openApiDocument(routes, {
  title: "Sample",
  version: "1",
  servers: [{ url: "http://127.0.0.1:1", description: "One" }],
  tags: { things: "Samples", none: "No operation has it" },
});

type DocumentedResponse = {
  description: string;
  headers?: Record<string, unknown>;
  content?: Record<string, { schema: unknown }>;
};

type Operation = {
  operationId: string;
  security: Record<string, string[]>[];
  parameters?: { in: string; name: string; required?: boolean }[];
  requestBody?: { required: boolean; content: Record<string, unknown> };
  responses: Record<string, DocumentedResponse>;
};

function operation(path: string, method: string): Operation {
  const item = document.paths?.[path] as Record<string, Operation> | undefined;
  const found = item?.[method];
  if (found === undefined) throw new Error(`${method} ${path} is not in the document`);
  return found;
}

test("every reference leads somewhere, and every schema is one", () => {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(document, "document");
  const references: string[] = [];
  JSON.stringify(document, (key, value: unknown) => {
    if (key === "$ref") references.push(String(value));
    if (key === "schema") ajv.compile(absolute(value));
    return value;
  });
  expect(references).toContain("#/components/schemas/Thing");
  for (const reference of new Set(references)) {
    expect([reference, ajv.getSchema(`document${reference}`)]).not.toContain(undefined);
  }
});

test("each operation has a name of its own and describes every response", () => {
  const ids = routes.map(({ path, method }) => operation(path, method).operationId);
  expect(ids).toEqual(routes.map(({ id }) => id));
  for (const { path, method } of routes) {
    const { responses } = operation(path, method);
    for (const { description } of Object.values(responses)) expect(description).not.toBe("");
  }
});

test("parameters are those of path and query, and the tenant's where it is named", () => {
  const names = ({ parameters = [] }: Operation) =>
    parameters.map((one) => `${one.in} ${one.name}`);
  expect(names(operation("/things", "get"))).toEqual([
    "query limit",
    "query cursor",
    "query tenant",
  ]);
  expect(names(operation("/things/{id}", "patch"))).toEqual(["path id"]);
});

test("keys and tickets are asked for where the route does", () => {
  expect(operation("/things", "get").security).toEqual([{ bearer: [] }, { ticket: [] }]);
  expect(operation("/things", "post").security).toEqual([{ bearer: [] }]);
  expect(operation("/openapi.json", "get").security).toEqual([]);
});

test("bodies carry their media types", () => {
  const { requestBody: patch } = operation("/things/{id}", "patch");
  expect(Object.keys(patch?.content ?? {})).toEqual([
    "application/json",
    "application/merge-patch+json",
  ]);
  const { requestBody: raw } = operation("/things", "post");
  expect(Object.keys(raw?.content ?? {})).toEqual(["application/x-ndjson"]);
});

test("problems stand under their status: by the route's form, and by its own list", () => {
  const statuses = (found: Operation) => Object.keys(found.responses);
  expect(statuses(operation("/openapi.json", "get"))).toEqual(["200", "400", "500", "503"]);
  expect(statuses(operation("/things", "get"))).toEqual([
    "200",
    "400",
    "401",
    "403",
    "404",
    "409",
    "500",
    "503",
  ]);
  expect(statuses(operation("/things/{id}", "patch"))).toEqual([
    "200",
    "400",
    "401",
    "403",
    "408",
    "413",
    "415",
    "422",
    "500",
    "503",
  ]);
  const bad = operation("/things", "get").responses["400"];
  expect(bad?.description).toContain("`cursor-invalid`");
  expect(Object.keys(bad?.content ?? {})).toEqual(["application/problem+json"]);
});

test("each problem has a schema of its own, and an answer is one of those it can be", () => {
  const schemaOf = (status: string) => {
    const { content } = operation("/things", "get").responses[status] ?? {};
    return content?.["application/problem+json"]?.schema;
  };
  expect(schemaOf("401")).toEqual({ $ref: "#/components/schemas/UnauthorizedProblem" });
  expect(schemaOf("400")).toHaveProperty("oneOf");
  const { CursorInvalidProblem } = document.components?.schemas ?? {};
  expect(CursorInvalidProblem).toMatchObject({
    properties: {
      type: { const: "https://tidegate.dev/problems/cursor-invalid" },
      status: { const: 400 },
    },
  });
  expect(() => problemSchemaOf([])).toThrow();
});

test("what counts against a rate says so, and what is left of it in every answer", () => {
  const { responses } = operation("/things", "post");
  expect(responses).toHaveProperty("429");
  for (const { headers } of Object.values(responses)) expect(headers).toHaveProperty("ratelimit");
  expect(operation("/things", "get").responses).not.toHaveProperty("429");
});

test("the whole is described: where it is served, and by tag what it is about", () => {
  expect(document.servers).toEqual([{ url: "http://127.0.0.1:1", description: "One" }]);
  expect(document.tags).toEqual([{ name: "things", description: "Samples" }, { name: "system" }]);
});

test("keys alone are asked for where no route takes a ticket", () => {
  const schemesOf = (some: typeof routes) =>
    openApiDocument(some, { title: "Sample", version: "1" }).components?.securitySchemes;
  expect(Object.keys(schemesOf(routes) ?? {})).toEqual(["bearer", "ticket"]);
  expect(Object.keys(schemesOf(createDocumentRoutes(() => document)) ?? {})).toEqual(["bearer"]);
});

test("a path and its parameters must agree", () => {
  const odd = route({
    ...shared,
    method: "get",
    path: "/things/{id}",
    id: "odd",
    access: "public",
    responses: { 204: {} },
    handle: never,
  });
  expect(() => openApiDocument([odd], { title: "Sample", version: "1" })).toThrow(/odd/);
});

test("the YAML is the same document", () => {
  expect(parse(openApiYaml(document))).toEqual(JSON.parse(JSON.stringify(document)));
});

/** References of a schema on its own lead into the document it was taken from. */
function absolute(schema: unknown): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object;
}
