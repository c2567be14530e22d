/** `/tenants`: for operators. */
import { z } from "zod";
import type { Orm } from "../../db/database.ts";
import { route, type Route } from "../../http/route.ts";
import { pageOf, pageQuery, resourceName, timestamp } from "../../http/schemas.ts";
import { Problem } from "../../problem.ts";
import { createTenantStore, type TenantRow } from "./tenants.ts";

const displayName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^\P{Cc}*$/u, "must not contain control characters")
  .nullable()
  .meta({ description: "A name for people" });

const settings = z.strictObject({ name: displayName.optional() }).meta({ id: "TenantSettings" });

const tenantSchema = z
  .object({
    tenant: resourceName.meta({ description: "The name requests call it by" }),
    name: displayName,
    created_at: timestamp,
  })
  .meta({ id: "Tenant" });

const params = z.object({ tenant: resourceName });

/**
 * A new tenant and a new display name are announced to nobody: no process remembers that a tenant
 * is missing, or how it is displayed.
 */
export function createTenantRoutes(deps: {
  orm: Orm;
  /** As many as the database was set up with. */
  shards: number;
}): Route[] {
  const tenants = createTenantStore(deps);

  return [
    route({
      method: "put",
      path: "/tenants/{tenant}",
      id: "putTenant",
      tag: "tenants",
      summary: "Create or replace a tenant",
      description: "Answers 201 when it creates the tenant and 200 when there is one already.",
      access: "operator",
      params,
      body: settings.prefault({}),
      responses: { 200: tenantSchema, 201: tenantSchema },
      handle: async ({ params, body: { name } }) => {
        const { created, tenant } = await tenants.put(params.tenant, name ?? null);
        const body = show(tenant);
        return created ? { status: 201, body } : { status: 200, body };
      },
    }),
    route({
      method: "get",
      path: "/tenants/{tenant}",
      id: "getTenant",
      tag: "tenants",
      summary: "Show a tenant",
      access: "operator",
      params,
      responses: { 200: tenantSchema },
      problems: ["unknown-tenant"],
      handle: async ({ params }) => {
        const tenant = known(await tenants.find(params.tenant), params.tenant);
        return { status: 200, body: show(tenant) };
      },
    }),
    route({
      method: "patch",
      path: "/tenants/{tenant}",
      id: "patchTenant",
      tag: "tenants",
      summary: "Change a tenant",
      access: "operator",
      params,
      body: settings,
      responses: { 200: tenantSchema },
      problems: ["unknown-tenant"],
      handle: async ({ params, body }) => {
        const { tenant: name } = params;
        const found =
          body.name === undefined ? tenants.find(name) : tenants.rename(name, body.name);
        return { status: 200, body: show(known(await found, name)) };
      },
    }),
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
        return { status: 200, body: { tenants: items.map(show), cursor, has_more: hasMore } };
      },
    }),
  ];
}

function known(tenant: TenantRow | undefined, name: string): TenantRow {
  if (tenant === undefined) throw new Problem("unknown-tenant", `there is no tenant "${name}"`);
  return tenant;
}

function show({ name, displayName, createdAt }: TenantRow) {
  return { tenant: name, name: displayName, created_at: createdAt.toISOString() };
}
