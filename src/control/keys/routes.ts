/** `/keys`: a tenant's own, and those of operators. */
import { z } from "zod";
import type { Orm } from "../../db/database.ts";
import { scopes, type Principal, type Tenant } from "../../http/auth.ts";
import { route, type Route } from "../../http/route.ts";
import { instant, pageOf, pageQuery, tenantMember, timestamp } from "../../http/schemas.ts";
import { Problem } from "../../problem.ts";
import type { Change } from "../directory.ts";
import { createKeyStore, operatorScope, type KeyRow } from "./keys.ts";

const scope = z.enum([...scopes, operatorScope]);

const description = z
  .string()
  .max(1_024)
  .regex(/^\P{Cc}*$/u, "must not contain control characters")
  .nullable();

const newKey = z
  .strictObject({
    ...tenantMember,
    scopes: z
      .array(scope)
      .min(1)
      .max(10)
      .meta({
        description:
          "What the key may do: `receive` includes `read`, `manage` includes all of its tenant. " +
          "`operator`, alone and without a tenant, makes another operator key.",
      }),
    expires_at: instant
      .refine((time) => time > Date.now(), "must be in the future")
      .transform((time) => new Date(time))
      .nullable()
      .optional(),
    description: description.optional(),
  })
  .meta({
    id: "NewKey",
    example: { tenant: "acme", scopes: ["append"], description: "The shop's backend" },
  });

const keyId = z
  .string()
  .meta({ description: "The key's id", example: "key_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c" });

const keyExample = {
  id: "key_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c",
  tenant: "acme",
  scopes: ["append"],
  description: "The shop's backend",
  created_at: "2026-11-23T12:00:00.000Z",
  expires_at: null,
};

const keySchema = z.object({
  id: keyId,
  tenant: z.string().nullable().meta({ description: "Null for an operator key" }),
  scopes: z.array(scope),
  description,
  created_at: timestamp,
  expires_at: timestamp.nullable(),
});

const shownKey = keySchema.meta({ id: "Key", example: keyExample });

const createdKey = z
  .object({
    ...keySchema.shape,
    key: z.string().meta({ description: "Shown this once; only its hash is kept" }),
  })
  .meta({
    id: "CreatedKey",
    example: { ...keyExample, key: "tg_3GQmJtWz8LxPeR5nVbY2kHcD7sFaU9oT4iNwXqE1" },
  });

const currentKey = z
  .object({
    id: keyId,
    tenant: keySchema.shape.tenant,
    scopes: keySchema.shape.scopes,
    expires_at: keySchema.shape.expires_at,
  })
  .meta({
    id: "CurrentKey",
    example: {
      ...{ id: keyExample.id, tenant: "acme", scopes: ["manage"] },
      expires_at: "2026-11-23T13:00:00.000Z",
    },
  });

export function createKeyRoutes(deps: { orm: Orm; changed: (change: Change) => void }): Route[] {
  const { orm, changed } = deps;
  const keys = createKeyStore(orm);

  return [
    route({
      method: "post",
      path: "/keys",
      id: "createKey",
      tag: "keys",
      summary: "Create a key",
      access: "manage",
      tenant: "optional",
      body: newKey,
      responses: { 201: createdKey },
      problems: ["tenant-required"],
      handle: async ({ body, principal, tenant }) => {
        requireOwner(body.scopes, principal, tenant);
        const { key, row } = await keys.create({
          tenant: tenant?.id ?? null,
          scopes: body.scopes,
          description: body.description ?? null,
          expiresAt: body.expires_at ?? null,
        });
        return { status: 201, body: { ...show(row, tenant), key } };
      },
    }),
    route({
      method: "get",
      path: "/keys",
      id: "listKeys",
      tag: "keys",
      summary: "List keys, the oldest first",
      description: "An operator that names no tenant gets the operator keys.",
      access: "manage",
      tenant: "optional",
      query: z.object(pageQuery),
      responses: { 200: pageOf("keys", shownKey).meta({ id: "KeyPage" }) },
      problems: ["cursor-invalid"],
      handle: async ({ query, tenant }) => {
        const { items, cursor, hasMore } = await keys.list(tenant?.id ?? null, query);
        const shown = items.map((row) => show(row, tenant));
        return { status: 200, body: { keys: shown, cursor, has_more: hasMore } };
      },
    }),
    route({
      method: "get",
      path: "/keys/current",
      id: "getCurrentKey",
      tag: "keys",
      summary: "Show whose key this request carries, and what it may do",
      access: "read",
      responses: { 200: currentKey },
      handle: ({ principal }) => ({ status: 200, body: showCurrent(principal) }),
    }),
    route({
      method: "delete",
      path: "/keys/{id}",
      id: "deleteKey",
      tag: "keys",
      summary: "Revoke a key",
      description:
        "It is refused within 5 seconds everywhere. The configured operator key becomes valid " +
        "again when a process starts with it.",
      access: "manage",
      tenant: "optional",
      params: z.object({ id: keyId }),
      responses: { 204: { description: "The key is revoked" } },
      problems: ["not-found"],
      handle: async ({ params, tenant }) => {
        const removed = await keys.remove(params.id, tenant?.id);
        if (removed === undefined) throw new Problem("not-found", "there is no such key");
        changed({ what: "keys", ...removed });
        return { status: 204 };
      },
    }),
  ];
}

/** Throws unless the new key would have an owner that fits its scopes. */
function requireOwner(
  wanted: readonly z.output<typeof scope>[],
  principal: Principal,
  tenant: Tenant | undefined,
): void {
  if (!wanted.includes(operatorScope)) {
    if (tenant !== undefined) return;
    throw new Problem("tenant-required", "name the tenant that the key is for");
  }
  if (principal.kind === "tenant") {
    throw new Problem("scope-missing", "only operators may create operator keys", {
      members: { scope: operatorScope },
    });
  }
  const detail =
    tenant !== undefined
      ? "an operator key belongs to no tenant"
      : "an operator key has every scope: name no other";
  if (tenant === undefined && new Set(wanted).size === 1) return;
  throw new Problem("invalid", `/scopes: ${detail}`, {
    members: { errors: [{ pointer: "/scopes", detail }] },
  });
}

function show(row: KeyRow, tenant: Tenant | undefined) {
  return {
    id: row.id,
    tenant: tenant?.name ?? null,
    scopes: row.scopes as z.output<typeof scope>[],
    description: row.description,
    created_at: row.createdAt.toISOString(),
    expires_at: row.expiresAt?.toISOString() ?? null,
  };
}

function showCurrent(principal: Principal) {
  if (principal.kind === "operator") {
    return {
      id: principal.keyId,
      tenant: null,
      scopes: [operatorScope],
      expires_at: null,
    } as const;
  }
  const { keyId, tenant, scopes: granted, expiresAt } = principal;
  return {
    id: keyId,
    tenant: tenant.name,
    scopes: [...granted],
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}
