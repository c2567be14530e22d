/** How attempts went over time, as a chart shows it. */
import { z } from "zod";
import type { Sql } from "../db/database.ts";
import { endpointUuid } from "../deliveries/endpoint.ts";
import { createOutcomeReader } from "../deliveries/outcomes.ts";
import { createSeriesReader, type Percentiles, type Summary } from "../deliveries/series.ts";
import { tenantErasing, type Tenant } from "../http/auth.ts";
import { route, type Route } from "../http/route.ts";
import { timestamp } from "../http/schemas.ts";
import { typePatternForm } from "../log/filter.ts";
import { Problem } from "../problem.ts";
import { defaultStepMs, spanOf, stepFault } from "./steps.ts";

const minuteMs = 60_000;

const unitMs = { s: 1_000, m: minuteMs, h: 60 * minuteMs, d: 24 * 60 * minuteMs };

/** Whole minutes, in milliseconds. */
const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, "expected a time like 30m, 24h or 7d")
  .transform((text) => Number(text.slice(0, -1)) * unitMs[text.slice(-1) as keyof typeof unitMs])
  .refine((ms) => ms % minuteMs === 0, "expected whole minutes")
  .meta({ override: { type: "string", pattern: "^[1-9]\\d{0,5}[smhd]$" } });

const percentiles = z
  .object({
    p50: z.int().min(0).nullable(),
    p95: z.int().min(0).nullable(),
    p99: z.int().min(0).nullable(),
  })
  .meta({
    id: "Percentiles",
    description:
      "Milliseconds that a half, 95 % and 99 % of the attempts did not exceed; null where there " +
      "was none. Exact below 4 ms, and off by less than 42 % above",
  });

const members = {
  count: z
    .int()
    .min(0)
    .meta({ description: "Attempts that ended, also those of replays and probes" }),
  failures: z
    .int()
    .min(0)
    .meta({ description: "Of these, those that the receiver did not accept" }),
  retries: z
    .int()
    .min(0)
    .meta({ description: "Of these, those after the first of their delivery" }),
  queue_ms: percentiles.meta({ description: "From when an attempt could be made to when it was" }),
  latency_ms: percentiles.meta({ description: "From its start to its outcome" }),
};

const summaryExample = {
  ...{ count: 1204, failures: 9, retries: 4 },
  queue_ms: { p50: 2, p95: 7, p99: 21 },
  latency_ms: { p50: 38, p95: 120, p99: 402 },
};

const shownSeries = z
  .object({
    window_seconds: z.int().meta({ description: "What was asked for, in whole steps" }),
    step_seconds: z.int(),
    from: timestamp,
    to: timestamp.meta({ description: "The end of the step that is running" }),
    totals: z.object(members).meta({ description: "Of the whole window" }),
    series: z
      .array(z.object({ at: timestamp, ...members }))
      .meta({ description: "Each step of the window by its start, the oldest first" }),
  })
  .meta({
    id: "DeliverySeries",
    example: {
      ...{ window_seconds: 300, step_seconds: 300 },
      ...{ from: "2026-11-23T12:00:00.000Z", to: "2026-11-23T12:05:00.000Z" },
      totals: summaryExample,
      series: [{ at: "2026-11-23T12:00:00.000Z", ...summaryExample }],
    },
  });

const query = z.object({
  window: duration.default(unitMs.d).meta({
    description:
      "How far to look back, up to the retention; 24h unless given. It is cut into steps that begin " +
      "at whole minutes, hours or days of UTC, the last of which is still running: a window of one " +
      "step is what came since that began",
    example: "24h",
  }),
  step: duration.optional().meta({
    description:
      "At most 1,500 make up the window, which takes whole hours where it is longer than 2 days. " +
      "Unless given one that makes some 60 to 288 of them, where the window is an hour or longer",
    example: "5m",
  }),
  endpoint: z.string().optional().meta({ description: "Only attempts at the endpoint of this id" }),
  type: z
    .string()
    .regex(typePatternForm, "expected a type like order.created or order.*")
    .optional()
    .meta({
      description:
        "Only events of this type; `order.*` is everything below `order.`. Of a tenant some 200 " +
        "types a day are told apart, and what comes with further ones counts as `other`",
      example: "order.*",
    }),
});

export function createDeliveryStatsRoutes(options: { sql: Sql; retentionDays: number }): Route[] {
  const { sql, retentionDays } = options;
  const readSeries = createSeriesReader(sql);
  const { endpoint: findEndpoint } = createOutcomeReader(sql);
  return [
    route({
      method: "get",
      path: "/stats/deliveries",
      id: "getDeliveryStats",
      tag: "statistics",
      summary: "Show how deliveries went over time",
      description:
        "Attempts by when they ended, with how long they waited and how long they took. What was " +
        "counted comes in within some ten seconds. These are statistics: what a process had not " +
        "written when it was killed is missing, while deliveries themselves are never lost. " +
        "Operators that name no tenant see all of them together.",
      access: "manage",
      tenant: "optional",
      query,
      responses: { 200: shownSeries },
      problems: ["invalid-parameter", "not-found"],
      async handle({ query: { window, step = defaultStepMs(window), endpoint, type }, tenant }) {
        if (window > retentionDays * unitMs.d) {
          throw invalid("window", `is longer than the retention of ${retentionDays} days`);
        }
        const fault = stepFault(window, step);
        if (fault !== undefined) throw invalid("step", fault);
        const owned = endpoint === undefined ? undefined : await find(endpoint, tenant);
        const span = spanOf(window, step, Date.now());
        const whose = owned ?? { tenant: tenant?.id, endpoint: undefined };
        const { totals, steps } = await readSeries({ ...whose, type, span });
        return {
          status: 200,
          body: {
            window_seconds: (span.to - span.from) / 1_000,
            step_seconds: step / 1_000,
            from: timeText(span.from),
            to: timeText(span.to),
            totals: show(totals),
            series: steps.map(({ at, ...summary }) => ({ at: timeText(at), ...show(summary) })),
          },
        };
      },
    }),
  ];

  async function find(id: string, tenant: Tenant | undefined) {
    const uuid = endpointUuid(id);
    const found = uuid === undefined ? undefined : await findEndpoint(uuid, tenant?.id);
    if (found === undefined) throw new Problem("not-found", "there is no such endpoint");
    if (found.erasing) throw tenantErasing(found.tenantName);
    return { tenant: found.tenant, endpoint: uuid };
  }
}

function invalid(parameter: string, fault: string): Problem {
  return new Problem("invalid-parameter", `"${parameter}" ${fault}`, { members: { parameter } });
}

function show({
  attempts,
  failures,
  retries,
  queueMs,
  latencyMs,
}: Summary): z.output<z.ZodObject<typeof members>> {
  return {
    count: attempts,
    failures,
    retries,
    queue_ms: shownOf(queueMs),
    latency_ms: shownOf(latencyMs),
  };
}

function shownOf({ p50, p95, p99 }: Percentiles) {
  return { p50, p95, p99 };
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}
