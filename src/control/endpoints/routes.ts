/** `/endpoints`: where a tenant's events are pushed to. */
import { z } from "zod";
import type { Database } from "../../db/database.ts";
import type { Marks } from "../../feed/marks.ts";
import { route, type Route } from "../../http/route.ts";
import { pageOf, pageQuery } from "../../http/schemas.ts";
import type { KeyRing } from "../../keyring.ts";
import type { Change } from "../directory.ts";
import { createEndpointAccess } from "./access.ts";
import { createActionRoutes } from "./action-routes.ts";
import { createEndpointActions, type TestPush } from "./actions.ts";
import {
  createdEndpoint,
  endpointPatch,
  endpointSecret,
  newEndpoint,
  oneEndpoint,
  shownEndpoint,
  toPatch,
} from "./body-routes.ts";
import { createEndpoints, type CheckUrl, type Endpoints } from "./endpoints.ts";
import { createStartOf } from "./start.ts";
import { createEndpointStore } from "./store.ts";

export function createEndpointRoutes(options: {
  database: Database;
  ring: KeyRing;
  marks: Marks;
  checkUrl: CheckUrl;
  testPush: TestPush;
  /** How long events are kept, which no retry schedule may outlast. */
  retentionDays: number;
  /** Called after the commit. */
  changed: (change: Change) => void;
}): Route[] {
  const store = createEndpointStore(options);
  const access = createEndpointAccess({ store, changed: options.changed });
  const startOf = createStartOf(options.marks);
  const endpoints = createEndpoints({ ...options, store, access, startOf });
  const actions = createEndpointActions({ ...options, store, access, startOf });
  return [...routesOfAll(endpoints), ...routesOfOne(endpoints), ...createActionRoutes(actions)];
}

function routesOfAll(endpoints: Endpoints): Route[] {
  const { tag, access } = oneEndpoint;
  const all = { tag, access, path: "/endpoints", tenant: "named" } as const;
  return [
    route({
      ...all,
      method: "post",
      id: "createEndpoint",
      summary: "Create an endpoint",
      description:
        "Events are pushed from its `start` on: by default those appended after the answer. " +
        "The answer holds the secret that verifies them.",
      body: newEndpoint,
      responses: {
        201: { body: createdEndpoint, headers: { location: "The path of the endpoint" } },
      },
      problems: [
        "address-not-allowed",
        "quota-exceeded",
        "cursor-invalid",
        "cursor-expired",
        "cursor-ahead",
        "feed-reset",
      ],
      handle: async ({ body, tenant }) => {
        const { url, signature, secret, start } = body;
        const settings = toPatch(body);
        const wanted = { url, settings, signature, secret, start };
        const created = await endpoints.create(tenant, wanted);
        return { status: 201, body: created, headers: { location: `/endpoints/${created.id}` } };
      },
    }),
    route({
      ...all,
      method: "get",
      id: "listEndpoints",
      summary: "List endpoints, the oldest first",
      query: z.object(pageQuery),
      responses: { 200: pageOf("endpoints", shownEndpoint).meta({ id: "EndpointPage" }) },
      problems: ["cursor-invalid"],
      handle: async ({ query, tenant }) => {
        const { items, cursor, hasMore } = await endpoints.list(tenant, query);
        return { status: 200, body: { endpoints: items, cursor, has_more: hasMore } };
      },
    }),
  ];
}

function routesOfOne(endpoints: Endpoints): Route[] {
  const one = { ...oneEndpoint, path: "/endpoints/{id}" } as const;
  return [
    route({
      ...one,
      method: "get",
      id: "getEndpoint",
      summary: "Show an endpoint",
      responses: { 200: shownEndpoint },
      handle: async ({ params, tenant }) => {
        return { status: 200, body: await endpoints.get(params.id, tenant) };
      },
    }),
    route({
      ...one,
      method: "patch",
      id: "patchEndpoint",
      summary: "Change an endpoint",
      description:
        "A merge-patch: what is left out stays, and null takes a setting back to its default; in " +
        "`headers` and `metadata` that holds for each member. Attempts under way may be repeated.",
      body: endpointPatch,
      responses: { 200: shownEndpoint },
      problems: [...one.problems, "address-not-allowed"],
      handle: async ({ params, body, tenant }) => {
        return { status: 200, body: await endpoints.change(params.id, tenant, toPatch(body)) };
      },
    }),
    route({
      ...one,
      method: "delete",
      id: "deleteEndpoint",
      summary: "Remove an endpoint",
      description: "Nothing more is pushed to it. What became of its deliveries can still be read.",
      responses: { 204: { description: "The endpoint is removed" } },
      handle: async ({ params, tenant }) => {
        await endpoints.remove(params.id, tenant);
        return { status: 204 };
      },
    }),
    route({
      ...one,
      method: "get",
      path: "/endpoints/{id}/secret",
      id: "getEndpointSecret",
      summary: "Show the secret that verifies an endpoint's pushes",
      responses: { 200: endpointSecret },
      handle: async ({ params, tenant }) => {
        return { status: 200, body: await endpoints.secret(params.id, tenant) };
      },
    }),
  ];
}
