/** `/stats/undelivered`: the support question, and whom it concerns. */
import { z } from "zod";
import { endpointName } from "../deliveries/endpoint.ts";
import type { Undelivered, UndeliveredReader } from "../deliveries/undelivered.ts";
import { route, type Route } from "../http/route.ts";
import { pageQuery, timestamp } from "../http/schemas.ts";

const daySeconds = 86_400;

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: daySeconds };

const endpointExample = {
  id: "ep_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c",
  tenant: "acme",
  url: "https://example.com/webhooks",
  status: "active" as const,
  circuit: "open" as const,
  ...{ deliveries: 9, retrying: 2, awaiting_receipt: 0, dead: 1, expired: 0, waiting: 6 },
  exact: true,
  oldest_at: "2026-11-23T11:12:41.512Z",
};

const count = z.int().min(0);

const counts = {
  deliveries: count.meta({
    description: "Pairs of an event and an endpoint: `retrying`, `dead` and `waiting` together",
  }),
  retrying: count.meta({ description: "They failed, and are tried again" }),
  awaiting_receipt: count.meta({
    description: "Of those: accepted, and the receipt that the endpoint requires has not come",
  }),
  dead: count.meta({ description: "They failed, and are not tried again" }),
  expired: count.meta({ description: "Of those: the event was gone before it could be" }),
  waiting: count.meta({
    description:
      "Not attempted yet: what lies beyond the endpoint's position, also while it is paused, " +
      "polls or is disabled, and what blocked subjects hold",
  }),
};

const shownEndpoint = z.object({
  id: z.string(),
  tenant: z.string(),
  url: z.string(),
  status: z.enum(["active", "paused", "polling", "disabled"]),
  circuit: z.enum(["closed", "open", "half_open"]),
  ...counts,
  exact: z.boolean(),
  oldest_at: timestamp
    .nullable()
    .meta({ description: "When its oldest undelivered event of the window was appended" }),
});

const shown = z
  .object({
    window_seconds: z.int(),
    as_of: timestamp,
    exact: z.boolean().meta({
      description:
        "False when there was not the time to look at all events that filters or blocked " +
        "subjects may concern: then counts are lower bounds, and a shorter window may be exact",
    }),
    undelivered: count.meta({
      description: "Events that at least one endpoint that they match has not got, each once",
    }),
    at_most: count
      .optional()
      .meta({ description: "Unless `exact`: no more `deliveries` than this" }),
    ...counts,
    endpoints_total: count.meta({ description: "That have anything undelivered" }),
    endpoints: z.array(shownEndpoint).meta({ description: "Those with the most first" }),
  })
  .meta({
    id: "Undelivered",
    example: {
      ...{ window_seconds: 3_600, as_of: "2026-11-23T12:00:00.000Z", exact: true },
      ...{ undelivered: 9, deliveries: 9, retrying: 2, awaiting_receipt: 0, dead: 1, expired: 0 },
      ...{ waiting: 6, endpoints_total: 1, endpoints: [endpointExample] },
    },
  });

export function createUndeliveredRoutes(options: {
  readonly reader: UndeliveredReader;
  readonly retentionDays: number;
}): Route[] {
  const { reader, retentionDays } = options;
  return [
    route({
      method: "get",
      path: "/stats/undelivered",
      id: "getUndelivered",
      tag: "statistics",
      summary: "Count what was not delivered",
      description:
        "Of the events that were appended in the window, all that endpoints which they match have " +
        "not got, at one moment. For each endpoint an event is delivered, settled by a receipt, " +
        "skipped by a resume, or else counted here, once. Operators see one tenant, or all.",
      access: "manage",
      tenant: "optional",
      limit: "reads",
      query: z.object({ window: windowParameter(retentionDays), limit: pageQuery.limit }),
      responses: { 200: shown },
      async handle({ query: { window: windowSeconds, limit }, tenant }) {
        const found = await reader.read({ tenant: tenant?.id, windowSeconds, limit });
        return { status: 200, body: show(found, windowSeconds) };
      },
    }),
  ];
}

/** Becomes seconds. */
function windowParameter(retentionDays: number) {
  return z
    .string()
    .regex(/^[1-9]\d{0,7}[smhd]$/, "expected a duration like 90s, 15m, 1h or 7d")
    .transform((text) => Number(text.slice(0, -1)) * (unitSeconds[text.slice(-1)] ?? 1))
    .pipe(
      z
        .number()
        .max(retentionDays * daySeconds, `events are kept for ${retentionDays} days, no longer`),
    )
    .default(unitSeconds["h"] ?? 0)
    .meta({
      override: { type: "string", maximum: undefined, default: "1h" },
      description: "How far it reaches back, up to the retention: `90s`, `15m`, `1h`, `7d`",
      example: "1h",
    });
}

function show(found: Undelivered, windowSeconds: number) {
  const { exact, events, atMost, endpoints, endpointsTotal, asOf } = found;
  return {
    window_seconds: windowSeconds,
    as_of: new Date(asOf).toISOString(),
    ...{ exact, undelivered: events },
    ...(atMost !== undefined && { at_most: atMost }),
    ...showCounts(found),
    endpoints_total: endpointsTotal,
    endpoints: endpoints.map(({ endpoint, tenant, url, status, circuit, oldestAt, ...each }) => ({
      ...{ id: endpointName(endpoint), tenant, url, status, circuit, ...showCounts(each) },
      exact: each.exact,
      oldest_at: oldestAt === null ? null : new Date(oldestAt).toISOString(),
    })),
  };
}

function showCounts(
  of: Pick<Undelivered, "deliveries" | "retrying" | "awaiting" | "dead" | "expired" | "waiting">,
) {
  const { deliveries, retrying, awaiting, dead, expired, waiting } = of;
  return { deliveries, retrying, awaiting_receipt: awaiting, dead, expired, waiting };
}
