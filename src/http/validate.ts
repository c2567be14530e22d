/**
 * Turns schemas into readers of path, query and body. A fault of path or query is 400 and names
 * the parameter; a body that is JSON but breaks its schema is 422 and points at every fault.
 */
import { z } from "zod";
import { Problem } from "../problem.ts";
import { listIssues } from "./issues.ts";
import { decodeUtf8, parseJson } from "./json.ts";
import type { ApiRequest, Routed } from "./request.ts";
import type { BodySpec, Route } from "./route.ts";

/** Enough for the largest JSON Schema of an event type; routes that take more say so. */
const bodyLimitBytes = 1024 * 1024;

export type QueryValues = {
  /** As the schema makes them. */
  readonly values: unknown;
  /** As an operator names it; not a parameter of the schema. */
  readonly tenant: string | undefined;
};

/** Reads the query of a request target. A schema sees each parameter as a string. */
export function createQueryReader(route: Route): (target: string) => QueryValues {
  const schema = route.query ?? z.object({});
  const known = new Set(Object.keys(schema.shape));
  if (route.tenant !== undefined) known.add("tenant");
  // Most requests have no query: what the schema makes of that is the same every time.
  const absent = schema.safeParse({});
  const nothing = absent.success ? { values: absent.data, tenant: undefined } : undefined;
  if (route.page && nothing !== undefined) return () => nothing;

  return (target) => {
    const start = target.indexOf("?");
    if (nothing !== undefined && (start === -1 || start === target.length - 1)) return nothing;
    const given: Given = start === -1 ? {} : splitQuery(target.slice(start + 1), known);
    return { values: readParameters(schema, given), tenant: given.tenant };
  };
}

export function createPathReader(route: Route): (routed: Routed) => unknown {
  const schema = route.params;
  if (schema === undefined) return () => ({});
  return (routed) => readParameters(schema, routed.param());
}

/** Reads a JSON body; a raw one is left to the handler and only its media type is looked at. */
export function createBodyReader(
  route: Route,
): (request: ApiRequest) => Promise<unknown> | undefined {
  const { body } = route;
  if (body === undefined) return () => undefined;
  const accepted = mediaTypesOf(body, route.method);
  if ("kind" in body) {
    const { takesAny } = body;
    return (request) =>
      takesAny?.(request) === true ? undefined : requireMediaType(request, accepted);
  }
  const limitBytes = route.bodyLimitBytes ?? bodyLimitBytes;
  return async (request) => {
    requireMediaType(request, accepted);
    const bytes = await request.readBody(limitBytes);
    return bytes.length === 0 ? readAbsentBody(body) : readBodyText(body, decodeUtf8(bytes));
  };
}

/** The media types a route takes, for the check and for the document. */
export function mediaTypesOf(body: BodySpec, method: Route["method"]): string[] {
  if ("kind" in body) return Object.keys(body.content);
  const types = ["application/json"];
  return method === "patch" ? [...types, "application/merge-patch+json"] : types;
}

type Given = { [parameter: string]: string; tenant?: string };

function splitQuery(query: string, known: ReadonlySet<string>): Given {
  const given = Object.create(null) as Given;
  for (const [name, value] of new URLSearchParams(query)) {
    const members = { parameter: name };
    if (!known.has(name)) throw new Problem("unknown-parameter", `"${name}"`, { members });
    if (name in given) throw new Problem("duplicate-parameter", `"${name}"`, { members });
    given[name] = value;
  }
  return given;
}

function readParameters(schema: z.ZodObject, given: Record<string, string>): unknown {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = listIssues(result.error);
  const parameter = issue?.pointer.split("/")[1] ?? "";
  const detail = parameter === "" ? issue?.detail : `"${parameter}": ${issue?.detail}`;
  throw new Problem("invalid-parameter", detail, {
    members: parameter === "" ? {} : { parameter },
  });
}

function readBodyText(schema: z.ZodType, text: string): unknown {
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const errors = listIssues(result.error);
  const detail = errors.map((issue) => `${issue.pointer || "the body"}: ${issue.detail}`)[0];
  throw new Problem("invalid", detail, { members: { errors } });
}

function readAbsentBody(schema: z.ZodType): unknown {
  const result = schema.safeParse(undefined);
  if (result.success) return result.data;
  throw new Problem("malformed-json", "the body is empty");
}

/** A body without a media type is taken for what the route expects. */
function requireMediaType(request: ApiRequest, accepted: readonly string[]): undefined {
  const type = request.mediaType();
  if (type === undefined || accepted.includes(type) || accepted.includes("*/*")) return undefined;
  const detail = `"${type}" is not one of ${accepted.join(", ")}`;
  throw new Problem("unsupported-media-type", detail, { headers: { accept: accepted.join(", ") } });
}
