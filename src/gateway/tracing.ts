/** Traces, for a process that has somewhere to send them. */
import type { TracingConfig } from "../config.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import { version } from "./version.ts";

/** Undefined where no collector is configured; then nothing of OpenTelemetry is loaded. */
export async function openTracing(
  config: TracingConfig | undefined,
  log: Logger,
): Promise<Tracing | undefined> {
  if (config === undefined) return undefined;
  const { createOtlpTracing } = await import("../telemetry/otlp.ts");
  return createOtlpTracing(config, { version, log });
}
