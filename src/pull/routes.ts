import { z } from "zod";
import type { EndpointFilterOf } from "../deliveries/endpoint-filter.ts";
import { reauthorize, type Directory, type Tenant } from "../http/auth.ts";
import { eventExample, eventSchema } from "../http/event-schema.ts";
import { findEvent, type TenantByPrefix } from "../http/owner.ts";
import { acceptQuality, preference } from "../http/preferences.ts";
import type { ApiRequest } from "../http/request.ts";
import { route, type Route } from "../http/route.ts";
import { cursorExample, integerParameter, pageQuery } from "../http/schemas.ts";
import { selectionOf, selectionQuery } from "../http/selection.ts";
import type { Log } from "../log/log.ts";
import { Problem } from "../problem.ts";
import { batchMediaType, namesTag, pageHeaders, pageTag, pageText, type PageForm } from "./page.ts";
import type { Pull } from "./pull.ts";

/** Below the minute after which common proxies give up on a silent response. */
const waitMaxSeconds = 60;

const eventMediaType = "application/cloudevents+json";

const pageSchema = z
  .object({
    events: z.array(eventSchema),
    cursor: z.string().meta({ description: "Continues after all that was scanned" }),
    has_more: z.boolean(),
  })
  .meta({
    id: "EventPage",
    example: { events: [eventExample], cursor: cursorExample, has_more: true },
  });

const pageHeaderTexts = {
  link: "The next page, as `rel=next`",
  "tidegate-cursor": "The page's cursor",
  "tidegate-head": "The sequence of the tenant's last event",
  etag: "On a full page reached by a cursor",
};

export type PullRoutesOptions = {
  pull: Pull;
  log: Log;
  directory: Directory;
  tenantByPrefix: TenantByPrefix;
  filterOfEndpoint: EndpointFilterOf;
};

export function createPullRoutes(options: PullRoutesOptions): Route[] {
  return [listEvents(options), getEvent(options)];
}

function listEvents({ pull, directory, filterOfEndpoint }: PullRoutesOptions): Route {
  return route({
    method: "get",
    path: "/events",
    id: "listEvents",
    tag: "events",
    summary: "Read events after a cursor, in order",
    description:
      "A cursor always comes back, moved past all that was scanned, also on an empty page; a page " +
      "may be short or empty with `has_more` when much was scanned. It also ends at 4 MiB, and " +
      "counts as full then. A full page reached by a cursor never changes and may be cached.",
    access: "read",
    tenant: "named",
    limit: "reads",
    query: z.object({
      ...selectionQuery,
      limit: pageQuery.limit,
      wait: integerParameter(0, waitMaxSeconds).optional().meta({
        description: "Seconds to wait for the first event that matches; `Prefer: wait=` does too",
      }),
    }),
    responses: {
      200: {
        body: pageSchema,
        content: { [batchMediaType]: z.array(eventSchema).meta({ example: [eventExample] }) },
        headers: pageHeaderTexts,
      },
      304: { description: "The client has this page", headers: pageHeaderTexts },
    },
    problems: [
      "cursor-invalid",
      "cursor-filter-mismatch",
      "not-found",
      "cursor-expired",
      "cursor-ahead",
      "feed-reset",
    ],
    async handle({ query, tenant, request }) {
      const waitSeconds = query.wait ?? preferredWait(request);
      const selection = await selectionOf(query, tenant.id, filterOfEndpoint);
      const waitMs = waitSeconds * 1_000;
      const authorized = () => reauthorize(directory, callerOf(request, tenant), "read");
      const page = await pull.page(
        { tenant, selection, limit: query.limit, waitMs, reauthorize: authorized },
        request.outgoing,
      );
      const form = formOf(request);
      const headers = pageHeaders(page, form, request.incoming.url ?? "/events");
      if (namesTag(request.header("if-none-match"), pageTag(page, form))) {
        return { status: 304, headers };
      }
      const contentType = form === "batch" ? batchMediaType : "application/json";
      return { status: 200, text: pageText(page, form), contentType, headers };
    },
  });
}

function getEvent(options: PullRoutesOptions): Route {
  return route({
    method: "get",
    path: "/events/{id}",
    id: "getEvent",
    tag: "events",
    summary: "Get one event",
    access: "read",
    tenant: "optional",
    limit: "reads",
    params: z.object({
      id: z.string().meta({ description: "The event's id", example: eventExample.id }),
    }),
    responses: { 200: { body: eventSchema, content: { [eventMediaType]: eventSchema } } },
    problems: ["not-found"],
    async handle({ params, tenant, request }) {
      const found = await findEvent(params.id, tenant, options);
      if (found === undefined) throw new Problem("not-found", "there is no such event");
      const asked = acceptQuality(request.header("accept"), eventMediaType) > 0;
      const contentType = asked ? eventMediaType : "application/json";
      return { status: 200, text: found.event.envelope, contentType };
    },
  });
}

function callerOf(request: ApiRequest, tenant: Tenant) {
  return { authorization: request.header("authorization"), tenant };
}

/** `Prefer: wait=30`. A preference that cannot be met is met as far as it can. */
function preferredWait(request: ApiRequest): number {
  const seconds = Number(preference(request.header("prefer"), "wait") ?? 0);
  return Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, waitMaxSeconds) : 0;
}

function formOf(request: ApiRequest): PageForm {
  const accept = request.header("accept");
  const batch = acceptQuality(accept, batchMediaType);
  return batch > 0 && batch >= acceptQuality(accept, "application/json") ? "batch" : "page";
}
