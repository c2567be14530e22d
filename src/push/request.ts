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
}) => string[];

/**
 * As names and values in turns, which undici takes as they are: no objects are put together for each
 * push and taken apart again.
 */
export function createPushHeaders(options: { cursors: Cursors; userAgent: string }): PushHeaders {
  const { cursors, userAgent } = options;

  return ({ endpoint, event, previous, attempt, replay, trace, body, at }) => {
    const { sequence } = event;
    const id = eventId(event);
    const cursor = cursors.mint({
      tenant: endpoint.tenant,
      position: event,
      fingerprint: eventFingerprint(event),
      filter: "any",
    });
    const headers = signedHeaders({ endpoint, userAgent, id, body, at });
    addPlace(headers, { endpoint, sequence, previous, attempt });
    headers.push("tidegate-cursor", cursor);
    if (replay !== undefined) headers.push("tidegate-replay", replay);
    const signed = {
      "tidegate-endpoint": endpoint.name,
      "tidegate-previous-sequence": sequenceText(previous),
      "tidegate-cursor": cursor,
      "tidegate-replay": replay,
    };
    const timestampSeconds = secondsOf(at);
    const signature = endpoint.signHeaders({ id, timestampSeconds, headers: signed });
    headers.push("tidegate-signature", signature);
    if (trace !== undefined) {
      headers.push("traceparent", trace.traceparent);
      if (trace.tracestate !== undefined) headers.push("tracestate", trace.tracestate);
    }
    return headers;
  };
}

/** A push that stands in no log: before all events, so that it opens no hole, and no cursor's. */
export function testPushHeaders(push: Signed): Record<string, string> {
  const headers = signedHeaders(push);
  addPlace(headers, { endpoint: push.endpoint, sequence: 0, previous: 0, attempt: 1 });
  const pairs = headers.flatMap((name, index) =>
    index % 2 === 0 ? [[name, headers[index + 1] ?? ""]] : [],
  );
  return Object.fromEntries(pairs) as Record<string, string>;
}

type Signed = {
  readonly endpoint: Recipient;
  readonly userAgent: string;
  /** Of the event. */
  readonly id: string;
  readonly body: Buffer;
  readonly at: number;
};

/** Those of the endpoint have other names: what every push sets is reserved (control/endpoints). */
function signedHeaders({ endpoint, userAgent, id, body, at }: Signed): string[] {
  const seconds = secondsOf(at);
  const headers: string[] = [];
  for (const name in endpoint.headers) headers.push(name, endpoint.headers[name] ?? "");
  headers.push("content-type", endpoint.contentType, "user-agent", userAgent, "webhook-id", id);
  headers.push("webhook-timestamp", String(seconds));
  headers.push("webhook-signature", endpoint.sign(id, seconds, body));
  return headers;
}

function secondsOf(at: number): number {
  return Math.floor(at / 1_000);
}

function addPlace(
  headers: string[],
  push: { endpoint: Recipient; sequence: Sequence; previous: Sequence; attempt: number },
): void {
  headers.push("tidegate-sequence", sequenceText(push.sequence));
  headers.push("tidegate-previous-sequence", sequenceText(push.previous));
  headers.push("tidegate-attempt", String(push.attempt));
  headers.push("tidegate-endpoint", push.endpoint.name);
}
