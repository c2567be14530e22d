/** Retry delays as callers write and read them: `5s`, `15m`, `2h`. */
import { parseDurationMs } from "../../config.ts";

const units = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** Nobody retries faster than this (full jitter stays above it), or plans beyond a day. */
const delayMinMs = 1_000;
const delayMaxMs = 86_400_000;

/** Undefined for what is no duration, or none that a retry may wait. */
export function parseDelayMs(text: string): number | undefined {
  const delayMs = parseDurationMs(text);
  const allowed = delayMs !== undefined && delayMs >= delayMinMs && delayMs <= delayMaxMs;
  return allowed ? delayMs : undefined;
}

/** In the largest unit that tells it exactly. */
export function delayText(delayMs: number): string {
  const unit = units.find(([, unitMs]) => delayMs % unitMs === 0);
  return unit === undefined ? `${delayMs}ms` : `${delayMs / unit[1]}${unit[0]}`;
}
