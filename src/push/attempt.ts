/**
 * Makes one attempt: a POST, and an outcome. It never throws for a bad endpoint and never takes
 * longer than its deadline, which covers name, connection, response head and whole body. It
 * follows no redirect and connects to no address that the policy does not permit.
 *
 * A 2xx is a success only when its response is complete in time. A body is read to its end, but
 * not beyond `bodyMaxBytes`: there the connection is cut, and a response without an end is no
 * complete one. A request that got no outcome may have reached the endpoint all the same.
 *
 * `dispatch` instead of `request`, which has to be aborted through an AbortSignal and builds a
 * stream for each response.
 */

import { LRUCache } from "lru-cache";
import { errors, type Dispatcher } from "undici";

import {
  connectTimeoutMs,
  openDirectly,
  openThroughProxy,
  type Connection,
  type Connections,
} from "./connections.ts";
import { createDeadlines, type Deadlines } from "./deadlines.ts";
import { hostOf, type EgressError, type EgressPolicy } from "./egress.ts";
import { failureOf, timeoutFailure, type Failure, type Phase } from "./failure.ts";
import type { AttemptResponse, Outcome } from "./outcome.ts";

export type AttemptRequest = {
  /** One that `checkUrl` accepted. */
  readonly url: string;
  /** As an object, or names and values in turns. */
  readonly headers: Readonly<Record<string, string>> | string[];
  readonly body: Buffer;
  readonly timeoutMs: number;
};

/** The attempter was stopped first. It says nothing about the endpoint and must not be recorded. */
export type Stopped = { readonly kind: "stopped" };

export type Attempter = {
  attempt(request: AttemptRequest): Promise<Outcome | Stopped>;
  /** Ends the attempts under way as `stopped` and closes every connection. */
  stop(): Promise<void>;
};

/** An endpoint that echoes the largest event (1 MiB of data, and its envelope) is heard out. */
const bodyMaxBytes = 2 * 1_024 * 1_024;

/**
 * A body cut into small chunks is several times its length on the wire. Beyond this there is
 * something else: interim heads without end, or chunks that are all extension.
 */
const responseMaxBytes = 4 * bodyMaxBytes;

/** What people need to see of a failure; the ledger keeps no more. */
const bodyKeptBytes = 4 * 1_024;

/** Parsed URLs, so that an attempt does not parse its own. */
const targetsMax = 4_096;

type Target = {
  readonly origin: string;
  readonly path: string;
  readonly refusal: EgressError | undefined;
};

const stoppedFirst: Stopped = { kind: "stopped" };

export function createAttempter({
  policy,
  proxy,
  idleMax,
}: {
  policy: EgressPolicy;
  /** URL of the egress proxy, if there is one. What the environment names as such is not heeded. */
  proxy?: string | undefined;
  /** Connections that may be kept for later. */
  idleMax?: number | undefined;
}): Attempter {
  const { lookup } = policy;
  const connections =
    proxy === undefined
      ? openDirectly({ lookup, responseMaxBytes, idleMax })
      : openThroughProxy(proxy);
  const targets = new LRUCache<string, Target>({ max: targetsMax });
  const running = createDeadlines(expire);
  let stopped = false;
  return { attempt, stop };

  function attempt(request: AttemptRequest): Promise<Outcome | Stopped> {
    if (stopped) return Promise.resolve(stoppedFirst);
    const target = targetOf(request.url);
    if (target.refusal !== undefined) {
      const failure = failureOf(target.refusal, "connecting");
      return Promise.resolve({ kind: "failed", ...failure, response: undefined, ...untried });
    }
    return run(target, request, connections, running);
  }

  async function stop(): Promise<void> {
    stopped = true;
    for (const each of running.all()) abandon(each);
    running.stop();
    await connections.stop();
  }

  function targetOf(url: string): Target {
    const known = targets.get(url);
    if (known !== undefined) return known;
    const parsed = new URL(url);
    const target = {
      origin: parsed.origin,
      path: parsed.pathname + parsed.search,
      refusal: policy.refusal(hostOf(parsed)),
    };
    targets.set(url, target);
    return target;
  }
}

const untried = { latencyMs: 0, headMs: undefined, tries: 1 } as const;

/**
 * Under way for as long as it is in `running`. What is done with it takes it as an argument, so
 * that an attempt costs a few objects and no closures.
 */
type Attempt = {
  readonly request: Dispatcher.DispatchOptions & { readonly origin: string };
  readonly timeoutMs: number;
  readonly connections: Connections;
  readonly running: Deadlines<Attempt>;
  readonly resolve: (outcome: Outcome | Stopped) => void;
  readonly startedAt: number;
  connection: Connection;
  exchange: Exchange | undefined;
  tries: 1 | 2;
};

function run(
  { origin, path }: Target,
  { headers, body, timeoutMs }: AttemptRequest,
  connections: Connections,
  running: Deadlines<Attempt>,
): Promise<Outcome | Stopped> {
  const { promise, resolve } = Promise.withResolvers<Outcome | Stopped>();
  const attempt: Attempt = {
    request: { origin, path, method: "POST", headers, body },
    timeoutMs,
    connections,
    running,
    resolve,
    startedAt: performance.now(),
    connection: connections.take(origin, false),
    exchange: undefined,
    tries: 1,
  };
  running.add(attempt, timeoutMs);
  send(attempt);
  return promise;
}

function send(attempt: Attempt): void {
  attempt.exchange = newExchange(attempt);
  attempt.connection.dispatcher.dispatch(attempt.request, attempt.exchange);
}

function ended(attempt: Attempt, exchange: Exchange, failure: Failure | undefined): void {
  const broke = failure?.class === "reset" && !exchange.answered;
  if (broke && attempt.tries === 1) sendAgain(attempt);
  else settle(attempt, outcomeOf(attempt, failure), failure === undefined);
}

/** Mostly a kept connection that the receiver closed just when it was used again. */
function sendAgain(attempt: Attempt): void {
  const { connections, request } = attempt;
  connections.giveBack(attempt.connection, false);
  attempt.connection = connections.take(request.origin, true);
  attempt.tries = 2;
  send(attempt);
}

function expire(attempt: Attempt): void {
  cut(attempt);
  const failure = timeoutFailure(attempt.exchange?.phase ?? "connecting", attempt.timeoutMs);
  settle(attempt, outcomeOf(attempt, failure), false);
}

function abandon(attempt: Attempt): void {
  cut(attempt);
  settle(attempt, stoppedFirst, false);
}

function cut({ exchange }: Attempt): void {
  if (exchange === undefined) return;
  exchange.over = true;
  exchange.controller?.abort(cutShort);
}

function settle(attempt: Attempt, outcome: Outcome | Stopped, healthy: boolean): void {
  const { connections, running } = attempt;
  running.remove(attempt, attempt.timeoutMs);
  connections.giveBack(attempt.connection, healthy);
  attempt.resolve(outcome);
}

function outcomeOf({ exchange, startedAt, tries }: Attempt, failure: Failure | undefined): Outcome {
  const response = exchange && responseOf(exchange);
  const latencyMs = performance.now() - startedAt;
  const headMs = exchange?.head && exchange.head.at - startedAt;
  if (failure !== undefined) {
    return { kind: "failed", ...failure, response, latencyMs, headMs, tries };
  }
  if (response === undefined) throw new Error("a response without a head");
  return { kind: "response", response, latencyMs, headMs, tries };
}

/** One request on one connection, as far as it has come; undici tells it what happens. */
type Exchange = Dispatcher.DispatchHandler & {
  readonly attempt: Attempt;
  phase: Phase;
  /** Some of a response has arrived, if only its first byte. */
  answered: boolean;
  head: { status: number; headers: AttemptResponse["headers"]; at: number } | undefined;
  bodyKept: Buffer[] | undefined;
  bodyBytes: number;
  /** Known once the request is on its way. */
  controller: Dispatcher.DispatchController | undefined;
  over: boolean;
  onResponseStarted(this: Exchange): void;
};

function newExchange(attempt: Attempt): Exchange {
  return {
    attempt,
    phase: "connecting",
    answered: false,
    head: undefined,
    bodyKept: undefined,
    bodyBytes: 0,
    controller: undefined,
    over: false,
    onRequestStart,
    onResponseStarted,
    onResponseStart,
    onResponseData,
    onResponseEnd,
    onResponseError,
  };
}

function onRequestStart(this: Exchange, controller: Dispatcher.DispatchController): void {
  // A request that was cut while it waited for its connection is never written.
  if (this.over) return controller.abort(cutShort);
  this.controller = controller;
  this.phase = "waiting";
}

/** Not part of the newer handler interface, but the only sign of half a response head. */
function onResponseStarted(this: Exchange): void {
  this.answered = true;
}

function onResponseStart(
  this: Exchange,
  _controller: Dispatcher.DispatchController,
  status: number,
  headers: AttemptResponse["headers"],
): void {
  if (status < 200) return;
  this.phase = "reading";
  this.head = { status, headers, at: performance.now() };
}

function onResponseData(
  this: Exchange,
  _controller: Dispatcher.DispatchController,
  chunk: Buffer,
): void {
  keep(this, chunk);
  if (this.bodyBytes > bodyMaxBytes) end(this, bodyTooLong);
}

function onResponseEnd(this: Exchange): void {
  end(this, undefined);
}

function onResponseError(
  this: Exchange,
  _controller: Dispatcher.DispatchController,
  error: Error,
): void {
  end(this, describe(error, this.phase));
}

/** Tells the attempt once, unless the exchange is cut before. */
function end(exchange: Exchange, failure: Failure | undefined): void {
  if (exchange.over) return;
  exchange.over = true;
  if (failure !== undefined) exchange.controller?.abort(cutShort);
  ended(exchange.attempt, exchange, failure);
}

const cutShort = new Error("cut short");

const bodyTooLong: Failure = {
  class: "http",
  message: `response body longer than ${bodyMaxBytes / 1_024 / 1_024} MiB`,
};

function keep(exchange: Exchange, chunk: Buffer): void {
  const room = bodyKeptBytes - exchange.bodyBytes;
  if (room > 0) (exchange.bodyKept ??= []).push(chunk.subarray(0, room));
  exchange.bodyBytes += chunk.length;
}

function responseOf({ head, bodyKept = [], bodyBytes }: Exchange): AttemptResponse | undefined {
  if (head === undefined) return undefined;
  const [first = noBody, ...more] = bodyKept;
  return {
    status: head.status,
    headers: head.headers,
    body: more.length === 0 ? first : Buffer.concat(bodyKept),
    truncated: bodyBytes > bodyKeptBytes,
  };
}

const noBody = Buffer.alloc(0);

function describe(error: unknown, phase: Phase): Failure {
  return error instanceof errors.ConnectTimeoutError
    ? timeoutFailure("connecting", connectTimeoutMs)
    : failureOf(error, phase);
}
