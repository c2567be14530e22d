/**
 * What an attempt came to, for whoever logs, counts or traces it. It is told when the attempt has
 * ended, before its outcome is written. Observers run on the path of every delivery: they do not wait,
 * and what one throws is logged (telemetry/observers.ts).
 */
import type { DeliveryRecord, Trigger } from "../deliveries/ledger.ts";
import type { Delivery } from "./lane.ts";
import type { Decision } from "./retry.ts";

export type AttemptReport = {
  readonly delivery: Delivery;
  readonly trigger: Trigger;
  /** What is done about it; of a failed probe nothing is recorded, since it was no attempt. */
  readonly outcome: Decision["kind"] | "probe failed";
  readonly record: DeliveryRecord;
  /** What kind of fault it was; null for a response, whatever its status. */
  readonly errorClass: string | null;
  /** Until the next attempt; null when there is none, or when it is not known. */
  readonly retryInMs: number | null;
  /** The trace that the event belongs to, sampled or not; null when it belongs to none. */
  readonly traceId: string | null;
};

export type ObserveAttempt = (report: AttemptReport) => void;
