/**
 * Every table, and which module alone may write it. Partitions (by `day`), functions and storage
 * settings stand in the migrations under `drizzle/`; a test compares a migrated database with
 * this file. All keys lead with `tenant`, so that the schema could be distributed by tenant.
 */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  customType,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });
const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });
const number = (name: string) => bigint(name, { mode: "number" });

// ── log/ ────────────────────────────────────────────────────────────────────────────────────

/** One row: what is fixed at the first start, and the oldest day that may still be read. */
export const logSettings = pgTable(
  "log_settings",
  {
    only: boolean("only").primaryKey().default(true),
    shards: integer("shards").notNull(),
    oldestDay: date("oldest_day").notNull().default("1970-01-01"),
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
  (table) => [primaryKey({ columns: [table.tenant, table.day, table.sequence] })],
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
  },
  (table) => [
    uniqueIndex("keys_hash").on(table.hash),
    index("keys_tenant").on(table.tenant, table.id),
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
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index("endpoints_id").on(table.id),
  ],
);

// ── deliveries/ ─────────────────────────────────────────────────────────────────────────────

/** How far each consumer of a log has come, and whether it is being served. */
export const positions = pgTable(
  "positions",
  {
    tenant: uuid("tenant").notNull(),
    consumer: uuid("consumer").notNull(),
    shard: smallint("shard").notNull(),
    /** Everything up to here is settled: delivered, dead, in `retries` or not matching. */
    sequence: number("sequence").notNull(),
    day: date("day").notNull(),
    /** The last event at or before `sequence` that matched; 0 when none did. */
    lastMatched: number("last_matched").notNull(),
    status: text("status").$type<"active" | "paused" | "polling" | "disabled">().notNull(),
    statusReason: text("status_reason"),
    /** Bumped by whatever makes work in flight void: a writer that holds an older one is late. */
    generation: integer("generation").notNull().default(1),
    lastSuccessAt: instant("last_success_at"),
    lastFailureAt: instant("last_failure_at"),
    lastFailure: text("last_failure"),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.consumer] }),
    index("positions_shard").on(table.shard),
  ],
);

/** Settled deliveries. Partitioned by the event's day. */
export const deliveries = pgTable(
  "deliveries",
  {
    tenant: uuid("tenant").notNull(),
    endpoint: uuid("endpoint").notNull(),
    day: date("day").notNull(),
    sequence: number("sequence").notNull(),
    status: text("status").$type<"delivered" | "dead" | "expired">().notNull(),
    attempts: smallint("attempts").notNull(),
    previous: number("previous").notNull(),
    firstAttemptAt: instant("first_attempt_at").notNull(),
    lastAttemptAt: instant("last_attempt_at").notNull(),
    queueMs: integer("queue_ms").notNull(),
    latencyMs: integer("latency_ms").notNull(),
    statusCode: smallint("status_code"),
    error: text("error"),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.endpoint, table.day, table.sequence] }),
    index("deliveries_failed")
      .on(table.tenant, table.endpoint, table.day, table.sequence)
      .where(sql`${table.status} <> 'delivered'`),
  ],
);

/** Failed deliveries that will be tried again: the only place where retry state is kept. */
export const retries = pgTable(
  "retries",
  {
    tenant: uuid("tenant").notNull(),
    endpoint: uuid("endpoint").notNull(),
    sequence: number("sequence").notNull(),
    day: date("day").notNull(),
    attempts: smallint("attempts").notNull(),
    previous: number("previous").notNull(),
    dueAt: instant("due_at").notNull(),
    firstAttemptAt: instant("first_attempt_at").notNull(),
    lastAttemptAt: instant("last_attempt_at").notNull(),
    statusCode: smallint("status_code"),
    error: text("error"),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.endpoint, table.sequence] }),
    index("retries_due").on(table.tenant, table.endpoint, table.dueAt),
  ],
);

/**
 * What happened in each attempt of a delivery that did not succeed at once; a first attempt that
 * succeeds is told whole by its row in `deliveries`. Partitioned by the event's day.
 */
export const attempts = pgTable(
  "attempts",
  {
    tenant: uuid("tenant").notNull(),
    endpoint: uuid("endpoint").notNull(),
    day: date("day").notNull(),
    sequence: number("sequence").notNull(),
    attempt: smallint("attempt").notNull(),
    at: instant("at").notNull(),
    queueMs: integer("queue_ms").notNull(),
    latencyMs: integer("latency_ms").notNull(),
    statusCode: smallint("status_code"),
    errorClass: text("error_class"),
    error: text("error"),
    responseHeaders: text("response_headers"),
    responseBody: text("response_body"),
    truncated: boolean("truncated").notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.tenant, table.endpoint, table.day, table.sequence, table.attempt],
    }),
  ],
);

// ── push/ ───────────────────────────────────────────────────────────────────────────────────

/** Who drives a shard's endpoints. A write under an older epoch changes nothing. */
export const shardLeases = pgTable("shard_leases", {
  shard: smallint("shard").primaryKey(),
  owner: uuid("owner"),
  epoch: number("epoch").notNull().default(0),
  expiresAt: instant("expires_at")
    .notNull()
    .default(sql`'epoch'`),
});

/** Processes that drive endpoints now, so that each can tell its fair share of the shards. */
export const pushProcesses = pgTable("push_processes", {
  id: uuid("id").primaryKey(),
  expiresAt: instant("expires_at").notNull(),
});
