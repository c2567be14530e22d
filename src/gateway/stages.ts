/** What the stages of the journey need of each other, made from what the process has opened. */
import { announceChange } from "../control/changes.ts";
import type { Control, ControlOptions } from "../control/control.ts";
import type { Change, ControlDirectory } from "../control/directory.ts";
import {
  createEventTypeRegistry,
  type EventTypeRegistry,
} from "../control/event-types/registry.ts";
import { erasureChore } from "../control/tenants/erasure.ts";
import type { Database } from "../db/database.ts";
import { createNotices, type Notices } from "../deliveries/notices.ts";
import { createReceipts, type Receipts } from "../deliveries/receipts.ts";
import type { EventsFrame, Fanout } from "../fanout/fanout.ts";
import { publishTraced } from "../fanout/tracing.ts";
import { createMarks, type Marks } from "../feed/marks.ts";
import type { Route } from "../http/route.ts";
import { createAppender, type AppendedRun, type Appender } from "../log/append.ts";
import { createAppendLog } from "../log/append-log.ts";
import { createAppendTracing } from "../log/append-tracing.ts";
import type { Housekeeping } from "../log/housekeeping.ts";
import { createPullStage, type PullStage } from "../pull/stage.ts";
import { createTestPush } from "../push/test-push.ts";
import { createStreams, type Streams } from "../stream/streams.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { Services } from "./services.ts";
import { userAgent } from "./version.ts";

/** What the api role adds. */
export type Stages = {
  readonly appender: Appender;
  readonly directory: ControlDirectory;
  readonly controlRoutes: readonly Route[];
  readonly eventTypes: EventTypeRegistry;
  readonly marks: Marks;
  readonly notices: Notices;
  readonly pull: PullStage;
  readonly receipts: Receipts;
  readonly streams: Streams;
};

export function controlOptions(services: Services): ControlOptions {
  const { database, ring, cursors, shards, config, egress, fanout, limiter } = services;
  return {
    ...{ database, ring, cursors, shards, limiter },
    retentionDays: config.retentionDays,
    publicUrl: config.publicUrl,
    checkUrl: egress.checkUrl,
    testPush: createTestPush({ ...services, userAgent, log: services.logger }),
    announce: (change) => announceChange(fanout, change),
  };
}

export function createStages(
  { config, logger, database, cursors, log, feed, fanout, counts, tracing }: Services,
  appends: Database,
  control: Pick<Control, "directory" | "routes">,
): Stages {
  const { directory, routes: controlRoutes } = control;
  const marks = createMarks({ log, cursors });
  const appender = createAppender({
    sql: appends.sql,
    log: logger,
    tell: (runs) => tell(runs, fanout, tracing),
    observers: [
      ...[createAppendLog(logger), counts.appends.observe],
      ...(tracing ? [createAppendTracing(tracing)] : []),
    ],
  });
  const notices = createNotices({ sql: database.sql, log: logger, append: appender.append });
  return {
    appender,
    directory,
    controlRoutes,
    eventTypes: createEventTypeRegistry({ orm: database.orm, log: logger }),
    marks,
    notices,
    pull: createPullStage({ database, log, feed, marks, directory }),
    receipts: createReceipts({
      database,
      defaultScheduleMs: config.retryScheduleMs,
      announce: (receipt) => fanout.publish([receipt]),
      notify: notices.tell,
    }),
    streams: createStreams({ feed, marks, directory, logger }),
  };
}

/** What this process remembers of what was changed, here or in another one, holds no longer. */
export function forget(
  what: Change["what"],
  { directory, eventTypes, streams, pull }: Stages,
  housekeeping: Housekeeping,
): void {
  directory.forget(what);
  if (what === "event-types") eventTypes.forget();
  if (what === "keys" || what === "tenants") {
    streams.recheck();
    pull.recheck();
  }
  if (what === "tenants") housekeeping.wake(erasureChore);
}

function tell(runs: readonly AppendedRun[], fanout: Fanout, tracing: Tracing | undefined): void {
  if (tracing === undefined) return fanout.publish(runs.map(frameOf));
  const traced = runs.map((run) => ({ frame: frameOf(run), spans: run.spans ?? [] }));
  publishTraced(tracing, fanout, traced);
}

function frameOf({ tenant, shard, events }: AppendedRun): EventsFrame {
  const first = events[0]?.sequence ?? 0;
  return { kind: "events", tenant, shard, first, last: first + events.length - 1, events };
}
