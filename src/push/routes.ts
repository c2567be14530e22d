/**
 * Records of deliveries. Those of another tenant, those that there never were and what is no id at
 * all get the same answer.
 */
import { z } from "zod";
import type { Sql } from "../db/database.ts";
import { parseDeliveryId } from "../deliveries/delivery-id.ts";
import { endpointUuid } from "../deliveries/endpoint.ts";
import {
  createHistory,
  deliveryStatuses,
  type DeliveryFilter,
  type DeliveryPage,
  type History,
} from "../deliveries/history.ts";
import { tenantErasing, type Tenant } from "../http/auth.ts";
import { eventExample } from "../http/event-schema.ts";
import { findEvent, ownerOf, type TenantByPrefix } from "../http/owner.ts";
import { route, type Route } from "../http/route.ts";
import { instantParameter, pageOf, pageQuery } from "../http/schemas.ts";
import type { TenantId } from "../log/event.ts";
import { typePatternForm } from "../log/filter.ts";
import type { Log } from "../log/log.ts";
import { Problem, type ProblemSlug } from "../problem.ts";
import { deliveryExample, deliveryWithAttempts, shownDelivery } from "./body-routes.ts";
import { showAttempts, showDelivery } from "./show.ts";

type Records = {
  readonly history: History;
  readonly log: Log;
  readonly tenantByPrefix: TenantByPrefix;
};

const shared = { method: "get", tag: "deliveries", access: "manage" } as const;

const about =
  "The newest event first, and of one event the endpoint first that was made last. Events that an " +
  "endpoint has not come to yet are not listed. Records are kept as long as their events. A page " +
  "may be short or empty with `has_more` when much was scanned.";

const filterQuery = {
  status: z.enum(deliveryStatuses).optional().meta({ description: "Only those that stand so" }),
  type: z
    .string()
    .regex(typePatternForm, "expected a type like order.created or order.*")
    .optional()
    .meta({
      description: "Only events of this type; `order.*` is everything below `order.`",
      example: "order.*",
    }),
  since: instantParameter
    .optional()
    .meta({ description: "Only events that were appended then or later" }),
  until: instantParameter.optional().meta({ description: "Only events that were appended before" }),
};

const pageResponses = {
  200: pageOf("deliveries", shownDelivery).meta({ id: "DeliveryPage" }),
};

const nothingThere = ["not-found"] as const satisfies ProblemSlug[];
const cursorProblems = ["cursor-invalid"] as const satisfies ProblemSlug[];

export function createDeliveryRoutes({
  sql,
  ...others
}: Omit<Records, "history"> & { readonly sql: Sql }): Route[] {
  const records = { ...others, history: createHistory({ sql, log: others.log }) };
  return [
    listDeliveries(records),
    listEndpointDeliveries(records),
    listEventDeliveries(records),
    getDelivery(records),
  ];
}

function listDeliveries(records: Records): Route {
  const { history } = records;
  return route({
    ...shared,
    path: "/deliveries",
    id: "listDeliveries",
    summary: "List deliveries of a tenant",
    description: `${about} Those of removed endpoints are listed too.`,
    tenant: "named",
    query: z.object({
      ...filterQuery,
      endpoint: z
        .string()
        .optional()
        .meta({ description: "Only those of the endpoint of this id" }),
      event: z.string().optional().meta({ description: "Only those of the event of this id" }),
      ...pageQuery,
    }),
    responses: pageResponses,
    problems: cursorProblems,
    async handle({ query: { endpoint, event, limit, cursor, ...others }, tenant }) {
      const uuid = endpoint === undefined ? undefined : endpointUuid(endpoint);
      const found = event === undefined ? undefined : await findEvent(event, tenant, records);
      const isKnown =
        (endpoint === undefined || uuid !== undefined) &&
        (event === undefined || found !== undefined);
      if (!isKnown) return pageReply({ deliveries: [], cursor: cursor ?? null, hasMore: false });
      const filter = { ...others, endpoint: uuid, event: found?.event.sequence };
      return pageReply(await history.page(tenant.id, filter, { limit, cursor }));
    },
  });
}

function listEndpointDeliveries({ history }: Records): Route {
  return route({
    ...shared,
    path: "/endpoints/{id}/deliveries",
    id: "listEndpointDeliveries",
    summary: "List deliveries of an endpoint",
    description: about,
    tenant: "optional",
    params: z.object({
      id: z.string().meta({ description: "The endpoint's id", example: deliveryExample.endpoint }),
    }),
    query: z.object({ ...filterQuery, ...pageQuery }),
    responses: pageResponses,
    problems: [...nothingThere, ...cursorProblems],
    async handle({ params, query: { limit, cursor, ...filter }, tenant }) {
      const { owner, uuid } = await find(params.id, tenant);
      const wanted: DeliveryFilter = { ...filter, endpoint: uuid };
      return pageReply(await history.page(owner, wanted, { limit, cursor }));
    },
  });

  async function find(
    id: string,
    tenant: Tenant | undefined,
  ): Promise<{ owner: TenantId; uuid: string }> {
    const uuid = endpointUuid(id);
    const endpoint = uuid === undefined ? undefined : await history.endpoint(uuid, tenant?.id);
    if (uuid === undefined || endpoint === undefined) {
      throw new Problem("not-found", "there is no such endpoint");
    }
    // Found by an operator, who need not name the tenant.
    if (endpoint.erasing) throw tenantErasing(endpoint.tenantName);
    return { owner: endpoint.tenant, uuid };
  }
}

function listEventDeliveries(records: Records): Route {
  return route({
    ...shared,
    path: "/events/{id}/deliveries",
    id: "listEventDeliveries",
    summary: "List deliveries of an event",
    description:
      "One for each endpoint that has come to it, the endpoint first that was made last; those " +
      "that were removed since are listed too.",
    tenant: "optional",
    params: z.object({
      id: z.string().meta({ description: "The event's id", example: eventExample.id }),
    }),
    query: z.object(pageQuery),
    responses: pageResponses,
    problems: [...nothingThere, ...cursorProblems],
    async handle({ params, query, tenant }) {
      const found = await findEvent(params.id, tenant, records);
      if (found === undefined) throw new Problem("not-found", "there is no such event");
      const { owner, event } = found;
      const filter = { event: event.sequence };
      return pageReply(await records.history.page(owner.id, filter, query));
    },
  });
}

function getDelivery({ history, tenantByPrefix }: Records): Route {
  return route({
    ...shared,
    path: "/deliveries/{id}",
    id: "getDelivery",
    summary: "Show a delivery with its attempts",
    tenant: "optional",
    params: z.object({
      id: z.string().meta({ description: "The delivery's id", example: deliveryExample.id }),
    }),
    responses: { 200: deliveryWithAttempts },
    problems: nothingThere,
    async handle({ params, tenant }) {
      const delivery = await find(params.id, tenant);
      if (delivery === undefined) throw new Problem("not-found", "there is no such delivery");
      const [attempts, endpoint] = await Promise.all([
        history.attempts(delivery),
        history.endpoint(delivery.endpoint, delivery.tenant),
      ]);
      const log = showAttempts(delivery, attempts, endpoint);
      return { status: 200, body: { ...showDelivery(delivery), attempt_log: log } };
    },
  });

  async function find(id: string, tenant: Tenant | undefined) {
    const name = parseDeliveryId(id);
    if (name === undefined) return undefined;
    const owner = await ownerOf(name.tenantPrefix, tenant, tenantByPrefix);
    return owner && history.find(owner.id, name);
  }
}

function pageReply({ deliveries, cursor, hasMore }: DeliveryPage) {
  const body = { deliveries: deliveries.map(showDelivery), cursor, has_more: hasMore };
  return { status: 200, body } as const;
}
