/** What a client would rather have: `Accept`, `Accept-Encoding`, `Prefer` (RFC 9110, RFC 7240). */

/**
 * How much a client wants a media type or encoding that it names itself, 0 to 1; wildcards do not
 * count, so that only those who ask for a special form get it.
 */
export function acceptQuality(accept: string | undefined, form: string): number {
  for (const range of accept?.toLowerCase().split(",") ?? []) {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim());
    if (name !== form) continue;
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    return quality === undefined ? 1 : Number(quality.slice("q=".length)) || 0;
  }
  return 0;
}

/** The value of a preference, bare or quoted; undefined where the client does not state it. */
export function preference(prefer: string | undefined, name: string): string | undefined {
  for (const stated of prefer?.split(",") ?? []) {
    const [token = "", value = ""] = (stated.split(";")[0] ?? "").split("=");
    if (token.trim().toLowerCase() === name) return value.trim().replace(/^"(.*)"$/, "$1");
  }
  return undefined;
}
