/**
 * What can go wrong with a gateway, as its callers tell it apart: it answered with a problem, its
 * feed cannot be continued from the cursor, or there was no answer that makes sense. The library
 * retries what may pass by itself; what reaches the caller will not.
 */

/** Before the slug in the `type` of every problem of a gateway. */
const problemTypes = "https://tidegate.dev/problems/";

/** A problem (RFC 9457) as a gateway, or whatever stands before it, answered. */
export class ProblemError extends Error {
  /** `https://tidegate.dev/problems/<slug>`; `about:blank` where the answer was no problem. */
  readonly type: string;
  /** What to decide by: `cursor-expired`, `scope-missing`, … */
  readonly slug: string;
  readonly status: number;
  readonly title: string;
  /** For people. */
  readonly detail: string | undefined;
  /** Members beyond those above. */
  readonly members: Readonly<Record<string, unknown>>;
  /** What `Retry-After` asked for. */
  readonly retryAfterMs: number | undefined;

  constructor(body: ProblemBody, retryAfterMs?: number) {
    const { type, title, status, detail, ...members } = body;
    super(`${status} ${title}${detail === undefined ? "" : `: ${detail}`}`);
    this.name = "ProblemError";
    this.type = type;
    this.slug = type.startsWith(problemTypes) ? type.slice(problemTypes.length) : type;
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.members = members;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * The feed cannot be continued where the reader stands (410): events after the cursor have expired
 * (`cursor-expired`), or the database was restored to an earlier state (`feed-reset`,
 * `cursor-ahead`). What to do about it is the consumer's decision.
 */
export class FeedGoneError extends ProblemError {
  /** Where the feed begins now, for the same filter. */
  readonly oldestCursor: string;
  /** Where it ends now. */
  readonly latestCursor: string;
  /** Events of the tenant that can no longer be read; undefined where nobody can know. */
  readonly lost: number | undefined;

  constructor(body: ProblemBody, cursors: { oldest: string; latest: string }) {
    super(body);
    this.name = "FeedGoneError";
    this.oldestCursor = cursors.oldest;
    this.latestCursor = cursors.latest;
    this.lost = typeof body["lost"] === "number" ? body["lost"] : undefined;
  }
}

/** No answer, or one that is none of a gateway's: the network, a proxy, a time-out. */
export class ConnectionError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ConnectionError";
  }
}

export type ProblemBody = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string | undefined;
  readonly [member: string]: unknown;
};

/** The error for the body of a refusal. `fallback` is for bodies that are no problem. */
export function toProblemError(
  value: unknown,
  fallback: { readonly status: number; readonly title: string },
  retryAfterMs?: number,
): ProblemError {
  const body = readProblem(value) ?? { type: "about:blank", ...fallback };
  const { oldest_cursor: oldest, latest_cursor: latest } = body;
  if (body.status === 410 && typeof oldest === "string" && typeof latest === "string") {
    return new FeedGoneError(body, { oldest, latest });
  }
  return new ProblemError(body, retryAfterMs);
}

/** Whether the same request may succeed later. */
export function isTemporary(error: unknown): error is ProblemError | ConnectionError {
  if (error instanceof ConnectionError) return true;
  if (!(error instanceof ProblemError)) return false;
  const { status } = error;
  return status >= 500 || status === 429 || status === 408 || status === 425;
}

function readProblem(value: unknown): ProblemBody | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { type, title, status, detail, ...members } = value as Record<string, unknown>;
  if (typeof type !== "string" || typeof title !== "string" || typeof status !== "number") {
    return undefined;
  }
  return { type, title, status, ...(typeof detail === "string" && { detail }), ...members };
}
