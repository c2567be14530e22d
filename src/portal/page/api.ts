/**
 * The public API, by the types that are generated from openapi.yaml. Nothing else is called: what
 * the page can do, any customer can do.
 */
import createClient from "openapi-fetch";
import type { components, paths } from "../../client/api.ts";
import { currentKey } from "./session.ts";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];

/** An answer that is no success, or none at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `the gateway answered ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
  }

  /** The last part of the problem's type: `not-found`. */
  get slug(): string {
    return this.problem.type?.split("/").at(-1) ?? "";
  }
}

/** The client for all JSON. `baseUrl` is the origin that served the page. */
export const api = createClient<paths>({ baseUrl: location.origin });

api.use({
  onRequest({ request }) {
    const key = currentKey();
    if (key !== undefined) request.headers.set("authorization", `Bearer ${key}`);
    return request;
  },
});

type Answered<T> = { data?: T; error?: unknown; response: Response };

/** The body of an answer; throws `ApiError` for every other outcome. */
export async function read<T>(answer: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await answer.catch(unreachable);
  if (response.ok) return data as T;
  throw new ApiError(response.status, isProblem(error) ? error : {});
}

/** The text of an answer as it came: numbers of any size keep their digits. Throws `ApiError`. */
export async function readText(path: string, signal?: AbortSignal): Promise<string> {
  const headers = { authorization: `Bearer ${currentKey() ?? ""}` };
  const options = { headers, signal: signal ?? null };
  const response = await fetch(new URL(path, location.origin), options).catch(unreachable);
  if (response.ok) return response.text();
  const problem: unknown = await response.json().catch(() => ({}));
  throw new ApiError(response.status, isProblem(problem) ? problem : {});
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "title" in value;
}

function unreachable(error: unknown): never {
  if (error instanceof DOMException && error.name === "AbortError") throw error;
  throw new ApiError(0, { detail: "the gateway cannot be reached" });
}
