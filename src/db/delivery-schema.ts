/**
 * The tables of deliveries and of the push side, see schema.ts. Which module alone may write each
 * is told by the headings, as there.
 */
import { sql } from "drizzle-orm";
import {
  boolean,
  date,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { instant, number } from "./columns.ts";

// ── deliveries/ ─────────────────────────────────────────────────────────────────────────────

/** How far each consumer of a log has come, and whether it is being served. */
export const positions = pgTable(
  "positions",
  {
    tenant: uuid("tenant").notNull(),
    consumer: uuid("consumer").notNull(),
    shard: smallint("shard").notNull(),
    /**
     * Everything up to here is settled: delivered, dead, in `retries`, not matching, or owed by one
     * of `blocked_subjects`.
     */
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
    /** Attempts under way, as of the last outcome or checkpoint. */
    inFlight: integer("in_flight").notNull().default(0),
    /** Since when nothing but failures has come; null after a success. */
    failingSince: instant("failing_since"),
    circuit: text("circuit").$type<"closed" | "open" | "half_open">().notNull().default("closed"),
    circuitSince: instant("circuit_since"),
    /** When the next probe is due; null unless the circuit is open. */
    circuitProbeAt: instant("circuit_probe_at"),
    /** That have failed since it opened. */
    circuitProbes: integer("circuit_probes").notNull().default(0),
    /** When the failures began that opened it. */
    outageSince: instant("outage_since"),
    /** Outcomes recorded before say nothing about events above the position: it was moved back. */
    resumedAt: instant("resumed_at"),
    /** Counts receipts that changed what is to be delivered: who drives it compares. */
    receipts: integer("receipts").notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.consumer] }),
    index("positions_shard").on(table.shard),
  ],
);

/** What the consumer said of a delivery last, apart from what its receiver answered. */
const receipt = {
  receiptStatus: text("receipt_status").$type<"processed" | "failed">(),
  receiptDetail: text("receipt_detail"),
  receiptAt: instant("receipt_at"),
};

/**
 * When the event was appended, as it tells itself: kept by the database, so that nobody else writes
 * it, of deliveries that are dead, expired or retried. Null in rows of versions that did not tell,
 * and of events that are gone.
 */
const appendedAt = instant("appended_at");

/** Settled deliveries. Partitioned by the event's day. */
export const deliveries = pgTable(
  "deliveries",
  {
    tenant: uuid("tenant").notNull(),
    endpoint: uuid("endpoint").notNull(),
    day: date("day").notNull(),
    sequence: number("sequence").notNull(),
    status: text("status")
      .$type<"delivered" | "settled" | "dead" | "expired" | "skipped">()
      .notNull(),
    /** 0 when a receipt came before the first: then the times are those of the receipt. */
    attempts: smallint("attempts").notNull(),
    /** Null until somebody asks, when a receipt came before the endpoint had come that far. */
    previous: number("previous"),
    firstAttemptAt: instant("first_attempt_at").notNull(),
    lastAttemptAt: instant("last_attempt_at").notNull(),
    queueMs: integer("queue_ms").notNull(),
    latencyMs: integer("latency_ms").notNull(),
    statusCode: smallint("status_code"),
    error: text("error"),
    /** It was a dead letter of an outage and got its one further attempt. */
    requeued: boolean("requeued").notNull().default(false),
    ...receipt,
    appendedAt,
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.endpoint, table.day, table.sequence] }),
    index("deliveries_failed")
      .on(table.tenant, table.endpoint, table.day, table.sequence)
      .where(sql`${table.status} <> 'delivered'`),
    // Apart from what receipts have settled, of which there may be a million.
    index("deliveries_dead")
      .on(table.tenant, table.endpoint, table.day, table.sequence)
      .where(sql`${table.status} = 'dead'`),
    // For what a tenant has undelivered in a window of time, over all its endpoints: with the status,
    // so that no row has to be read.
    index("deliveries_undelivered")
      .on(table.tenant, table.day, table.sequence, table.endpoint, table.status)
      .where(sql`${table.status} in ('dead', 'expired')`),
    // And over all tenants. What asks for no time cannot use it, or the planner might take it for
    // what one endpoint has dead while the table has no statistics.
    index("deliveries_undelivered_at")
      .on(
        ...[table.appendedAt, table.tenant, table.endpoint, table.day],
        ...[table.sequence, table.status],
      )
      .where(sql`${table.appendedAt} is not null and ${table.status} in ('dead', 'expired')`),
    // Of versions that kept no time: nothing is added to it.
    index("deliveries_undated")
      .on(table.tenant, table.day, table.sequence, table.endpoint, table.status)
      .where(sql`${table.appendedAt} is null and ${table.status} in ('dead', 'expired')`),
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
    /** Null until somebody asks, when a receipt came before the endpoint had come that far. */
    previous: number("previous"),
    dueAt: instant("due_at").notNull(),
    firstAttemptAt: instant("first_attempt_at").notNull(),
    lastAttemptAt: instant("last_attempt_at").notNull(),
    statusCode: smallint("status_code"),
    error: text("error"),
    /** It was a dead letter of an outage: this is its one further attempt. */
    requeued: boolean("requeued").notNull().default(false),
    /** Accepted, and due when no receipt has come by then. */
    awaiting: boolean("awaiting").notNull().default(false),
    ...receipt,
    appendedAt,
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.endpoint, table.sequence] }),
    index("retries_due").on(table.tenant, table.endpoint, table.dueAt),
    // See deliveries_undelivered.
    index("retries_tenant").on(table.tenant, table.sequence, table.endpoint),
    // See deliveries_undated.
    index("retries_undated")
      .on(table.tenant)
      .where(sql`${table.appendedAt} is null`),
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
    /** Null in rows of versions that did not tell. */
    trigger: text("trigger").$type<"event" | "retry" | "probe" | "drain" | "replay">(),
    url: text("url"),
    /** The replay job that made it. */
    replay: uuid("replay"),
  },
  (table) => [
    primaryKey({
      columns: [table.tenant, table.endpoint, table.day, table.sequence, table.attempt],
    }),
  ],
);

/**
 * Subjects that an endpoint with ordering by subject is behind with: a position each. What the
 * subject has beyond it is delivered from here and passed over by the endpoint's own position.
 */
export const blockedSubjects = pgTable(
  "blocked_subjects",
  {
    tenant: uuid("tenant").notNull(),
    endpoint: uuid("endpoint").notNull(),
    /** MD5 of the subject, which may be too long for an index. */
    key: uuid("key").notNull(),
    subject: text("subject").notNull(),
    /** Everything of the subject up to here is settled. */
    sequence: number("sequence").notNull(),
    day: date("day").notNull(),
    /** The last event at or before `sequence` that matched, whatever its subject. */
    matched: number("matched").notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.endpoint, table.key] })],
);

/**
 * Receipts that settled all up to an event: one row for any number of them, which have none of
 * their own when the endpoint had not come to them. Gone with the last event they cover.
 */
export const receiptRanges = pgTable(
  "receipt_ranges",
  {
    tenant: uuid("tenant").notNull(),
    endpoint: uuid("endpoint").notNull(),
    /** What lies after `after`, up to and with `through`. */
    after: number("after").notNull(),
    through: number("through").notNull(),
    /** Of `through`. */
    day: date("day").notNull(),
    detail: text("detail"),
    at: instant("at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.endpoint, table.through] }),
    index("receipt_ranges_day").on(table.day),
  ],
);

/** Jobs that send events again. A job's own position makes it go on where it was interrupted. */
export const replays = pgTable(
  "replays",
  {
    tenant: uuid("tenant").notNull(),
    id: uuid("id").notNull(),
    endpoint: uuid("endpoint").notNull(),
    /** Which deliveries: dead letters, what was never delivered, or all. */
    kind: text("kind").$type<"dead" | "missing" | "all">().notNull(),
    /** Of event types; null for all that the endpoint matches. */
    types: text("types").array(),
    /** What lies after `after`, up to and with `through`. */
    after: number("after").notNull(),
    through: number("through").notNull(),
    /** As they were asked for, for whoever looks. */
    since: instant("since"),
    until: instant("until"),
    status: text("status").$type<"running" | "completed" | "cancelled">().notNull(),
    /** All up to here has been sent, or was not to be. */
    sequence: number("sequence").notNull(),
    day: date("day").notNull(),
    /** Deliveries to send, when it is known. */
    total: number("total"),
    sent: number("sent").notNull().default(0),
    failed: number("failed").notNull().default(0),
    createdAt: instant("created_at").notNull().defaultNow(),
    finishedAt: instant("finished_at"),
    /** The id of the key that asked for it; null in rows of versions that did not tell. */
    requestedBy: text("requested_by"),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index("replays_id").on(table.id),
    index("replays_running")
      .on(table.tenant, table.endpoint, table.createdAt)
      .where(sql`${table.status} = 'running'`),
  ],
);

/** Named consumers. Where each has got to stands in `positions`, as an endpoint's does. */
export const consumers = pgTable(
  "consumers",
  {
    tenant: uuid("tenant").notNull(),
    id: uuid("id").notNull(),
    name: text("name").notNull(),
    types: text("types").array(),
    subjects: text("subjects").array(),
    /** The furthest that was handed out: nothing beyond may be acknowledged. */
    handedOut: number("handed_out").notNull().default(0),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    uniqueIndex("consumers_name").on(table.tenant, table.name),
  ],
);

/**
 * What attempts of a minute, or of an hour, came to. Written by push processes every few seconds, each
 * adding what it counted: what a process had not written when it was killed is not in here, so these
 * are statistics, and `deliveries` and `retries` say what became of an event.
 *
 * A row with the nil uuid in place of the endpoint adds up all endpoints of the tenant, and one with
 * the nil uuid in place of the tenant, too, those of all tenants. There are such rows for each type,
 * and one for all types, whose type is empty; `other` are types that were too many to tell apart.
 */
const statistics = {
  tenant: uuid("tenant").notNull(),
  endpoint: uuid("endpoint").notNull(),
  type: text("type").notNull(),
  /** When the attempts ended, rounded down. */
  at: instant("at").notNull(),
  day: date("day").notNull(),
  /** First attempts and later ones, those of replays and failed probes too. */
  attempts: integer("attempts").notNull(),
  failures: integer("failures").notNull(),
  /** Those after the first of their delivery. */
  retries: integer("retries").notNull(),
  /** Attempts by how long they had waited, and by how long they took: the buckets of histogram.ts. */
  queueMs: integer("queue_ms").array().notNull(),
  latencyMs: integer("latency_ms").array().notNull(),
};

/** Partitioned by day. */
export const deliveryMinutes = pgTable("delivery_minutes", statistics, (table) => [
  primaryKey({ columns: [table.tenant, table.endpoint, table.day, table.at, table.type] }),
]);

/** Partitioned by day. */
export const deliveryHours = pgTable("delivery_hours", statistics, (table) => [
  primaryKey({ columns: [table.tenant, table.endpoint, table.day, table.at, table.type] }),
]);

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
