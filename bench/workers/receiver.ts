/**
 * The fast receiver: answers every push at once, counts, and takes the time of those that say when
 * they were sent. It also stands in for the gateway when the other workers' own capacity is
 * measured: any POST is an append that succeeded, and there is a page and an endless stream.
 */
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { nowMs } from "../clock.ts";
import { dataText, sentTimes } from "../payload.ts";
import { listenRaw, type RawRequest } from "./raw-http.ts";
import { serve } from "./serve.ts";

export type ReceiverOperations = typeof operations;

/** How often the counts are looked at. */
const lookMs = 5;

/** Beyond it nothing will come. */
const firstPatienceMs = 15_000;

const envelope = `{"specversion":"1.0","id":"evt_2026-11-23_${"0".repeat(40)}",${dataText().slice(1)}`;
const pageBody = `{"events":[${Array(1_000).fill(envelope).join(",")}],"cursor":"same"}`;
const pageAnswer = Buffer.from(
  `HTTP/1.1 200 OK\r\ntidegate-cursor: same\r\ncontent-length: ${pageBody.length}\r\n\r\n${pageBody}`,
);
const streamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
const streamBlocks = Buffer.from(`data: ${envelope}\nid: ${"c".repeat(64)}\n\n`.repeat(100));
const done = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");

let count = 0;
let firstAt: number | undefined;
let lastAt = 0;
let latencies: number[] = [];
let last: RawRequest | undefined;
const further: string[] = [];

const { url } = await listenRaw(answer);
const operations = { where, origins, start, until, counted, sample, quiet };
serve(operations);

function answer(request: RawRequest, socket: Socket): void {
  if (request.head.startsWith("GET /events/stream")) return flood(socket);
  if (request.head.startsWith("GET /events?")) return void socket.write(pageAnswer);
  socket.write(done);
  lastAt = nowMs();
  firstAt ??= lastAt;
  count += 1;
  last = request;
  if (request.body.includes('"sent":')) {
    for (const sentAt of sentTimes(request.body.toString())) latencies.push(lastAt - sentAt);
  }
}

/** As fast as it is taken, until the other side has enough. */
function flood(socket: Socket): void {
  socket.write(streamHead);
  const fill = () => {
    while (socket.writable && socket.write(streamBlocks));
  };
  socket.on("drain", fill);
  fill();
}

async function where(): Promise<string> {
  return url;
}

/** This many addresses of the loopback interface to receive on, each an origin of its own. */
async function origins({ count: wanted }: { count: number }): Promise<string[]> {
  for (let n = further.length; n < wanted; n += 1) {
    const host = `127.1.${Math.floor(n / 250)}.${1 + (n % 250)}`;
    further.push((await listenRaw(answer, 0, host)).url);
  }
  return further.slice(0, wanted);
}

/** Forgets all that came so far. */
async function start(): Promise<void> {
  [count, firstAt, latencies] = [0, undefined, []];
}

/** Waits for so many requests since `start`, or for so long after the first of them. */
async function until(wanted: { count: number; seconds: number }) {
  const patience = nowMs() + firstPatienceMs;
  const isOver = () =>
    count >= wanted.count ||
    (firstAt === undefined ? nowMs() > patience : nowMs() >= firstAt + wanted.seconds * 1_000);
  while (!isOver()) await delay(lookMs);
  if (firstAt === undefined) throw new Error(`nothing was received in ${firstPatienceMs} ms`);
  return { count, firstAt, latencies: Float64Array.from(latencies) };
}

/** How many came since `start`. */
async function counted(): Promise<number> {
  return count;
}

/** The last request, as it can be sent again. */
async function sample(): Promise<{ headers: Record<string, string>; body: Uint8Array }> {
  if (last === undefined) throw new Error("nothing was received");
  const headers: Record<string, string> = {};
  for (const line of last.head.trimEnd().split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    // The client's own.
    if (name === "host" || name === "connection" || name === "content-length") continue;
    headers[name] = line.slice(colon + 1).trim();
  }
  return { headers, body: last.body };
}

/** Waits until nothing has come for a while. */
async function quiet({ ms }: { ms: number }): Promise<void> {
  const from = nowMs();
  while (nowMs() - Math.max(lastAt, from) < ms) await delay(lookMs);
}
