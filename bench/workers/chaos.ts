/**
 * A network that loses and repeats what it carries: an HTTP proxy before a receiver. Of a part of the
 * requests it loses either the request or the answer, of another it delivers the request twice. Its
 * port can be closed for a while, as that of a receiver that is down.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Pool } from "undici";
import { createChance, type Chance } from "../trials/chance.ts";
import { serve } from "./serve.ts";

export type ChaosOperations = typeof operations;

export type Shares = {
  /** Of requests that are lost, half of them on the way back. */
  readonly lost: number;
  readonly doubled: number;
};

export type ChaosCounts = {
  readonly came: number;
  readonly lostBefore: number;
  readonly lostAfter: number;
  readonly doubled: number;
  /** The receiver was not there. */
  readonly refused: number;
  /** Answers of 2xx that were passed on. */
  readonly succeeded: number;
};

/** Far above what the gateway waits for. */
const forwardTimeoutMs = 30_000;

const hopByHop = new Set(["connection", "keep-alive", "transfer-encoding", "host"]);

const counts = { came: 0, lostBefore: 0, lostAfter: 0, doubled: 0, refused: 0, succeeded: 0 };
let listening: { server: Server; port: number } | undefined;
let target: Pool;
let chance: Chance;
let shares: Shares;
const operations = { open, close, reopen, tell };
serve(operations);

/** Where it listens. */
async function open(given: { url: string; seed: number; shares: Shares }): Promise<string> {
  target = new Pool(given.url, {
    ...{ connections: 128, pipelining: 1 },
    ...{ headersTimeout: forwardTimeoutMs, bodyTimeout: forwardTimeoutMs },
  });
  chance = createChance(given.seed);
  ({ shares } = given);
  const port = await listen(0);
  return `http://127.0.0.1:${port}/hook`;
}

async function close(): Promise<void> {
  const { server } = listening ?? {};
  if (server?.listening !== true) return;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

async function reopen(): Promise<void> {
  await listen(listening?.port ?? 0);
}

async function tell(): Promise<ChaosCounts> {
  return counts;
}

async function listen(wanted: number): Promise<number> {
  const server = createServer((request, response) => {
    // Whoever is gone learns nothing.
    carry(request, response).catch(() => request.socket.destroy());
  }).listen(wanted, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  listening = { server, port };
  return port;
}

async function carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
  counts.came += 1;
  const body = await buffer(request);
  const isLost = chance.happens(shares.lost);
  const isLostAfter = isLost && chance.happens(0.5);
  const isDoubled = chance.happens(shares.doubled);
  if (isLost && !isLostAfter) {
    counts.lostBefore += 1;
    request.socket.destroy();
    return;
  }
  const answers = [forward(request, body)];
  if (isDoubled) {
    counts.doubled += 1;
    answers.push(forward(request, body));
  }
  const [first] = await Promise.all(answers);
  if (isLostAfter) counts.lostAfter += 1;
  if (first === undefined) counts.refused += 1;
  if (isLostAfter || first === undefined) {
    request.socket.destroy();
    return;
  }
  if (first.status < 300) counts.succeeded += 1;
  response.writeHead(first.status, first.headers).end(first.text);
}

async function forward(request: IncomingMessage, body: Buffer) {
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !hopByHop.has(name)),
  );
  try {
    const answer = await target.request({ method: "POST", path: "/hook", headers, body });
    const text = await answer.body.text();
    const retryAfter = answer.headers["retry-after"];
    return {
      ...{ status: answer.statusCode, text },
      headers: typeof retryAfter === "string" ? { "retry-after": retryAfter } : {},
    };
  } catch {
    return undefined;
  }
}
