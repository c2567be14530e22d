/** The life of an event in one answer, for whoever is asked what happened to it. */
import { z } from "zod";
import type { Sql } from "../db/database.ts";
import { createTimelineReader } from "../deliveries/timeline.ts";
import { eventExample } from "../http/event-schema.ts";
import { findEvent, type TenantByPrefix } from "../http/owner.ts";
import { route, type Route } from "../http/route.ts";
import { pageQuery, timestamp } from "../http/schemas.ts";
import { eventId, sequenceText } from "../log/event.ts";
import type { Log } from "../log/log.ts";
import { traceOf } from "../log/trace-members.ts";
import { Problem } from "../problem.ts";
import { obstacles, stages } from "./explain.ts";
import { endpointOf, entriesOf } from "./timeline.ts";

const endpointExample = "ep_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c";

const deliveryExample = "dlv_6f1c2a520b7e4d7d019ab1c2d3e47f5a8b6c7d8e9f0a1b2c512c412";

const atEndpoint = {
  at: timestamp,
  endpoint: z.string().meta({ description: "Its id" }),
};

const replayName = z.string().meta({ description: "The replay's id" });

const detail = z.string().nullable();

const entry = z
  .discriminatedUnion("kind", [
    z.object({
      ...{ at: timestamp, kind: z.literal("appended") },
      ...{ sequence: z.string(), type: z.string() },
    }),
    z.object({
      ...{ ...atEndpoint, kind: z.literal("replay"), replay: replayName },
      which: z.enum(["dead", "missing", "all"]).meta({ description: "What the job sends" }),
      sent: z.boolean().meta({ description: "Whether it has sent this event" }),
      requested_by: z.string().nullable().meta({ description: "The id of the key that asked" }),
    }),
    z.object({
      ...{ ...atEndpoint, kind: z.literal("queued") },
      after_append_ms: z.int().min(0).meta({
        description: "How long after the append the endpoint's queue had it",
      }),
    }),
    z.object({
      ...{ ...atEndpoint, kind: z.literal("attempt"), attempt: z.int().min(1) },
      trigger: z.enum(["event", "retry", "probe", "drain", "replay"]),
      replay: replayName.nullable(),
      queue_ms: z.int().min(0),
      latency_ms: z.int().min(0),
      status_code: z.int().nullable(),
      error: z.object({ class: z.string(), message: z.string() }).nullable(),
    }),
    z.object({
      ...{ ...atEndpoint, kind: z.literal("retry_scheduled") },
      attempt: z.int().min(1).meta({ description: "The number of the attempt that is planned" }),
      due_at: timestamp.meta({
        description: "When it is due; of one that was made, when its turn had come",
      }),
    }),
    z.object({
      ...{ ...atEndpoint, kind: z.literal("receipt") },
      ...{ status: z.enum(["processed", "failed"]), detail },
    }),
    ...(["settled", "dead_lettered", "expired", "skipped"] as const).map((kind) =>
      z.object({ ...atEndpoint, kind: z.literal(kind), detail }),
    ),
  ])
  .meta({ id: "TimelineEntry" });

const endpoint = z
  .object({
    id: z.string(),
    url: z.string().nullable().meta({ description: "Null when the endpoint was removed" }),
    status: z.enum(stages).meta({
      description:
        "How the event stands there now: as in its delivery, or `waiting` when the endpoint has " +
        "not come to it or is behind with its subject, or `not_matched` when the endpoint has " +
        "passed it without sending it",
    }),
    delivery: z.string().nullable().meta({
      description: "The id of its delivery, which has each request and response; null before one",
    }),
    attempts: z.int().min(0).meta({ description: "Made so far" }),
    attempts_omitted: z
      .int()
      .min(0)
      .meta({
        description:
          "How many of them are not among the entries: the oldest, where they are many, and a first " +
          "one that was accepted before the consumer asked by a receipt for another",
      }),
    next_attempt_at: timestamp.nullable(),
    waits_for: z
      .enum(obstacles)
      .nullable()
      .meta({
        description:
          "What keeps it from being sent: the endpoint's status or its circuit, an earlier event of " +
          "its subject, or the events before it (`order`): they come first, or hold it up where the " +
          "endpoint keeps the order",
      }),
    explanation: z.string().meta({
      description: "The same in words, to be passed on; how it is worded may change",
    }),
  })
  .meta({ id: "TimelineEndpoint" });

const timeline = z
  .object({
    event: z.object({
      ...{ id: z.string(), type: z.string(), sequence: z.string(), tenant: z.string() },
      appended_at: timestamp,
      time: timestamp.meta({ description: "When it happened, as its producer told" }),
      trace: z.string().nullable().meta({ description: "The id of its trace, if it has one" }),
    }),
    entries: z.array(entry).meta({
      description: "What happened, in the order of time; of the endpoints on this page",
    }),
    endpoints: z.array(endpoint),
    not_matched: z.int().min(0).meta({
      description:
        "How many endpoints of the tenant have a filter, as it is now, that leaves the event out",
    }),
    cursor: z.string().nullable().meta({ description: "Continues after the last endpoint" }),
    has_more: z.boolean(),
  })
  .meta({
    id: "Timeline",
    example: {
      event: {
        ...{ id: eventExample.id, type: eventExample.type, sequence: eventExample.sequence },
        ...{ tenant: eventExample.tenant, appended_at: "2026-11-23T12:00:00.000Z" },
        ...{ time: eventExample.time, trace: "4bf92f3577b34da6a3ce929d0e0e4736" },
      },
      entries: [
        {
          ...{ at: "2026-11-23T12:00:00.000Z", kind: "appended" },
          ...{ sequence: eventExample.sequence, type: eventExample.type },
        },
        {
          ...{ at: "2026-11-23T12:00:00.004Z", kind: "queued", endpoint: endpointExample },
          after_append_ms: 4,
        },
        {
          ...{ at: "2026-11-23T12:00:00.006Z", kind: "attempt", endpoint: endpointExample },
          ...{ attempt: 1, trigger: "event", replay: null, queue_ms: 2, latency_ms: 31 },
          ...{ status_code: 503, error: { class: "http", message: "status 503" } },
        },
        {
          ...{ at: "2026-11-23T12:00:00.037Z", kind: "retry_scheduled", attempt: 2 },
          ...{ endpoint: endpointExample, due_at: "2026-11-23T12:00:03.871Z" },
        },
      ],
      endpoints: [
        {
          ...{ id: endpointExample, url: "https://example.com/webhooks", status: "retrying" },
          delivery: deliveryExample,
          ...{ attempts: 1, attempts_omitted: 0, next_attempt_at: "2026-11-23T12:00:03.871Z" },
          waits_for: null,
          explanation:
            "Retrying: attempt 1 failed: 503; attempt 2 is due at 2026-11-23T12:00:03.871Z.",
        },
      ],
      not_matched: 3,
      ...{ cursor: null, has_more: false },
    },
  });

export function createTimelineRoutes(options: {
  readonly sql: Sql;
  readonly log: Log;
  readonly tenantByPrefix: TenantByPrefix;
}): Route[] {
  const reader = createTimelineReader(options);
  return [
    route({
      ...{ method: "get", tag: "events", access: "manage", tenant: "optional" },
      path: "/events/{id}/timeline",
      id: "getEventTimeline",
      summary: "Tell what happened to an event",
      description:
        "From its append to every attempt at each endpoint, with what came of it in words. On the " +
        "page are endpoints that have come to the event and those that match it, the endpoint " +
        "first that was made last. Attempts that only probed whether an endpoint is back are not " +
        "recorded. A page may be short or empty with `has_more` when much was scanned.",
      params: z.object({
        id: z.string().meta({ description: "The event's id", example: eventExample.id }),
      }),
      query: z.object(pageQuery),
      responses: { 200: timeline },
      problems: ["not-found", "cursor-invalid"],
      async handle({ params, query, tenant }) {
        const found = await findEvent(params.id, tenant, options);
        if (found === undefined) throw new Problem("not-found", "there is no such event");
        const { owner, event } = found;
        const page = await reader.page(owner.id, event, query);
        const now = Date.now();
        const { time } = JSON.parse(event.envelope) as { time: string };
        return {
          status: 200,
          body: {
            event: {
              ...{ id: eventId(event), type: event.type, sequence: sequenceText(event.sequence) },
              ...{ tenant: owner.name, appended_at: new Date(event.appendedAt).toISOString() },
              ...{ time, trace: traceOf(event)?.traceId ?? null },
            },
            entries: entriesOf(event, page.parties),
            endpoints: page.parties.map((party) => endpointOf(event, party, now)),
            not_matched: page.notMatched,
            ...{ cursor: page.cursor, has_more: page.hasMore },
          },
        };
      },
    }),
  ];
}
