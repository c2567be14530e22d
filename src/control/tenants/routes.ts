/** `/tenants`: for operators. */
import { z } from "zod";
import type { Orm } from "../../db/database.ts";
import type { TenantId } from "../../log/event.ts";
import { route, type Route } from "../../http/route.ts";
import { pageOf, pageQuery, resourceName, timestamp } from "../../http/schemas.ts";
import { Problem } from "../../problem.ts";
import { toTenant, type Change } from "../directory.ts";
import { noEndpoints, summarizeEndpoints, type EndpointSummary } from "../endpoints/summary.ts";
import { beginErasure } from "./erasure.ts";
import {
  limitsExample,
  limitsPatch,
  showLimits,
  shownLimits,
  toLimits,
  unlimited,
} from "./limits-routes.ts";
import {
  operationalExample,
  operationalTypes,
  shownOperationalTypes,
} from "./operational-routes.ts";
import { shownSummary, summaryExample } from "./summary-routes.ts";
import { createTenantStore, type TenantView } from "./tenants.ts";

const displayName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^\P{Cc}*$/u, "must not contain control characters")
  .nullable()
  .meta({ description: "A name for people" });

const settings = z
  .strictObject({
    name: displayName.optional(),
    limits: limitsPatch.optional(),
    operational_events: operationalTypes.optional(),
  })
  .meta({
    id: "TenantSettings",
    example: {
      name: "Acme, Inc.",
      limits: { appends_per_second: 500, endpoints: 100 },
      operational_events: operationalExample,
    },
  });

const erasureExample = {
  tenant: "acme",
  status: "running",
  started_at: "2026-11-23T12:00:00.000Z",
  events: { total: 1_042, erased: 500 },
  rows_erased: 37,
};

const erasureSchema = z
  .object({
    tenant: resourceName,
    status: z.literal("running"),
    started_at: timestamp,
    events: z.object({
      total: z.int().meta({ description: "That there were when it began" }),
      erased: z.int(),
    }),
    rows_erased: z.int().meta({ description: "Of deliveries, keys and all else" }),
  })
  .meta({
    id: "Erasure",
    description: "How far the erasure of a tenant has come",
    example: erasureExample,
  });

const tenantSchema = z
  .object({
    tenant: resourceName.meta({ description: "The name requests call it by" }),
    name: displayName,
    limits: shownLimits,
    operational_events: shownOperationalTypes,
    endpoints: shownSummary,
    status: z.enum(["active", "erasing"]),
    erasure: erasureSchema.nullable(),
    created_at: timestamp,
  })
  .meta({
    id: "Tenant",
    example: {
      tenant: "acme",
      name: "Acme, Inc.",
      limits: limitsExample,
      operational_events: operationalExample,
      endpoints: summaryExample,
      status: "active",
      erasure: null,
      created_at: "2026-11-23T12:00:00.000Z",
    },
  });

const one = {
  path: "/tenants/{tenant}",
  tag: "tenants",
  access: "operator",
  params: z.object({
    tenant: resourceName.meta({ description: "The tenant's name", example: "acme" }),
  }),
} as const;

type TenantRoutesOptions = {
  readonly orm: Orm;
  /** As many as the database was set up with. */
  readonly shards: number;
  /** Called after the commit. */
  readonly changed: (change: Change) => void;
};

/**
 * A new tenant, a new display name and other operational events are announced to nobody: no process
 * remembers that a tenant is missing, how it is displayed, or what it asked for.
 */
export function createTenantRoutes(options: TenantRoutesOptions): Route[] {
  const { orm, changed } = options;
  const tenants = createTenantStore(options);

  return [
    route({
      ...one,
      method: "put",
      id: "putTenant",
      summary: "Create or replace a tenant",
      description:
        "Answers 201 when it creates the tenant and 200 when there is one already. Without " +
        "`operational_events` those stay as they are: the tenant may have chosen them.",
      body: settings.prefault({}),
      responses: { 200: tenantSchema, 201: tenantSchema },
      problems: ["tenant-erasing"],
      handle: async ({ params, body: { name = null, limits = null, operational_events } }) => {
        const { created, row } = await tenants.put(params.tenant, {
          displayName: name,
          limits: { ...unlimited, ...toLimits(limits) },
          operationalEvents: operational_events,
        });
        if (!created) changed(changeOf(row));
        const body = await showOne({ row, erasure: null });
        return created ? { status: 201, body } : { status: 200, body };
      },
    }),
    route({
      ...one,
      method: "get",
      id: "getTenant",
      summary: "Show a tenant",
      responses: { 200: tenantSchema },
      problems: ["unknown-tenant"],
      handle: async ({ params }) => {
        const view = known(await tenants.find(params.tenant), params.tenant);
        return { status: 200, body: await showOne(view) };
      },
    }),
    route({
      ...one,
      method: "patch",
      id: "patchTenant",
      summary: "Change a tenant",
      description: "A merge-patch: a limit that is null is none, and so are all if `limits` is.",
      body: settings,
      responses: { 200: tenantSchema },
      problems: ["unknown-tenant", "tenant-erasing"],
      handle: async ({ params, body: { name, limits, operational_events } }) => {
        const patched = await tenants.patch(params.tenant, {
          ...(name !== undefined && { displayName: name }),
          ...(limits !== undefined && { limits: toLimits(limits) }),
          operationalEvents: operational_events,
        });
        const row = known(patched, params.tenant);
        if (limits !== undefined) changed(changeOf(row));
        return { status: 200, body: await showOne({ row, erasure: null }) };
      },
    }),
    eraseTenant(options, tenants),
    route({
      method: "get",
      path: "/tenants",
      id: "listTenants",
      tag: "tenants",
      summary: "List tenants by name",
      access: "operator",
      query: z.object(pageQuery),
      responses: { 200: pageOf("tenants", tenantSchema).meta({ id: "TenantPage" }) },
      problems: ["cursor-invalid"],
      handle: async ({ query }) => {
        const { items, cursor, hasMore } = await tenants.list(query);
        const shown = await showAll(orm, items);
        return { status: 200, body: { tenants: shown, cursor, has_more: hasMore } };
      },
    }),
  ];

  async function showOne(view: TenantView) {
    const sums = await summarizeEndpoints(orm, [view.row.id]);
    return show(view, sums.get(view.row.id));
  }
}

async function showAll(orm: Orm, views: readonly TenantView[]) {
  const ids = views.map(({ row }) => row.id);
  const sums = await summarizeEndpoints(orm, ids);
  return views.map((view) => show(view, sums.get(view.row.id)));
}

function eraseTenant(
  { orm, changed }: TenantRoutesOptions,
  tenants: ReturnType<typeof createTenantStore>,
): Route {
  return route({
    ...one,
    method: "delete",
    id: "deleteTenant",
    summary: "Erase a tenant",
    description:
      "Nobody can use the tenant from now on, and what it has is deleted piece by piece. " +
      "`GET /tenants/{tenant}` shows how far that is; it answers 404 when all is gone, and then a " +
      "new tenant may have the name. Repeating the request shows the same erasure.",
    responses: {
      202: {
        body: z.object({ erasure: erasureSchema }).meta({ example: { erasure: erasureExample } }),
        description: "The erasure is under way",
      },
    },
    problems: ["unknown-tenant"],
    handle: async ({ params: { tenant: name } }) => {
      const begun = await beginErasure(orm, name);
      if (begun !== undefined) changed({ what: "tenants", ...begun });
      const erasure = showErasure(known(await tenants.find(name), name));
      // Somebody was fast enough to create another one in between, which is not to be erased.
      if (erasure === null) throw unknown(name);
      return { status: 202, body: { erasure } };
    },
  });
}

function known<Found>(tenant: Found | undefined, name: string): Found {
  if (tenant === undefined) throw unknown(name);
  return tenant;
}

function unknown(name: string): Problem {
  return new Problem("unknown-tenant", `there is no tenant "${name}"`);
}

function changeOf({ id, shard }: TenantView["row"]): Change {
  return { what: "tenants", tenant: id as TenantId, shard };
}

function show({ row, erasure }: TenantView, endpoints: EndpointSummary = noEndpoints) {
  return {
    tenant: row.name,
    name: row.displayName,
    limits: showLimits(toTenant(row).limits),
    operational_events: row.operationalEvents,
    endpoints,
    status: row.erasingSince === null ? ("active" as const) : ("erasing" as const),
    erasure: showErasure({ row, erasure }),
    created_at: row.createdAt.toISOString(),
  };
}

function showErasure({ row, erasure }: TenantView) {
  if (erasure === null || row.erasingSince === null) return null;
  return {
    tenant: row.name,
    status: "running" as const,
    started_at: row.erasingSince.toISOString(),
    events: { total: erasure.eventsTotal, erased: erasure.eventsErased },
    rows_erased: erasure.rowsErased,
  };
}
