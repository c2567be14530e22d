/**
 * Tells whoever observes. They stand on the paths of events and deliveries, which end for nobody's
 * log line or metric: one that fails is logged, and the others are told all the same.
 */
import type { Logger } from "./logger.ts";

export function tellAll<Report>(
  observers: readonly ((report: Report) => void)[],
  report: Report,
  log: Logger,
): void {
  for (const observe of observers) {
    try {
      observe(report);
    } catch (error) {
      log.error({ err: error }, "an observer failed");
    }
  }
}
