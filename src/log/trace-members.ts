/**
 * The trace that an event belongs to travels in its envelope, as the members `traceparent` and
 * `tracestate` of CloudEvents' extension for distributed tracing. So it is there on every attempt,
 * in every process and whenever it is, without a column of its own.
 */
import { parseTraceContext, type TraceContext } from "../telemetry/trace-context.ts";

/** A context as members of an envelope, each followed by a comma. */
export function traceMembers(
  context: Pick<TraceContext, "traceparent" | "tracestate"> | undefined,
): string {
  if (context === undefined) return "";
  const { traceparent, tracestate } = context;
  const state = tracestate === undefined ? "" : `"tracestate":${JSON.stringify(tracestate)},`;
  return `"traceparent":"${traceparent}",${state}`;
}

/** Whether there is a member of one of these names, whatever its value. */
export function hasTraceMembers(members: string): boolean {
  return members.includes('"traceparent":') || members.includes('"tracestate":');
}

/**
 * Undefined where the members hold none, or none of the form. They are flat, and in a JSON text a
 * quote inside of a value stands escaped, so that no value can look like a member.
 */
export function readTraceMembers(members: string): TraceContext | undefined {
  const at = memberAt(members, traceparentMember, 0);
  if (at === -1) return undefined;
  const start = at + traceparentMember.length;
  const traceparent = members.slice(start, members.indexOf('"', start));
  return parseTraceContext(traceparent, readTracestate(members));
}

/**
 * The trace of a stored event. Looks at the members before `sequence` only, however large the data
 * is that follows: some 100 ns.
 */
export function traceOf({ envelope }: { readonly envelope: string }): TraceContext | undefined {
  const end = memberAt(envelope, sequenceMember, idEnd);
  return end === -1 ? undefined : readTraceMembers(envelope.slice(idEnd, end));
}

/** No id ends before. */
const idEnd = 64;

/** Without the quote before, of which there are many: looking for it would take four times as long. */
const sequenceMember = 'sequence":"';
const traceparentMember = 'traceparent":"';

function memberAt(text: string, member: string, from: number): number {
  let at = text.indexOf(member, from);
  while (at > 0 && text[at - 1] !== '"') at = text.indexOf(member, at + 1);
  return at;
}

const tracestateMember = /"tracestate":("(?:[^"\\]|\\.)*")/;

function readTracestate(members: string): string | undefined {
  const literal = tracestateMember.exec(members)?.[1];
  return literal === undefined ? undefined : (JSON.parse(literal) as string);
}
