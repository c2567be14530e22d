/**
 * The one place that knows OpenTelemetry. Spans gather in a bounded queue and go to the collector
 * in batches, as protobuf over HTTP. What the standard variables say of the exporter and of the
 * resource (OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME, …) the library reads by itself.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  createTraceState,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind as Kinds,
  SpanStatusCode,
  trace,
  type Context,
  type Span as ApiSpan,
  type SpanContext,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanExporter,
} from "@opentelemetry/sdk-trace";
import type { Logger } from "./logger.ts";
import type { TraceContext } from "./trace-context.ts";
import type { Span, SpanEnd, SpanKind, SpanStart, Tracing, TracingConfig } from "./tracing.ts";

/** About a second of a process that is busy and traces all, some 8 MB. */
const queueMaxSpans = 16_384;
const batchMaxSpans = 512;

/** Whoever looks for a trace should not have to wait, and a request a second costs nothing. */
const batchDelayMs = 1_000;

/** Who stops a process waits for it; a collector that is well needs milliseconds. */
const stopMaxMs = 2_000;

/** The clock was set, or has run at another pace for long. */
const clockOffMaxMs = 5;
const clockEveryMs = 1_000;

/** What goes wrong here goes wrong with every batch. */
const lineEveryMs = 60_000;

const kinds: Record<SpanKind, Kinds> = {
  internal: Kinds.INTERNAL,
  server: Kinds.SERVER,
  client: Kinds.CLIENT,
  producer: Kinds.PRODUCER,
};

export function createOtlpTracing(
  config: TracingConfig,
  { version, log }: { version: string; log: Logger },
): Tracing {
  const complain = createComplaints(log, "spans not sent to the collector");
  const warn = createComplaints(log, "a warning of the library for traces");
  diag.setLogger(
    { error: warn, warn, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const provider = new TracerProvider({
    sampler: samplerOf(config),
    resource: resourceFromAttributes({
      "service.name": "tidegate",
      "service.version": version,
      // So that the processes of an installation can be told apart.
      "service.instance.id": randomUUID(),
    }).merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: forgiving(createExporter(config), complain),
        maxQueueSize: setting("OTEL_BSP_MAX_QUEUE_SIZE") ?? queueMaxSpans,
        maxExportBatchSize: setting("OTEL_BSP_MAX_EXPORT_BATCH_SIZE") ?? batchMaxSpans,
        scheduledDelayMillis: setting("OTEL_BSP_SCHEDULE_DELAY") ?? batchDelayMs,
      }),
    ],
  });
  const tracer = provider.getTracer("tidegate", version);
  // The others decide by themselves, whatever was decided above.
  const followsParent = config.sampler.startsWith("parentbased_");
  const clock = createClock();

  return { maySample, start, record, stop };

  function maySample({ sampled }: TraceContext): boolean {
    return sampled || !followsParent;
  }

  function start(name: string, { kind, parent, links = [], at, attributes }: SpanStart) {
    if (parent !== undefined && !maySample(parent)) return undefined;
    const startTime = clock(at);
    const options = {
      ...{ kind: kinds[kind], startTime },
      ...(attributes !== undefined && { attributes }),
      ...(links.length > 0 && { links: links.map((link) => ({ context: contextOf(link) })) }),
    };
    const span = tracer.startSpan(name, options, below(parent));
    // No span ends before it began, even if the clock was set meanwhile.
    const timeOf: Clock = (time) => Math.max(startTime, clock(time));
    return span.isRecording() ? open(span, parent, timeOf) : undefined;
  }

  function record(name: string, started: SpanStart, ended: SpanEnd): void {
    start(name, started)?.end(ended);
  }

  async function stop(): Promise<void> {
    const flushed = provider.shutdown().catch(complain);
    await Promise.race([flushed, delay(stopMaxMs, undefined, { ref: false })]);
    diag.disable();
  }
}

function open(span: ApiSpan, parent: TraceContext | undefined, clock: Clock): Span {
  const { traceId, spanId } = span.spanContext();
  return {
    context: {
      ...{ traceId, spanId, sampled: true, isRemote: false },
      traceparent: `00-${traceId}-${spanId}-01`,
      tracestate: parent?.tracestate,
    },
    end({ at = performance.now(), attributes, events = {}, errorType } = {}) {
      if (attributes !== undefined) span.setAttributes(attributes);
      for (const [name, about] of Object.entries(events)) span.addEvent(name, about, clock(at));
      if (errorType !== undefined) {
        span.setAttribute("error.type", errorType);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end(clock(at));
    },
  };
}

function below(parent: TraceContext | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, contextOf(parent));
}

function contextOf({ traceId, spanId, sampled, isRemote, tracestate }: TraceContext): SpanContext {
  return {
    ...{ traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote },
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  };
}

function samplerOf({ sampler, ratio }: TracingConfig): Sampler {
  switch (sampler) {
    case "always_on":
      return new AlwaysOnSampler();
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio":
      return new TraceIdRatioBasedSampler(ratio);
    case "parentbased_always_on":
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case "parentbased_always_off":
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case "parentbased_traceidratio":
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
}

/** Milliseconds since 1970 at a time of `performance.now()`. */
type Clock = (at: number) => number;

/**
 * One for all spans of the process, so that a span within another's time is shown there: the
 * library would ask for the time of day at each, which is in whole milliseconds.
 */
function createClock(): Clock {
  let origin = performance.timeOrigin;
  let comparedAt = performance.now();
  return (at) => {
    const now = performance.now();
    if (now - comparedAt > clockEveryMs) {
      comparedAt = now;
      const off = Date.now() - (origin + now);
      // Not when the process had to wait between the two.
      if (Math.abs(off) > clockOffMaxMs && performance.now() - now < 1) origin += off;
    }
    return origin + at;
  };
}

/** A number that the library leaves to its caller to read; what is none is ignored, as it asks. */
function setting(name: string): number | undefined {
  const value = Number(process.env[name]);
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** A URL of traces alone, which the library reads by itself, stands before that of all signals. */
function createExporter({ endpoint }: TracingConfig): SpanExporter {
  const own = process.env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]?.trim();
  if (own !== undefined && own !== "") return new OTLPTraceExporter();
  return new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces` });
}

/** What it does not get rid of is lost, and told once in a while. */
function forgiving(exporter: SpanExporter, complain: (error: unknown) => void): SpanExporter {
  return {
    export(spans, done) {
      exporter.export(spans, ({ error }) => {
        if (error !== undefined) complain(error);
        done({ code: 0 });
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}

function createComplaints(log: Logger, message: string): (error: unknown) => void {
  let times = 0;
  let loggedAt = -Infinity;
  return (error) => {
    times += 1;
    const now = performance.now();
    if (now - loggedAt < lineEveryMs) return;
    log.warn({ times, err: error }, message);
    [times, loggedAt] = [0, now];
  };
}

function ignore(): void {
  // Of interest to those who work on the library.
}
