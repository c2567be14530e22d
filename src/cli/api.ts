/**
 * Calls to the gateway's API with one key. What is refused becomes a `Failure` that says why and,
 * where that can be known, what to do.
 */
import { createConnection } from "../client/connection.ts";
import { ConnectionError, ProblemError } from "../client/errors.ts";
import type { Connection } from "./connection.ts";
import { exitCodes, Failure } from "./failure.ts";

export type Json = Record<string, unknown>;

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export type Query = Readonly<Record<string, string | number | undefined>>;

export type Api = {
  readonly connection: Connection;
  readonly interrupt: AbortSignal;
  /** The body of the answer, `{}` where there is none. */
  call<Answer = Json>(
    method: Method,
    path: string,
    options?: { query?: Query; body?: object; timeoutMs?: number },
  ): Promise<Answer>;
  /** The body of an answer as it came. */
  text(path: string, query: Query): Promise<string>;
};

/** Longer than anything takes that is not asked to wait. */
const requestTimeoutMs = 60_000;

export function createApi(connection: Connection, interrupt: AbortSignal): Api {
  const { url, key } = connection;
  // Without the tenant, which not every route takes.
  const client = createConnection({ url, key });
  return { connection, interrupt, call, text };

  async function call<Answer>(
    method: Method,
    path: string,
    options: { query?: Query; body?: object; timeoutMs?: number } = {},
  ): Promise<Answer> {
    const request = { timeoutMs: requestTimeoutMs, ...options, method, path, signal: interrupt };
    try {
      return ((await client.call(request)) ?? {}) as Answer;
    } catch (error) {
      throw toFailure(error, url, interrupt);
    }
  }

  async function text(path: string, query: Query): Promise<string> {
    const signal = AbortSignal.any([interrupt, AbortSignal.timeout(requestTimeoutMs)]);
    try {
      const answer = await client.open({ path, query, signal, accept: "application/json" });
      return await answer.text();
    } catch (error) {
      throw toFailure(error, url, interrupt);
    }
  }
}

/** Every item of a list, page by page. */
export async function* listAll<Item>(
  api: Api,
  path: string,
  member: string,
  query: Query = {},
): AsyncGenerator<Item> {
  let cursor: string | undefined;
  for (;;) {
    const page = await api.call<Json & { cursor: string | null; has_more: boolean }>("GET", path, {
      query: { ...query, cursor },
    });
    yield* page[member] as Item[];
    if (!page.has_more || page.cursor === null) return;
    cursor = page.cursor;
  }
}

/** What a call has thrown, in words, with a hint where the command line knows one. */
export function toFailure(error: unknown, url: string, interrupt: AbortSignal): Failure {
  if (error instanceof Failure) return error;
  if (interrupt.aborted) {
    return new Failure("Interrupted", { exitCode: exitCodes.interrupted, cause: error });
  }
  if (error instanceof ProblemError) return refusal(error);
  if (!(error instanceof ConnectionError)) throw error;
  return new Failure(`The gateway at ${url} cannot be reached: ${connectionFault(error)}`, {
    exitCode: exitCodes.unreachable,
    hint:
      "Is it running? `npm start` in a clone, or `npx tidegate start`, starts one; --url or\n" +
      "TIDEGATE_URL names another. `npx tidegate doctor` looks for what is wrong.",
    cause: error,
  });
}

function connectionFault(error: ConnectionError): string {
  const codes: Readonly<Record<string, string>> = {
    ECONNREFUSED: "nothing listens there",
    ENOTFOUND: "there is no host of that name",
    EAI_AGAIN: "there is no host of that name",
    ECONNRESET: "the connection broke",
    UND_ERR_SOCKET: "the connection broke",
  };
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const text = codes[(cause as NodeJS.ErrnoException).code ?? ""];
    if (text !== undefined) return text;
  }
  return error.message;
}

function refusal(problem: ProblemError): Failure {
  const { title, detail, status, slug, members } = problem;
  if (problem.type === "about:blank") {
    return new Failure(`${status} ${title}`, { hint: "Is that a Tidegate gateway?" });
  }
  const errors = (members["errors"] ?? []) as readonly { pointer: string; detail: string }[];
  const isTold = errors.every((each) => detail?.includes(each.detail));
  const faults = isTold ? [] : errors.map((each) => `  ${each.pointer}: ${each.detail}`);
  const first = `${title}${detail === undefined ? "" : `: ${detail}`} (${status} ${slug})`;
  return new Failure([first, ...faults].join("\n"), {
    exitCode: status === 401 ? exitCodes.unreachable : exitCodes.failed,
    slug,
    hint: hintFor(problem),
  });
}

function hintFor({ slug, retryAfterMs }: ProblemError): string | undefined {
  switch (slug) {
    case "unauthorized":
      return (
        "The key comes from --key, TIDEGATE_KEY, or .tidegate/operator-key in this directory, in\n" +
        "this order. Is it one of this gateway's?"
      );
    case "scope-missing":
      return "`npx tidegate keys create --scopes manage` makes a key that may, with one that may.";
    case "tenant-required":
      return "Name it by --tenant or TIDEGATE_TENANT; `npx tidegate tenants list` shows them.";
    case "unknown-tenant":
      return "`npx tidegate tenants create NAME` makes it; `npx tidegate tenants list` shows them.";
    case "cursor-expired":
    case "cursor-ahead":
    case "feed-reset":
      return "Start anew with --from earliest, latest or a time.";
    case "address-not-allowed":
      return "The operator allows addresses by TIDEGATE_ALLOW_ADDRESSES; `listen` needs none.";
    default:
      if (retryAfterMs === undefined) return undefined;
      return `Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`;
  }
}
