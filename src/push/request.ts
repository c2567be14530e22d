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
import type { Endpoint } from "./endpoints.ts";

export type PushHeaders = (push: {
  readonly endpoint: Pick<Endpoint, "tenant" | "name" | "headers" | "contentType" | "sign">;
  readonly event: LogEvent;
  /** The event before this one that matched the endpoint. */
  readonly previous: Sequence;
  /** From 1. */
  readonly attempt: number;
  readonly body: Buffer;
  /** When the attempt is made, milliseconds since 1970. */
  readonly at: number;
}) => Record<string, string>;

export function createPushHeaders(options: { cursors: Cursors; userAgent: string }): PushHeaders {
  const { cursors, userAgent } = options;

  return ({ endpoint, event, previous, attempt, body, at }) => {
    const id = eventId(event);
    const seconds = Math.floor(at / 1_000);
    return {
      ...endpoint.headers,
      "content-type": endpoint.contentType,
      "user-agent": userAgent,
      "webhook-id": id,
      "webhook-timestamp": String(seconds),
      "webhook-signature": endpoint.sign(id, seconds, body),
      "tidegate-sequence": sequenceText(event.sequence),
      "tidegate-previous-sequence": sequenceText(previous),
      "tidegate-cursor": cursors.mint({
        tenant: endpoint.tenant,
        position: event,
        fingerprint: eventFingerprint(event),
        filter: "any",
      }),
      "tidegate-attempt": String(attempt),
      "tidegate-endpoint": endpoint.name,
    };
  };
}
