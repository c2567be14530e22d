/**
 * What a generated id names, for operators, who may look at any tenant: found by the id alone, in a
 * few descents of indexes. What a tenant that is being erased still has is not found.
 */
import { and, eq, isNull } from "drizzle-orm";
import type { Database } from "../../db/database.ts";
import { keys, tenants } from "../../db/schema.ts";
import { parseDeliveryId } from "../../deliveries/delivery-id.ts";
import { endpointUuid } from "../../deliveries/endpoint.ts";
import { createHistory } from "../../deliveries/history.ts";
import { createReplayStore, replayUuid } from "../../deliveries/replays.ts";
import type { Tenant } from "../../http/auth.ts";
import { findEvent, type TenantByPrefix } from "../../http/owner.ts";
import { parseEventId, tenantPrefix } from "../../log/event.ts";
import type { Log } from "../../log/log.ts";
import { keyIdForm } from "../keys/keys.ts";
import {
  deliveryHit,
  endpointHit,
  eventHit,
  keyHit,
  replayHit,
  tenantHit,
  type Hit,
} from "./hits.ts";
import { findEndpoint } from "./statements.ts";

export type IdLookup = (id: string) => Promise<Hit | undefined>;

/** Of a tenant: logs call it by this id. */
const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createIdLookups(options: {
  database: Database;
  log: Log;
  tenantByPrefix: TenantByPrefix;
}) {
  const { database, log, tenantByPrefix } = options;
  const { sql, orm } = database;
  const history = createHistory({ sql, log });
  const replays = createReplayStore(sql);
  return { lookupFor };

  /** Undefined for a text that has the form of no id. */
  function lookupFor(text: string): IdLookup | undefined {
    if (parseEventId(text) !== undefined) return event;
    if (parseDeliveryId(text) !== undefined) return delivery;
    if (endpointUuid(text) !== undefined) return endpoint;
    if (replayUuid(text) !== undefined) return replay;
    if (keyIdForm.test(text)) return key;
    return uuidForm.test(text) ? tenant : undefined;
  }

  async function event(id: string): Promise<Hit | undefined> {
    const owner = await ownerOf(parseEventId(id)?.tenantPrefix);
    const found = owner && (await findEvent(id, owner, { log, tenantByPrefix }));
    return found && eventHit(id, found.owner.name, found.event);
  }

  async function delivery(id: string): Promise<Hit | undefined> {
    const name = parseDeliveryId(id);
    const owner = await ownerOf(name?.tenantPrefix);
    const found = name && owner && (await history.find(owner.id, name));
    return found && deliveryHit(id, owner.name, found);
  }

  async function endpoint(id: string): Promise<Hit | undefined> {
    const found = await findEndpoint(sql, endpointUuid(id) ?? "");
    return found && endpointHit(found);
  }

  async function replay(id: string): Promise<Hit | undefined> {
    const found = await replays.find(replayUuid(id) ?? "", undefined);
    const owner = found && (await ownerOf(tenantPrefix(found.tenant)));
    return owner && replayHit(owner.name, found);
  }

  async function key(id: string): Promise<Hit | undefined> {
    const { scopes, description } = keys;
    const [found] = await orm
      .select({ scopes, description, tenant: tenants.name })
      .from(keys)
      .leftJoin(tenants, eq(tenants.id, keys.tenant))
      .where(and(eq(keys.id, id), isNull(keys.maker)));
    return found && keyHit(id, found);
  }

  async function tenant(id: string): Promise<Hit | undefined> {
    const { name, displayName, erasingSince } = tenants;
    const [found] = await orm
      .select({ name, displayName, erasingSince })
      .from(tenants)
      .where(eq(tenants.id, id));
    return found && tenantHit({ ...found, erasing: found.erasingSince !== null });
  }

  async function ownerOf(prefix: string | undefined): Promise<Tenant | undefined> {
    const owner = prefix === undefined ? undefined : await tenantByPrefix(prefix);
    return owner?.erasing === false ? owner : undefined;
  }
}
