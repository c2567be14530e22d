/**
 * Tickets: what a browser puts into the URL of a stream, since it cannot send a key there and must
 * not have one. Like keys they are kept as their hash only.
 *
 *     made ──(opened within a minute)──► opened ──(expires)──► gone
 *       └──────────────(not opened)────────────────────────────┘
 *
 * The one statement that opens a ticket decides between all who try, in whatever process. Nothing
 * about a ticket is remembered, as nearly each is asked for once; whether its key still holds comes
 * out of the directory's memory, so a thousand open streams of one key cost one look-up.
 */
import { randomBytes } from "node:crypto";
import { and, eq, gt, isNull, sql as template } from "drizzle-orm";
import { arrayText, type Orm, type OrmTransaction } from "../../db/database.ts";
import { tickets } from "../../db/schema.ts";
import type { TenantPrincipal, Ticket } from "../../http/auth.ts";
import { tenantPrefix, type TenantId } from "../../log/event.ts";
import type { Filter } from "../../log/filter.ts";
import { Problem } from "../../problem.ts";
import type { ControlDirectory } from "../directory.ts";
import { hashKey, hashKeyHex } from "../keys/keys.ts";
import { endOf, makerOf } from "../keys/maker.ts";
import { createLookup } from "../lookup.ts";
import { lockTenant } from "../tenants/lock.ts";

export type NewTicket = {
  readonly tenant: TenantId;
  /** The key that makes it. */
  readonly key: string | undefined;
  readonly filter: Filter;
  readonly ttlSeconds: number;
};

/** Nobody guesses 192 bits. */
const ticketBytes = 24;

/** For a page to be loaded and to connect; whoever finds the URL later finds it used or over. */
const openSeconds = 60;

/** Of a tenant, made within a minute or opened: of an hour each, some three new pages a second. */
const ticketsMax = 10_000;

/** Of a text that is a ticket of ours. What is longer is not hashed. */
const ticketForm = /^tg_tk_[\w-]{32}$/;

/** Throws when the tenant has as many as it may, is being erased or gone, or the key is. */
export async function makeTicket(
  orm: Orm,
  { tenant, key, filter, ttlSeconds }: NewTicket,
): Promise<{ ticket: string; expiresAt: Date }> {
  const ticket = `tg_tk_${randomBytes(ticketBytes).toString("base64url")}`;
  return orm.transaction(async (transaction) => {
    await lockTenant(transaction, tenant);
    await requireRoom(transaction, tenant);
    const maker = await makerOf(transaction, key);
    const expiresAt = endOf(maker, ttlSeconds);
    const inTime = template`clock_timestamp() + ${openSeconds} * interval '1 s'`;
    const [row] = await transaction
      .insert(tickets)
      .values({
        ...{ hash: hashKey(ticket), tenant, key: maker.hash, expiresAt },
        goodUntil: template`least(${expiresAt}, ${inTime})`,
        types: filter.types && [...filter.types],
        subjects: filter.subjects && [...filter.subjects],
      })
      .returning({ expiresAt: tickets.expiresAt });
    if (row === undefined) throw new Error("an insert returned no row");
    return { ticket, expiresAt: row.expiresAt };
  });
}

export function createTickets(options: {
  orm: Orm;
  directory: Pick<ControlDirectory, "principalOf" | "tenantByPrefix">;
}) {
  const { orm, directory } = options;
  // For its batches: a flood of invented tickets costs a few statements.
  const rows = createLookup({
    ...{ load, ttlMs: 1, rememberMissing: false },
    mayRemember: () => false,
  });

  return { find };

  /** Undefined for one that never was, or is over. */
  async function find(text: string): Promise<Ticket | undefined> {
    if (!ticketForm.test(text)) return undefined;
    const row = await rows.get(hashKeyHex(text));
    return row && toTicket(row);
  }

  async function load(hashes: readonly string[]) {
    const bytes = arrayText(hashes.map((hash) => `\\x${hash}`));
    const found = await orm
      .select()
      .from(tickets)
      .where(template`${tickets.hash} = any(${bytes}::bytea[])`);
    return new Map(found.map((row) => [row.hash.toString("hex"), row]));
  }

  function toTicket(row: typeof tickets.$inferSelect): Ticket {
    const { hash, types, subjects } = row;
    const ticket: Ticket = {
      id: hash.toString("hex"),
      filter: { types, subjects },
      authenticate: () => authenticate(row, ticket),
      open: (reconnectsFrom) => open(orm, hash, reconnectsFrom),
      reconnectsFrom: () => reconnectsFrom(orm, hash),
    };
    return ticket;
  }

  async function authenticate(
    row: typeof tickets.$inferSelect,
    ticket: Ticket,
  ): Promise<TenantPrincipal | undefined> {
    const maker = await directory.principalOf(row.key.toString("hex"));
    if (maker === undefined) return undefined;
    const tenant =
      maker.kind === "tenant"
        ? maker.tenant
        : await directory.tenantByPrefix(tenantPrefix(row.tenant as TenantId));
    if (tenant === undefined || tenant.id !== row.tenant || tenant.erasing) return undefined;
    const expiresAt = row.expiresAt.getTime();
    if (expiresAt <= Date.now()) return undefined;
    const { keyId } = maker;
    return { kind: "tenant", keyId, tenant, scopes: new Set(["read"]), expiresAt, ticket };
  }
}

async function open(orm: Orm, hash: Buffer, from: number): Promise<boolean> {
  const { count } = await orm
    .update(tickets)
    .set({ reconnectsFrom: from, goodUntil: template`${tickets.expiresAt}` })
    .where(
      and(
        eq(tickets.hash, hash),
        isNull(tickets.reconnectsFrom),
        gt(tickets.goodUntil, template`clock_timestamp()`),
      ),
    );
  return count > 0;
}

async function reconnectsFrom(orm: Orm, hash: Buffer): Promise<number | undefined> {
  const [row] = await orm
    .select({ from: tickets.reconnectsFrom })
    .from(tickets)
    .where(eq(tickets.hash, hash));
  return row?.from ?? undefined;
}

/** Those of a key that is gone are worth nothing and do not count. */
async function requireRoom(transaction: OrmTransaction, tenant: TenantId): Promise<void> {
  const live = await transaction.execute(template`
    select from tickets
    where tenant = ${tenant} and good_until > clock_timestamp()
      and exists (select from keys where keys.hash = tickets.key)
    offset ${ticketsMax - 1} limit 1`);
  if (live.length === 0) return;
  const detail =
    `a tenant may have ${ticketsMax} tickets at a time and has them: ` +
    "make those to come for less time (ttl_seconds), or wait until some expire";
  const members = { limit: "tickets", value: ticketsMax };
  throw new Problem("quota-exceeded", detail, { members });
}
