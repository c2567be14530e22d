/** Named consumers come, are seen, seek another place and go. What they read is handed out by `pull/`. */
import { randomUUID } from "node:crypto";
import type { Database } from "../../db/database.ts";
import {
  createConsumerStore,
  unknownConsumer,
  type ConsumerRow,
  type ConsumerStore,
  type ConsumerView,
} from "../../deliveries/consumers.ts";
import type { Tenant } from "../../http/auth.ts";
import type { Start } from "../../http/selection.ts";
import { sequenceText } from "../../log/event.ts";
import type { Filter } from "../../log/filter.ts";
import { Problem } from "../../problem.ts";
import type { StartOf } from "../endpoints/start.ts";
import { keyAfter, toPage, type ListPage, type ListQuery } from "../pages.ts";
import { lockTenant } from "../tenants/lock.ts";

/** Each is looked at when all are listed; whoever needs more reads by cursors of its own. */
const consumersMax = 1_000;

const nameForm = /^[\w.-]{1,128}$/;

export type ShownConsumer = ReturnType<typeof show>;

export type Consumers = ReturnType<typeof createConsumers>;

export function createConsumers(options: {
  database: Database;
  startOf: StartOf;
  /** How long events are kept. */
  retentionDays: number;
}) {
  const { database, startOf, retentionDays } = options;
  const store = createConsumerStore(database);

  return { put, get, list, seek, remove };

  /** One that is there takes the filter and stays where it is. */
  async function put(
    tenant: Tenant,
    name: string,
    { start = { kind: "latest" }, ...filter }: Filter & { start?: Start | undefined },
  ): Promise<{ created: boolean; consumer: ShownConsumer }> {
    const known = await store.find(tenant.id, name);
    // Where the log ends now is read in the statement that stores the position, and not here.
    const place =
      known === undefined && start.kind !== "latest"
        ? await startOf(tenant, start, filter)
        : ("latest" as const);
    const { created, row } = await database.orm.transaction(async (transaction) => {
      // Of two that create it at once, the second finds the first's.
      await lockTenant(transaction, tenant.id);
      const changed = await store.change(transaction, tenant.id, name, filter);
      if (changed !== undefined) return { created: false, row: changed };
      await requireRoom(store, transaction, tenant);
      const { id, shard } = tenant;
      const made = { tenant: id, id: randomUUID(), name, ...filter, shard, start: place };
      return { created: true, row: await store.create(transaction, made) };
    });
    return { created, consumer: await showOne(tenant, row) };
  }

  async function get(tenant: Tenant, name: string): Promise<ShownConsumer> {
    const row = await store.row(tenant.id, name);
    if (row === undefined) throw unknownConsumer(name);
    return showOne(tenant, row);
  }

  async function list(tenant: Tenant, query: ListQuery): Promise<ListPage<ShownConsumer>> {
    const rows = await store.list(tenant.id, keyAfter(query, nameForm), query.limit + 1);
    const page = toPage(rows, query, ({ name }) => name);
    const views = await store.view(tenant.id, page.items, retentionDays);
    return { ...page, items: views.map((view) => show(tenant, view)) };
  }

  /** Throws for a cursor that a reader could not continue from either. */
  async function seek(tenant: Tenant, name: string, start: Start): Promise<ShownConsumer> {
    const consumer = await store.find(tenant.id, name);
    if (consumer === undefined) throw unknownConsumer(name);
    const row = await store.seek(consumer, await startOf(tenant, start, consumer.filter));
    if (row === undefined) throw unknownConsumer(name);
    return showOne(tenant, row);
  }

  async function remove(tenant: Tenant, name: string): Promise<void> {
    if (!(await store.remove(tenant.id, name))) throw unknownConsumer(name);
  }

  async function showOne(tenant: Tenant, row: ConsumerRow): Promise<ShownConsumer> {
    const [view] = await store.view(tenant.id, [row], retentionDays);
    if (view === undefined) throw unknownConsumer(row.name);
    return show(tenant, view);
  }
}

async function requireRoom(
  store: ConsumerStore,
  transaction: Parameters<ConsumerStore["countOf"]>[0],
  { id }: Tenant,
): Promise<void> {
  if ((await store.countOf(transaction, id)) < consumersMax) return;
  const detail = `a tenant may have ${consumersMax} consumers and has them; remove one first`;
  const members = { limit: "consumers", value: consumersMax };
  throw new Problem("quota-exceeded", detail, { members });
}

function show({ name }: Tenant, { row, position: view, lost, headroomSeconds }: ConsumerView) {
  return {
    name: row.name,
    tenant: name,
    types: row.types,
    subjects: row.subjects,
    position: sequenceText(view.position.sequence),
    handed_out: sequenceText(row.handedOut),
    lag: view.lag,
    lost,
    retention_headroom_seconds: headroomSeconds,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
