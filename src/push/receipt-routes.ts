/**
 * `/receipts`: what consumers say of events beside what their receivers answer. Whose an endpoint or
 * an event is that is not the caller's is never told: the one is unknown, and so is the other.
 */
import { z } from "zod";
import type { Sql } from "../db/database.ts";
import { endpointName, endpointUuid } from "../deliveries/endpoint.ts";
import { listReceipts } from "../deliveries/receipt-list.ts";
import type { Receipts, Receiver } from "../deliveries/receipts.ts";
import type { Marks } from "../feed/marks.ts";
import { tenantErasing, type Tenant } from "../http/auth.ts";
import { eventExample } from "../http/event-schema.ts";
import { findEvent, type TenantByPrefix } from "../http/owner.ts";
import { route, type Route } from "../http/route.ts";
import { cursorExample, pageOf, pageQuery, tenantMember, timestamp } from "../http/schemas.ts";
import { sequenceText, type Position } from "../log/event.ts";
import type { Log } from "../log/log.ts";
import { Problem } from "../problem.ts";
import { deliveryExample } from "./body-routes.ts";

/** As many as a page may have. */
const eventsMax = 1_000;

/** Ids are shorter; what is longer names nothing. */
const idMaxLength = 256;

/** It is kept with the delivery, and shown. */
const detailMaxBytes = 1_024;

const shared = {
  tag: "deliveries",
  access: "receive",
  tenant: "optional",
  limit: "reads",
} as const;

const detail = z
  .string()
  .regex(/^[^\0]*$/, "must not contain the character U+0000")
  .refine((value) => value.isWellFormed(), "must be well-formed Unicode")
  .refine((value) => Buffer.byteLength(value) <= detailMaxBytes, "expected at most 1 KiB");

const receiptStatus = z.enum(["processed", "failed"]);

const common = {
  ...tenantMember,
  endpoint: z.string().meta({ description: "Its id", example: deliveryExample.endpoint }),
  detail: detail.nullish().meta({
    description:
      "Kept with the delivery; at most 1 KiB. Of receipts with `through` within a minute the last one's",
  }),
};

const receiptOfEvents = z.strictObject({
  ...common,
  events: z
    .array(z.string().max(idMaxLength))
    .min(1)
    .max(eventsMax)
    .meta({ description: "Their ids" }),
  status: receiptStatus,
});

const receiptThrough = z.strictObject({
  ...common,
  through: z.string().meta({
    description: "A cursor of a push, a page or a stream, whatever its filter: of all up to it",
    example: cursorExample,
  }),
  status: z.literal("processed").meta({ description: "Events that have failed are named" }),
});

const receipt = z
  .union([receiptOfEvents, receiptThrough], {
    error:
      "expected endpoint, status (processed or failed) and events, a list of 1 to 1,000 ids; or " +
      "endpoint, status processed and through, a cursor; and a detail of at most 1 KiB, if any",
  })
  .meta({
    id: "NewReceipt",
    example: {
      endpoint: deliveryExample.endpoint,
      events: [eventExample.id],
      status: "processed",
    },
  });

const outcomes = [
  ...["settled", "unchanged", "retrying", "dead", "waiting", "unmatched", "unknown"],
] as const;

const toldEvents = z
  .object({
    results: z.array(
      z.object({
        event: z.string(),
        outcome: z.enum(outcomes).meta({
          description:
            "`settled`: it is not pushed any more. `unchanged`: it was settled or dead before. " +
            "`retrying`, `dead`: pushed again by the endpoint's schedule, or that is over. " +
            "`waiting`: not pushed yet; its turn comes, and a push of it that is under way is repeated. " +
            "`unmatched`: not for this endpoint. `unknown`: there is no such event",
        }),
      }),
    ),
  })
  .meta({
    id: "ReceiptOfEvents",
    example: { results: [{ event: eventExample.id, outcome: "settled" }] },
  });

const toldThrough = z
  .object({
    position: z.string().meta({ description: "The endpoint's, which all up to is settled" }),
    passed: z.int().min(0).meta({ description: "Events that the position was moved over" }),
    settled: z.int().min(0).meta({
      description: "Deliveries that were retrying, dead, expired or skipped and are settled now",
    }),
  })
  .meta({
    id: "ReceiptThrough",
    example: { position: eventExample.sequence, passed: 812, settled: 3 },
  });

const shownReceipt = z
  .object({
    endpoint: z.string(),
    event: z.string(),
    status: receiptStatus,
    detail: z.string().nullable(),
    at: timestamp,
  })
  .meta({
    id: "Receipt",
    example: {
      endpoint: deliveryExample.endpoint,
      event: eventExample.id,
      status: "processed",
      detail: null,
      at: "2026-11-23T12:00:01.000Z",
    },
  });

type ReceiptRoutesOptions = {
  readonly sql: Sql;
  readonly log: Log;
  readonly marks: Marks;
  readonly receipts: Receipts;
  readonly tenantByPrefix: TenantByPrefix;
};

export function createReceiptRoutes(options: ReceiptRoutesOptions): Route[] {
  return [sendReceipt(options), listEventReceipts(options)];
}

function sendReceipt({ marks, receipts }: ReceiptRoutesOptions): Route {
  return route({
    ...shared,
    method: "post",
    path: "/receipts",
    id: "sendReceipt",
    summary: "Say that events were processed, or have failed",
    description:
      "What was processed is not pushed any more: its retry ends, a dead letter is settled, and " +
      "through a cursor the endpoint's position moves there. What has failed is pushed again by " +
      "the endpoint's schedule, also when its receiver had accepted it; what was processed stays " +
      "so. A push that is under way ends as it may and changes nothing. All of it can be repeated.",
    body: receipt,
    responses: { 200: z.union([toldEvents, toldThrough]) },
    problems: ["not-found", "cursor-invalid", "cursor-expired", "cursor-ahead", "feed-reset"],
    async handle({ body, tenant }) {
      const { status, detail: said = null } = body;
      const of = await find(body.endpoint, tenant);
      if ("events" in body) {
        const results = await receipts.ofEvents(of, body.events, { status, detail: said });
        if (results === undefined) throw unknownEndpoint();
        return { status: 200, body: { results } };
      }
      const to = await placeOf(of, body.through);
      const told = await receipts.through(of, to, said);
      if (told === undefined) throw unknownEndpoint();
      return { status: 200, body: { ...told, position: sequenceText(told.position) } };
    },
  });

  async function find(id: string, tenant: Tenant | undefined): Promise<Receiver> {
    const uuid = endpointUuid(id);
    const of = uuid === undefined ? undefined : await receipts.receiver(uuid, tenant?.id);
    if (of === undefined) throw unknownEndpoint();
    // Found by an operator, who need not name the tenant.
    if (of.erasing) throw tenantErasing(of.tenantName);
    return of;
  }

  /** Throws for a cursor that a reader could not continue from either. */
  async function placeOf({ tenant, filter }: Receiver, cursor: string): Promise<Position> {
    const start = { kind: "cursor", cursor } as const;
    const { mark, ...started } = await marks.start(tenant, { filter, start, rebase: true });
    const read = await marks.firstRead(tenant, mark)(mark, 1, 1);
    if (read.kind !== "events") throw await marks.refusal(tenant, started.filter, read);
    return { sequence: mark.sequence, day: mark.day };
  }
}

function listEventReceipts(options: ReceiptRoutesOptions): Route {
  const { sql } = options;
  return route({
    ...shared,
    method: "get",
    path: "/receipts",
    id: "listReceipts",
    summary: "List the receipts of an event",
    description:
      "What each endpoint's consumer has said of it last, also by a cursor beyond it; the oldest " +
      "endpoint first.",
    query: z.object({
      event: z.string().meta({ description: "Its id", example: eventExample.id }),
      endpoint: z.string().optional().meta({ description: "Only that of this endpoint" }),
      ...pageQuery,
    }),
    responses: { 200: pageOf("receipts", shownReceipt).meta({ id: "ReceiptPage" }) },
    problems: ["not-found", "cursor-invalid"],
    async handle({ query: { event: id, endpoint, ...page }, tenant }) {
      const found = await findEvent(id, tenant, options);
      if (found === undefined) throw new Problem("not-found", "there is no such event");
      const { owner, event } = found;
      const uuid = endpoint === undefined ? undefined : endpointUuid(endpoint);
      if (endpoint !== undefined && uuid === undefined) {
        const cursor = page.cursor ?? null;
        return { status: 200, body: { receipts: [], cursor, has_more: false } };
      }
      const endpoints = uuid === undefined ? undefined : [uuid];
      const listed = await listReceipts(sql, { tenant: owner.id, event, endpoints }, page);
      const { cursor, hasMore } = listed;
      const shown = listed.receipts.map((each) => ({
        endpoint: endpointName(each.endpoint),
        event: id,
        status: each.status,
        detail: each.detail,
        at: new Date(each.at).toISOString(),
      }));
      return { status: 200, body: { receipts: shown, cursor, has_more: hasMore } };
    },
  });
}

function unknownEndpoint(): Problem {
  return new Problem("not-found", "there is no such endpoint");
}
