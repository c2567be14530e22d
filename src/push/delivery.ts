/** One event on its way to one endpoint, as lanes give it out and take its outcome back. */
import type { DeliveryRecord } from "../deliveries/ledger.ts";
import type { LogEvent, Sequence } from "../log/event.ts";
import type { Ended } from "./circuit.ts";
import type { Replayed } from "./replays.ts";
import type { DueRetry } from "./retries.ts";

/** An event that is to be sent, and what it comes from. */
export type Next = {
  readonly event: LogEvent;
  /** The event before this one that matched the endpoint. */
  readonly previous: Sequence;
  /** The number of the coming attempt, from 1. */
  readonly attempt: number;
  /** `subject`: of one that the lane is behind with. */
  readonly source: "log" | "retry" | "subject" | "replay";
  /** What it comes from when it is a retry. */
  readonly retry: DueRetry | undefined;
  /** What it comes from when it is sent again on purpose. */
  readonly replay?: Replayed | undefined;
  /** When it could have been sent, by `performance.now()`. */
  readonly readyAt: number;
};

/** What became of a delivery. */
export type Settled = {
  readonly record: DeliveryRecord;
  /** What the attempt says of the endpoint; undefined when none was made. */
  readonly ended: EndedAttempt | undefined;
  /** Called once the outcome is written. */
  readonly written?: () => void;
};

export type EndedAttempt = Ended & { readonly latencyMs: number };
