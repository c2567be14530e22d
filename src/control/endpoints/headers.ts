/**
 * Request headers that an endpoint's owner adds to every push, such as an authorization of the
 * receiver. Names are compared, kept and shown in lower case.
 */

/** Characters of a name and a value; receivers commonly take 8 KiB of headers altogether. */
const headerNameMaxLength = 128;
const headerValueMaxLength = 4_096;

/** RFC 9110: a token. */
const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Visible ASCII, with blanks only inside: no line break can start a header of its own. */
const valueForm = /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/;

/** What every push sets itself, and what belongs to the connection and not to its owner. */
const reservedNames = new Set([
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "date",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "te",
  "traceparent",
  "tracestate",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
  "via",
]);

const reservedStarts = ["webhook-", "tidegate-", "proxy-"];

/** Why a header cannot be added, or undefined when it can. The value is never repeated. */
export function headerFault(name: string, value: string): string | undefined {
  if (name.length > headerNameMaxLength || !nameForm.test(name)) return "not a header name";
  if (isReserved(name.toLowerCase())) return "this header is reserved";
  if (value.length > headerValueMaxLength) {
    return `the value is longer than ${headerValueMaxLength} characters`;
  }
  if (!valueForm.test(value)) return "the value must be visible ASCII, with blanks only inside";
  return undefined;
}

function isReserved(name: string): boolean {
  return reservedNames.has(name) || reservedStarts.some((start) => name.startsWith(start));
}
