/**
 * Listens, and keeps a hostile or broken client from holding what others need: heads must arrive
 * in time and stay small, malformed HTTP is answered and cut. Bodies are judged where they are
 * read, so there is no time limit for a whole request.
 */
import { createServer, STATUS_CODES } from "node:http";
import type { Server, ServerOptions, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener, RequestError, type HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import { Problem, problemBody } from "../problem.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Direct } from "./direct.ts";
import { problemMediaType } from "./reply.ts";

/** Node's own default is a minute, which is long for a connection that says nothing. */
const defaultHeadersTimeoutMs = 10_000;

/** Longer than the 60 s after which common load balancers drop idle connections themselves. */
const keepAliveTimeoutMs = 75_000;

/** A key, a cursor and tracing headers together have less than 2 KiB. */
const headersLimitBytes = 16 * 1024;

/** More than any client of ours sends; Node leaves out those above it. */
export const headersLimit = 100;

/** How often connections that have become idle are closed while the server stops. */
const idleSweepMs = 50;

export type ListenOptions = {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Logger;
  readonly headersTimeoutMs?: number;
  /** What `mountRoutes` gives. */
  readonly direct?: Direct | undefined;
};

export type Listening = {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** Refuses new connections, lets running requests end within the grace, then cuts them. */
  stop(graceMs: number): Promise<void>;
};

export async function listen(
  app: Hono<{ Bindings: HttpBindings }>,
  options: ListenOptions,
): Promise<Listening> {
  const answer = getRequestListener(app.fetch, {
    errorHandler: (error) => unroutable(error, options.log),
  });
  const { direct = () => false } = options;
  const server = createServer(serverOptions(options), (incoming, outgoing) => {
    if (direct(incoming, outgoing)) return;
    void answer(incoming, outgoing); // answers its own errors too
  });
  server.maxHeadersCount = headersLimit;
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.once("close", () => sockets.delete(socket)));
  });
  server.on("clientError", answerClientError);
  // The body is asked for when it is read, so a refused request never sends it.
  server.on("checkContinue", (incoming, outgoing) => server.emit("request", incoming, outgoing));
  server.on("checkExpectation", (_, outgoing) => {
    const problem = new Problem("expectation-failed");
    outgoing.writeHead(problem.status, { "content-type": problemMediaType });
    outgoing.end(problemText(problem));
  });
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(options.port, options.host, resolve);
  await listening;
  server.off("error", reject);

  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  const url = `http://${host}:${port}`;
  return { url, port, server, stop: (graceMs) => stop(server, sockets, graceMs) };
}

function serverOptions({
  headersTimeoutMs = defaultHeadersTimeoutMs,
}: ListenOptions): ServerOptions {
  return {
    headersTimeout: headersTimeoutMs,
    // Node looks for late heads at this interval, by default only every 30 s.
    connectionsCheckingInterval: headersTimeoutMs / 5,
    requestTimeout: 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: headersLimitBytes,
    // Refused all the same, but below, with a problem for an answer.
    requireHostHeader: false,
  };
}

/** What never became a request for the routes: no host, a target that is no URL. */
function unroutable(error: unknown, log: Logger): Response {
  const isTheirs = error instanceof RequestError;
  if (!isTheirs) log.error({ err: error }, "request failed before its route");
  const problem = isTheirs
    ? new Problem("malformed-request", error.message)
    : new Problem("internal-error", "internal error");
  return new Response(problemText(problem), {
    status: problem.status,
    headers: { "content-type": problemMediaType },
  });
}

type ParserError = Error & { code?: string };

/** Connections whose parser has failed, and says so of all that still comes. */
const broken = new WeakSet<Socket>();

/**
 * Answers bytes that are not HTTP, unless the connection is in the middle of another answer. Behind
 * a whole request they are no fault of that one's, which may have been done: it is answered first,
 * and they in their turn.
 */
function answerClientError(error: ParserError, socket: Socket): void {
  // Node's own handler looks here too; there is no public way to see a response under way.
  const { _httpMessage: current } = socket as { _httpMessage?: ServerResponse | null };
  const isHalfSent = current?.headersSent === true && !current.writableEnded;
  if (!socket.writable || error.code === "ECONNRESET" || isHalfSent) {
    socket.destroy();
    return;
  }
  if (current?.req.complete === true) {
    if (!broken.has(socket)) current.once("close", afterAnswer);
    broken.add(socket);
    return;
  }
  const problem = problemOfParser(error.code);
  const body = problemText(problem);
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `content-type: ${problemMediaType}`,
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );

  function afterAnswer(): void {
    broken.delete(socket);
    // A request that asked for the connection's end has it without a word about the rest.
    if (socket.writable) answerClientError(error, socket);
  }
}

function problemText(problem: Problem): string {
  return JSON.stringify(problemBody(problem));
}

function problemOfParser(code: string | undefined): Problem {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Problem("request-timeout");
    case "HPE_HEADER_OVERFLOW":
      return new Problem("headers-too-large");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new Problem("payload-too-large");
    default:
      return new Problem("malformed-request");
  }
}

async function stop(server: Server, sockets: Set<Socket>, graceMs: number): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  // A connection whose request has ended would be kept for the next one.
  server.prependListener("request", (_, outgoing: ServerResponse) => {
    outgoing.shouldKeepAlive = false;
  });
  const sweep = setInterval(() => {
    server.closeIdleConnections();
    // To Node a connection is not idle before its first request, and clients open them in advance.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  }, idleSweepMs);
  const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
