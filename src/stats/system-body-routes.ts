/** What `/system` shows, as schemas. */
import { z } from "zod";
import { shownReadiness } from "../http/health-routes.ts";
import { timestamp } from "../http/schemas.ts";

const count = z.int().min(0);
const time = timestamp.nullable();
const seconds = z.number().min(0);

const tooLong = "Null when the database took too long for it";

const example = {
  process: "3f0b9a54-1f0e-4a55-9d52-6f6a2f8f4c11",
  at: "2026-11-23T12:00:00.000Z",
};

const pushing = z.object({
  ...{ shards_held: count, in_flight: count },
  slots: count,
  slots_used: count.meta({ description: "What is large takes several" }),
  replays_in_flight: count,
  outcomes_unwritten: count.meta({ description: "That the database has not taken yet" }),
  endpoints: z.object({ idle: count, live: count, lagging: count, held: count }).meta({
    description: "That it drives: lagging by more than 10 s; held by a circuit, a rate or a change",
  }),
  backlog_age_seconds: seconds.meta({
    description: "Age of the oldest event that waits for a slot and not for its endpoint",
  }),
  retries_due: count.meta({ description: "That are due and loaded, at most 100 of an endpoint" }),
});

const thisProcess = z
  .object({
    id: z.uuid(),
    version: z.string(),
    roles: z.array(z.enum(["api", "push"])),
    started_at: timestamp,
    uptime_seconds: count,
    push: pushing.nullable().meta({ description: "Null without the role" }),
    fanout: z
      .object({
        kind: z.enum(["memory", "nats"]),
        state: z.enum(["up", "partial", "reconnecting"]),
        since: timestamp,
        ...{ carried: count, dropped: count, failed: count, unreadable: count },
      })
      .meta({ description: "Frames since the start. Those that get lost cost a second, no event" }),
  })
  .meta({ description: "The one that answers: of others it knows what is in the database" });

const pushProcess = z.object({
  id: z.uuid(),
  shards: z.array(count).meta({ description: "That it pushes for" }),
  renewed_at: timestamp.meta({ description: "Its leases; they run out four seconds later" }),
  leaving: z.boolean().meta({ description: "It ends, and gives back its shards" }),
});

const chore = z.object({
  name: z.string(),
  every_seconds: seconds,
  last_outcome: z.enum(["done", "failed"]).nullable(),
  last_done_at: time,
  last_duration_ms: count.nullable(),
  failing_since: time,
  failures: count.meta({ description: "Since the process started" }),
});

const housekeeping = z.object({
  kept_by: z.uuid().nullable().meta({ description: "The process that does it for all; or null" }),
  here: z.boolean().meta({ description: "Whether that is the one that answers" }),
  chores: z.array(chore).meta({
    description:
      "As far as this process has done them: where another one keeps house, its `/system` tells",
  }),
});

const failing = z.object({
  id: z.string(),
  tenant: z.string(),
  url: z.string(),
  circuit: z
    .object({
      state: z.enum(["closed", "open", "half_open"]),
      ...{ since: time, next_probe_at: time },
    })
    .meta({ description: "Without a circuit that has opened, `since` is null" }),
  failing_since: time.meta({ description: "Nothing but failures has come since then" }),
  last_failure: z.object({ at: timestamp, error: z.string() }).nullable(),
  behind: count.meta({
    description: "Events of its tenant beyond its position, whether they match it or not",
  }),
});

const endpoints = z
  .object({
    ...{ total: count, active: count, paused: count, polling: count, disabled: count },
    failing: count.meta({ description: "Active, with an open circuit or nothing but failures" }),
    circuits: z.object({ closed: count, open: count, half_open: count }),
    worst: z.array(failing).meta({ description: "Of the failing, the first to have failed first" }),
  })
  .meta({ description: "Of all tenants" });

const replay = z.object({
  ...{ id: z.string(), tenant: z.string(), endpoint: z.string() },
  deliveries: z.enum(["dead", "missing", "all"]),
  waiting_for: z.enum(["paused", "polling", "disabled", "circuit"]).nullable(),
  ...{ total: count.nullable(), sent: count, failed: count },
  created_at: timestamp,
});

const storage = z.object({
  bytes: count.meta({ description: "Of the whole database" }),
  oldest_day: z.string().nullable().meta({ description: "Of which events are kept" }),
  retries_estimate: count.meta({ description: "Failed deliveries that are tried again" }),
  tables: z.array(
    z.object({
      table: z.string(),
      partitions: count.meta({ description: "One a day, some of them of days to come" }),
      bytes: count,
      rows_estimate: count.meta({ description: "From the server's statistics" }),
    }),
  ),
});

const migrations = z.object({
  applied: count,
  known: count.meta({ description: "To the version of the process that answers" }),
  latest: z.string().nullable().meta({ description: "Null when a newer version made it" }),
});

export const shownSystem = z
  .object({
    as_of: timestamp,
    health: shownReadiness,
    process: thisProcess,
    migrations: migrations.nullable().meta({ description: tooLong }),
    shards: z
      .object({
        total: count,
        held: count,
        unheld: count.meta({ description: "Nobody pushes for these" }),
      })
      .nullable()
      .meta({ description: tooLong }),
    push_processes: z.array(pushProcess).nullable().meta({ description: tooLong }),
    housekeeping: housekeeping.nullable().meta({ description: tooLong }),
    tenants: z.object({ total: count, erasing: count }).nullable().meta({ description: tooLong }),
    endpoints: endpoints.nullable().meta({ description: tooLong }),
    consumers: count.nullable().meta({ description: tooLong }),
    replays: z
      .object({
        running: count,
        newest: z.array(replay).meta({ description: "Of those that are running" }),
      })
      .nullable()
      .meta({ description: tooLong }),
    storage: storage.nullable().meta({ description: tooLong }),
  })
  .meta({
    id: "System",
    example: {
      as_of: example.at,
      health: { status: "ready", components: { database: "up", fanout: "up" }, degraded: [] },
      process: {
        ...{ id: example.process, version: "0.1.0", roles: ["api", "push"] },
        ...{ started_at: "2026-11-23T11:00:00.000Z", uptime_seconds: 3_600 },
        push: {
          ...{ shards_held: 256, in_flight: 3, slots: 1_024, slots_used: 3 },
          ...{ replays_in_flight: 0, outcomes_unwritten: 0, retries_due: 0 },
          endpoints: { idle: 40, live: 2, lagging: 0, held: 1 },
          backlog_age_seconds: 0,
        },
        fanout: {
          ...{ kind: "memory", state: "up", since: "2026-11-23T11:00:00.000Z" },
          ...{ carried: 812, dropped: 0, failed: 0, unreadable: 0 },
        },
      },
      migrations: { applied: 13, known: 13, latest: "0012_observability" },
      shards: { total: 4, held: 4, unheld: 0 },
      push_processes: [
        { id: example.process, shards: [0, 1, 2, 3], renewed_at: example.at, leaving: false },
      ],
      housekeeping: {
        kept_by: example.process,
        here: true,
        chores: [
          {
            ...{ name: "retention", every_seconds: 60, last_outcome: "done" },
            ...{ last_done_at: example.at, last_duration_ms: 4, failing_since: null, failures: 0 },
          },
        ],
      },
      tenants: { total: 12, erasing: 0 },
      endpoints: {
        ...{ total: 43, active: 41, paused: 1, polling: 0, disabled: 1, failing: 1 },
        circuits: { closed: 42, open: 1, half_open: 0 },
        worst: [
          {
            ...{ id: "ep_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c", tenant: "acme" },
            url: "https://example.com/webhooks",
            circuit: { state: "open", since: example.at, next_probe_at: example.at },
            failing_since: example.at,
            last_failure: { at: example.at, error: "the receiver answered 503" },
            behind: 9,
          },
        ],
      },
      consumers: 2,
      replays: { running: 0, newest: [] },
      storage: {
        ...{ bytes: 191_865_855, oldest_day: "2026-10-24", retries_estimate: 17 },
        tables: [{ table: "events", partitions: 39, bytes: 84_123_648, rows_estimate: 120_000 }],
      },
    },
  });
