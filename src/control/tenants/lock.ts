/** Keeps a tenant's erasure from passing by whoever adds something to the tenant. */
import { eq } from "drizzle-orm";
import type { OrmTransaction } from "../../db/database.ts";
import { tenants } from "../../db/schema.ts";
import { tenantErasing } from "../../http/auth.ts";
import type { TenantId } from "../../log/event.ts";
import { Problem } from "../../problem.ts";

/**
 * Until the transaction ends nobody else adds to the tenant what is added under this lock, and no
 * erasure begins; throws when one has. Appends do not take it: they have the log's own.
 */
export async function lockTenant(
  transaction: OrmTransaction,
  id: TenantId,
): Promise<typeof tenants.$inferSelect> {
  const [tenant] = await transaction
    .select()
    .from(tenants)
    .where(eq(tenants.id, id))
    .for("no key update");
  if (tenant === undefined) throw new Problem("unknown-tenant", "the tenant no longer exists");
  if (tenant.erasingSince !== null) throw tenantErasing(tenant.name);
  return tenant;
}
