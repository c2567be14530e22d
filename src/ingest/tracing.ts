/**
 * The trace of a request that appends. Events take part in the trace that their producer named, in
 * themselves or in the request's `traceparent`, else in the one that begins with the request's own
 * span, if that is sampled: of a trace that is not, nothing is stored.
 *
 * What the producer named is stored as it is. Our span is one more below it, and so will each
 * attempt's be, whether spans are sent from here or not.
 */
import { isUnavailable } from "../db/database.ts";
import type { Tenant } from "../http/auth.ts";
import type { ApiRequest } from "../http/request.ts";
import { readTraceMembers, traceMembers } from "../log/trace-members.ts";
import { Problem } from "../problem.ts";
import { parseTraceContext, type TraceContext } from "../telemetry/trace-context.ts";
import type { Attributes, Span, Tracing } from "../telemetry/tracing.ts";

/** What a request brings. */
export type Arrival = {
  readonly request: string;
  readonly context: TraceContext | undefined;
  /** By `performance.now()`; of a window of lines, when it is handed in. */
  readonly at: number;
};

/** The members that a single event brings, or how many events of a batch or of lines there are. */
export type Brought = { readonly own: string | undefined } | { readonly count: number };

/** What an event has of the trace of its request. */
export type EventTrace = {
  /** For the envelope of an event that brings none of its own. */
  readonly members: string;
  /** What its commit stands below, by the members that it brings; undefined: not sampled. */
  spanOf(own: string | undefined): Span | undefined;
};

export type RequestTrace = EventTrace & {
  /** What the request was answered, and the tenants of its events. */
  end(answer: Answer, tenants?: ReadonlyMap<unknown, Tenant>): void;
  fail(error: unknown): void;
};

type Answer = { readonly status: number; readonly body: Single | Several };
type Single = { readonly id: string; readonly tenant: string; readonly sequence: string };
/** Of a window of lines nobody has all results at one time. */
type Several = { readonly results: readonly { readonly status: number }[] | undefined };

export const untraced: RequestTrace = { members: "", spanOf: nothing, end: nothing, fail: nothing };

export type RequestTracing = ReturnType<typeof createRequestTracing>;

export function createRequestTracing(tracing: Tracing | undefined) {
  return { arrival, begin };

  function arrival(request: ApiRequest): Arrival {
    const { id, header } = request;
    const context = parseTraceContext(header("traceparent"), header("tracestate"));
    return { request: id, context, at: tracing === undefined ? 0 : performance.now() };
  }

  /** To be ended, or failed. */
  function begin(arrived: Arrival, brought: Brought): RequestTrace {
    if (tracing !== undefined) return beginSpans(tracing, arrived, brought);
    return untracedIn(arrived.context);
  }
}

function beginSpans(
  tracing: Tracing,
  { context, request, at }: Arrival,
  brought: Brought,
): RequestTrace {
  const attributes: Attributes = {
    "messaging.system": "tidegate",
    "messaging.operation.name": "append",
    "messaging.operation.type": "send",
    "http.request.method": "POST",
    "http.route": "/events",
    "tidegate.request": request,
    ...("count" in brought && { "messaging.batch.message_count": brought.count }),
  };
  const parent = ("own" in brought ? readOwn(brought.own) : undefined) ?? context;
  const span = start(parent, context !== parent ? context : undefined);
  // Several events may bring others, and what one brings is above the span already.
  if (span === undefined && "own" in brought) return untracedIn(context);
  /** Those of events that bring a trace of their own, by what they bring. */
  const others = new Map<string, Span | undefined>();

  return { members: traceMembers(context ?? span?.context), spanOf, end, fail };

  function start(below: TraceContext | undefined, link: TraceContext | undefined) {
    const links = link === undefined ? [] : [link];
    return tracing.start("append", { kind: "server", parent: below, links, at, attributes });
  }

  function spanOf(members: string | undefined): Span | undefined {
    const own = readOwn(members);
    if (own === undefined || own.traceId === (parent ?? span?.context)?.traceId) return span;
    if (!others.has(own.traceparent)) others.set(own.traceparent, start(own, span?.context));
    return others.get(own.traceparent);
  }

  function end({ status, body }: Answer, tenants?: ReadonlyMap<unknown, Tenant>): void {
    endAll({
      "http.response.status_code": status,
      ...("results" in body ? aboutSeveral(body, tenants) : aboutOne(body)),
    });
  }

  function fail(error: unknown): void {
    const { status, slug } = problemOf(error);
    const about = { "http.response.status_code": status, "tidegate.problem": slug };
    endAll(about, status >= 500 ? slug : undefined);
  }

  function endAll(about: Attributes, errorType?: string): void {
    for (const each of [span, ...others.values()]) each?.end({ attributes: about, errorType });
  }
}

function untracedIn(context: TraceContext | undefined): RequestTrace {
  return context === undefined ? untraced : { ...untraced, members: traceMembers(context) };
}

function readOwn(members: string | undefined): TraceContext | undefined {
  return members === undefined ? undefined : readTraceMembers(members);
}

function aboutOne({ id, tenant, sequence }: Single): Attributes {
  return {
    "messaging.message.id": id,
    "tidegate.tenant": tenant,
    "tidegate.sequence": Number(sequence),
  };
}

function aboutSeveral(
  { results }: Several,
  tenants: ReadonlyMap<unknown, Tenant> | undefined,
): Attributes {
  const [tenant] = tenants?.size === 1 ? tenants.values() : [];
  return {
    "tidegate.tenant": tenant?.name,
    "tidegate.refused": results?.filter(({ status }) => status >= 300).length,
  };
}

function problemOf(error: unknown): { status: number; slug: string } {
  if (error instanceof Problem) return error;
  if (isUnavailable(error)) return { status: 503, slug: "unavailable" };
  return { status: 500, slug: "internal-error" };
}

function nothing(): undefined {
  // Nobody asks.
}
