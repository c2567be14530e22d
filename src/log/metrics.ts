/** What is counted of appends, and the heads of the logs of the tenants that are watched. */
import { setTimeout as delay } from "node:timers/promises";
import { arrayText, type Sql } from "../db/database.ts";
import { createHistogram } from "../telemetry/histogram.ts";
import type { Metrics, Reading } from "../telemetry/metrics.ts";
import { otherTenants, type TenantWatch } from "../telemetry/tenant-watch.ts";
import type { AppendReport, ObserveAppend } from "./append-report.ts";
import type { Appender } from "./append.ts";
import type { TenantId } from "./event.ts";
import type { Group } from "./queue.ts";

/** Seconds: a statement on a good disk takes a few milliseconds, and is cut off after 15 s. */
const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];

/** Up to the most that a statement takes. */
const groupBounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** A scrape goes on without the heads when the database takes longer. */
const headsTimeoutMs = 1_000;

export type AppendCounts = {
  readonly observe: ObserveAppend;
  measure(metrics: Metrics, appender: Pick<Appender, "status">): void;
};

export function createAppendCounts(watch: Pick<TenantWatch, "appended">): AppendCounts {
  const duration = createHistogram(durationBounds);
  const groups = createHistogram(groupBounds);
  const outcomes = {
    ...{ appended: 0, not_new: 0, deferred: 0 },
    ...{ refused: 0, unavailable: 0, in_doubt: 0, failed: 0 },
  };
  return { observe, measure };

  function observe({ group, outcome, outcomes: of, durationMs }: AppendReport): void {
    duration.observe(durationMs / 1_000);
    groups.observe(group.length);
    if (outcome === "answered") {
      outcomes.appended += of.appended;
      outcomes.deferred += of.deferred;
      outcomes.not_new += group.length - of.appended - of.deferred;
      tellWatch(group);
    } else {
      outcomes[outcome === "in-doubt" ? "in_doubt" : outcome] += group.length;
    }
  }

  /** Those of a tenant mostly stand together. */
  function tellWatch(group: Group): void {
    let [tenant, events]: [TenantId | undefined, number] = [undefined, 0];
    for (const { event } of group) {
      if (event.tenant === tenant) {
        events += 1;
        continue;
      }
      if (tenant !== undefined) watch.appended(tenant, events);
      [tenant, events] = [event.tenant, 1];
    }
    if (tenant !== undefined) watch.appended(tenant, events);
  }

  function measure(metrics: Metrics, { status }: Pick<Appender, "status">): void {
    metrics.histogram({
      name: "tidegate_append_duration_seconds",
      help: "Time of a statement that appends a group of events, from when it was sent",
      read: () => [{ value: duration }],
    });
    metrics.histogram({
      name: "tidegate_append_group_events",
      help: "Events that a statement was to append",
      read: () => [{ value: groups }],
    });
    metrics.counter({
      name: "tidegate_append_events_total",
      help: "Events by what became of them; those put off since their log was locked come again",
      labels: ["outcome"],
      read: () =>
        Object.entries(outcomes).map(([outcome, value]) => ({
          labels: { outcome },
          value: outcome === "unavailable" ? value + status().turnedAway : value,
        })),
    });
    metrics.gauge({
      name: "tidegate_append_waiting_events",
      help: "Events that wait for their turn to be appended",
      read: () => [{ value: status().waiting }],
    });
  }
}

type HeadRow = { name: string; head: number };

/** As the database has them, whichever process appended. Without an answer there are none. */
export function measureHeads(metrics: Metrics, sql: Sql, watch: TenantWatch): void {
  metrics.gauge({
    name: "tidegate_log_head",
    help: "The last sequence in a tenant's log, of the tenants that are watched",
    labels: ["tenant"],
    read: () => Promise.race([readHeads(), delay(headsTimeoutMs, [], { ref: false })]),
  });

  async function readHeads(): Promise<Reading[]> {
    const rows = await sql<HeadRow[]>`
      select t.name, h.head from tenants t join heads h on h.tenant = t.id
      where (t.id = any(${arrayText(watch.tenants())}::uuid[])
        or t.name = any(${arrayText(watch.pinned)}::text[])) and t.name <> ${otherTenants}`.catch(
      () => [],
    );
    return rows.map(({ name, head }) => ({ labels: { tenant: name }, value: head }));
  }
}
