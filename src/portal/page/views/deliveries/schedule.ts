/** The attempts that an endpoint's retry schedule still has for a delivery. Pure. */
import type { components } from "../../../../client/api.ts";

type DeliveryData = components["schemas"]["Delivery"];

/**
 * What a gateway does whose operator has set nothing else. The API shows no schedule for an endpoint
 * without one of its own.
 */
export const usualSchedule: readonly string[] = [
  ...["5s", "15s", "1m", "5m", "30m"],
  ...["2h", "5h", "10h", "14h", "20h", "24h"],
];

/** Delays are drawn anew each time, between this and the scheduled one. */
const delayMinMs = 1_000;

export type Planned = {
  readonly attempt: number;
  /** Milliseconds since 1970. The next one has one moment, later ones a span. */
  readonly earliest: number;
  readonly latest: number;
  /** Behind the time at which the endpoint gives up: surely not made, or only perhaps. */
  readonly beyond: "no" | "perhaps" | "yes";
};

/**
 * In order; none for a delivery that is not tried again. `from` is the first moment at which anything
 * can be attempted, in milliseconds since 1970: what was due before waits until then.
 */
export function plannedAttempts(
  delivery: Pick<DeliveryData, "status" | "attempts" | "next_attempt_at" | "first_attempt_at">,
  schedule: readonly string[],
  { giveUpAfter, from }: { giveUpAfter: string | null; from: number },
): Planned[] {
  const { status, attempts, next_attempt_at: next } = delivery;
  if (status !== "retrying" || next === null) return [];
  const giveUpAt = giveUpTime(delivery, giveUpAfter) ?? Infinity;
  let earliest = Math.max(Date.parse(next), from);
  let latest = earliest;
  // The next one follows from a failure that has been; each later one from a failure to come.
  const later = schedule.slice(attempts).map(parseSpan);
  return [0, ...later].map((delayMs, index) => {
    earliest += delayMs === 0 ? 0 : Math.min(delayMinMs, delayMs);
    latest += delayMs;
    const beyond = earliest > giveUpAt ? "yes" : latest > giveUpAt ? "perhaps" : "no";
    return { attempt: attempts + 1 + index, earliest, latest, beyond };
  });
}

/** Milliseconds since 1970; undefined without such a time. */
export function giveUpTime(
  { first_attempt_at: first }: Pick<DeliveryData, "first_attempt_at">,
  giveUpAfter: string | null,
): number | undefined {
  if (first === null || giveUpAfter === null) return undefined;
  return Date.parse(first) + parseSpan(giveUpAfter);
}

/** `5s`, `15m`, `2h`, `1d` as milliseconds. */
export function parseSpan(text: string): number {
  const [, digits = "0", unit = "s"] = /^(\d+)(s|m|h|d)$/.exec(text) ?? [];
  const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 1_000;
  return Number(digits) * unitMs;
}
