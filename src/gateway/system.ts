/** What a process tells of itself at `/system`, from what it has opened. */
import type { Route } from "../http/route.ts";
import type { Housekeeping } from "../log/housekeeping.ts";
import { readPushProcesses } from "../push/processes.ts";
import type { Push } from "../push/push.ts";
import { createSystemRoutes, type ProcessState } from "../stats/system-routes.ts";
import { createSystemReader } from "../stats/system.ts";
import type { Services } from "./services.ts";
import type { Stages } from "./stages.ts";
import { version } from "./version.ts";

export type SystemParts = {
  readonly housekeeping: Pick<Housekeeping, "status">;
  /** Undefined without the role. */
  readonly push: Pick<Push, "status" | "survey"> | undefined;
};

/** Undefined parts: for the document alone. */
export function createSystem(
  services: Services,
  { directory }: Pick<Stages, "directory">,
  parts: SystemParts | undefined,
): Route[] {
  const { config, database, shards, health, fanout, process: id } = services;
  const startedAt = Date.now();
  const kind = config.nats === undefined ? "memory" : "nats";
  return createSystemRoutes({
    ...{ shards, tenantByPrefix: directory.tenantByPrefix, readiness: health.check, here },
    reader: createSystemReader({ sql: database.sql, readPushProcesses }),
  });

  async function here(): Promise<ProcessState> {
    return {
      ...{ id, version, roles: [...config.roles], startedAt },
      push: parts?.push === undefined ? null : await statusOf(parts.push),
      fanout: { ...fanout.status(), kind },
      chores: parts?.housekeeping.status().chores ?? [],
    };
  }
}

async function statusOf(
  push: Pick<Push, "status" | "survey">,
): Promise<NonNullable<ProcessState["push"]>> {
  const { shardsHeld, inFlight, slots, slotsUsed, replaysInFlight, unwritten } = push.status();
  const { lanes, backlogAgeMs, retriesDue } = await push.survey();
  return {
    ...{ shards_held: shardsHeld, in_flight: inFlight, slots, slots_used: slotsUsed },
    ...{ replays_in_flight: replaysInFlight, outcomes_unwritten: unwritten },
    ...{ endpoints: lanes, backlog_age_seconds: backlogAgeMs / 1_000, retries_due: retriesDue },
  };
}
