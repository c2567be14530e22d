import { z } from "zod";
import type { EndpointFilterOf } from "../deliveries/endpoint-filter.ts";
import { reauthorize, type Directory, type Tenant } from "../http/auth.ts";
import { namesTag } from "../http/etag.ts";
import { eventExample, eventSchema } from "../http/event-schema.ts";
import { findEvent, type TenantByPrefix } from "../http/owner.ts";
import { acceptQuality } from "../http/preferences.ts";
import type { ApiRequest } from "../http/request.ts";
import { route, type Route } from "../http/route.ts";
import { selectionOf, selectionQuery } from "../http/selection.ts";
import type { Log } from "../log/log.ts";
import { Problem } from "../problem.ts";
import {
  pageHeaderTexts,
  pageParameters,
  pageReply,
  pageResponse,
  waitMsOf,
} from "./page-routes.ts";
import type { Pull } from "./pull.ts";

const eventMediaType = "application/cloudevents+json";

const listHeaderTexts = { ...pageHeaderTexts, etag: "On a full page reached by a cursor" };

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
      "counts as full then. A full page reached by a cursor never changes and may be cached; with " +
      "`endpoint` it changes with what that matches, and its `ETag` tells.",
    access: "read",
    tenant: "named",
    limit: "reads",
    query: z.object({
      ...selectionQuery,
      ...pageParameters,
    }),
    responses: {
      200: { ...pageResponse, headers: listHeaderTexts },
      304: { description: "The client has this page", headers: listHeaderTexts },
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
      const selection = await selectionOf(query, tenant.id, filterOfEndpoint);
      const waitMs = waitMsOf(query, request);
      const authorized = () => reauthorize(directory, callerOf(request, tenant), "read");
      const page = await pull.page(
        { tenant, selection, limit: query.limit, waitMs, reauthorize: authorized },
        request.outgoing,
      );
      // What an endpoint matches may be changed, and with it the page.
      const reply = pageReply(page, request, { isLasting: query.endpoint === undefined });
      const { headers } = reply;
      if (namesTag(request.header("if-none-match"), headers["etag"])) {
        return { status: 304, headers };
      }
      return reply;
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
