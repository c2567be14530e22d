/** `/consumers`: readers whose place in the log is kept here. */
import { z } from "zod";
import type { Database } from "../../db/database.ts";
import type { Marks } from "../../feed/marks.ts";
import { route, type Route } from "../../http/route.ts";
import { pageOf, pageQuery, resourceName, tenantMember, timestamp } from "../../http/schemas.ts";
import { start, subjects, types } from "../endpoints/body-routes.ts";
import { createStartOf } from "../endpoints/start.ts";
import { createConsumers, type Consumers } from "./consumers.ts";

const consumerExample = {
  name: "warehouse",
  tenant: "acme",
  types: ["order.*"],
  subjects: null,
  position: "00000000000000001042",
  handed_out: "00000000000000001142",
  lag: { events: 118, seconds: 4.2 },
  lost: 0,
  retention_headroom_seconds: 2_591_995,
  created_at: "2026-11-01T08:00:00.000Z",
  updated_at: "2026-11-01T08:00:00.000Z",
};

const name = resourceName.meta({ description: "The consumer's name", example: "warehouse" });

const settings = z
  .strictObject({
    ...tenantMember,
    types: types.nullish().meta({ description: "Exact types, or `order.*`; null: all" }),
    subjects: subjects.nullish().meta({ description: "Exact subjects; null: all" }),
    start: start.optional().meta({
      description:
        "Where a new one starts: after all there is (the default), with the oldest event there is, " +
        "after a cursor, or with the first event that was appended at a time or later",
    }),
  })
  .meta({ id: "ConsumerSettings", example: { types: ["order.*"], start: "earliest" } });

const consumerSeek = z
  .strictObject({
    ...tenantMember,
    from: start.meta({ description: "Where it goes on, as `start`" }),
  })
  .meta({ id: "ConsumerSeek", example: { from: { time: "2026-11-23T12:00:00.000Z" } } });

const shownConsumer = z
  .object({
    name,
    tenant: z.string(),
    types: types.nullable(),
    subjects: subjects.nullable(),
    position: z.string().meta({ description: "The sequence up to which all is acknowledged" }),
    handed_out: z.string().meta({ description: "The furthest that can be acknowledged" }),
    lag: z
      .object({ events: z.int().min(0), seconds: z.number().min(0) })
      .meta({ description: "What follows the position: how much, and how old the first of it is" }),
    lost: z.int().min(0).meta({
      description: "Events that expired before they were acknowledged; it reads on after a seek",
    }),
    retention_headroom_seconds: z
      .int()
      .min(0)
      .nullable()
      .meta({
        description:
          "Until the first event after the position expires, whether it matches or not; null while " +
          "there is none",
      }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Consumer", example: consumerExample });

const shared = { tag: "consumers", access: "read", tenant: "named", limit: "reads" } as const;
const one = { ...shared, path: "/consumers/{name}", params: z.object({ name }) } as const;

const startProblems = ["cursor-invalid", "cursor-expired", "cursor-ahead", "feed-reset"] as const;

export function createConsumerRoutes(options: {
  database: Database;
  marks: Marks;
  retentionDays: number;
}): Route[] {
  const consumers = createConsumers({ ...options, startOf: createStartOf(options.marks) });
  return [put(consumers), get(consumers), list(consumers), seek(consumers), remove(consumers)];
}

function put(consumers: Consumers): Route {
  return route({
    ...one,
    method: "put",
    id: "putConsumer",
    summary: "Create a consumer, or change what it wants",
    description:
      "What is left out of `types` and `subjects` is taken for all. One that is there stays where " +
      "it is, and `start` is not looked at.",
    body: settings.prefault({}),
    responses: { 200: shownConsumer, 201: shownConsumer },
    problems: ["quota-exceeded", ...startProblems],
    handle: async ({ params, body, tenant }) => {
      const { types = null, subjects = null, start: from } = body;
      const wanted = { types, subjects, start: from };
      const { created, consumer } = await consumers.put(tenant, params.name, wanted);
      return { status: created ? 201 : 200, body: consumer };
    },
  });
}

function get(consumers: Consumers): Route {
  return route({
    ...one,
    method: "get",
    id: "getConsumer",
    summary: "Show a consumer, and how far behind it is",
    responses: { 200: shownConsumer },
    problems: ["not-found"],
    handle: async ({ params, tenant }) => {
      return { status: 200, body: await consumers.get(tenant, params.name) };
    },
  });
}

function list(consumers: Consumers): Route {
  return route({
    ...shared,
    method: "get",
    path: "/consumers",
    id: "listConsumers",
    summary: "List consumers by name",
    query: z.object(pageQuery),
    responses: { 200: pageOf("consumers", shownConsumer).meta({ id: "ConsumerPage" }) },
    problems: ["cursor-invalid"],
    handle: async ({ query, tenant }) => {
      const { items, cursor, hasMore } = await consumers.list(tenant, query);
      return { status: 200, body: { consumers: items, cursor, has_more: hasMore } };
    },
  });
}

function seek(consumers: Consumers): Route {
  return route({
    ...one,
    method: "post",
    path: "/consumers/{name}/seek",
    id: "seekConsumer",
    summary: "Put a consumer elsewhere in the log",
    description:
      "Forwards or backwards: everything after that place is handed out, also what was before. " +
      "Pages that were handed out before the answer can no longer be acknowledged, as far as they " +
      "lie beyond.",
    body: consumerSeek,
    responses: { 200: shownConsumer },
    problems: ["not-found", ...startProblems],
    handle: async ({ params, body, tenant }) => {
      return { status: 200, body: await consumers.seek(tenant, params.name, body.from) };
    },
  });
}

function remove(consumers: Consumers): Route {
  return route({
    ...one,
    method: "delete",
    id: "deleteConsumer",
    summary: "Remove a consumer",
    description: "Its place is forgotten; the events stay.",
    responses: { 204: { description: "The consumer is removed" } },
    problems: ["not-found"],
    handle: async ({ params, tenant }) => {
      await consumers.remove(tenant, params.name);
      return { status: 204 };
    },
  });
}
