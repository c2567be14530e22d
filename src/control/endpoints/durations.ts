/** Durations as callers write and read them: `5s`, `15m`, `36h`. */
import { parseDurationMs } from "../../config/values.ts";

const units = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** Nobody retries faster than this (full jitter stays above it), or waits beyond a day. */
const delayMinMs = 1_000;
const delayMaxMs = 86_400_000;

/** Undefined for what is no duration, or none that a retry may wait. */
export function parseDelayMs(text: string): number | undefined {
  const delayMs = parseSpanMs(text);
  return delayMs !== undefined && delayMs <= delayMaxMs ? delayMs : undefined;
}

/** As long as at least one retry may wait; how long at most depends on the retention. */
export function parseSpanMs(text: string): number | undefined {
  const spanMs = parseDurationMs(text);
  return spanMs !== undefined && spanMs >= delayMinMs ? spanMs : undefined;
}

/** In the largest unit that tells it exactly. */
export function durationText(durationMs: number): string {
  const unit = units.find(([, unitMs]) => durationMs % unitMs === 0);
  return unit === undefined ? `${durationMs}ms` : `${durationMs / unit[1]}${unit[0]}`;
}
