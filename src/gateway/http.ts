/** All routes of a process, as one application. */
import { createApi, type Api } from "../api.ts";
import { announceChange } from "../control/changes.ts";
import { createSearchRoutes } from "../control/search/routes.ts";
import { createSearch } from "../control/search/search.ts";
import { createTickets } from "../control/tickets/tickets.ts";
import { createEndpointFilterOf } from "../deliveries/endpoint-filter.ts";
import { createUndeliveredReader } from "../deliveries/undelivered.ts";
import { createIngest } from "../ingest/ingest.ts";
import { createIngestRoutes } from "../ingest/routes.ts";
import { pageFolder, readPageFiles } from "../portal/files.ts";
import { createPortalRoutes } from "../portal/routes.ts";
import { createReceiptRoutes } from "../push/receipt-routes.ts";
import { createReplayRoutes } from "../push/replay-routes.ts";
import { createDeliveryRoutes } from "../push/routes.ts";
import { createDeliveryStatsRoutes } from "../stats/deliveries-routes.ts";
import { createTimelineRoutes } from "../stats/timeline-routes.ts";
import { createUndeliveredRoutes } from "../stats/undelivered-routes.ts";
import { createStreamRoutes } from "../stream/routes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { shownMetrics } from "./metrics.ts";
import type { Services } from "./services.ts";
import type { Stages } from "./stages.ts";
import { createSystem, type SystemParts } from "./system.ts";
import { version } from "./version.ts";

/** Without `parts`, for the document. */
export function createHttp(
  services: Services,
  stages: Stages,
  metrics: Metrics,
  parts?: SystemParts,
): Api {
  const { config, logger, cursors, database, log, fanout } = services;
  const { appender, directory, controlRoutes, eventTypes, pull, streams } = stages;
  const { tenantByPrefix } = directory;
  const { sql } = database;
  const filterOfEndpoint = createEndpointFilterOf(sql);
  const routes = [
    ...createIngestRoutes(createIngest({ ...services, appender, directory, eventTypes })),
    ...pull.routes,
    ...createDeliveryRoutes({ sql, log, tenantByPrefix }),
    ...createTimelineRoutes({ sql, log, tenantByPrefix }),
    ...createReceiptRoutes({ ...stages, sql, log, tenantByPrefix }),
    ...createReplayRoutes({
      ...{ sql, log, cursors, tenantByPrefix },
      changed: (tenant, shard) => announceChange(fanout, { what: "endpoints", tenant, shard }),
    }),
    ...createDeliveryStatsRoutes({ sql, retentionDays: config.retentionDays }),
    ...createStreamRoutes({
      ...{ streams, filterOfEndpoint },
      findTicket: createTickets({ orm: database.orm, directory }).find,
    }),
    ...createUndeliveredRoutes({
      reader: createUndeliveredReader(database.orm, {
        connections: database.sql.options.max,
      }),
      retentionDays: config.retentionDays,
    }),
    ...createSearchRoutes(createSearch({ database, log, tenantByPrefix })),
    ...controlRoutes,
    ...createPortalRoutes(readPageFiles(pageFolder)),
  ];
  return createApi({
    routes: [...(config.roles.has("api") ? routes : []), ...createSystem(services, stages, parts)],
    directory,
    limiter: services.limiter,
    version,
    corsOrigins: config.corsOrigins,
    readiness: services.health.check,
    metrics: config.metricsAddress === undefined ? shownMetrics(metrics) : undefined,
    log: logger,
    observe: services.counts.requests.observe,
  });
}
