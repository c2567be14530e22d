/**
 * Writes the declared routes down as an OpenAPI 3.1 document, and serves it. What a route takes
 * and answers comes from the schemas that check its requests; the problems it can answer from its
 * own list and from its form: whoever needs a key can be refused, whoever sends JSON can err in it.
 *
 * `x-tidegate-access` and `x-tidegate-tenant` repeat the declaration for tools and tests.
 */
import { STATUS_CODES } from "node:http";
import { stringify } from "yaml";
import { z } from "zod";
import { createDocument, type oas31 } from "zod-openapi";
import type { ZodOpenApiOperationObject, ZodOpenApiResponseObject } from "zod-openapi";
import { type ProblemSlug, problems } from "../problem.ts";
import { problemSchema, problemSchemaOf } from "./problem-schemas.ts";
import { problemMediaType } from "./reply.ts";
import { type ResponseSpec, type Route, route } from "./route.ts";
import { tenantMember } from "./schemas.ts";
import { mediaTypesOf } from "./validate.ts";

export type OpenApiDocument = oas31.OpenAPIObject;

export type DocumentInfo = {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: { readonly name: string; readonly identifier: string };
  readonly servers?: readonly { readonly url: string; readonly description: string }[];
  /** Tag → what its operations are about. */
  readonly tags?: Readonly<Record<string, string>>;
};

export function openApiDocument(routes: readonly Route[], info: DocumentInfo): OpenApiDocument {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const declared of routes) {
    checkPath(declared);
    const operations = (paths[declared.path] ??= {});
    if (declared.method in operations) throw new Error(`${declared.id} is declared twice`);
    operations[declared.method] = operationOf(declared);
  }
  const { servers, tags = {}, ...about } = info;
  return createDocument({
    openapi: "3.1.1",
    info: about,
    ...(servers !== undefined && { servers: [...servers] }),
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => {
      const description = tags[name];
      return { name, ...(description !== undefined && { description }) };
    }),
    paths,
    components: { schemas: { Problem: problemSchema }, securitySchemes: schemesOf(routes) },
  });
}

/** The text of `openapi.yaml`, in the repository and on the wire. */
export function openApiYaml(document: OpenApiDocument): string {
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 });
}

const beginning = { openapi: "3.1.1", info: { title: "Tidegate", version: "1.0.0" }, paths: {} };

/** The document is asked for late, because these routes are in it too. */
export function createDocumentRoutes(document: () => OpenApiDocument): Route[] {
  const shared = { method: "get", tag: "system", access: "public" } as const;
  let json: string | undefined;
  let yaml: string | undefined;
  return [
    route({
      ...shared,
      path: "/openapi.json",
      id: "getOpenApiJson",
      summary: "This document as JSON",
      responses: {
        200: { content: { "application/json": z.looseObject({}).meta({ example: beginning }) } },
      },
      handle: () => ({ status: 200, text: (json ??= JSON.stringify(document())) }),
    }),
    route({
      ...shared,
      path: "/openapi.yaml",
      id: "getOpenApiYaml",
      summary: "This document as YAML",
      responses: {
        200: {
          content: { "application/yaml": z.string().meta({ example: stringify(beginning) }) },
        },
      },
      handle: () => ({
        status: 200,
        text: (yaml ??= openApiYaml(document())),
        contentType: "application/yaml",
      }),
    }),
  ];
}

const bearer = {
  type: "http",
  scheme: "bearer",
  description: "An operator key, or a key of one tenant with the scope that the route asks for",
} as const;

const ticket = {
  type: "apiKey",
  in: "query",
  name: "ticket",
  description: "Stands in for a key where a browser cannot set headers",
} as const;

function schemesOf(routes: readonly Route[]) {
  const isUsed = routes.some((declared) => declared.ticket !== undefined);
  return { bearer, ...(isUsed && { ticket }) };
}

function operationOf(declared: Route): ZodOpenApiOperationObject {
  const { access, body, params, query, tenant } = declared;
  const parameters = { ...query?.shape, ...(tenant !== undefined && tenantMember) };
  return {
    operationId: declared.id,
    tags: [declared.tag],
    summary: declared.summary,
    ...(declared.description !== undefined && { description: declared.description }),
    security: securityOf(declared),
    "x-tidegate-access": access,
    ...(tenant !== undefined && { "x-tidegate-tenant": tenant }),
    requestParams: {
      ...(params !== undefined && { path: params }),
      ...(Object.keys(parameters).length > 0 && { query: z.object(parameters) }),
    },
    ...(body !== undefined && { requestBody: requestBodyOf(body, declared.method) }),
    responses: responsesOf(declared),
  };
}

function requestBodyOf(body: NonNullable<Route["body"]>, method: Route["method"]) {
  if (!(body instanceof z.ZodType)) {
    const entries = Object.entries(body.content).map(([type, schema]) => [type, { schema }]);
    const { description } = body;
    return {
      required: true,
      content: Object.fromEntries(entries),
      ...(description !== undefined && { description }),
    };
  }
  const types = mediaTypesOf(body, method).map((type) => [type, { schema: body }]);
  return { required: !body.safeParse(undefined).success, content: Object.fromEntries(types) };
}

function securityOf({ access, ticket }: Route): Record<string, string[]>[] {
  if (access === "public") return [];
  return ticket === undefined ? [{ bearer: [] }] : [{ bearer: [] }, { ticket: [] }];
}

function responsesOf(
  declared: Route,
): Record<`${1 | 2 | 3 | 4 | 5}${string}`, ZodOpenApiResponseObject> {
  const responses: Record<string, ResponseObject> = {};
  for (const [status, spec] of Object.entries(declared.responses)) {
    responses[status] = responseOf(Number(status), spec);
  }
  const byStatus = Map.groupBy(problemsOf(declared), (slug) => problems[slug].status);
  for (const [status, slugs] of [...byStatus].toSorted(([a], [b]) => a - b)) {
    responses[status] = withProblems(responses[status], status, slugs);
  }
  if (declared.limit === undefined) return responses;
  const limited = Object.entries(responses).map(([status, response]) => {
    return [status, { ...response, headers: { ...rateLimitHeaders, ...response.headers } }];
  });
  return Object.fromEntries(limited) as typeof responses;
}

type ResponseObject = Omit<ZodOpenApiResponseObject, "headers"> & { headers?: HeaderObjects };

type HeaderObjects = Record<string, { description: string; schema: { type: "string" } }>;

/** A status may stand for an answer of the route's own as well: `/readyz` says 503 in two forms. */
function withProblems(
  own: ResponseObject | undefined,
  status: number,
  slugs: readonly ProblemSlug[],
): ResponseObject {
  const problem = problemResponse(status, slugs);
  if (own === undefined) return problem;
  return {
    description: `${own.description}\n\n${problem.description}`,
    headers: { ...own.headers, ...problem.headers },
    content: { ...own.content, ...problem.content },
  };
}

function responseOf(status: number, spec: ResponseSpec): ResponseObject {
  const full = spec instanceof z.ZodType ? { body: spec } : spec;
  const content = {
    ...(full.body !== undefined && { "application/json": full.body }),
    ...full.content,
  };
  const media = Object.entries(content).map(([type, schema]) => [type, { schema }]);
  return {
    description: full.description ?? STATUS_CODES[status] ?? "",
    ...headersOf(full.headers),
    ...(media.length > 0 && { content: Object.fromEntries(media) }),
  };
}

function headersOf(headers: Readonly<Record<string, string>> = {}): { headers?: HeaderObjects } {
  const described = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: "string" } },
  ]);
  return described.length > 0 ? { headers: Object.fromEntries(described) } : {};
}

/** On every answer of a route that counts against a rate, where its tenant has one. */
const { headers: rateLimitHeaders } = headersOf({
  "ratelimit-policy": "The tenant's rate, where it has one",
  ratelimit: "What is left of it",
});

/** What problems of a status tell in headers, so that clients need not read their text. */
const problemHeaders: Readonly<Record<number, Record<string, string>>> = {
  401: { "www-authenticate": "Asks for a bearer token" },
  403: { "www-authenticate": "The scope that is missing" },
  415: { accept: "The media types that are taken" },
  429: { "retry-after": "Seconds" },
  503: { "retry-after": "Seconds" },
};

function problemResponse(status: number, slugs: readonly ProblemSlug[]): ResponseObject {
  return {
    description: slugs.map((slug) => `\`${slug}\`: ${problems[slug].title}`).join("\n\n"),
    ...headersOf(problemHeaders[status]),
    content: {
      [problemMediaType]: { schema: problemSchemaOf(slugs) },
    },
  };
}

/** The problems a route can answer: by its form, and by its own list. */
function problemsOf(declared: Route): ProblemSlug[] {
  const { access, tenant, limit, body, page, problems: own = [] } = declared;
  const slugs: ProblemSlug[] = [];
  if (!page) slugs.push("unknown-parameter", "duplicate-parameter", "invalid-parameter");
  if (access !== "public") slugs.push("unauthorized", "scope-missing");
  if (tenant === "named") slugs.push("tenant-required");
  if (tenant !== undefined) slugs.push("unknown-tenant", "tenant-erasing");
  if (limit !== undefined) slugs.push("quota-exceeded");
  if (body !== undefined) slugs.push("payload-too-large", "unsupported-media-type");
  if (body !== undefined) slugs.push("malformed-json", "request-timeout");
  if (body instanceof z.ZodType) slugs.push("invalid");
  slugs.push(...own, "internal-error", "unavailable");
  return [...new Set(slugs)];
}

function checkPath({ id, path, params }: Route): void {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const declared = Object.keys(params?.shape ?? {});
  if (inPath.length !== declared.length || !inPath.every((name) => declared.includes(name))) {
    throw new Error(`${id}: the parameters of ${path} are not those of its schema`);
  }
}
