/**
 * Serves declared routes: who is calling, what is asked, the handler, the answer.
 *
 * Each route is one Hono handler without middleware, so a request pays for its own checks only.
 * Every answer leaves through here, including those to unknown paths and to errors. Ours are
 * logged with the request's id, and the caller is told that id and nothing else.
 */
import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";
import { Problem } from "../problem.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Directory } from "./auth.ts";
import { createBodyBudget } from "./body-budget.ts";
import { ClientGone } from "./body.ts";
import { createDirect, type Direct } from "./direct.ts";
import { createHandle, type Exchange, type Handle } from "./handle.ts";
import { createCommonHeaders, preflightHeaders } from "./headers.ts";
import { createInFlight } from "./in-flight.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { problemReply, toResponse, writeReply } from "./reply.ts";
import { createRequest, type ApiRequest, type Arrived } from "./request.ts";
import { alreadySent, type Reply, type Route } from "./route.ts";

/** A client that is alive sends something within this time, however slow its line. */
const defaultBodyIdleMs = 30_000;

/** With every 503: how long a dependency or an overload is given before the caller tries again. */
const retryAfterSeconds = 2;

/** The client left before it was answered. Only ever seen in the log. */
const clientGoneStatus = 499;

export type MountOptions = {
  readonly directory: Directory;
  readonly limiter: RateLimiter;
  readonly log: Logger;
  /** Origins that browsers may call from. */
  readonly corsOrigins?: readonly string[];
  readonly bodyIdleMs?: number;
  /** All request bodies together. */
  readonly bodiesMaxBytes?: number;
  readonly requestsMax?: number;
  /** Whether an error means that something below cannot be reached or is overloaded. */
  readonly isUnavailable?: (error: unknown) => boolean;
  /** Told of every request when its handler is done. */
  readonly observe?: (done: RequestDone) => void;
};

export type RequestDone = {
  /** The operation's id, or `none` where no route was found. */
  readonly operation: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
};

type ApiContext = Context<{ Bindings: HttpBindings }>;

/** Gives what serves the route that is to be served under the framework, if one is. */
export function mountRoutes(
  app: Hono<{ Bindings: HttpBindings }>,
  routes: readonly Route[],
  options: MountOptions,
): Direct | undefined {
  const { directory, limiter } = options;
  const inFlight = createInFlight(options.requestsMax);
  const serve = createServe(options);
  let direct: Direct | undefined;
  // Hono takes the first match, so `/events/stream` must come before `/events/{id}`.
  for (const route of routes.toSorted(bySpecificity)) {
    const handle = createHandle(route, { directory, limiter, inFlight });
    const path = route.path.replaceAll(/\{(\w+)\}/g, ":$1");
    const paths = route.page ? [path, `${path}/*`] : [path];
    app.on(route.method.toUpperCase(), paths, (context) =>
      serve(arrivedAt(context), route.id, handle, toResponse),
    );
    if (route.direct) {
      direct = createDirect(route, (arrived) =>
        serve(arrived, route.id, handle, writeReply).catch((error: unknown) => {
          options.log.error({ err: error }, "request failed behind its route");
          arrived.outgoing.destroy();
        }),
      );
    }
  }
  const fallback = createFallback(routes);
  app.notFound((context) => serve(arrivedAt(context), "none", fallback, toResponse));
  return direct;
}

function arrivedAt({ env, req }: ApiContext): Arrived {
  const { incoming, outgoing } = env;
  return { incoming, outgoing, routed: req, signal: () => req.raw.signal };
}

/** Puts a reply on its way. */
type Send<Sent> = (reply: Reply, request: ApiRequest) => Sent;

function createServe(options: MountOptions) {
  const { log, observe } = options;
  const budget = createBodyBudget(options.bodiesMaxBytes);
  const settings = {
    bodyIdleMs: options.bodyIdleMs ?? defaultBodyIdleMs,
    commonHeaders: createCommonHeaders(options.corsOrigins ?? []),
  };

  return async <Sent>(
    arrived: Arrived,
    operation: string,
    handle: Handle,
    send: Send<Sent>,
  ): Promise<Sent> => {
    const startedAt = performance.now();
    const share = budget.open();
    const request = createRequest(arrived, settings, share);
    const { routed } = arrived;
    const leave = [() => share.hold(0)];
    const exchange: Exchange = { routed, request, principal: undefined, tenant: undefined, leave };
    const { isUnavailable } = options;
    const { sent, status, failure } = await answer(exchange, handle, send, isUnavailable);
    const method = request.incoming.method ?? "";
    const durationMs = performance.now() - startedAt;
    log[failure?.level ?? "debug"](
      {
        request: request.id,
        operation,
        method,
        status,
        tenant: exchange.tenant?.name ?? null,
        key: exchange.principal?.keyId ?? null,
        durationMs: Math.round(durationMs),
        problem: failure?.problem.slug ?? null,
        err: failure?.problem.cause ?? null,
      },
      "request",
    );
    observe?.({ operation, method, status, durationMs });
    return sent;
  };
}

type Answer<Sent> = { sent: Sent; status: number; failure?: Failure };

async function answer<Sent>(
  exchange: Exchange,
  handle: Handle,
  send: Send<Sent>,
  isUnavailable: MountOptions["isUnavailable"],
): Promise<Answer<Sent>> {
  const { request } = exchange;
  try {
    const reply = await handle(exchange);
    const status = "alreadySent" in reply ? request.outgoing.statusCode : reply.status;
    if (status === 503) comeBack(request);
    return { sent: send(reply, request), status };
  } catch (error) {
    if (isClientGone(error, request)) {
      request.outgoing.destroy();
      return { sent: send(alreadySent, request), status: clientGoneStatus };
    }
    const failure = explain(error, request.id, isUnavailable);
    const { status } = failure.problem;
    if (request.outgoing.headersSent) {
      request.outgoing.destroy(); // a half-sent answer cannot be taken back, only cut
      return { sent: send(alreadySent, request), status, failure };
    }
    if (status === 503) comeBack(request);
    return { sent: send(problemReply(failure.problem), request), status, failure };
  } finally {
    for (const done of exchange.leave) done();
  }
}

type Failure = { problem: Problem; level: "debug" | "warn" | "error" };

function explain(
  error: unknown,
  requestId: string,
  isUnavailable: MountOptions["isUnavailable"],
): Failure {
  if (error instanceof Problem) return { problem: error, level: "debug" };
  if (isUnavailable?.(error) === true) {
    const problem = new Problem("unavailable", "try again shortly", { cause: error });
    return { problem, level: "warn" };
  }
  const members = { id: requestId };
  const problem = new Problem("internal-error", "internal error", { members, cause: error });
  return { problem, level: "error" };
}

/** Unless the answer itself says better. */
function comeBack({ outgoing }: ApiRequest): void {
  if (!outgoing.headersSent) outgoing.setHeader("retry-after", String(retryAfterSeconds));
}

/** What an aborted request throws says nothing about us. */
function isClientGone(error: unknown, request: ApiRequest): boolean {
  if (error instanceof ClientGone) return true;
  if (!request.outgoing.destroyed) return false;
  return (
    error === request.signal().reason || (error instanceof Error && error.name === "AbortError")
  );
}

/** Answers what no route takes: 404 for the path, 405 for the method, or a browser's preflight. */
function createFallback(routes: readonly Route[]): Handle {
  const patterns = routes.map(({ method, path, page }) => {
    const one = path.replaceAll(/\{\w+\}/g, "[^/]+").replaceAll(".", "\\.");
    return {
      method: method.toUpperCase(),
      pattern: new RegExp(`^${one}${page ? "(/.*)?" : ""}$`),
    };
  });

  return async ({ routed, request }) => {
    const found = patterns.filter(({ pattern }) => pattern.test(routed.path));
    if (found.length === 0) throw new Problem("not-found", "there is no such path");
    const methods = new Set(found.map(({ method }) => method));
    if (methods.has("GET")) methods.add("HEAD");
    const allow = [...methods.add("OPTIONS")].join(", ");
    if (request.incoming.method !== "OPTIONS") {
      const detail = `this path takes ${allow}`;
      throw new Problem("method-not-allowed", detail, { headers: { allow } });
    }
    const common = request.commonHeaders();
    const preflight = "access-control-allow-origin" in common ? preflightHeaders(allow) : {};
    return { status: 204, headers: { allow, ...preflight } };
  };
}

/** Sorts literal segments before parameters, so that of two paths that fit the closer one wins. */
function bySpecificity(a: Route, b: Route): number {
  const left = shape(a.path);
  const right = shape(b.path);
  return left < right ? -1 : Number(left > right);
}

function shape(path: string): string {
  return path.replaceAll(/\/[^/]+/g, (segment) => (segment.startsWith("/{") ? "1" : "0"));
}
