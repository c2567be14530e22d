/**
 * A webhook receiver: a real HTTP server on a free loopback port that records what it is sent and
 * answers as the test tells it, also in the ways in which receivers go wrong.
 */

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

import { waitUntil } from "./wait.ts";

export type Received = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** When the whole request had arrived, milliseconds since 1970. */
  readonly at: number;
  /** Which connection brought it, counted from 1. */
  readonly connection: number;
};

export type Behaviour =
  | {
      readonly kind: "answer";
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string | string[]>>;
      readonly body?: string | Buffer;
      readonly afterMs?: number;
    }
  /** Takes the request and never answers. */
  | { readonly kind: "hang" }
  /** The head at once, then one byte of the body at a time. */
  | { readonly kind: "drip"; readonly everyMs: number; readonly status?: number }
  /** The head at once, then a body as fast as it is taken, for ever. */
  | { readonly kind: "endless"; readonly status?: number }
  /** The head and half of the body that it announces, then nothing. */
  | { readonly kind: "half" }
  /** A TCP reset in place of a head, or in the middle of the body. */
  | { readonly kind: "reset"; readonly when: "before-head" | "in-body" }
  /** These bytes as they are; the connection stays open unless told otherwise. */
  | { readonly kind: "raw"; readonly bytes: string; readonly close?: boolean };

export type Behave = (request: Received) => Behaviour | Promise<Behaviour>;

export type Receiver = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  /** All requests so far, in the order in which they were complete. */
  readonly requests: readonly Received[];
  /** Connections accepted so far, and those open now. */
  readonly connections: { readonly accepted: number; readonly open: number };
  /** Answers differently from the next request on. */
  behave(behaviour: Behaviour | Behave): void;
  /** Waits until this many requests have come. */
  received(count: number, deadlineMs?: number): Promise<readonly Received[]>;
  /** Closes the connections that are open, as a server does that restarts. */
  disconnect(): void;
  /** Resets them, as a host does that has forgotten them. */
  reset(): void;
  stop(): Promise<void>;
};

export async function startReceiver(
  behaviour: Behaviour | Behave = { kind: "answer" },
  {
    tls,
    host = "127.0.0.1",
    port: wantedPort = 0,
    keepBodies = true,
  }: {
    tls?: Pick<ServerOptions, "key" | "cert">;
    host?: string;
    /** A free one unless given: for a receiver that comes back, or stands beside another. */
    port?: number;
    /** Without them a receiver of large bodies takes little memory; `behave` still sees them. */
    keepBodies?: boolean;
  } = {},
): Promise<Receiver> {
  let behave = asFunction(behaviour);
  let accepted = 0;
  const requests: Received[] = [];
  const numbers = new Map<Socket, number>();
  const sockets = new Set<Socket>();

  const server = tls === undefined ? createServer() : createTlsServer(tls);
  server.on("connection", (socket: Socket) => {
    accepted += 1;
    sockets.add(socket.on("close", () => sockets.delete(socket)));
  });
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    numbers.set(socket, accepted);
    socket.on("error", ignore).on("close", () => numbers.delete(socket));
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response).catch(ignore); // The other side went away: what the test is about.
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(wantedPort, host, resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `${tls === undefined ? "http" : "https"}://${host}:${port}/hook`,
    port,
    requests,
    connections: {
      get accepted() {
        return accepted;
      },
      get open() {
        return sockets.size;
      },
    },
    behave(next) {
      behave = asFunction(next);
    },
    received: (count, deadlineMs = 5_000) =>
      waitUntil(() => requests.length >= count && requests, {
        deadlineMs,
        what: `receiving ${count} requests`,
      }),
    ...{ disconnect, reset, stop },
    [Symbol.asyncDispose]: stop,
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const received: Received = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: await buffer(request),
      at: Date.now(),
      connection: numbers.get(socket) ?? 0,
    };
    requests.push(keepBodies ? received : { ...received, body: Buffer.alloc(0) });
    await answer(response, socket, await behave(received));
  }

  function disconnect(): void {
    for (const socket of sockets) socket.destroy();
  }

  function reset(): void {
    for (const socket of sockets) socket.resetAndDestroy();
  }

  async function stop(): Promise<void> {
    disconnect();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** What goes wrong is written to the socket itself: the server's own response refuses to. */
async function answer(
  response: ServerResponse,
  socket: Socket,
  behaviour: Behaviour,
): Promise<void> {
  switch (behaviour.kind) {
    case "answer": {
      const { status = 200, headers = {}, body = "ok", afterMs = 0 } = behaviour;
      if (afterMs > 0) await delay(afterMs);
      response.writeHead(status, headers).end(body);
      return;
    }
    case "hang":
      return;
    case "drip":
      socket.write(head(behaviour.status ?? 200, { "content-length": "1000000" }));
      while (!socket.destroyed) {
        socket.write(".");
        await delay(behaviour.everyMs);
      }
      return;
    case "endless":
      socket.write(head(behaviour.status ?? 200, { "transfer-encoding": "chunked" }));
      return flood(socket);
    case "half":
      socket.write(`${head(200, { "content-length": "10" })}01234`);
      return;
    case "reset":
      if (behaviour.when === "in-body") {
        socket.write(`${head(200, { "content-length": "10" })}01234`);
        await delay(20); // The head has to be read before the reset overtakes it.
      }
      resetTcp(socket);
      return;
    case "raw":
      socket.write(behaviour.bytes);
      if (behaviour.close === true) socket.end();
  }
}

function head(status: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Status\r\n${lines.join("")}\r\n`;
}

async function flood(socket: Socket): Promise<void> {
  const chunk = Buffer.concat([Buffer.from("4000\r\n"), Buffer.alloc(0x4000, "x"), crlf]);
  while (!socket.destroyed) {
    if (!socket.write(chunk)) {
      await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
    }
  }
}

const crlf = Buffer.from("\r\n");

function resetTcp(socket: Socket): void {
  // Under TLS the record layer stands between; closing hard is as near as it gets.
  if ("encrypted" in socket) socket.destroy();
  else socket.resetAndDestroy();
}

function asFunction(behaviour: Behaviour | Behave): Behave {
  return typeof behaviour === "function" ? behaviour : () => behaviour;
}

function ignore(): void {
  // Sockets that break are part of the tests.
}
