/**
 * openapi.yaml as tests use it: its operations, and validators for what they take and answer.
 *
 * The validators are stricter than the document: an object that lists its members has no others,
 * unless its schema says that it may.
 */
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";
import type { Access } from "../../src/http/auth.ts";
import type { TenantRule } from "../../src/http/route.ts";

export type Schema = { readonly [keyword: string]: unknown };

export type Parameter = {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required?: boolean;
  readonly schema: Schema;
};

export type Content = Readonly<Record<string, { readonly schema: Schema }>>;

export type DocumentedResponse = {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: Content;
};

export type Operation = {
  readonly id: string;
  /** In capitals. */
  readonly method: string;
  readonly path: string;
  readonly tags: readonly string[];
  readonly access: Access;
  readonly tenant: TenantRule | undefined;
  readonly parameters: readonly Parameter[];
  readonly requestBody: { readonly content: Content } | undefined;
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
};

export type Document = {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

type OperationObject = Pick<Operation, "tags" | "responses"> &
  Partial<Pick<Operation, "parameters" | "requestBody">> & {
    readonly operationId: string;
    readonly "x-tidegate-access": Access;
    readonly "x-tidegate-tenant"?: TenantRule;
  };

export type OpenApi = ReturnType<typeof createOpenApi>;

const file = new URL("../../openapi.yaml", import.meta.url);

let kept: OpenApi | undefined;

/** The document of this repository. */
export function openApi(): OpenApi {
  return (kept ??= createOpenApi(readFileSync(file, "utf8")));
}

export function createOpenApi(text: string) {
  const document = parse(text) as Document;
  const ajv = new Ajv2020({ strict: false, allErrors: true, verbose: true });
  addFormats.default(ajv);
  ajv.addSchema(closed(document) as object, "document");
  const validators = new Map<Schema, ValidateFunction>();
  const operations = operationsOf(document);
  const patterns = operations
    .toSorted((a, b) => parameterCount(a.path) - parameterCount(b.path))
    .map((operation) => ({ operation, pattern: patternOf(operation.path) }));

  return { text, document, operations, hasPath, find, faults };

  function hasPath(pathname: string): boolean {
    return patterns.some(({ pattern }) => pattern.test(pathname));
  }

  /** Of two paths that fit, the one with fewer parameters is served. */
  function find(method: string, pathname: string): Operation | undefined {
    const found = patterns.find(
      ({ operation, pattern }) => operation.method === method && pattern.test(pathname),
    );
    return found?.operation;
  }

  /** What is wrong with a value, in a line each; empty when it is as the schema says. */
  function faults(schema: Schema, value: unknown): string[] {
    let validate = validators.get(schema);
    if (validate === undefined) {
      validate = ajv.compile(closed(absolute(schema)) as object);
      validators.set(schema, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const { unevaluatedProperty, additionalProperty, allowedValues, allowedValue } = params;
      const what = unevaluatedProperty ?? additionalProperty ?? allowedValues ?? allowedValue;
      const about = what === undefined ? "" : ` (${[what].flat().join(", ")})`;
      return `${instancePath || "the whole"} ${message ?? "is wrong"}${about}`;
    });
  }
}

function operationsOf(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, object]) => ({
      id: object.operationId,
      method: method.toUpperCase(),
      path,
      tags: object.tags,
      access: object["x-tidegate-access"],
      tenant: object["x-tidegate-tenant"],
      parameters: object.parameters ?? [],
      requestBody: object.requestBody,
      responses: object.responses,
    })),
  );
}

function patternOf(path: string): RegExp {
  const literal = path.replaceAll(".", "\\.");
  return new RegExp(`^${literal.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}

function parameterCount(path: string): number {
  return path.split("{").length;
}

/** References of a schema on its own lead into the document it was taken from. */
function absolute(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as Schema;
}

/**
 * The same schema without room for members it does not name. What `allOf` puts together is closed
 * as a whole, since each part knows only its own members.
 */
function closed(node: unknown, isPart = false): unknown {
  if (Array.isArray(node)) return node.map((item) => closed(item));
  if (typeof node !== "object" || node === null) return node;
  const schema = node as Schema;
  const copy = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === "example" || key === "default" || key === "const") return [key, value];
      if (key !== "allOf" || !Array.isArray(value)) return [key, closed(value)];
      return [key, value.map((part) => closed(part, true))];
    }),
  );
  const listsMembers = isSchemas(schema["properties"]) || Array.isArray(schema["allOf"]);
  const isDecided = "additionalProperties" in schema || "unevaluatedProperties" in schema;
  return listsMembers && !isDecided && !isPart ? { ...copy, unevaluatedProperties: false } : copy;
}

/** A member may itself be called `properties`; then its value is a schema and not a map of them. */
function isSchemas(properties: unknown): boolean {
  if (typeof properties !== "object" || properties === null) return false;
  return Object.values(properties).every((value) => typeof value === "object" && value !== null);
}
