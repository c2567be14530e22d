/**
 * Errors a caller can act on, as RFC 9457 problems. Whoever finds one throws `Problem`; `http/`
 * turns it into the response. Every other error is ours and is never shown.
 *
 * The slugs are part of the contract: a title may be reworded, a slug or its status may not.
 */

type Kind = { readonly status: number; readonly title: string };

export const problems = {
  "malformed-request": { status: 400, title: "The request is not valid HTTP" },
  "malformed-json": { status: 400, title: "The body is not valid JSON" },
  "unknown-parameter": { status: 400, title: "The query has a parameter this route does not know" },
  "duplicate-parameter": { status: 400, title: "The query gives a parameter more than once" },
  "invalid-parameter": { status: 400, title: "A parameter has a value it cannot have" },
  "invalid-header": { status: 400, title: "A header has a value it cannot have here" },
  "tenant-required": { status: 400, title: "The request must name its tenant" },
  "cursor-invalid": { status: 400, title: "The cursor is not valid here" },
  "cursor-filter-mismatch": { status: 400, title: "The cursor belongs to another filter" },

  unauthorized: { status: 401, title: "A valid key is required" },
  "scope-missing": { status: 403, title: "The key does not have the scope" },

  "not-found": { status: 404, title: "Not found" },
  "unknown-tenant": { status: 404, title: "There is no such tenant" },
  "method-not-allowed": { status: 405, title: "The method is not allowed here" },
  "request-timeout": { status: 408, title: "The request did not arrive in time" },

  "tenant-erasing": { status: 409, title: "The tenant is being erased" },

  "cursor-expired": { status: 410, title: "Events after the cursor have expired" },
  "cursor-ahead": { status: 410, title: "The cursor is ahead of the feed" },
  "feed-reset": { status: 410, title: "The feed was restored to an earlier state" },

  "payload-too-large": { status: 413, title: "The body is too large" },
  "unsupported-media-type": { status: 415, title: "The media type is not supported here" },
  "expectation-failed": { status: 417, title: "The expectation cannot be met" },

  invalid: { status: 422, title: "The body breaks the schema" },
  "idempotency-conflict": { status: 422, title: "The key was used for another event" },
  "address-not-allowed": { status: 422, title: "Deliveries may not reach this address" },
  "ack-ahead": { status: 422, title: "The cursor is ahead of what was handed out" },

  "quota-exceeded": { status: 429, title: "The tenant's limit is reached" },
  "headers-too-large": { status: 431, title: "The headers are too large" },

  "internal-error": { status: 500, title: "Internal error" },
  unavailable: { status: 503, title: "Not available for the moment" },
} as const satisfies Record<string, Kind>;

export type ProblemSlug = keyof typeof problems;

export type ProblemOptions = {
  /** Further members of the problem object. */
  members?: Record<string, unknown>;
  /** Headers of the response, names in lower case. */
  headers?: Record<string, string>;
  cause?: unknown;
};

/** `detail` is for people and may say what the caller sent, but never a key or a secret. */
export class Problem extends Error {
  readonly slug: ProblemSlug;
  readonly status: number;
  readonly detail: string | undefined;
  readonly members: Record<string, unknown>;
  readonly headers: Record<string, string>;

  constructor(slug: ProblemSlug, detail?: string, options: ProblemOptions = {}) {
    const { status, title } = problems[slug];
    super(detail ?? title, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "Problem";
    this.slug = slug;
    this.status = status;
    this.detail = detail;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }
}

export type ProblemBody = {
  type: string;
  title: string;
  status: number;
  detail?: string;
  [member: string]: unknown;
};

/** The `type` member: a name, and the page of the documentation that explains it. */
export function problemType(slug: ProblemSlug): string {
  return `https://tidegate.dev/problems/${slug}`;
}

/** The object as a response, a batch result or a stream's `problem` event carries it. */
export function problemBody(problem: Problem): ProblemBody {
  return {
    type: problemType(problem.slug),
    title: problems[problem.slug].title,
    status: problem.status,
    ...(problem.detail !== undefined && { detail: problem.detail }),
    ...problem.members,
  };
}
