/** Durations as people read them. No line ends between a number and its unit. */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `12 ms`, `3.4 s`, `5 min`, `2 h 5 min`, `3 d 4 h`. */
export function showDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}\u00a0ms`;
  if (ms < 10_000) return `${Number((ms / 1_000).toFixed(1))}\u00a0s`;
  if (ms < minuteMs) return `${Math.round(ms / 1_000)}\u00a0s`;
  if (ms < hourMs) return two(ms, minuteMs, "min", 1_000, "s");
  if (ms < dayMs) return two(ms, hourMs, "h", minuteMs, "min");
  return two(ms, dayMs, "d", hourMs, "h");
}

function two(ms: number, large: number, largeUnit: string, small: number, smallUnit: string) {
  const whole = Math.floor(ms / large);
  const rest = Math.floor((ms - whole * large) / small);
  return rest === 0
    ? `${whole}\u00a0${largeUnit}`
    : `${whole}\u00a0${largeUnit} ${rest}\u00a0${smallUnit}`;
}
