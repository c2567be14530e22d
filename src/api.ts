/** The HTTP side of a process: mounts the routes of the stages it serves, and their document. */
import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { isUnavailable } from "./db/database.ts";
import type { Directory } from "./http/auth.ts";
import type { Direct } from "./http/direct.ts";
import { createHealthRoutes, type Readiness } from "./http/health-routes.ts";
import { createMetricsRoutes, type ShownMetrics } from "./http/metrics-routes.ts";
import { mountRoutes, type RequestDone } from "./http/mount.ts";
import { createDocumentRoutes, openApiDocument, type OpenApiDocument } from "./http/openapi.ts";
import type { RateLimiter } from "./http/rate-limit.ts";
import type { Route } from "./http/route.ts";
import type { Logger } from "./telemetry/logger.ts";

export type Api = {
  readonly app: Hono<{ Bindings: HttpBindings }>;
  readonly direct: Direct | undefined;
  readonly document: OpenApiDocument;
};

/** What openapi.yaml says of the whole. */
const about = {
  title: "Tidegate",
  description:
    "One event feed per tenant, delivered by webhooks, by polling and as a stream. " +
    "Every error is an RFC 9457 problem.",
  license: { name: "Apache License 2.0", identifier: "Apache-2.0" },
  servers: [{ url: "http://127.0.0.1:8080", description: "A gateway started with its defaults" }],
  tags: {
    events: "What producers append, and readers pull or receive as a stream",
    tenants: "Whose events there are: each has a log of its own",
    keys: "Who may do what",
    endpoints: "Where events are pushed to",
    deliveries: "What became of pushes",
    replays: "Deliveries that are made again because somebody wants it",
    consumers: "Readers whose place in the log is kept here",
    "event-types": "What the events of a type look like",
    statistics: "How it goes: what is undelivered, what was delivered when, and how fast",
    system: "The gateway itself",
  },
};

export function createApi(options: {
  /** Those of the stages; a process without the api role has none. */
  routes: readonly Route[];
  directory: Directory;
  limiter: RateLimiter;
  version: string;
  corsOrigins: readonly string[];
  readiness: () => Promise<Readiness>;
  /** Undefined where they are served elsewhere. */
  metrics: ShownMetrics | undefined;
  log: Logger;
  observe: (done: RequestDone) => void;
}): Api {
  const { version, directory, limiter, corsOrigins, readiness, metrics, log, observe } = options;
  const routes = [
    ...options.routes,
    ...createHealthRoutes(readiness),
    ...(metrics === undefined ? [] : createMetricsRoutes(metrics, "operator")),
    ...createDocumentRoutes(() => document),
  ];
  const document = openApiDocument(routes, { ...about, version });
  const app = new Hono<{ Bindings: HttpBindings }>();
  const mounting = { directory, limiter, log, corsOrigins, isUnavailable, observe };
  const direct = mountRoutes(app, routes, mounting);
  return { app, direct, document };
}

/** For a listener of their own, which asks for no key: whoever reaches it may read them. */
export function createMetricsApp(options: {
  metrics: ShownMetrics;
  directory: Directory;
  limiter: RateLimiter;
  log: Logger;
}): Api["app"] {
  const app = new Hono<{ Bindings: HttpBindings }>();
  mountRoutes(app, createMetricsRoutes(options.metrics, "public"), options);
  return app;
}
