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
    status: text("status").$type<"delivered" | "dead" | "expired" | "skipped">().notNull(),
    attempts: smallint("attempts").notNull(),
    previous: number("previous").notNull(),
    firstAttemptAt: instant("first_attempt_at").notNull(),
    lastAttemptAt: instant("last_attempt_at").notNull(),
    queueMs: integer("queue_ms").notNull(),
    latencyMs: integer("latency_ms").notNull(),
    statusCode: smallint("status_code"),
    error: text("error"),
    /** It was a dead letter of an outage and got its one further attempt. */
    requeued: boolean("requeued").notNull().default(false),
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
    /** It was a dead letter of an outage: this is its one further attempt. */
    requeued: boolean("requeued").notNull().default(false),
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
    /** Null in rows of versions that did not tell. */
    trigger: text("trigger").$type<"event" | "retry" | "probe" | "drain">(),
    url: text("url"),
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
