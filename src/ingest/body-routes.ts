/** What `POST /events` takes and answers. */
import { z } from "zod";
import { eventExample } from "../http/event-schema.ts";
import { listIssues } from "../http/issues.ts";
import { problemSchema } from "../http/problem-schemas.ts";
import { cursorExample, tenantMember } from "../http/schemas.ts";
import { eventTypeForm } from "../log/filter.ts";
import { traceMembers } from "../log/trace-members.ts";
import { Problem } from "../problem.ts";
import { traceparentForm } from "../telemetry/trace-context.ts";
import { isReservedType, keyMaxLength } from "./event.ts";
import { isTime, isUriReference } from "./forms.ts";
import { batchMaxEvents, type ParsedEvent } from "./json-input.ts";

/** RFC 3339 as CloudEvents asks for; kept as it was written. */
const time = z
  .string()
  .refine(isTime, "expected an RFC 3339 time")
  .meta({ override: { type: "string", format: "date-time" } });

/** Ends the check: regular expressions overflow the stack over megabytes. */
const abort = { abort: true };

const noControl = /^\P{Cc}+$/u;

const created = {
  tenant: "acme",
  type: "order.created",
  subject: "order_1042",
  data: { amount: 4_200 },
};

const paid = { tenant: "acme", type: "order.paid", data: { by: "card" }, key: "payment-77" };

const eventInput = z
  .strictObject({
    ...tenantMember,
    type: z
      .string()
      .max(256, abort)
      .regex(eventTypeForm, "expected words of letters, digits and _ between dots")
      .refine((type) => !isReservedType(type), "tidegate.* is reserved")
      .meta({ example: "order.created" }),
    data: z.unknown().meta({ description: "Any JSON value of up to 1 MiB, kept as it is written" }),
    source: z
      .string()
      .min(1)
      .max(1_024, abort)
      .refine(isUriReference, "expected a URI reference")
      .optional()
      .meta({ description: "A URI reference; /tenants/{tenant} unless given" }),
    subject: z.string().max(1_024, abort).regex(noControl).optional(),
    time: time.optional().meta({ description: "When it happened; the append time unless given" }),
    dataversion: z.string().max(64, abort).regex(noControl).optional(),
    key: z.string().min(1).max(keyMaxLength).optional().meta({
      description: "Deduplicates: an event with the same key is appended once within 24 hours",
    }),
    traceparent: z.string().max(300, abort).regex(traceparentForm).optional().meta({
      description: "The trace that it belongs to (W3C), in place of that of the request's header",
      example: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }),
  })
  .meta({ id: "NewEvent", example: created });

const batchInput = z
  .strictObject({ events: z.array(eventInput).max(batchMaxEvents) })
  .meta({ id: "NewEvents", example: { events: [created, paid] } });

const cloudEventExample = {
  specversion: "1.0",
  id: "5f2d8c1e",
  source: "https://shop.example.com/orders",
  type: "order.created",
  time: "2026-11-23T12:00:00Z",
  tenant: "acme",
  data: { amount: 4_200 },
};

const cloudEvent = z
  .looseObject({
    specversion: z.literal("1.0"),
    id: z.string().min(1).max(keyMaxLength).meta({ description: "Becomes the key" }),
    source: z.string().min(1).max(1_024).meta({ description: "A URI reference" }),
    type: z.string().max(256).regex(eventTypeForm).meta({ example: "order.created" }),
    subject: z.string().min(1).max(1_024).optional(),
    time: z.string().optional().meta({ format: "date-time" }),
    datacontenttype: z.string().optional().meta({ description: "application/json unless given" }),
    data: z.unknown().optional(),
    data_base64: z.string().optional().meta({ description: "Instead of `data`: other bytes" }),
  })
  .meta({
    id: "NewCloudEvent",
    description:
      "A CloudEvents 1.0 object. Extensions are kept; `tenant` names the tenant, for operator keys.",
    example: cloudEventExample,
  });

const cloudEvents = z
  .array(cloudEvent)
  .max(batchMaxEvents)
  .meta({ example: [cloudEventExample, { ...cloudEventExample, id: "b07a94d3" }] });

function linesOf(...examples: object[]) {
  return z.string().meta({
    description: "JSON objects, one a line",
    example: examples.map((example) => `${JSON.stringify(example)}\n`).join(""),
  });
}

export const content = {
  "application/json": z.union([eventInput, batchInput]),
  "application/x-ndjson": linesOf(created, paid),
  "application/cloudevents+json": cloudEvent,
  "application/cloudevents-batch+json": cloudEvents,
};

const { id, tenant, sequence: sequenceExample } = eventExample;

const sequence = z.string().length(20).meta({ example: sequenceExample });

const appended = z
  .object({
    id: z.string(),
    tenant: z.string(),
    sequence,
    cursor: z.string().meta({ description: "Continues right after this event, for any filter" }),
    duplicate: z.boolean(),
  })
  .meta({
    id: "Appended",
    example: { id, tenant, sequence: sequenceExample, cursor: cursorExample, duplicate: false },
  });

const appendedItem = z
  .object({
    status: z.union([z.literal(201), z.literal(200)]).meta({ description: "200: a repetition" }),
    id: z.string(),
    sequence,
    cursor: z.string().optional().meta({ description: "With `?cursors=true`" }),
  })
  .meta({ id: "AppendedItem" });

const refusedItem = z
  .object({ status: z.int().min(400).max(599), problem: problemSchema })
  .meta({ id: "RefusedItem" });

const itemExamples = [
  { status: 201, id, sequence: sequenceExample },
  { status: 404, problem: problemSchema.meta()?.example },
];

const batchResult = z
  .object({
    results: z
      .array(z.union([appendedItem, refusedItem]))
      .meta({ description: "One per event, in their order" }),
  })
  .meta({ id: "AppendResults", example: { results: itemExamples } });

const rateLimitHeaders = {
  "ratelimit-policy": "The tenant's limit, where it has one and the request names one tenant",
  ratelimit: "What is left of it",
};

export const responses = {
  201: { body: appended, headers: rateLimitHeaders },
  200: {
    body: z.union([appended, batchResult]),
    content: { "application/x-ndjson": linesOf(...itemExamples) },
    headers: {
      ...rateLimitHeaders,
      "retry-after": "Seconds, where the limit refused some events of a batch",
      "preference-applied": "`return=minimal`, where it was asked for and applies",
    },
  },
  429: { headers: rateLimitHeaders },
};

/** Reads an event from the value that its JSON has. */
export function parseEvent(value: unknown): ParsedEvent | Problem {
  const parsed = eventInput.safeParse(value);
  if (parsed.success) return toParsed(parsed.data);
  const errors = listIssues(parsed.error);
  return new Problem("invalid", "the event breaks the schema", { members: { errors } });
}

function toParsed(event: z.output<typeof eventInput>): ParsedEvent {
  if (event.traceparent === undefined) return event;
  const { traceparent, ...rest } = event;
  return { ...rest, extensions: traceMembers({ traceparent, tracestate: undefined }) };
}
