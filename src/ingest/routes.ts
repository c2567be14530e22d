import { z } from "zod";
import { decodeUtf8, parseJson } from "../http/json.ts";
import { listIssues } from "../http/issues.ts";
import { rawBody, route, type Route } from "../http/route.ts";
import { booleanParameter, resourceName } from "../http/schemas.ts";
import { eventTypeForm } from "../log/filter.ts";
import { Problem } from "../problem.ts";
import type { Ingest, Item } from "./ingest.ts";
import { bodyDepthMax, rawMember, rawMemberOfEach } from "./json.ts";

const bodyMaxBytes = 16 << 20;
const batchMaxEvents = 1_000;

/** RFC 3339 as CloudEvents asks for; kept as it was written. */
const time = z.iso.datetime({ offset: true, error: "expected an RFC 3339 time" });

const noControl = /^\P{Cc}+$/u;

const eventInput = z
  .strictObject({
    tenant: resourceName.optional().meta({ description: "The tenant, for operator keys" }),
    type: z
      .string()
      .max(256)
      .regex(eventTypeForm, "expected words of letters, digits and _ between dots")
      .refine((type) => !/^tidegate(\.|$)/.test(type), "tidegate.* is reserved")
      .meta({ example: "order.created" }),
    data: z.unknown().meta({ description: "Any JSON value of up to 1 MiB, kept as it is written" }),
    source: z.string().max(1_024).regex(noControl).optional().meta({
      description: "A URI reference; /tenants/{tenant} unless given",
    }),
    subject: z.string().max(1_024).regex(noControl).optional(),
    time: time.optional().meta({ description: "When it happened; the append time unless given" }),
    dataversion: z.string().max(64).regex(noControl).optional(),
    key: z.string().min(1).max(256).optional().meta({
      description: "Deduplicates: an event with the same key is appended once within 24 hours",
    }),
  })
  .meta({ id: "NewEvent" });

const batchInput = z
  .strictObject({ events: z.array(eventInput).max(batchMaxEvents) })
  .meta({ id: "NewEvents" });

const sequence = z.string().length(20).meta({ example: "00000000000000001042" });
const eventId = z.string().meta({ example: "evt_2026-11-23_1f8e0a7c55d2b3a941203c0ffee" });

const appended = z
  .object({
    id: eventId,
    tenant: z.string(),
    sequence,
    cursor: z.string().meta({ description: "Continues right after this event, for any filter" }),
    duplicate: z.boolean(),
  })
  .meta({ id: "Appended" });

const batchResult = z
  .object({
    results: z
      .array(
        z.object({
          status: z.int(),
          id: z.string().optional(),
          sequence: z.string().optional(),
          cursor: z.string().optional(),
          problem: z.looseObject({ type: z.string() }).optional(),
        }),
      )
      .meta({ description: "One per event, in their order" }),
  })
  .meta({ id: "AppendResults" });

export function createIngestRoutes(ingest: Ingest): Route[] {
  return [
    route({
      method: "post",
      path: "/events",
      id: "appendEvents",
      tag: "events",
      summary: "Append an event, or a batch of up to 1,000",
      description:
        "Answered only after the commit. A batch is answered 200 with one result per event: a bad " +
        "event spoils only itself, and the events of one tenant keep their order.",
      access: "append",
      query: z.object({
        tenant: resourceName.optional().meta({ description: "The tenant, for operator keys" }),
        cursors: booleanParameter.optional().meta({ description: "Adds cursors to batch results" }),
      }),
      body: rawBody({ content: { "application/json": z.union([eventInput, batchInput]) } }),
      responses: { 201: appended, 200: z.union([appended, batchResult]) },
      problems: [
        "tenant-required",
        "unknown-tenant",
        "invalid-header",
        "invalid",
        "idempotency-conflict",
      ],
      async handle({ query, principal, request }) {
        const text = decodeUtf8(await request.readBody(bodyMaxBytes));
        const value = parseJson(text, bodyDepthMax);
        const header = request.header("idempotency-key");
        if (typeof value === "object" && value !== null && "events" in value) {
          if (header !== undefined) {
            throw new Problem("invalid-header", "Idempotency-Key names one event, not a batch");
          }
          const items = readBatch(text, value, query.tenant);
          const results = await ingest.batch(principal, items, query.cursors === true);
          return { status: 200, body: { results } };
        }
        const { status, ...body } = await ingest.one(
          principal,
          readOne(text, value, query.tenant, header),
        );
        return status === 201 ? { status, body } : { status, body };
      },
    }),
  ];
}

function readOne(
  text: string,
  value: unknown,
  tenant: string | undefined,
  header: string | undefined,
): Item {
  const item = readItem(value, rawMember(text, "data"), tenant);
  if (item instanceof Problem) throw item;
  const key = header === undefined ? undefined : unquote(header);
  if (key === undefined) return item;
  if (item.input.key !== undefined && item.input.key !== key) {
    throw new Problem("invalid-header", "Idempotency-Key and the event's key differ");
  }
  return { ...item, input: { ...item.input, key } };
}

function readBatch(text: string, value: object, tenant: string | undefined): (Item | Problem)[] {
  const outer = z
    .strictObject({ events: z.array(z.unknown()).max(batchMaxEvents) })
    .safeParse(value);
  if (!outer.success) throw invalidBody(outer.error);
  const data = rawMemberOfEach(text, "data", "events");
  if (data === undefined) throw new Problem("invalid", 'the member "events" is given twice');
  return outer.data.events.map((event, index) => readItem(event, data[index], tenant));
}

function readItem(
  value: unknown,
  data: ReturnType<typeof rawMember>,
  queryTenant: string | undefined,
): Item | Problem {
  const parsed = eventInput.safeParse(value);
  if (!parsed.success) return invalidBody(parsed.error);
  const { tenant, data: _, ...input } = parsed.data;
  if (data === undefined) {
    const errors = [{ pointer: "/data", detail: "expected a value" }];
    return new Problem("invalid", "data is missing", { members: { errors } });
  }
  if (tenant !== undefined && queryTenant !== undefined && tenant !== queryTenant) {
    return new Problem("invalid-parameter", "query and body name different tenants");
  }
  return { tenant: tenant ?? queryTenant, input, data };
}

function invalidBody(error: z.ZodError): Problem {
  const errors = listIssues(error);
  return new Problem("invalid", "the event breaks the schema", { members: { errors } });
}

/** The header's value, bare or as the quoted string of the draft standard. */
function unquote(header: string): string {
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (key.length === 0 || key.length > 256) {
    throw new Problem("invalid-header", "Idempotency-Key has 1 to 256 characters");
  }
  return key;
}
