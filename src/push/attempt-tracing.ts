/**
 * The spans of a delivery, in the trace that its event belongs to: how long it was ready and had to
 * wait, and the attempt. Whoever receives it is told the attempt's own place in the trace, so that
 * its spans stand below; where that is not sampled, what is stored goes on as it is.
 */
import type { Trigger } from "../deliveries/ledger.ts";
import { eventId } from "../log/event.ts";
import { traceOf } from "../log/trace-members.ts";
import type { TraceContext } from "../telemetry/trace-context.ts";
import type { Attributes, Span, Tracing } from "../telemetry/tracing.ts";
import type { Delivery } from "./lane.ts";
import type { AttemptReport } from "./report.ts";

export type AttemptTrace = {
  /** What the receiver is told of; undefined where the event belongs to no trace. */
  readonly context: TraceContext | undefined;
  /** `report` is undefined where the process stopped in the middle. */
  end(report: AttemptReport | undefined): void;
};

/** `startedAt` by `performance.now()`. */
export type TraceAttempt = (
  delivery: Delivery,
  trigger: Trigger,
  startedAt: number,
) => AttemptTrace;

export function createAttemptTracing(tracing: Tracing | undefined): TraceAttempt {
  return (delivery, trigger, startedAt) => {
    const context = traceOf(delivery.event);
    if (context === undefined) return untraced;
    if (tracing === undefined || !tracing.maySample(context)) {
      return { context, end: nothing };
    }
    const attributes = attributesOf(delivery, trigger);
    const start = { kind: "client", parent: context, at: startedAt, attributes } as const;
    const span = tracing.start("attempt", {
      ...start,
      attributes: ofRequest(delivery, attributes),
    });
    if (span === undefined) return { context, end: nothing };
    const queued = { ...start, kind: "internal", at: delivery.readyAt } as const;
    tracing.record("queue", queued, { at: startedAt, attributes: readiness(delivery, trigger) });
    return { context: span.context, end: (report) => endAttempt(span, report) };
  };
}

function attributesOf({ event, lane, attempt }: Delivery, trigger: Trigger): Attributes {
  const { tenantName, name } = lane.endpoint;
  return {
    "messaging.system": "tidegate",
    "messaging.message.id": eventId(event),
    "tidegate.tenant": tenantName,
    "tidegate.endpoint": name,
    "tidegate.sequence": event.sequence,
    "tidegate.attempt": attempt,
    "tidegate.trigger": trigger,
  };
}

/** Not the whole URL: what follows the host may be a secret. */
function ofRequest({ event, lane }: Delivery, attributes: Attributes): Attributes {
  const { protocol, hostname, port } = new URL(lane.endpoint.url);
  return {
    ...attributes,
    "messaging.operation.name": "attempt",
    "messaging.operation.type": "send",
    "messaging.message.body.size": Buffer.byteLength(event.envelope),
    "http.request.method": "POST",
    "url.scheme": protocol.slice(0, -1),
    "server.address": hostname,
    "server.port": Number(port) || (protocol === "https:" ? 443 : 80),
  };
}

/** How long after its append an event could first be sent, by the two machines' clocks. */
function readiness({ event, readyAt }: Delivery, trigger: Trigger): Attributes {
  if (trigger !== "event") return {};
  const readyTime = Date.now() - (performance.now() - readyAt);
  return { "tidegate.ready_after_ms": Math.round(readyTime - event.appendedAt) };
}

function endAttempt(span: Span, report: AttemptReport | undefined): void {
  if (report === undefined) return span.end({ errorType: "stopped" });
  const { outcome, record, errorClass, retryInMs } = report;
  const { kind, statusCode } = record;
  const isAccepted = kind === "delivered" || kind === "awaiting_receipt";
  // A receiver may answer with 200 and have its event dropped by a header.
  const isRefusal = statusCode !== null && statusCode >= 300;
  const failure = errorClass ?? (isRefusal ? String(statusCode) : outcome);
  span.end({
    attributes: {
      "http.response.status_code": statusCode ?? undefined,
      "tidegate.outcome": outcome,
    },
    ...(retryInMs !== null && { events: { retry: { "tidegate.retry_in_ms": retryInMs } } }),
    errorType: isAccepted ? undefined : failure,
  });
}

function nothing(): void {
  // It is not traced.
}

const untraced: AttemptTrace = { context: undefined, end: nothing };
