/**
 * The tables of the log and of control, and which module alone may write them; those of deliveries
 * and of the push side are in delivery-schema.ts. Partitions (by `day`), functions and storage
 * settings stand in the migrations under `drizzle/`; a test compares a migrated database with
 * both files. All keys lead with `tenant`, so that the schema could be distributed by tenant.
 */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea, instant, number } from "./columns.ts";

// ── log/ ────────────────────────────────────────────────────────────────────────────────────

/**
 * One row: what is fixed at the first start, the oldest day that may still be read, and which
 * database this was when a process last looked.
 */
export const logSettings = pgTable(
  "log_settings",
  {
    only: boolean("only").primaryKey().default(true),
    shards: integer("shards").notNull(),
    oldestDay: date("oldest_day").notNull().default("1970-01-01"),
    /** As `database_identity` has it; null before anybody looked. */
    identity: text("identity").array(),
    /** When it was last found to be another one: the log comes out of a backup. */
    restoredAt: instant("restored_at"),
  },
  (table) => [check("log_settings_only_one", sql`${table.only}`)],
);

/** One row: which process keeps house now. */
export const housekeeper = pgTable(
  "housekeeper",
  {
    only: boolean("only").primaryKey().default(true),
    owner: uuid("owner"),
    expiresAt: instant("expires_at")
      .notNull()
      .default(sql`'epoch'`),
  },
  (table) => [check("housekeeper_only_one", sql`${table.only}`)],
);

/** Where each tenant's log ends. The row's lock is what orders appends. */
export const heads = pgTable("heads", {
  tenant: uuid("tenant").primaryKey(),
  head: number("head").notNull().default(0),
  day: date("day").notNull().default("1970-01-01"),
  at: instant("at")
    .notNull()
    .default(sql`'epoch'`),
});

/** The log. Partitioned by day. */
export const events = pgTable(
  "events",
  {
    tenant: uuid("tenant").notNull(),
    day: date("day").notNull(),
    sequence: number("sequence").notNull(),
    appendedAt: instant("appended_at").notNull(),
    type: text("type").notNull(),
    subject: text("subject"),
    envelope: text("envelope").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.day, table.sequence] }),
    // For the subjects that an endpoint is behind with. The hash, because a subject may be longer
    // than what fits into a page of an index.
    index("events_subject")
      .on(table.tenant, sql`hashtextextended(${table.subject}, 0)`, table.sequence)
      .where(sql`${table.subject} is not null`),
  ],
);

/** Which days a tenant's log has, and where each begins. */
export const logDays = pgTable(
  "log_days",
  {
    tenant: uuid("tenant").notNull(),
    day: date("day").notNull(),
    firstSequence: number("first_sequence").notNull(),
    firstAt: instant("first_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.day] }),
    // For retention, which takes days of all tenants.
    index("log_days_day").on(table.day),
  ],
);

/** Deduplication keys. Partitioned by day. */
export const appendKeys = pgTable(
  "append_keys",
  {
    tenant: uuid("tenant").notNull(),
    key: text("key").notNull(),
    day: date("day").notNull(),
    sequence: number("sequence").notNull(),
    digest: text("digest").notNull(),
    id: text("id").notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.key, table.day] })],
);

/**
 * One row per group commit: tells a recheck which tenants moved, and an appender that lost its
 * connection whether its group was committed. Rows older than a quarter of an hour are removed.
 */
export const appendGroups = pgTable(
  "append_groups",
  {
    id: uuid("id").primaryKey(),
    at: instant("at").notNull(),
    tenants: uuid("tenants").array(),
    heads: bigint("heads", { mode: "number" }).array(),
  },
  (table) => [index("append_groups_at").on(table.at)],
);

// ── control/ ────────────────────────────────────────────────────────────────────────────────

export const tenants = pgTable(
  "tenants",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    name: text("name").notNull(),
    displayName: text("display_name"),
    shard: smallint("shard").notNull(),
    createdAt: instant("created_at").notNull().defaultNow(),
    /** Null: no limit. */
    appendsPerSecond: integer("appends_per_second"),
    readsPerSecond: integer("reads_per_second"),
    pushesPerSecond: integer("pushes_per_second"),
    endpointsMax: integer("endpoints_max"),
    /** Since then nobody may use the tenant; its name is free when the row is gone. */
    erasingSince: instant("erasing_since"),
    /** Which operational events its log gets, as a type filter; empty for none. */
    operationalEvents: text("operational_events")
      .array()
      .notNull()
      .default(sql`'{}'`),
  },
  (table) => [uniqueIndex("tenants_name").on(table.name)],
);

/** How far the erasure of a tenant has come. The row goes with the tenant's. */
export const erasures = pgTable("erasures", {
  tenant: uuid("tenant").primaryKey(),
  /** Of its log, when the erasure began. */
  eventsTotal: number("events_total").notNull(),
  eventsErased: number("events_erased").notNull().default(0),
  /** Deliveries, attempts, keys and all else. */
  rowsErased: number("rows_erased").notNull().default(0),
});

/** What kinds of events there are, of all tenants. */
export const eventTypes = pgTable("event_types", {
  type: text("type").primaryKey(),
  description: text("description"),
  /** The JSON Schema of `data` as text; null accepts anything. */
  schema: text("schema"),
  createdAt: instant("created_at").notNull().defaultNow(),
  updatedAt: instant("updated_at").notNull().defaultNow(),
});

export const keys = pgTable(
  "keys",
  {
    id: text("id").primaryKey(),
    /** SHA-256 of the key. Keys are 192 random bits, so a slow hash would add nothing. */
    hash: bytea("hash").notNull(),
    /** Null for operator keys. */
    tenant: uuid("tenant"),
    scopes: text("scopes").array().notNull(),
    description: text("description"),
    createdAt: instant("created_at").notNull().defaultNow(),
    expiresAt: instant("expires_at"),
    /**
     * Of a portal link's token, which is a key like others but for this: `hash` of the key that made
     * it, or that made the token that did. It dies with that key. Null for all other keys.
     */
    maker: bytea("maker"),
  },
  (table) => [
    uniqueIndex("keys_hash").on(table.hash),
    index("keys_tenant").on(table.tenant, table.id),
    index("keys_made")
      .on(table.tenant, table.expiresAt)
      .where(sql`${table.maker} is not null`),
    // For housekeeping.
    index("keys_made_until")
      .on(table.expiresAt)
      .where(sql`${table.maker} is not null`),
  ],
);

/**
 * What opens streams where there is no key. A ticket is asked for by its hash alone, as a key is,
 * so the hash is what names it.
 */
export const tickets = pgTable(
  "tickets",
  {
    /** SHA-256 of the ticket, which is 192 random bits. */
    hash: bytea("hash").primaryKey(),
    tenant: uuid("tenant").notNull(),
    /** `keys.hash` of the key that made it. The id of the configured key outlives the key. */
    key: bytea("key").notNull(),
    types: text("types").array(),
    subjects: text("subjects").array(),
    expiresAt: instant("expires_at").notNull(),
    /** A minute from when it was made, and from when it is opened on until it expires. */
    goodUntil: instant("good_until").notNull(),
    /** The first sequence that a cursor of its stream can have; null until it is opened. */
    reconnectsFrom: number("reconnects_from"),
  },
  (table) => [
    index("tickets_tenant").on(table.tenant, table.goodUntil),
    // For housekeeping.
    index("tickets_good_until").on(table.goodUntil),
  ],
);

export const endpoints = pgTable(
  "endpoints",
  {
    tenant: uuid("tenant").notNull(),
    id: uuid("id").notNull(),
    url: text("url").notNull(),
    types: text("types").array(),
    subjects: text("subjects").array(),
    description: text("description"),
    metadata: jsonb("metadata").$type<Record<string, string>>().notNull(),
    /** Extra request headers and signing secrets as sealed JSON (keyring.ts). */
    headers: bytea("headers").notNull(),
    headerNames: text("header_names").array().notNull(),
    secrets: bytea("secrets").notNull(),
    timeoutMs: integer("timeout_ms").notNull(),
    maxInFlight: integer("max_in_flight").notNull(),
    /** Null follows the gateway's schedule. */
    retryScheduleMs: integer("retry_schedule_ms").array(),
    format: text("format").$type<"json" | "cloudevents">().notNull(),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
    /** From the first attempt on; null never gives up before the schedule ends. */
    giveUpAfterMs: number("give_up_after_ms"),
    /** Attempts; null is no limit. */
    ratePerSecond: doublePrecision("rate_per_second"),
    ordering: text("ordering")
      .$type<"parallel" | "fifo" | "subject">()
      .notNull()
      .default("parallel"),
    /** The kind of the newest secret. */
    signature: text("signature").$type<"v1" | "v1a">().notNull().default("v1"),
    /** Whether dead letters of an outage are tried once more when it is over. */
    drainDeadLetters: boolean("drain_dead_letters").notNull().default(true),
    /** Whether a push counts as delivered only when its receipt has come. */
    requireReceipt: boolean("require_receipt").notNull().default(false),
    receiptTimeoutMs: integer("receipt_timeout_ms").notNull().default(300_000),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index("endpoints_id").on(table.id),
  ],
);
