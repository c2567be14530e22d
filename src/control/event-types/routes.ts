/** `/event-types`: for all tenants alike. Whoever reads events may see them, operators change them. */
import { z } from "zod";
import type { Orm } from "../../db/database.ts";
import { listIssues } from "../../http/issues.ts";
import { decodeUtf8, parseJson } from "../../http/json.ts";
import { rawBody, route, type Route } from "../../http/route.ts";
import { pageOf, pageQuery, timestamp } from "../../http/schemas.ts";
import { eventTypeForm } from "../../log/filter.ts";
import { Problem } from "../../problem.ts";
import type { Change } from "../directory.ts";

import { memberText } from "./member-text.ts";
import { schemaFaults } from "./schema-faults.ts";
import { createEventTypeStore, type EventTypeRow, type EventTypeSettings } from "./store.ts";

/** Room for a schema that is written over many lines. */
const bodyMaxBytes = 1 << 20;

/** Without the white space between its tokens. */
const schemaMaxBytes = 256 << 10;

const descriptionMaxLength = 1_024;

const eventType = z
  .string()
  .max(256)
  .regex(eventTypeForm, "expected words of letters, digits and _ between dots")
  .meta({ description: "Words between dots", example: "order.created" });

const params = z.object({ type: eventType });

const newParams = z.object({
  type: eventType.refine((type) => !/^tidegate(\.|$)/.test(type), "tidegate.* is reserved"),
});

const description = z
  .string()
  .max(descriptionMaxLength)
  .regex(/^[^\0]*$/, "must not contain the character U+0000")
  .refine((value) => value.isWellFormed(), "must be well-formed Unicode")
  .nullable();

const schemaExample = {
  type: "object",
  required: ["amount"],
  properties: { amount: { type: "integer" } },
};

const schema = z
  .union([z.record(z.string(), z.unknown()), z.boolean()])
  .nullable()
  .meta({
    description:
      "JSON Schema 2020-12 of `data`, of up to 256 KiB and 1,000 subschemas; null accepts " +
      "anything. `format` is checked, unknown keywords are not. References lead within the schema.",
    example: schemaExample,
  });

const settings = z
  .strictObject({ description: description.optional(), schema: schema.optional() })
  .meta({
    id: "EventTypeSettings",
    example: { description: "An order was placed", schema: schemaExample },
  });

const eventTypeSchema = z
  .object({ type: eventType, description, schema, created_at: timestamp, updated_at: timestamp })
  .meta({
    id: "EventType",
    example: {
      type: "order.created",
      description: "An order was placed",
      schema: schemaExample,
      created_at: "2026-11-23T12:00:00.000Z",
      updated_at: "2026-11-23T12:00:00.000Z",
    },
  });

const shared = { tag: "event-types", path: "/event-types/{type}" } as const;

export function createEventTypeRoutes(deps: {
  orm: Orm;
  changed: (change: Change) => void;
}): Route[] {
  const eventTypes = createEventTypeStore(deps.orm);

  return [
    route({
      ...shared,
      method: "put",
      id: "putEventType",
      summary: "Register or replace an event type",
      description:
        "From the answer on, events of this type are appended only if their `data` fits the " +
        "schema; on other gateways of the installation within two seconds. Patterns are run on " +
        "all data: mind those that backtrack. Events of types that nobody registered are taken.",
      access: "operator",
      params: newParams,
      body: rawBody({ content: { "application/json": settings } }),
      responses: { 200: eventTypeSchema, 201: eventTypeSchema },
      problems: ["invalid"],
      handle: async ({ params: { type }, request }) => {
        const wanted = readSettings(decodeUtf8(await request.readBody(bodyMaxBytes)));
        const { outcome, row } = await eventTypes.put(type, wanted);
        if (outcome !== "same") changed();
        return { status: outcome === "created" ? 201 : 200, text: shown(row) };
      },
    }),
    route({
      ...shared,
      method: "get",
      id: "getEventType",
      summary: "Show an event type",
      access: "read",
      params,
      responses: { 200: eventTypeSchema },
      problems: ["not-found"],
      handle: async ({ params: { type } }) => {
        const row = await eventTypes.find(type);
        if (row === undefined) throw unknown(type);
        return { status: 200, text: shown(row) };
      },
    }),
    route({
      ...shared,
      method: "delete",
      id: "deleteEventType",
      summary: "Remove an event type",
      description: "Events of this type are then taken with any data.",
      access: "operator",
      params,
      responses: { 204: { description: "The event type is removed" } },
      problems: ["not-found"],
      handle: async ({ params: { type } }) => {
        if (!(await eventTypes.remove(type))) throw unknown(type);
        changed();
        return { status: 204 };
      },
    }),
    route({
      ...shared,
      method: "get",
      path: "/event-types",
      id: "listEventTypes",
      summary: "List event types by name",
      description: "A page of large schemas is shorter than its limit.",
      access: "read",
      query: z.object(pageQuery),
      responses: { 200: pageOf("event_types", eventTypeSchema).meta({ id: "EventTypePage" }) },
      problems: ["cursor-invalid"],
      handle: async ({ query }) => {
        const { items, cursor, hasMore } = await eventTypes.list(query);
        const rest = `"cursor":${JSON.stringify(cursor)},"has_more":${hasMore}`;
        return { status: 200, text: `{"event_types":[${items.map(shown).join()}],${rest}}` };
      },
    }),
  ];

  function changed(): void {
    deps.changed({ what: "event-types", tenant: null, shard: 0 });
  }
}

function readSettings(text: string): EventTypeSettings {
  const result = settings.safeParse(parseJson(text));
  if (!result.success) throw invalid(listIssues(result.error));
  const { description = null } = result.data;
  if ((result.data.schema ?? null) === null) return { description, schema: null };
  const schema = memberText(text, "schema") ?? "";
  if (Buffer.byteLength(schema) > schemaMaxBytes) {
    throw new Problem("payload-too-large", `a schema may have ${schemaMaxBytes} bytes`, {
      members: { limit_bytes: schemaMaxBytes },
    });
  }
  const faults = schemaFaults(schema);
  if (faults.length > 0) throw invalid(faults);
  return { description, schema };
}

function invalid(errors: readonly { pointer: string; detail: string }[]): Problem {
  const [detail] = errors.map((error) => `${error.pointer || "the body"}: ${error.detail}`);
  return new Problem("invalid", detail, { members: { errors } });
}

function unknown(type: string): Problem {
  return new Problem("not-found", `there is no event type "${type}"`);
}

/** As text, because the schema comes out as it was written. */
function shown({ type, description, schema, createdAt, updatedAt }: EventTypeRow): string {
  const start = `"type":${JSON.stringify(type)},"description":${JSON.stringify(description)}`;
  const times = `"created_at":"${createdAt.toISOString()}","updated_at":"${updatedAt.toISOString()}"`;
  return `{${start},"schema":${schema ?? "null"},${times}}`;
}
