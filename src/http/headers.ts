/**
 * The headers that every response carries, whoever writes it: a handler's may replace them.
 *
 * CORS lives here and not in a middleware, because a stream writes its head itself, and because
 * a middleware would cost every append what only browsers need.
 */
export type CommonHeaders = (requestId: string, origin: string | undefined) => HeaderMap;

type HeaderMap = Record<string, string>;

const exposed = [
  "etag",
  "link",
  "location",
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "tidegate-cursor",
  "tidegate-head",
  "tidegate-request-id",
].join(", ");

const allowed =
  "authorization, content-type, idempotency-key, last-event-id, if-none-match, prefer";

/** Browsers keep a preflight's answer this long; Chromium allows no more than 2 hours. */
const preflightSeconds = 7_200;

/** `origins` are those that browsers may call from. */
export function createCommonHeaders(origins: readonly string[]): CommonHeaders {
  return (requestId, origin) => ({
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "tidegate-request-id": requestId,
    ...(origins.length > 0 && originHeaders(origins, origin)),
  });
}

/** What an allowed origin's preflight is told on top of the common headers. */
export function preflightHeaders(methods: string): HeaderMap {
  return {
    "access-control-allow-methods": methods,
    "access-control-allow-headers": allowed,
    "access-control-max-age": String(preflightSeconds),
  };
}

/** A handler's headers over the common ones. `vary` adds up, since both sides vary by something. */
export function mergeHeaders(common: HeaderMap, own: Readonly<HeaderMap> | undefined): HeaderMap {
  if (own === undefined) return common;
  const merged = { ...common, ...own };
  if (common.vary !== undefined && own.vary !== undefined) {
    merged.vary = `${common.vary}, ${own.vary}`;
  }
  return merged;
}

function originHeaders(origins: readonly string[], origin: string | undefined): HeaderMap {
  if (origin === undefined || !origins.includes(origin)) return { vary: "origin" };
  return {
    vary: "origin",
    "access-control-allow-origin": origin,
    "access-control-expose-headers": exposed,
  };
}
