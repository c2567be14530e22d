/** Which operational events a tenant's feed gets: how that is written, and the tenant's own view. */
import { z } from "zod";
import type { Orm } from "../../db/database.ts";
import { operationalEvents, operationalPatterns } from "../../deliveries/notice.ts";
import { route, type Route } from "../../http/route.ts";
import { tenantMember } from "../../http/schemas.ts";
import { createTenantStore } from "./tenants.ts";

/** In one order and each once, however they were given. */
export const operationalTypes = z
  .array(z.enum(operationalPatterns))
  .max(operationalPatterns.length)
  .transform((types) => [...new Set(types)].toSorted())
  .meta({
    description:
      "Types of operational events, or `tidegate.*`, `tidegate.endpoint.*` and so on for all below",
  });

export const shownOperationalTypes = z.array(z.string()).meta({
  description: "Which operational events the tenant's feed gets, as a type filter; none if empty",
});

export const operationalExample = ["tidegate.delivery.dead_lettered", "tidegate.endpoint.*"];

const shown = z
  .object({
    tenant: z.string(),
    types: shownOperationalTypes,
    available: z
      .array(z.object({ type: z.string(), description: z.string() }))
      .meta({ description: "All that can be asked for" }),
  })
  .meta({
    id: "OperationalEvents",
    example: { tenant: "acme", types: operationalExample, available: available() },
  });

const asked = z
  .strictObject({ ...tenantMember, types: operationalTypes })
  .meta({ id: "AskedOperationalEvents", example: { tenant: "acme", types: operationalExample } });

const one = { path: "/operational-events", tag: "tenants", access: "manage" } as const;

export function createOperationalRoutes(options: { orm: Orm; shards: number }): Route[] {
  const tenants = createTenantStore(options);
  return [
    route({
      ...one,
      method: "get",
      id: "getOperationalEvents",
      summary: "Show which operational events a tenant's feed gets",
      tenant: "named",
      responses: { 200: shown },
      handle: async ({ tenant }) => {
        const types = await tenants.operationalEvents(tenant);
        return { status: 200, body: show(tenant.name, types) };
      },
    }),
    route({
      ...one,
      method: "put",
      id: "putOperationalEvents",
      summary: "Choose which operational events a tenant's feed gets",
      description:
        "They are events of the feed like any other: whoever reads or is pushed all of it gets " +
        "them too. What happened before is not told.",
      tenant: "named",
      body: asked,
      responses: { 200: shown },
      problems: ["tenant-erasing"],
      handle: async ({ tenant, body: { types } }) => {
        await tenants.askOperationalEvents(tenant, types);
        return { status: 200, body: show(tenant.name, types) };
      },
    }),
  ];
}

function show(tenant: string, types: readonly string[]) {
  return { tenant, types, available: available() };
}

function available() {
  return Object.entries(operationalEvents).map(([type, description]) => ({ type, description }));
}
