/** The HTTP side of a process: mounts the routes of the stages it serves, and their document. */
import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { isUnavailable } from "./db/database.ts";
import type { Directory } from "./http/auth.ts";
import { createHealthRoutes, type Readiness } from "./http/health-routes.ts";
import { mountRoutes } from "./http/mount.ts";
import { createDocumentRoutes, openApiDocument, type OpenApiDocument } from "./http/openapi.ts";
import type { Route } from "./http/route.ts";
import type { Logger } from "./telemetry.ts";

export type Api = {
  readonly app: Hono<{ Bindings: HttpBindings }>;
  readonly document: OpenApiDocument;
};

const description =
  "One event feed per tenant, delivered by webhooks, by polling and as a stream. " +
  "Every error is an RFC 9457 problem.";

export function createApi(options: {
  /** Those of the stages; a process without the api role has none. */
  routes: readonly Route[];
  directory: Directory;
  version: string;
  corsOrigins: readonly string[];
  readiness: () => Promise<Readiness>;
  log: Logger;
}): Api {
  const { version, directory, corsOrigins, readiness, log } = options;
  const routes = [
    ...options.routes,
    ...createHealthRoutes(readiness),
    ...createDocumentRoutes(() => document),
  ];
  const document = openApiDocument(routes, { title: "Tidegate", version, description });
  const app = new Hono<{ Bindings: HttpBindings }>();
  mountRoutes(app, routes, { directory, log, corsOrigins, isUnavailable });
  return { app, document };
}
