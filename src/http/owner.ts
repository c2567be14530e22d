/** What generated ids name, and whose it is. An operator need not say whose. */
import { eventId, parseEventId, tenantPrefix, type LogEvent } from "../log/event.ts";
import type { Log } from "../log/log.ts";
import { tenantErasing, type Tenant } from "./auth.ts";

/** The tenant whose internal id starts so, see `tenantPrefix`. */
export type TenantByPrefix = (prefix: string) => Promise<Tenant | undefined>;

/**
 * The tenant that an id tells, undefined when it is another one than `tenant`, which the caller
 * acts on.
 */
export async function ownerOf(
  prefix: string,
  tenant: Tenant | undefined,
  tenantByPrefix: TenantByPrefix,
): Promise<Tenant | undefined> {
  const owner = tenant ?? (await tenantByPrefix(prefix));
  if (owner === undefined || tenantPrefix(owner.id) !== prefix) return undefined;
  if (owner.erasing) throw tenantErasing(owner.name);
  return owner;
}

/** The event of an id and its tenant; undefined when there is none, or it is another tenant's. */
export async function findEvent(
  id: string,
  tenant: Tenant | undefined,
  { log, tenantByPrefix }: { log: Pick<Log, "event">; tenantByPrefix: TenantByPrefix },
): Promise<{ owner: Tenant; event: LogEvent } | undefined> {
  const name = parseEventId(id);
  if (name === undefined) return undefined;
  const owner = await ownerOf(name.tenantPrefix, tenant, tenantByPrefix);
  if (owner === undefined) return undefined;
  const event = await log.event(owner.id, name.position);
  return event !== undefined && eventId(event) === id ? { owner, event } : undefined;
}
