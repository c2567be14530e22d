/** `/system`: the first page of whoever runs the gateway, in one answer. */
import type { z } from "zod";
import { endpointName } from "../deliveries/endpoint.ts";
import type { FailingEndpoint } from "../deliveries/overview.ts";
import { replayName, type Replay } from "../deliveries/replays.ts";
import type { FanoutStatus } from "../fanout/fanout.ts";
import { showReadiness, type Readiness } from "../http/health-routes.ts";
import type { TenantByPrefix } from "../http/owner.ts";
import { route, type Route } from "../http/route.ts";
import { tenantPrefix } from "../log/event.ts";
import type { ChoreRecord } from "../log/housekeeping.ts";
import { shownSystem } from "./system-body-routes.ts";
import type { InstallationRead, SystemReader } from "./system.ts";

type Shown = z.output<typeof shownSystem>;

/** What a process knows of itself. Times are milliseconds since 1970. */
export type ProcessState = {
  /** Its uuid. */
  readonly id: string;
  readonly version: string;
  readonly roles: Shown["process"]["roles"];
  readonly startedAt: number;
  readonly push: Shown["process"]["push"];
  readonly fanout: FanoutStatus & { readonly kind: Shown["process"]["fanout"]["kind"] };
  readonly chores: readonly (ChoreRecord & { readonly name: string })[];
};

export function createSystemRoutes(options: {
  readonly reader: SystemReader;
  readonly readiness: () => Promise<Readiness>;
  readonly here: () => Promise<ProcessState>;
  /** As many as the database was set up with. */
  readonly shards: number;
  readonly tenantByPrefix: TenantByPrefix;
}): Route[] {
  const { reader, readiness, here, shards, tenantByPrefix } = options;
  return [
    route({
      method: "get",
      path: "/system",
      id: "getSystem",
      tag: "system",
      summary: "Show how the gateway as a whole stands",
      description:
        "Health, processes, shards, housekeeping, failing endpoints, replays and storage. Counts " +
        "are exact but for those that are called estimates. Every process has it, also one that " +
        "only pushes. Those of others that do not push are in no table, so they are not told.",
      access: "operator",
      responses: { 200: shownSystem },
      async handle() {
        const now = Date.now();
        const [known, process, found] = await Promise.all([readiness(), here(), reader.read()]);
        return {
          status: 200,
          body: {
            as_of: timeText(now),
            health: showReadiness(known),
            process: showProcess(process, now),
            ...showProcesses(found, process, shards),
            ...showOverview(found),
            replays: await showReplays(found, tenantByPrefix),
            storage: showStorage(found),
          },
        };
      },
    }),
  ];
}

function showProcess({ startedAt, fanout, ...process }: ProcessState, now: number) {
  const { id, version, roles, push } = process;
  const { kind, state, since, counts } = fanout;
  const { carried, dropped, failed, unreadable } = counts;
  return {
    ...{ id, version, roles, push, started_at: timeText(startedAt) },
    uptime_seconds: Math.max(0, Math.floor((now - startedAt) / 1_000)),
    fanout: { kind, state, since: timeText(since), carried, dropped, failed, unreadable },
  };
}

function showProcesses(
  { processes }: InstallationRead,
  here: ProcessState,
  total: number,
): Pick<Shown, "migrations" | "shards" | "push_processes" | "housekeeping"> {
  if (processes === undefined) {
    return { migrations: null, shards: null, push_processes: null, housekeeping: null };
  }
  const { pushing, keeper, migrations } = processes;
  const held = pushing.reduce((sum, { shards }) => sum + shards.length, 0);
  return {
    migrations: { ...migrations },
    shards: { total, held, unheld: total - held },
    push_processes: pushing.map(({ id, shards, renewedAt, isLeaving }) => ({
      ...{ id, shards: [...shards], renewed_at: timeText(renewedAt), leaving: isLeaving },
    })),
    housekeeping: {
      kept_by: keeper,
      here: keeper === here.id,
      chores: here.chores.map((record) => ({
        ...{ name: record.name, every_seconds: record.everyMs / 1_000 },
        last_outcome: outcomeOf(record),
        last_done_at: timeOrNull(record.doneAt),
        last_duration_ms: record.tookMs ?? null,
        failing_since: timeOrNull(record.failingSince),
        failures: record.failures,
      })),
    },
  };
}

function outcomeOf({ doneAt, failingSince }: ChoreRecord): "done" | "failed" | null {
  if (failingSince !== undefined) return "failed";
  return doneAt === undefined ? null : "done";
}

function showOverview({
  overview,
}: InstallationRead): Pick<Shown, "tenants" | "endpoints" | "consumers"> {
  if (overview === undefined) return { tenants: null, endpoints: null, consumers: null };
  const { tenants, endpoints, consumers, failing } = overview;
  return { tenants, consumers, endpoints: { ...endpoints, worst: failing.map(showFailing) } };
}

function showFailing(endpoint: FailingEndpoint) {
  const { id, tenant, url, circuit, lastFailure, lastFailureAt, behind } = endpoint;
  const hasFailed = lastFailure !== null && lastFailureAt !== null;
  return {
    ...{ id: endpointName(id), tenant, url, behind },
    circuit: {
      state: circuit,
      since: timeOrNull(endpoint.circuitSince),
      next_probe_at: timeOrNull(endpoint.nextProbeAt),
    },
    failing_since: timeOrNull(endpoint.failingSince),
    last_failure: hasFailed ? { at: timeText(lastFailureAt), error: lastFailure } : null,
  };
}

async function showReplays(
  { replays: found }: InstallationRead,
  tenantByPrefix: TenantByPrefix,
): Promise<Shown["replays"]> {
  if (found === undefined) return null;
  const newest = await Promise.all(found.replays.map((replay) => showReplay(replay)));
  return { running: found.total, newest: newest.flat() };

  /** Not those of a tenant that has just gone. */
  async function showReplay(replay: Replay) {
    const { id, endpoint, kind, waitingFor, total, sent, failed, createdAt } = replay;
    const tenant = await tenantByPrefix(tenantPrefix(replay.tenant));
    if (tenant === undefined) return [];
    return [
      {
        ...{ id: replayName(id), tenant: tenant.name, endpoint: endpointName(endpoint) },
        ...{ deliveries: kind, waiting_for: waitingFor, total, sent, failed },
        created_at: timeText(createdAt),
      },
    ];
  }
}

function showStorage({ storage }: InstallationRead): Shown["storage"] {
  if (storage === undefined) return null;
  const { bytes, oldestDay, retriesEstimate, tables } = storage;
  return {
    ...{ bytes, oldest_day: oldestDay, retries_estimate: retriesEstimate },
    tables: tables.map(({ table, partitions, bytes: size, rowsEstimate }) => ({
      ...{ table, partitions, bytes: size, rows_estimate: rowsEstimate },
    })),
  };
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}

function timeOrNull(at: number | null | undefined): string | null {
  return at === null || at === undefined ? null : timeText(at);
}
