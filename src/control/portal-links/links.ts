/**
 * Portal links: what a platform gives its customer to look at the tenant's feed in a browser.
 *
 * The token in a link is a key of the tenant for a while, so all that a key can do and all that ends
 * it works as with any other. Beside that it dies with the key that made it, and is bounded in
 * number and taken away when it is over, since a platform makes one whenever a customer clicks.
 */
import { randomBytes } from "node:crypto";
import { sql as template } from "drizzle-orm";
import type { Orm, OrmTransaction, Sql } from "../../db/database.ts";
import { keys } from "../../db/schema.ts";
import type { Scope } from "../../http/auth.ts";
import type { TenantId } from "../../log/event.ts";
import type { Chore } from "../../log/housekeeping.ts";
import { Problem } from "../../problem.ts";
import { hashKey, keyBytes, newKeyId } from "../keys/keys.ts";
import { endOf, makerOf } from "../keys/maker.ts";
import { lockTenant } from "../tenants/lock.ts";

/** Of a tenant: of an hour each, some three new ones a second. */
const linksMax = 10_000;

/** The portal is for all that is the tenant's. */
const scopes: readonly Scope[] = ["manage"];

const everyMs = 60_000;

/** Rows per statement, so that it holds no locks for long. */
const rowsMax = 10_000;

export type NewLink = {
  readonly tenant: TenantId;
  /** The key that makes it. */
  readonly key: string | undefined;
  readonly ttlSeconds: number;
};

/** Throws when the tenant has as many as it may, is being erased or gone, or the key is. */
export async function makeToken(
  orm: Orm,
  { tenant, key, ttlSeconds }: NewLink,
): Promise<{ token: string; expiresAt: Date }> {
  const token = `tg_pl_${randomBytes(keyBytes).toString("base64url")}`;
  return orm.transaction(async (transaction) => {
    await lockTenant(transaction, tenant);
    await requireRoom(transaction, tenant);
    const maker = await makerOf(transaction, key);
    const [row] = await transaction
      .insert(keys)
      .values({
        ...{ id: newKeyId(), hash: hashKey(token), tenant, scopes: [...scopes] },
        // Of a link made in the portal it is the platform's key, which can be revoked.
        maker: maker.maker ?? maker.hash,
        expiresAt: endOf(maker, ttlSeconds),
      })
      .returning({ expiresAt: keys.expiresAt });
    if (!row?.expiresAt) throw new Error("an insert returned no row");
    return { token, expiresAt: row.expiresAt };
  });
}

/** Takes away the tokens that have expired. */
export function createPortalLinkChore({ sql }: { sql: Sql }): Chore {
  return { name: "portal-links", everyMs, run };

  async function run(): Promise<"done" | "more"> {
    const { count } = await sql`
      delete from keys where id in (
        select id from keys where maker is not null and expires_at <= clock_timestamp()
        limit ${rowsMax} for update skip locked)`;
    return count === rowsMax ? "more" : "done";
  }
}

/** Those of a key that is gone are worth nothing and do not count. */
async function requireRoom(transaction: OrmTransaction, tenant: TenantId): Promise<void> {
  const live = await transaction.execute(template`
    select from keys link
    where tenant = ${tenant} and maker is not null and expires_at > clock_timestamp()
      and exists (select from keys where keys.hash = link.maker)
    offset ${linksMax - 1} limit 1`);
  if (live.length === 0) return;
  const detail =
    `a tenant may have ${linksMax} portal links at a time and has them: ` +
    "make those to come for less time (ttl_seconds), or wait until some expire";
  const members = { limit: "portal_links", value: linksMax };
  throw new Problem("quota-exceeded", detail, { members });
}
