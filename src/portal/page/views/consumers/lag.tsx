/** How far behind a consumer is, and how long it may stay so. */
import type { Schemas } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { showCount } from "../../parts/number.ts";
import { showDuration } from "../../parts/time.tsx";

type Consumer = Schemas["Consumer"];

const dayMs = 86_400_000;

/** A day is enough for people to notice and to act. */
export const shortHeadroomMs = dayMs;

export function showLag({ events, seconds }: Consumer["lag"]): string {
  if (events === 0) return "Nothing to read";
  const many = `${showCount(events)} ${events === 1 ? "event" : "events"}`;
  return `${many}, the oldest ${showDuration(seconds * 1_000)} old`;
}

type HeadroomOf = Pick<Consumer, "lost" | "retention_headroom_seconds">;

export function Headroom({ lost, retention_headroom_seconds: seconds }: HeadroomOf) {
  if (lost > 0) return <Badge state="lost" tone="bad" text={`${showCount(lost)} lost`} />;
  if (seconds === null) return <span class="soft">–</span>;
  const ms = seconds * 1_000;
  if (ms > shortHeadroomMs) return <span>{showDuration(ms)}</span>;
  return <Badge state="short" tone="warn" text={`only ${showDuration(ms)}`} />;
}
