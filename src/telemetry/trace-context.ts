/**
 * Where a trace is, in the form of the W3C's Trace Context: `traceparent` names the trace, the span
 * above and whether the trace is sampled, `tracestate` carries what vendors add. What is not of that
 * form is no context, as the recommendation asks, and never an error.
 */

export type TraceContext = {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  /** Another process's. */
  readonly isRemote: boolean;
  readonly traceparent: string;
  readonly tracestate: string | undefined;
};

/**
 * Version, trace, span, flags. Versions to come may have more behind a dash; neither id is all
 * zeros.
 */
export const traceparentForm =
  /^(?:00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\w.-]{0,200})?)$/;

const [traceIdAt, spanIdAt, flagsAt] = ["00-".length, "00--".length + 32, "00---".length + 48];

const key = "[a-z0-9][_0-9a-z*/@-]{0,255}";
const value = "[\\x20-\\x2b\\x2d-\\x3c\\x3e-\\x7e]{0,255}[\\x21-\\x2b\\x2d-\\x3c\\x3e-\\x7e]";
/** Of one member, of which no part can be read in two ways: what callers send is matched with it. */
const tracestateMember = new RegExp(`^[ \\t]*(?:${key}=${value}[ \\t]*)?$`);

/** In characters; the recommendation asks for no more. */
const tracestateMaxLength = 512;

/** Of another process. */
export function parseTraceContext(
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceContext | undefined {
  if (traceparent === undefined || !traceparentForm.test(traceparent)) return undefined;
  const flags = Number.parseInt(traceparent.slice(flagsAt, flagsAt + 2), 16);
  return {
    traceId: traceparent.slice(traceIdAt, traceIdAt + 32),
    spanId: traceparent.slice(spanIdAt, spanIdAt + 16),
    sampled: (flags & 1) === 1,
    isRemote: true,
    traceparent,
    tracestate: tracestate !== undefined && isTracestate(tracestate) ? tracestate : undefined,
  };
}

function isTracestate(text: string): boolean {
  if (text.length > tracestateMaxLength) return false;
  return text.split(",").every((member) => tracestateMember.test(member));
}
