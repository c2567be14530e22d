/**
 * The composition root: opens what a process needs, in the order of the layers, starts its roles
 * and stops all of it in reverse. The embedded setup and the production one differ only here.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "./config.ts";
import { hearChanges } from "./control/changes.ts";
import { createControl, createControlRoutes } from "./control/control.ts";
import { createDirectory } from "./control/directory.ts";
import { createPortalLinkChore } from "./control/portal-links/links.ts";
import { createErasureChore } from "./control/tenants/erasure.ts";
import { createTicketChore } from "./control/tickets/ticket-chore.ts";
import { hasTimeLimits, migrate, openDatabase } from "./db/database.ts";
import { openEmbeddedPostgres } from "./db/embedded.ts";
import { createFallingBehindChore } from "./deliveries/falling-behind.ts";
import { createReceiptChore } from "./deliveries/receipt-chore.ts";
import { createReplayChore } from "./deliveries/replays.ts";
import { createMemoryFanout } from "./fanout/memory.ts";
import { createHttp } from "./gateway/http.ts";
import {
  createGatewayMetrics,
  measureParts,
  measurePushRole,
  serveMetrics,
} from "./gateway/metrics.ts";
import { startPushRole } from "./gateway/push-role.ts";
import { createServices, openFanout, type Services } from "./gateway/services.ts";
import { controlOptions, createStages, forget } from "./gateway/stages.ts";
import { openTracing } from "./gateway/tracing.ts";
import type { OpenApiDocument } from "./http/openapi.ts";
import { listen } from "./http/server.ts";
import { generateKeyRing, loadOrCreateKeys, parseKeyRing, type KeyRing } from "./keyring.ts";
import { createLogChores } from "./log/chores.ts";
import { startHousekeeping } from "./log/housekeeping.ts";
import { createPartitions } from "./log/partitions.ts";
import { fixShards, noteDatabase } from "./log/settings.ts";
import type { Push } from "./push/push.ts";
import { createLogger, type Logger } from "./telemetry/logger.ts";
import type { Metrics } from "./telemetry/metrics.ts";

export type Gateway = {
  readonly url: string;
  /** Undefined: at `url`, for operators. */
  readonly metricsUrl: string | undefined;
  readonly operatorKey: string;
  /** Drains: no new work; what is under way ends within the grace time or is left to be redone. */
  stop(): Promise<void>;
};

/** Of the pool, for appends alone: whoever reads must not hold up producers. */
const appendConnections = 3;

/** Of the pool, for the leases and the outcomes of the push role. */
const pushConnections = 2;

/** Of the pool, for what waits on purpose; opened only where house is kept. */
const housekeepingConnections = 1;

/** For what was told at the end: its append takes some milliseconds, or the database is away. */
const noticesGraceMs = 2_000;

/** For scrapes under way when all else has stopped. */
const metricsShutdownMs = 1_000;

const noTimeLimits =
  "the database ends no statement of ours by itself: set statement_timeout and lock_timeout on " +
  "the role that DATABASE_URL names, since a pooler does not pass them on";

/** `fatal` is called when the process cannot go on. */
export async function startGateway(
  config: Config,
  logger: Logger,
  fatal: (error: Error) => void,
): Promise<Gateway> {
  await using opening = new AsyncDisposableStack();
  const tracing = await openTracing(config.tracing, logger);
  // Last of all, when nothing has spans to add any more.
  opening.defer(async () => tracing?.stop());
  const { url, operatorKey, ring } = await openFoundations(config, logger, fatal, opening);
  await migrate(url);
  const database = openPool(url, readConnections(config), "tidegate", opening);
  const appends = openPool(url, appendConnections, "tidegate append", opening);
  const outcomes = openPool(url, pushConnections, "tidegate push", opening);
  const shards = await fixShards(database.sql, config.shards);
  await noteDatabase(database.sql, logger);
  if (!(await hasTimeLimits(database.sql))) logger.warn(noTimeLimits);
  await createPartitions(database.sql);

  const fanout = await openFanout(config, shards, logger);
  opening.defer(() => fanout.stop());
  const services = createServices({ config, logger, database, ring, shards, fanout, tracing });
  opening.defer(() => services.feed.stop());
  opening.defer(() => services.health.stop());
  const control = await createControl({ ...controlOptions(services), operatorKey });
  const stages = createStages(services, appends, control);
  opening.defer(() => stages.notices.stop(noticesGraceMs));
  const tidying = openPool(url, housekeepingConnections, "tidegate housekeeping", opening);
  const housekeeping = startHousekeeping({
    sql: database.sql,
    log: logger,
    chores: [
      ...createLogChores({ sql: tidying.sql, log: logger, retentionDays: config.retentionDays }),
      createErasureChore({ orm: tidying.orm, log: logger }),
      createReplayChore({ sql: tidying.sql, retentionDays: config.retentionDays }),
      createReceiptChore({ sql: tidying.sql }),
      createTicketChore({ sql: tidying.sql }),
      createPortalLinkChore({ sql: tidying.sql }),
      createFallingBehindChore({
        ...{ database: tidying, tell: stages.notices.tell },
        retentionDays: config.retentionDays,
      }),
    ],
    alone: config.databaseUrl === undefined,
    process: services.process,
  });
  opening.defer(() => housekeeping.stop());
  services.health.watchHousekeeping(housekeeping);
  const metrics = createGatewayMetrics(services);
  const pools = { main: database, append: appends, push: outcomes, housekeeping: tidying };
  measureParts(metrics, services, { stages, housekeeping, pools });
  const metered = await serveMetrics(metrics, services, stages.directory);
  // Whoever watches sees the drain, too.
  opening.defer(async () => metered?.stop(metricsShutdownMs));
  opening.defer(hearChanges(fanout, (what) => forget(what, stages, housekeeping)));
  opening.defer(() => stages.appender.drain());
  // Cuts what has not ended in time, so not before all has drained.
  opening.defer(() => services.attempter.stop());
  // All that drains does so at the same time, or the grace times would add up.
  const drains: (() => Promise<void>)[] = [];
  opening.defer(async () => void (await Promise.all(drains.map((drain) => drain()))));
  const { host, port, shutdownMs, drainMs } = config;
  const push = await startPush(services, metrics, () =>
    startPushRole(services, control, outcomes, stages.notices),
  );
  if (push !== undefined) drains.push(() => push.stop(shutdownMs));
  const { app, direct } = createHttp(services, stages, metrics, { housekeeping, push });
  const listening = await listen(app, { host, port, log: logger, direct });
  drains.push(async () => {
    // Balancers find out meanwhile, and send new requests elsewhere.
    await delay(drainMs);
    // The listener first, or a client that is cut off here would be back at once.
    const closed = listening.stop(shutdownMs);
    stages.streams.stop();
    stages.pull.stop();
    await closed;
  });
  const urls = { url: listening.url, metricsUrl: metered?.url };
  logger.info({ ...urls, roles: [...config.roles], shards }, "started");

  opening.defer(() => services.health.drain());
  const opened = opening.move();
  return { ...urls, operatorKey, stop: () => opened.disposeAsync() };
}

/** The document of the whole API, made without opening anything. */
export async function describeApi(config: Config): Promise<OpenApiDocument> {
  const logger = createLogger({ level: "silent" });
  // Connects only when a statement is sent, and none is.
  const database = openDatabase("postgres://localhost/none", { connections: 1, name: "none" });
  const ring = parseKeyRing(generateKeyRing());
  const fanout = createMemoryFanout();
  const given = { config, logger, database, ring, fanout };
  const services = createServices({ ...given, shards: 1, tracing: undefined });
  const directory = createDirectory(database);
  const controlRoutes = createControlRoutes(controlOptions(services));
  const stages = createStages(services, database, { directory, routes: controlRoutes });
  const { document } = createHttp(services, stages, createGatewayMetrics(services));
  await services.feed.stop();
  services.health.stop();
  stages.streams.stop();
  return document;
}

/** Undefined without the role. */
async function startPush(
  services: Services,
  metrics: Metrics,
  start: () => Promise<Push>,
): Promise<Push | undefined> {
  if (!services.config.roles.has("push")) return undefined;
  const push = await start();
  measurePushRole(metrics, services, push);
  services.health.watchPush(push);
  return push;
}

async function openFoundations(
  config: Config,
  log: Logger,
  fatal: (error: Error) => void,
  opening: AsyncDisposableStack,
): Promise<{ url: string; operatorKey: string; ring: KeyRing }> {
  const { databaseUrl, operatorKey, secrets, dataDir } = config;
  if (databaseUrl !== undefined && operatorKey !== undefined && secrets !== undefined) {
    return { url: databaseUrl, operatorKey, ring: parseKeyRing(secrets) };
  }
  const keys = await loadOrCreateKeys(dataDir);
  const ring = parseKeyRing(secrets ?? keys.secrets);
  const { url } = opening.use(await openEmbeddedPostgres({ dataDir, log, onLost: fatal }));
  return { url, operatorKey: operatorKey ?? keys.operatorKey, ring };
}

function readConnections({ databasePool, roles }: Config): number {
  const others = appendConnections + housekeepingConnections;
  return databasePool - others - (roles.has("push") ? pushConnections : 0);
}

function openPool(url: string, connections: number, name: string, opening: AsyncDisposableStack) {
  const database = openDatabase(url, { connections: Math.max(connections, 1), name });
  opening.defer(() => database.stop());
  return database;
}
