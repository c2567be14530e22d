/**
 * Records of deliveries as people see them. What an attempt sent is told from what is known of it:
 * of values that may be secret, the owner's own headers and signatures, only the names are shown.
 * Settings that an attempt does not keep, the media type and the owner's headers, are told as they
 * are now; so is the URL of a delivery that succeeded at once, which leaves no record beside its
 * outcome.
 */
import { errorOf, triggerOf, withUntold, type AttemptRow } from "../deliveries/attempts.ts";
import { deliveryId } from "../deliveries/delivery-id.ts";
import { endpointName } from "../deliveries/endpoint.ts";
import type { Delivery, EndpointNow } from "../deliveries/outcomes.ts";
import { replayName } from "../deliveries/replays.ts";
import { sequenceText, tenantPrefix } from "../log/event.ts";
import { contentTypeOf } from "./endpoints.ts";

const redacted = "[redacted]";

/** Response headers whose values let somebody in. */
const secretNames = /authorization|authentication-info|cookie|session|token|secret|passw|api-?key/;

export type ShownHeaders = Record<string, string | string[]>;

/** How often, when and with what it was tried is as of the last attempt that is recorded. */
export function showDelivery(delivery: Delivery) {
  const { tenant, sequence, attempts, event } = delivery;
  const wasTried = attempts > 0;
  return {
    id: deliveryId({
      tenantPrefix: tenantPrefix(tenant),
      endpoint: delivery.endpoint,
      position: delivery,
    }),
    endpoint: endpointName(delivery.endpoint),
    event: { id: event.id, type: event.type, sequence: sequenceText(sequence) },
    status: delivery.status,
    attempts,
    first_attempt_at: wasTried ? timeText(delivery.firstAt) : null,
    last_attempt_at: wasTried ? timeText(delivery.lastAt) : null,
    next_attempt_at: delivery.dueAt === null ? null : timeText(delivery.dueAt),
    last_status_code: delivery.statusCode,
    last_error: delivery.error,
    receipt: showReceipt(delivery.receipt),
  };
}

function showReceipt(receipt: Delivery["receipt"]) {
  return receipt && { ...receipt, at: timeText(receipt.at) };
}

export type ShownAttempt = ReturnType<typeof showAttempt>;

/** Oldest first. `endpoint` is undefined when it was removed. */
export function showAttempts(
  delivery: Delivery,
  rows: readonly AttemptRow[],
  endpoint: EndpointNow | undefined,
): ShownAttempt[] {
  return withUntold(delivery, rows).map((row) => showAttempt(delivery, row, endpoint));
}

function showAttempt(delivery: Delivery, row: AttemptRow, endpoint: EndpointNow | undefined) {
  const url = row.url ?? endpoint?.url;
  return {
    attempt: row.attempt,
    trigger: triggerOf(row),
    replay: row.replay === null ? null : replayName(row.replay),
    at: timeText(row.at),
    queue_ms: row.queueMs,
    latency_ms: row.latencyMs,
    status_code: row.statusCode,
    error: errorOf(row),
    request: url === undefined ? null : { url, headers: requestHeaders(delivery, row, endpoint) },
    response: showResponse(row),
  };
}

function requestHeaders(
  { event, endpoint: uuid, sequence, previous }: Delivery,
  { attempt, at, replay }: AttemptRow,
  endpoint: EndpointNow | undefined,
): Record<string, string> {
  return {
    ...Object.fromEntries((endpoint?.headerNames ?? []).map((name) => [name, redacted])),
    ...(endpoint !== undefined && { "content-type": contentTypeOf(endpoint.format) }),
    "webhook-id": event.id,
    "webhook-timestamp": String(Math.floor(at / 1_000)),
    "webhook-signature": redacted,
    "tidegate-sequence": sequenceText(sequence),
    "tidegate-previous-sequence": sequenceText(previous ?? 0),
    "tidegate-attempt": String(attempt),
    "tidegate-endpoint": endpointName(uuid),
    ...(replay !== null && { "tidegate-replay": replayName(replay) }),
    "tidegate-signature": redacted,
  };
}

function showResponse({ responseHeaders, responseBody, truncated }: AttemptRow) {
  if (responseHeaders === null) return null;
  const headers = Object.entries(JSON.parse(responseHeaders) as ShownHeaders).map(
    ([name, value]) => [name, secretNames.test(name) ? redacted : value] as const,
  );
  return { headers: Object.fromEntries(headers), body: responseBody ?? "", truncated };
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}
