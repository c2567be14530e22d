/** The push role of a process, put together. */
import type { Control } from "../control/control.ts";
import type { Database } from "../db/database.ts";
import type { Notices } from "../deliveries/notices.ts";
import { startStatistics } from "../deliveries/statistics.ts";
import { createAttemptCounter } from "../push/attempt-counts.ts";
import { createAttemptLog } from "../push/attempt-log.ts";
import { createAttemptTracing } from "../push/attempt-tracing.ts";
import { createDeliverer } from "../push/deliver.ts";
import { createEndpointLoader } from "../push/endpoints.ts";
import { createLaneNotices } from "../push/notices.ts";
import { startPush, type Push } from "../push/push.ts";
import { createPushRequest } from "../push/request.ts";
import type { Services } from "./services.ts";
import { userAgent } from "./version.ts";

export async function startPushRole(
  services: Services,
  control: Control,
  writes: Database,
  { tell }: Notices,
): Promise<Push> {
  const {
    config,
    logger: log,
    database,
    ring,
    cursors,
    feed,
    shards,
    attempter,
    counts,
    process,
  } = services;
  const defaultScheduleMs = config.retryScheduleMs;
  const statistics = startStatistics({ sql: database.sql, log });
  const notices = createLaneNotices(tell);
  const push = await startPush({
    sql: database.sql,
    writes: writes.sql,
    feed,
    log,
    endpoints: createEndpointLoader({ database, ring, defaultScheduleMs, log }),
    deliver: createDeliverer({
      attempter,
      pushRequest: createPushRequest({ cursors, userAgent }),
      log,
      observers: [
        createAttemptLog(log),
        createAttemptCounter(statistics),
        counts.attempts.observe,
        notices.observe,
      ],
      traceAttempt: createAttemptTracing(services.tracing),
      disable: async ({ endpoint, fence }, reason) => {
        const disabled = await control.disableEndpoint(process, fence, reason);
        if (disabled) notices.disabled(endpoint, fence, reason);
        return disabled;
      },
    }),
    notices,
    process,
    shards,
    slots: config.pushConcurrency,
    alone: config.databaseUrl === undefined,
  });
  return {
    ...push,
    async stop(graceMs) {
      await push.stop(graceMs);
      await statistics.stop();
    },
  };
}
