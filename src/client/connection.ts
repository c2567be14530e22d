/**
 * Requests to one gateway with one key: JSON in and out, each under a deadline that includes the
 * answer's body. What is refused throws a `ProblemError`, what gets no answer that makes sense a
 * `ConnectionError`, and what the caller's signal ended throws its reason. Nothing is retried
 * unless `callUntilAnswered` does it.
 */
import { parseRetryAfter, pause, retryDelayMs } from "./backoff.ts";
import { ConnectionError, isTemporary, ProblemError, toProblemError } from "./errors.ts";

/** The runtime's, or one that stands in for it. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

export type ConnectionOptions = {
  /** Where the gateway is, `https://tidegate.example.com`. */
  readonly url: string | URL;
  readonly key: string;
  /** For operator keys; a tenant's key need not name it. */
  readonly tenant?: string | undefined;
  readonly fetch?: Fetch | undefined;
};

export type Call = {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the gateway's URL, `/events`. */
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  /** Text goes as it is, all else as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
};

export type Retrying = Call & {
  /** Before each further try. */
  readonly onRetry?: ((error: ProblemError | ConnectionError, delayMs: number) => void) | undefined;
  /** No further try begins after this long. */
  readonly giveUpAfterMs?: number;
};

export type Connection = ReturnType<typeof createConnection>;

/** Longer than anything that is not asked to wait takes, with a slow network before it. */
const defaultTimeoutMs = 30_000;

export function createConnection(options: ConnectionOptions) {
  const { key, tenant, fetch: ownFetch } = options;
  const base = String(options.url).replace(/\/+$/, "");
  const authorization = `Bearer ${key}`;
  // Not taken out of its object: some runtimes refuse to run it then.
  const send: Fetch = ownFetch ?? ((input, init) => globalThis.fetch(input, init));

  return { call, callUntilAnswered, open };

  /** The parsed body of a success; undefined where it has none. */
  async function call({ timeoutMs = defaultTimeoutMs, ...request }: Call): Promise<unknown> {
    const deadline = createDeadline(request.signal);
    deadline.set(timeoutMs);
    try {
      const response = await begin(request, deadline.signal);
      return readJson(await response.text());
    } catch (error) {
      request.signal?.throwIfAborted();
      throw known(error, deadline.signal);
    } finally {
      deadline.clear();
    }
  }

  /** `call`, again and again while what went wrong may pass, as late as the gateway asks. */
  async function callUntilAnswered(request: Retrying): Promise<unknown> {
    const { giveUpAfterMs = Infinity, onRetry, ...once } = request;
    const until = Date.now() + giveUpAfterMs;
    for (let failures = 1; ; failures += 1) {
      try {
        return await call(once);
      } catch (error) {
        if (!isTemporary(error)) throw error;
        const asked = error instanceof ProblemError ? error.retryAfterMs : undefined;
        const delayMs = retryDelayMs(failures, asked, Math.random());
        if (Date.now() + delayMs > until) throw error;
        onRetry?.(error, delayMs);
        await pause(delayMs, request.signal);
        request.signal?.throwIfAborted();
      }
    }
  }

  /** The answer as it begins, whose body is the caller's to read; `accept` is what it should be. */
  async function open(request: Call & { readonly accept: string }): Promise<Response> {
    try {
      return await begin(request, request.signal);
    } catch (error) {
      throw known(error, request.signal);
    }
  }

  async function begin(
    request: Call & { readonly accept?: string },
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const { method = "GET", path, query = {}, body, accept = "application/json" } = request;
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries({ tenant, ...query })) {
      if (value !== undefined) parameters.set(name, String(value));
    }
    const search = parameters.toString();
    const response = await send(`${base}${path}${search === "" ? "" : `?${search}`}`, {
      method,
      headers: {
        authorization,
        accept: `${accept}, application/problem+json`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      // Followed, a POST would become a GET, and the key go to whoever was named.
      redirect: "manual",
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
    if (response.ok) return response;
    throw await refusalOf(response);
  }
}

/** Aborts when the given signal does, or when its time is over; the time can be set anew. */
export function createDeadline(signal: AbortSignal | undefined) {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const follow = () => controller.abort(signal?.reason);
  if (signal?.aborted === true) follow();
  else signal?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    /** Undefined: no time. */
    set(ms: number | undefined): void {
      clearTimeout(timer);
      if (ms === undefined) return;
      const end = () => controller.abort(new ConnectionError(`nothing came for ${ms} ms`));
      timer = setTimeout(end, ms);
    },
    /** Ends what is under way. */
    cut(): void {
      controller.abort(new ConnectionError("cut"));
    },
    clear(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", follow);
    },
  };
}

/**
 * Ours as they are; what the runtime throws, in its own many ways, as a broken connection. Not
 * every runtime rejects with the reason why its signal was aborted, so it is looked up there.
 */
export function known(
  error: unknown,
  signal: AbortSignal | undefined,
): ProblemError | ConnectionError {
  if (error instanceof ProblemError || error instanceof ConnectionError) return error;
  if (signal?.reason instanceof ConnectionError) return signal.reason;
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  const reason = cause instanceof Error && cause.message !== "" ? ` (${cause.message})` : "";
  return new ConnectionError(`no answer: ${message}${reason}`, error);
}

function readJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConnectionError("the answer is not JSON: is there a proxy between?", error);
  }
}

async function refusalOf(response: Response): Promise<ProblemError> {
  const { headers, type } = response;
  // Of a redirect, browsers show no status.
  const status = type === "opaqueredirect" ? 302 : response.status;
  const text = await response.text().catch(() => "");
  const title =
    status >= 300 && status < 400
      ? `Redirected to ${headers.get("location") ?? "elsewhere"}: give that as the url`
      : response.statusText || "Refused";
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // Not a gateway's own answer; its status says enough.
  }
  const retryAfterMs = parseRetryAfter(headers.get("retry-after"), Date.now());
  return toProblemError(body, { status, title }, retryAfterMs);
}
