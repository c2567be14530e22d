/**
 * What is decided of a delivery when its turn comes, without an attempt: its time is up, its
 * attempts are, or the receipt that it waited for is not asked for any more.
 */
import type { DeliveryRecord } from "../deliveries/ledger.ts";
import type { DueRetry } from "./retries.ts";
import type { Delivery } from "./lane.ts";
import { outOfTime } from "./retry.ts";

/** Undefined when an attempt is to be made. */
export function decideUnsent(delivery: Delivery, now: number): DeliveryRecord | undefined {
  const { retry, lane } = delivery;
  const { scheduleMs, requireReceipt } = lane.endpoint;
  if (retry?.awaiting === true && !requireReceipt) return accepted(delivery, retry);
  const missed = missedReceipt(delivery);
  // It fell due in time and had to wait too long, for a circuit, say.
  if (now > giveUpTime(delivery)) return dead(delivery, missed?.error ?? "no attempt", outOfTime);
  // A dead letter of an outage gets its one attempt, whatever the schedule says.
  if (retry === undefined || retry.requeued || retry.attempts <= scheduleMs.length)
    return undefined;
  if (missed !== undefined) return dead(delivery, missed.error, attemptsText(retry.attempts));
  return retry.failed ? dead(delivery, retry.error ?? "", attemptsText(retry.attempts)) : undefined;
}

/** When it is due because no receipt came for its last attempt. */
export function missedReceipt({ lane, retry }: Delivery): DeliveryRecord["missed"] {
  if (retry?.awaiting !== true) return undefined;
  const seconds = lane.endpoint.receiptTimeoutMs / 1_000;
  return { attempt: retry.attempts, error: `receipt: none within ${seconds} s` };
}

/** A dead letter of an outage gets its one attempt, however late, and so does a replay. */
export function giveUpTime({ lane, retry, source }: Delivery): number {
  const { giveUpAfterMs } = lane.endpoint;
  if (giveUpAfterMs === null || retry?.requeued === true || source === "replay") return Infinity;
  return (retry?.firstAt ?? Date.now()) + giveUpAfterMs;
}

function accepted(delivery: Delivery, { statusCode, lastAt }: DueRetry): DeliveryRecord {
  return { ...withoutAttempt(delivery), kind: "delivered", at: lastAt, statusCode, error: null };
}

function dead(delivery: Delivery, what: string, why: string): DeliveryRecord {
  const missed = missedReceipt(delivery);
  const error = `${what} (${why})`;
  const statusCode = missed === undefined ? null : (delivery.retry?.statusCode ?? null);
  return { ...withoutAttempt(delivery), kind: "dead", at: Date.now(), statusCode, error, missed };
}

function withoutAttempt({ event, previous, retry, attempt }: Delivery) {
  return {
    day: event.day,
    sequence: event.sequence,
    previous,
    attempts: attempt - 1,
    retried: true,
    requeued: retry?.requeued ?? false,
    firstAt: retry?.firstAt ?? Date.now(),
    ...{ queueMs: 0, latencyMs: 0, dueAt: null, detail: null },
  };
}

function attemptsText(attempts: number): string {
  return attempts === 1 ? "1 attempt failed" : `${attempts} attempts failed`;
}
