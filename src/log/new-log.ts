/** The start of a tenant's log: empty, ready to be appended to. */
import type { OrmTransaction } from "../db/database.ts";
import { heads } from "../db/schema.ts";
import type { TenantId } from "./event.ts";

/** To be called in the transaction that makes the tenant, since neither is of use alone. */
export async function createTenantLog(
  transaction: OrmTransaction,
  tenant: TenantId,
): Promise<void> {
  await transaction.insert(heads).values({ tenant });
}
