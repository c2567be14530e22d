/** What is counted of frames that come in, and of those that did not. */
import type { Frame } from "../fanout/fanout.ts";
import { createHistogram } from "../telemetry/histogram.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Seconds. Within a process it is the time of a commit, between two that of the broker too. */
const lagBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createFeedCounts() {
  const lag = createHistogram(lagBounds);
  let gaps = 0;
  return { received, gap: () => void (gaps += 1), measure };

  /** By two clocks, the database's and ours, so what looks early is told as at once. */
  function received(frame: Frame): void {
    const last = frame.kind === "events" ? frame.events?.at(-1) : undefined;
    if (last !== undefined) lag.observe(Math.max(0, Date.now() - last.appendedAt) / 1_000);
  }

  function measure(metrics: Metrics): void {
    metrics.histogram({
      name: "tidegate_fanout_lag_seconds",
      help: "From when the last event of a frame was appended to when the frame was here",
      read: () => [{ value: lag }],
    });
    metrics.counter({
      name: "tidegate_feed_gaps_total",
      help: "Times that a log had grown here without a frame, or with one missing: it was read instead",
      read: () => [{ value: gaps }],
    });
  }
}
