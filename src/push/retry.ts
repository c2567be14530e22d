/**
 * Decides what follows an attempt: delivered, tried again, dead, or the endpoint disabled. Pure:
 * time and chance are arguments.
 *
 * The immediate second try after a broken connection is not decided here: the attempt makes it.
 */

import { retryDelayMinMs, retryDelayMs } from "../deliveries/retry-delay.ts";
import type { AttemptResponse, Outcome } from "./outcome.ts";

export type Decision =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly delayMs: number }
  /** `asked`: the receiver wants it so, whatever the schedule has left. */
  | { readonly kind: "dead"; readonly reason: string; readonly asked: boolean }
  /** The endpoint takes nothing more; an event that it did not take is held, not dead. */
  | { readonly kind: "disable"; readonly reason: string; readonly delivered: boolean };

export type Circumstances = {
  /** The number of the attempt that has just ended, from 1. */
  readonly attempt: number;
  /** Delays after the first attempt, the second and so on; one attempt more than delays. */
  readonly scheduleMs: readonly number[];
  /** Uniform in [0, 1). */
  readonly chance: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** No attempt is made after this time, whatever the schedule has left. */
  readonly giveUpAt?: number | undefined;
  /** Since when nothing but failures has come, this attempt included. */
  readonly failingSince?: number | undefined;
};

/** An endpoint that has answered nothing well for so long is switched off, with its position kept. */
const failingMaxMs = 5 * 24 * 60 * 60 * 1_000;

/** A receiver that names a later time is not heard: nobody plans a pause beyond a day. */
const retryAfterMaxMs = 24 * 60 * 60 * 1_000;

/**
 * The share of the scheduled delay that `Retry-After` cannot go below. A receiver that always
 * asks for one second would otherwise use up twelve attempts in twelve seconds; so they last
 * at least seven hours.
 */
const retryAfterFloor = 0.1;

export function decide(outcome: Outcome, circumstances: Circumstances): Decision {
  const { response } = outcome;
  const delivered = outcome.kind === "response" && isSuccess(outcome.response.status);
  const wish = wishOf(response);

  if (wish === "abort-message") {
    return { kind: "dead", reason: "aborted by the receiver", asked: true };
  }
  if (wish === "disable") {
    return { kind: "disable", reason: "the receiver asked for it", delivered };
  }
  if (response?.status === 410) return { kind: "disable", reason: "410 Gone", delivered };
  if (delivered) return { kind: "delivered" };
  const { now, failingSince = now } = circumstances;
  if (now - failingSince >= failingMaxMs) {
    return { kind: "disable", reason: "nothing but failures for 5 days", delivered };
  }
  return retryOrDead(response, circumstances);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

function retryOrDead(
  response: AttemptResponse | undefined,
  { attempt, scheduleMs, chance, now, giveUpAt = Infinity }: Circumstances,
): Decision {
  const scheduledMs = retryDelayMs(scheduleMs, attempt, chance);
  const baseMs = scheduleMs[attempt - 1];
  if (scheduledMs === undefined || baseMs === undefined) {
    return {
      kind: "dead",
      reason: attempt === 1 ? "1 attempt failed" : `${attempt} attempts failed`,
      asked: false,
    };
  }
  const askedMs = retryAfterMs(response, now);
  const delayMs =
    askedMs === undefined
      ? scheduledMs
      : Math.max(retryDelayMinMs, baseMs * retryAfterFloor, askedMs);
  if (now + delayMs > giveUpAt) return { kind: "dead", reason: outOfTime, asked: false };
  return { kind: "retry", delayMs };
}

export const outOfTime = "given up: out of time";

/** How long a receiver that cannot serve now asks to be left alone, if it says so. */
function retryAfterMs(response: AttemptResponse | undefined, now: number): number | undefined {
  if (response?.status !== 429 && response?.status !== 503) return undefined;
  return parseRetryAfterMs(single(response, "retry-after"), now);
}

/** Seconds or an HTTP date, as milliseconds from now; undefined for anything else. */
export function parseRetryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const waitMs = /^\d{1,10}$/.test(text) ? Number(text) * 1_000 : parseHttpDate(text) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), retryAfterMaxMs);
}

/** The three forms of RFC 9110; Date.parse alone would read "-5" as a date. */
function parseHttpDate(text: string): number {
  const inGmt = /^[A-Z][a-z]{2,8}, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d:\d\d:\d\d GMT$/;
  const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;
  if (inGmt.test(text)) return Date.parse(text);
  return asctime.test(text) ? Date.parse(`${text} GMT`) : Number.NaN;
}

/** What the receiver asks for in the header `webhook-delivery`. */
function wishOf(response: AttemptResponse | undefined): "abort-message" | "disable" | undefined {
  const value = response && single(response, "webhook-delivery")?.trim().toLowerCase();
  return value === "abort-message" || value === "disable" ? value : undefined;
}

/** The first value of a header. */
function single({ headers }: AttemptResponse, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}
