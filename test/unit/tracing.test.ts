/** What is traced of a trace that began elsewhere, and of one that begins here. */
import { afterAll, expect, test } from "vitest";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createOtlpTracing } from "../../src/telemetry/otlp.ts";
import { parseTraceContext } from "../../src/telemetry/trace-context.ts";
import type { Tracing, TracingConfig } from "../../src/telemetry/tracing.ts";
import { startCollector } from "../support/otlp.ts";

const collector = await startCollector();
const opened: Tracing[] = [];

afterAll(async () => {
  await Promise.all(opened.map((tracing) => tracing.stop()));
  await collector[Symbol.asyncDispose]();
});

function open(sampler: TracingConfig["sampler"], ratio = 1): Tracing {
  const log = createLogger({ level: "silent" });
  const options = { version: "1.0.0", log };
  const tracing = createOtlpTracing({ endpoint: collector.url, sampler, ratio }, options);
  opened.push(tracing);
  return tracing;
}

const start = { kind: "internal", at: 0 } as const;
const inTrace = (flags: string) =>
  parseTraceContext(`00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flags}`, "a=1");

test.each([
  { sampler: "parentbased_always_on", sampled: true, unsampled: false, first: true },
  { sampler: "parentbased_always_off", sampled: true, unsampled: false, first: false },
  { sampler: "parentbased_traceidratio", ratio: 0, sampled: true, unsampled: false, first: false },
  { sampler: "parentbased_traceidratio", ratio: 1, sampled: true, unsampled: false, first: true },
  { sampler: "traceidratio", ratio: 0, sampled: false, unsampled: false, first: false },
  { sampler: "traceidratio", ratio: 1, sampled: true, unsampled: true, first: true },
  { sampler: "always_on", sampled: true, unsampled: true, first: true },
  { sampler: "always_off", sampled: false, unsampled: false, first: false },
] as const)("$sampler ($ratio) samples as its name says", ({ sampler, ...expected }) => {
  const tracing = open(sampler, "ratio" in expected ? expected.ratio : undefined);
  const isTraced = (flags?: string) => {
    const parent = flags === undefined ? undefined : inTrace(flags);
    const span = tracing.start("a", { ...start, parent });
    span?.end();
    return span !== undefined;
  };
  expect(isTraced("01")).toBe(expected.sampled);
  expect(isTraced("00")).toBe(expected.unsampled);
  expect(isTraced()).toBe(expected.first);
});

test("spans that are open at the end are told with all that was said of them", async () => {
  const tracing = open("parentbased_always_on");
  const span = tracing.start("a", {
    ...{ kind: "client", parent: inTrace("01"), at: performance.now() },
    attributes: { text: "b", number: 1.5, nothing: undefined },
  });
  expect(span?.context.traceparent).toMatch(
    /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/,
  );
  expect(span?.context.tracestate).toBe("a=1");
  span?.end({ errorType: "dns", attributes: { whole: 7 }, events: { retry: { after: 2 } } });
  await tracing.stop();
  const found = collector.spans.find(({ spanId }) => spanId === span?.context.spanId);
  expect(found).toMatchObject({
    ...{ name: "a", kind: 3, parentId: "b7ad6b7169203331", failed: true },
    attributes: { text: "b", number: 1.5, whole: 7, "error.type": "dns" },
    events: [{ name: "retry", attributes: { after: 2 } }],
  });
  expect(found?.attributes).not.toHaveProperty("nothing");
  expect(Math.abs((found?.startedAt ?? 0) - Date.now())).toBeLessThan(60_000);
});
