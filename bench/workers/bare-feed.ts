/**
 * What the gateway is compared with where many read the same: a bare `node:http` server that takes
 * an append for stored when it has come, and gives it to all that listen, as live streams or by
 * long polls. It sends the bytes that the gateway sent, with the new event's time in them; it
 * checks nobody, keeps nothing on a disk and has no other tenant.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { sentTimes } from "../payload.ts";
import { serve } from "./serve.ts";

export type BareFeedOperations = typeof operations;

/** By its number an event is found again by whoever was not waiting when it came. */
type Event = { readonly sent: string };

let sample = "";
let events: Event[] = [];
const streams = new Set<ServerResponse>();
const waiting = new Map<ServerResponse, number>();

const operations = { open, flood };
serve(operations);

/** Where it listens. From now on it sends what it is told to, and no events of before. */
async function open(given: { sample: string }): Promise<string> {
  ({ sample } = given);
  events = [];
  return await listening;
}

/**
 * Gives the same event to all live streams again and again, each as fast as it takes it; written to
 * the sockets, since the readers are meant to be the limit.
 */
async function flood({ seconds }: { seconds: number }): Promise<void> {
  const length = Buffer.byteLength(sample).toString(16);
  const chunk = Buffer.from(`${length}\r\n${sample}\r\n`);
  const sockets = [...streams].flatMap(({ socket }) => socket ?? []);
  const endAt = performance.now() + seconds * 1_000;
  while (performance.now() < endAt) {
    for (const socket of sockets) if (!socket.writableNeedDrain) socket.write(chunk);
    await nextTurn();
  }
}

const listening = listen();

async function listen(): Promise<string> {
  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    // Whoever is gone learns nothing.
    answer(request, response).catch(() => request.socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://bare");
  if (request.method === "POST") return append(await text(request), response);
  if (url.pathname === "/events/stream") return stream(response);
  if (url.pathname !== "/events") return void response.end("{}");
  const after = Number(url.searchParams.get("cursor") ?? events.length);
  if (after < events.length || !url.searchParams.has("wait")) return givePage(response, after);
  waiting.set(response, after);
  response.on("close", () => waiting.delete(response));
}

function append(body: string, response: ServerResponse): void {
  const event = { sent: `"sent":${sentTimes(body)[0]}` };
  events.push(event);
  if (streams.size > 0) {
    const block = Buffer.from(withSent(event));
    for (const each of streams) each.write(block);
  }
  const polls = [...waiting];
  waiting.clear();
  for (const [poll, after] of polls) givePage(poll, after);
  response.writeHead(201, { "content-type": "application/json" }).end("{}");
}

function stream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.write("retry: 2000\n");
  response.write(":\n\n");
  streams.add(response);
  response.on("close", () => streams.delete(response));
}

/** A page for each event would do for one; what came together goes together. */
function givePage(response: ServerResponse, after: number): void {
  const page = events.slice(after).map(withSent).join("");
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(page),
    "tidegate-cursor": String(events.length),
  });
  response.end(page);
}

function withSent({ sent }: Event): string {
  return sample.replace(/"sent":[\d.]+/, sent);
}
