/** How a chart's window is cut into steps. Pure. */
import type { Span } from "../deliveries/series.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** As long as statistics by the minute are kept (log/retention.ts): longer windows go by the hour. */
const byMinuteMaxMs = 2 * dayMs;

/** As many as a wide chart shows. */
const stepsMax = 1_500;

/** Unless the caller asks for more: a tenth of an answer's largest size, and enough for most charts. */
const stepsWanted = 288;

const plainSteps = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minuteMs),
  ...[1, 2, 3, 6, 12, 24].map((hours) => hours * hourMs),
];

/** The shortest step of a plain length that does not make too many of them. */
export function defaultStepMs(windowMs: number): number {
  const fits = (stepMs: number) =>
    windowMs / stepMs <= stepsWanted && (windowMs <= byMinuteMaxMs || stepMs >= hourMs);
  return plainSteps.find(fits) ?? Math.ceil(windowMs / stepsWanted / dayMs) * dayMs;
}

/** What is wrong with a step, in words for who asked for it; undefined when nothing is. */
export function stepFault(windowMs: number, stepMs: number): string | undefined {
  if (windowMs / stepMs > stepsMax) return `makes more than ${stepsMax} steps of the window`;
  if (windowMs > byMinuteMaxMs && stepMs % hourMs !== 0) {
    return "has to be whole hours where the window is longer than 2 days";
  }
  return undefined;
}

/** As many steps as hold the window, the last of them the one that is running, in step with 1970. */
export function spanOf(windowMs: number, stepMs: number, now: number): Span {
  const to = (Math.floor(now / stepMs) + 1) * stepMs;
  return { from: to - Math.ceil(windowMs / stepMs) * stepMs, to, stepMs };
}
