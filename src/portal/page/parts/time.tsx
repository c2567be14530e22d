/** Moments and durations. Relative ones tick; the exact moment with its zone is one hover away. */
import { useSyncExternalStore } from "preact/compat";

export { showDuration } from "./duration.ts";

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
