/** What is recorded of a retry that cannot be made any more. */
import type { DeliveryRecord } from "../deliveries/ledger.ts";
import type { Retry } from "./retries.ts";

/** Retention took its event before its retries were over. */
export function expired(retry: Retry, now: number): DeliveryRecord {
  const { day, sequence, previous, attempts, requeued, firstAt } = retry;
  return {
    ...{ kind: "expired", day, sequence, previous, attempts, requeued, firstAt, at: now },
    ...{ retried: true, queueMs: 0, latencyMs: 0, statusCode: null, dueAt: null, detail: null },
    error: "retention took the event before it was delivered",
  };
}
