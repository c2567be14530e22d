/**
 * Traces: what became of one event on its way, as spans that the stages open and close. Off unless
 * a collector is configured, and then nothing of OpenTelemetry is even loaded. Spans never wait and
 * never throw; when the collector is away or slow they are dropped, and nothing else notices.
 */
import type { TraceContext } from "./trace-context.ts";

export type TracingConfig = {
  /** Of OTLP over HTTP, without the path of the signal. */
  readonly endpoint: string;
  /** As OTEL_TRACES_SAMPLER names it. */
  readonly sampler: `${"" | "parentbased_"}${"always_on" | "always_off" | "traceidratio"}`;
  /** Of the traces, from 0 to 1, where the sampler goes by it. */
  readonly ratio: number;
};

export type Attributes = Readonly<Record<string, string | number | undefined>>;

export type SpanKind = "internal" | "server" | "client" | "producer";

export type SpanStart = {
  readonly kind: SpanKind;
  /** Without one a trace begins. */
  readonly parent?: TraceContext | undefined;
  readonly links?: readonly TraceContext[];
  /** By `performance.now()`, as all times here. */
  readonly at: number;
  readonly attributes?: Attributes;
};

export type SpanEnd = {
  readonly at?: number;
  readonly attributes?: Attributes;
  /** Something that happened at the end, and what there is to say of it. */
  readonly events?: Readonly<Record<string, Attributes>>;
  /** What kind of failure it was, from a short list; undefined: none. */
  readonly errorType?: string | undefined;
};

export type Span = {
  readonly context: TraceContext;
  /** To be called once. */
  end(ended?: SpanEnd): void;
};

export type Tracing = {
  /**
   * False where it is clear from what is above that no span is sampled: then nothing of one needs
   * to be put together.
   */
  maySample(parent: TraceContext): boolean;
  /** Undefined when its trace is not sampled. */
  start(name: string, start: SpanStart): Span | undefined;
  /** A span that is over already. */
  record(name: string, start: SpanStart, end: SpanEnd): void;
  /** Sends what there is, for as long as that takes little time. */
  stop(): Promise<void>;
};
