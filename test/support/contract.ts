/**
 * Holds answers to openapi.yaml. What the document does not name breaks the contract: a status, a
 * media type, a header, a member.
 */
import { problems, type ProblemSlug } from "../../src/problem.ts";
import { createBlockCheck } from "./event-stream.ts";
import { openApi, type DocumentedResponse, type OpenApi, type Operation } from "./openapi.ts";

export class ContractBreach extends Error {
  constructor(what: string, detail: string) {
    super(
      `${what}: ${detail}\nEither the answer is wrong or what its route declares; ` +
        "after a change of the routes run: npm run generate",
    );
    this.name = "ContractBreach";
  }
}

export type Answered = {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  /**
   * A server of some routes only knows no path but theirs, and may serve samples beside them.
   * A whole gateway serves all that the document names and nothing else.
   */
  readonly isWhole: boolean;
};

/** What is left to be checked when the head is right. Each throws a `ContractBreach`. */
export type BodyCheck =
  | { readonly kind: "none" }
  /** The whole body. */
  | { readonly kind: "text"; check(text: string): void }
  /** Piece by piece. */
  | { readonly kind: "stream"; check(text: string): void };

const problemMediaType = "application/problem+json";

/** Any request can be answered so, whatever it asks: HTTP itself has gone wrong. */
const ofEveryRequest: readonly ProblemSlug[] = [
  "malformed-request",
  "method-not-allowed",
  "expectation-failed",
  "headers-too-large",
];

/** How a message is carried, or what every answer has: not repeated for each in the document. */
const commonHeaders =
  /^(content-(type|length)|date|connection|keep-alive|transfer-encoding|vary|cache-control|x-content-type-options|x-accel-buffering|tidegate-request-id|access-control-.*)$/;

/** Answers without these come from below the routes, and are problems of every request. */
const requiredHeaders = ["tidegate-request-id", "cache-control", "x-content-type-options"];

const nothing: BodyCheck = { kind: "none" };

/** Checks the head of an answer and says what is left to check. */
export function checkAnswer(answered: Answered, api: OpenApi = openApi()): BodyCheck {
  const { method, url, status, headers, isWhole } = answered;
  const { pathname } = new URL(url);
  const what = `${method} ${pathname} answered ${status}`;
  const operation = api.find(method === "HEAD" ? "GET" : method, pathname);
  if (operation === undefined && !isWhole) return nothing;
  const type = mediaType(headers);
  if (type === problemMediaType && status >= 400) {
    return method === "HEAD" ? nothing : { kind: "text", check: checkProblem };
  }
  requireHeaders();
  if (operation === undefined) {
    if (method === "OPTIONS" && status === 204 && headers.has("allow")) return nothing;
    throw breach("the document has no such operation");
  }
  const documented = operation.responses[status];
  if (documented === undefined) throw breach("the document has no such status here");
  checkHeaders(documented);
  const schema = schemaOf(documented, type);
  if (schema === undefined || method === "HEAD") return nothing;
  if (type === "text/event-stream") return { kind: "stream", check: checkBlocks() };
  if (!/[/+]json$/.test(type ?? "")) return nothing;
  return { kind: "text", check: (text) => checkFaults(api.faults(schema, parseJson(text))) };

  function checkProblem(text: string): void {
    const value = parseJson(text) as { type?: string; status?: number };
    const { Problem } = api.document.components.schemas;
    checkFaults(api.faults(Problem ?? {}, value));
    if (value.status !== status) throw breach(`the body says ${value.status}`);
    const slug = String(value.type).split("/").at(-1) as ProblemSlug;
    if (problems[slug]?.status !== status) throw breach(`"${slug}" is no problem of this status`);
    if (isOfEveryRequest(slug, operation)) return;
    requireHeaders();
    const documented = operation?.responses[status];
    const schema = documented?.content?.[problemMediaType]?.schema;
    if (documented === undefined || schema === undefined) {
      throw breach(`the document does not name the problem "${slug}" here`);
    }
    checkFaults(api.faults(schema, value));
    checkHeaders(documented);
  }

  function isOfEveryRequest(slug: ProblemSlug, found: Operation | undefined): boolean {
    if (slug === "not-found" && !isWhole) return true;
    if (slug === "not-found" && found === undefined) return !api.hasPath(pathname);
    if (slug === "method-not-allowed" && !headers.has("allow")) return false;
    return ofEveryRequest.includes(slug);
  }

  function requireHeaders(): void {
    const missing = requiredHeaders.filter((name) => !headers.has(name));
    if (missing.length > 0) throw breach(`it lacks ${missing.join(", ")}`);
  }

  function checkHeaders(documented: DocumentedResponse): void {
    const declared = documented.headers ?? {};
    for (const name of headers.keys()) {
      if (commonHeaders.test(name) || name in declared) continue;
      throw breach(`the document does not name the header ${name}`);
    }
    for (const [name, { required }] of Object.entries(declared)) {
      if (required === true && !headers.has(name)) throw breach(`it lacks ${name}`);
    }
  }

  function schemaOf(documented: DocumentedResponse, given: string | undefined) {
    if (given === undefined && documented.content === undefined) return undefined;
    const content = documented.content?.[given ?? ""];
    if (content === undefined) throw breach(`the document does not name ${given ?? "no body"}`);
    return content.schema;
  }

  function checkBlocks(): (text: string) => void {
    const { Event = {}, Problem = {} } = api.document.components.schemas;
    const check = createBlockCheck({
      event: (value) => checkFaults(api.faults(Event, value)),
      problem: (value) => checkFaults(api.faults(Problem, value)),
    });
    return (text) => {
      try {
        check(text);
      } catch (error) {
        throw error instanceof ContractBreach ? error : breach(String(error));
      }
    };
  }

  function checkFaults(faults: readonly string[]): void {
    if (faults.length > 0) throw breach(faults.join("\n  "));
  }

  function parseJson(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw breach("the body is not JSON");
    }
  }

  function breach(detail: string): ContractBreach {
    return new ContractBreach(what, detail);
  }
}

function mediaType(headers: Headers): string | undefined {
  return headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
}
