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

export type PushRequest = (push: {
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
  /** When the attempt is made, milliseconds since 1970. */
  readonly at: number;
}) => { readonly headers: string[]; readonly body: Buffer };

/** Of an event, the same in all its requests. */
type Common = {
  readonly event: LogEvent;
  readonly id: string;
  readonly cursor: string;
  readonly body: Buffer;
};

/**
 * The headers are names and values in turns, which undici takes as they are: no objects are put
 * together for each push and taken apart again.
 */
export function createPushRequest(options: { cursors: Cursors; userAgent: string }): PushRequest {
  const { cursors, userAgent } = options;
  /** Of the last one: an event goes to several endpoints one after the other. */
  let last: Common | undefined;

  return ({ endpoint, event, previous, attempt, replay, trace, at }) => {
    const { id, cursor, body } = (last = last?.event === event ? last : commonOf(endpoint, event));
    const signed = {
      "tidegate-endpoint": endpoint.name,
      "tidegate-previous-sequence": sequenceText(previous),
      "tidegate-cursor": cursor,
      "tidegate-replay": replay,
    };
    const signature = endpoint.signHeaders({
      id,
      timestampSeconds: secondsOf(at),
      headers: signed,
    });
    const headers = headersOf(endpoint, {
      userAgent,
      id,
      body,
      at,
      sequence: event.sequence,
      previous: signed["tidegate-previous-sequence"],
      attempt,
      cursor,
      signature,
    });
    if (replay !== undefined) headers.push("tidegate-replay", replay);
    if (trace !== undefined) {
      headers.push("traceparent", trace.traceparent);
      if (trace.tracestate !== undefined) headers.push("tracestate", trace.tracestate);
    }
    return { headers, body };
  };

  function commonOf({ tenant }: Recipient, event: LogEvent): Common {
    const fingerprint = eventFingerprint(event);
    const cursor = cursors.mint({ tenant, position: event, fingerprint, filter: "any" });
    return { event, id: eventId(event), cursor, body: Buffer.from(event.envelope) };
  }
}

/** A push that stands in no log: before all events, so that it opens no hole, and no cursor's. */
export function testPushHeaders(
  endpoint: Recipient,
  push: Pick<Push, "userAgent" | "id" | "body" | "at">,
): Record<string, string> {
  const place = { sequence: 0, previous: sequenceText(0), attempt: 1, cursor: "", signature: "" };
  const headers = headersOf(endpoint, { ...push, ...place });
  const pairs = headers.flatMap((name, index) =>
    index % 2 === 0 ? [[name, headers[index + 1] ?? ""]] : [],
  );
  const all = Object.fromEntries(pairs) as Record<string, string>;
  const { "tidegate-cursor": _cursor, "tidegate-signature": _signature, ...others } = all;
  return others;
}

type Push = {
  readonly userAgent: string;
  /** Of the event. */
  readonly id: string;
  readonly body: Buffer;
  readonly at: number;
  readonly sequence: Sequence;
  /** As text. */
  readonly previous: string;
  readonly attempt: number;
  readonly cursor: string;
  readonly signature: string;
};

/** Those of the endpoint have other names: what every push sets is reserved (control/endpoints). */
function headersOf(endpoint: Recipient, push: Push): string[] {
  const { userAgent, id, body, at, sequence, previous, attempt, cursor, signature } = push;
  const seconds = secondsOf(at);
  // All at once: a list that grows is copied twice.
  const headers = [
    "content-type",
    endpoint.contentType,
    "user-agent",
    userAgent,
    "webhook-id",
    id,
    "webhook-timestamp",
    String(seconds),
    "webhook-signature",
    endpoint.sign(id, seconds, body),
    "tidegate-sequence",
    sequenceText(sequence),
    "tidegate-previous-sequence",
    previous,
    "tidegate-attempt",
    String(attempt),
    "tidegate-endpoint",
    endpoint.name,
    "tidegate-cursor",
    cursor,
    "tidegate-signature",
    signature,
  ];
  for (const name in endpoint.headers) headers.push(name, endpoint.headers[name] ?? "");
  return headers;
}

function secondsOf(at: number): number {
  return Math.floor(at / 1_000);
}
