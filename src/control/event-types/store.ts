/** Event types as they are kept. All of them fit into the memory of every process. */
import { asc, count, eq, gt, inArray, ne, sql as template } from "drizzle-orm";
import type { Orm, OrmTransaction } from "../../db/database.ts";
import { eventTypes } from "../../db/schema.ts";
import { eventTypeForm } from "../../log/filter.ts";
import { Problem } from "../../problem.ts";
import { keyAfter, toPage, type ListPage, type ListQuery } from "../pages.ts";

export type EventTypeRow = typeof eventTypes.$inferSelect;

export type EventTypeSettings = Pick<EventTypeRow, "description" | "schema">;

/** Far more than people can tell apart. */
const typesMax = 10_000;

/** Of all schemas together: what each process holds in memory. */
const schemasMaxBytes = 32 << 20;

/** Of a page of the list, which ends after the schema that reaches it. */
const pageBytes = 4 << 20;

const schemaBytes = template<number>`coalesce(octet_length(${eventTypes.schema}), 0)`;

export function createEventTypeStore(orm: Orm) {
  return { put, find, remove, list };

  async function put(
    type: string,
    settings: EventTypeSettings,
  ): Promise<{ outcome: "created" | "changed" | "same"; row: EventTypeRow }> {
    return orm.transaction(async (transaction) => {
      // One change at a time, or several at once could exceed the limits. Readers do not wait.
      await transaction.execute(template`lock table ${eventTypes} in share row exclusive mode`);
      const [before] = await transaction.select().from(eventTypes).where(eq(eventTypes.type, type));
      const { description, schema } = settings;
      // Whoever registers all types at every start changes nothing, and no process reads them anew.
      if (before?.description === description && before.schema === schema) {
        return { outcome: "same", row: before };
      }
      await requireRoom(transaction, type, schema);
      const [row] = await transaction
        .insert(eventTypes)
        .values({ type, ...settings })
        .onConflictDoUpdate({
          target: eventTypes.type,
          set: { ...settings, updatedAt: template`now()` },
        })
        .returning();
      if (row === undefined) throw new Error("an upsert returned no row");
      return { outcome: before === undefined ? "created" : "changed", row };
    });
  }

  async function find(type: string): Promise<EventTypeRow | undefined> {
    const [row] = await orm.select().from(eventTypes).where(eq(eventTypes.type, type));
    return row;
  }

  /** False when there was none. */
  async function remove(type: string): Promise<boolean> {
    const removed = await orm
      .delete(eventTypes)
      .where(eq(eventTypes.type, type))
      .returning({ type: eventTypes.type });
    return removed.length > 0;
  }

  /** By name. A page of large schemas is shorter than its limit. */
  async function list(query: ListQuery): Promise<ListPage<EventTypeRow>> {
    const after = keyAfter(query, eventTypeForm);
    const sizes = await orm
      .select({ type: eventTypes.type, bytes: schemaBytes })
      .from(eventTypes)
      .where(after === undefined ? undefined : gt(eventTypes.type, after))
      .orderBy(asc(eventTypes.type))
      .limit(query.limit + 1);
    const types = startOfPage(sizes).slice(0, query.limit);
    const rows = await orm
      .select()
      .from(eventTypes)
      .where(inArray(eventTypes.type, types))
      .orderBy(asc(eventTypes.type));
    const page = toPage(rows, query, ({ type }) => type);
    return { ...page, hasMore: types.length < sizes.length };
  }
}

async function requireRoom(
  transaction: OrmTransaction,
  type: string,
  schema: string | null,
): Promise<void> {
  const [others] = await transaction
    .select({ count: count(), bytes: template<number>`coalesce(sum(${schemaBytes}), 0)::bigint` })
    .from(eventTypes)
    .where(ne(eventTypes.type, type));
  if (others === undefined) throw new Error("a count returned no row");
  if (others.count >= typesMax) {
    throw full("", `there are ${typesMax} event types already; remove one first`);
  }
  if (schema !== null && Number(others.bytes) + Buffer.byteLength(schema) > schemasMaxBytes) {
    throw full("/schema", `all schemas together may have ${schemasMaxBytes} bytes`);
  }
}

function full(pointer: string, detail: string): Problem {
  return new Problem("invalid", detail, { members: { errors: [{ pointer, detail }] } });
}

/** The names up to the one at which the page is full; at least one, so that a list goes on. */
function startOfPage(sizes: readonly { type: string; bytes: number }[]): string[] {
  let bytes = 0;
  const full = sizes.findIndex((each) => (bytes += each.bytes) >= pageBytes);
  return sizes.slice(0, full === -1 ? sizes.length : full + 1).map(({ type }) => type);
}
