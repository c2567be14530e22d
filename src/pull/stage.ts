/** The pull stage: its parts over one log, and all of its requests that wait. */
import type { Database } from "../db/database.ts";
import { createConsumerStore } from "../deliveries/consumers.ts";
import { createEndpointFilterOf } from "../deliveries/endpoint-filter.ts";
import { createMissedReader } from "../deliveries/missed.ts";
import type { Feed } from "../feed/feed.ts";
import type { Marks } from "../feed/marks.ts";
import type { Directory } from "../http/auth.ts";
import type { TenantByPrefix } from "../http/owner.ts";
import type { Route } from "../http/route.ts";
import type { Log } from "../log/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { createConsumerRoutes } from "./consumer-routes.ts";
import { createConsumerReader } from "./consumers.ts";
import { measurePull } from "./metrics.ts";
import { createMissed } from "./missed.ts";
import { createMissedRoutes } from "./missed-routes.ts";
import { createPull } from "./pull.ts";
import { createPullRoutes } from "./routes.ts";
import { createWaits } from "./waits.ts";

export type PullStage = {
  readonly routes: readonly Route[];
  readonly measure: (metrics: Metrics) => void;
  /** Refuses whatever waits and would not be let in any more. */
  recheck(): void;
  /** Lets all that waits answer with what it has; nothing waits any more afterwards. */
  stop(): void;
};

export function createPullStage(given: {
  database: Database;
  log: Log;
  feed: Feed;
  marks: Marks;
  directory: Directory & { tenantByPrefix: TenantByPrefix };
}): PullStage {
  const { sql } = given.database;
  const waits = createWaits();
  const reading = { ...given, waits };
  const pull = createPull(reading);
  const { tenantByPrefix } = given.directory;
  const filterOfEndpoint = createEndpointFilterOf(sql);
  const reader = createMissedReader(given.database.orm);
  const missed = createMissed({ ...reading, missed: reader });
  const consumers = createConsumerReader({
    ...{ pull, waits, marks: given.marks },
    consumers: createConsumerStore(given.database),
  });
  const routes = [
    ...createPullRoutes({ ...given, pull, tenantByPrefix, filterOfEndpoint }),
    ...createMissedRoutes({ ...given, missed, reader }),
    ...createConsumerRoutes({ ...given, consumers }),
  ];
  const measure = (metrics: Metrics) => measurePull(metrics, { pull, waits });
  return { routes, measure, recheck: waits.recheck, stop: waits.stop };
}
