/** Moments and durations. Relative ones tick; the exact moment with its zone is one hover away. */
import { useSyncExternalStore } from "preact/compat";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const exact = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "long",
});

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });

/** One clock for all that tick; it stands while nothing does. */
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

/** The present in milliseconds, anew each second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** `5 minutes ago`, `in 3 hours`. */
export function Ago({ at }: { at: string }) {
  const present = useNow();
  return (
    <time dateTime={at} title={showExact(at)}>
      {showRelative(Date.parse(at) - present)}
    </time>
  );
}

/** Date, time and zone. */
export function Moment({ at }: { at: string }) {
  return <time dateTime={at}>{showExact(at)}</time>;
}

export function showExact(at: string): string {
  return exact.format(new Date(at));
}

export function showRelative(ms: number): string {
  const size = Math.abs(ms);
  if (size < 5_000) return "now";
  if (size < minuteMs) return relative.format(Math.round(ms / 1_000), "second");
  if (size < hourMs) return relative.format(Math.round(ms / minuteMs), "minute");
  if (size < dayMs) return relative.format(Math.round(ms / hourMs), "hour");
  return relative.format(Math.round(ms / dayMs), "day");
}

/** `12 ms`, `3.4 s`, `5 min`, `2 h 5 min`, `3 d 4 h`. */
export function showDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < minuteMs) return `${Math.round(ms / 1_000)} s`;
  if (ms < hourMs) return two(ms, minuteMs, "min", 1_000, "s");
  if (ms < dayMs) return two(ms, hourMs, "h", minuteMs, "min");
  return two(ms, dayMs, "d", hourMs, "h");
}

function two(ms: number, large: number, largeUnit: string, small: number, smallUnit: string) {
  const whole = Math.floor(ms / large);
  const rest = Math.floor((ms - whole * large) / small);
  return rest === 0 ? `${whole} ${largeUnit}` : `${whole} ${largeUnit} ${rest} ${smallUnit}`;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  now = Date.now();
  for (const listener of listeners) listener();
}
