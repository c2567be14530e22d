/**
 * What a push says of itself in its headers. The body is the stored envelope, the same bytes on
 * every attempt and replay; the timestamp and the signature are new each time.
 */
import type { Cursors } from "../log/cursor.ts";
import {
  eventFingerprint,
  eventId,
  sequenceText,
  type LogEvent,
  type Sequence,
} from "../log/event.ts";
import type { TraceContext } from "../telemetry/trace-context.ts";
import type { Recipient } from "./endpoints.ts";

export type PushHeaders = (push: {
  readonly endpoint: Recipient;
  readonly event: LogEvent;
  /** The event before this one that matched the endpoint. */
  readonly previous: Sequence;
  /** From 1. */
  readonly attempt: number;
  /** The replay job that sends it, as callers know it. */
  readonly replay: string | undefined;
  /** Where it stands in its trace: what the receiver traces stands below. */
  readonly trace: TraceContext | undefined;
  readonly body: Buffer;
  /** When the attempt is made, milliseconds since 1970. */
  readonly at: number;
}) => Record<string, string>;

export function createPushHeaders(options: { cursors: Cursors; userAgent: string }): PushHeaders {
  const { cursors, userAgent } = options;

  return ({ endpoint, event, previous, attempt, replay, trace, body, at }) => {
    const { sequence } = event;
    const id = eventId(event);
    const place = {
      ...placeHeaders({ endpoint, sequence, previous, attempt }),
      "tidegate-cursor": cursors.mint({
        tenant: endpoint.tenant,
        position: event,
        fingerprint: eventFingerprint(event),
        filter: "any",
      }),
      ...(replay !== undefined && { "tidegate-replay": replay }),
    };
    const timestampSeconds = secondsOf(at);
    return {
      ...signedHeaders({ endpoint, userAgent, id, body, at }),
      ...place,
      "tidegate-signature": endpoint.signHeaders({ id, timestampSeconds, headers: place }),
      ...(trace !== undefined && traceHeaders(trace)),
    };
  };
}

/** A push that stands in no log: before all events, so that it opens no hole, and no cursor's. */
export function testPushHeaders(push: Signed): Record<string, string> {
  const { endpoint } = push;
  return {
    ...signedHeaders(push),
    ...placeHeaders({ endpoint, sequence: 0, previous: 0, attempt: 1 }),
  };
}

type Signed = {
  readonly endpoint: Recipient;
  readonly userAgent: string;
  /** Of the event. */
  readonly id: string;
  readonly body: Buffer;
  readonly at: number;
};

function signedHeaders({ endpoint, userAgent, id, body, at }: Signed) {
  const seconds = secondsOf(at);
  return {
    ...endpoint.headers,
    "content-type": endpoint.contentType,
    "user-agent": userAgent,
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": endpoint.sign(id, seconds, body),
  };
}

function traceHeaders({ traceparent, tracestate }: TraceContext): Record<string, string> {
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}

function secondsOf(at: number): number {
  return Math.floor(at / 1_000);
}

function placeHeaders(push: {
  endpoint: Recipient;
  sequence: Sequence;
  previous: Sequence;
  attempt: number;
}) {
  return {
    "tidegate-sequence": sequenceText(push.sequence),
    "tidegate-previous-sequence": sequenceText(push.previous),
    "tidegate-attempt": String(push.attempt),
    "tidegate-endpoint": push.endpoint.name,
  };
}
