/** Readers of streams: one that catches up, and many that are live. */
import { setTimeout as delay } from "node:timers/promises";
import { nowMs } from "../clock.ts";
import { sentTimes } from "../payload.ts";
import { createConnection, type Connection } from "./connection.ts";
import { serve } from "./serve.ts";

export type StreamOperations = typeof operations;

type Site = { readonly url: string; readonly key: string; readonly tenant: string };

const idField = "\nid: ";
const blockEnd = "\n\n";

/** How often the counts are looked at. */
const lookMs = 5;

/** All streams open in this time, or something is wrong. */
const openPatienceMs = 20_000;

let live: Connection[] = [];
let broken: Error | undefined;
let latencies: number[] = [];

const operations = { catchUp, open, collect, close };
serve(operations);

/** Reads the log from its beginning, and again when it has come to the end (`events`). */
async function catchUp(
  input: Site & { events: number; seconds: number },
): Promise<{ rate: number; events: number }> {
  const endAt = nowMs() + input.seconds * 1_000;
  let seen = 0;
  while (nowMs() < endAt) seen += await readOnce(input, endAt);
  return { rate: seen / input.seconds, events: seen };
}

async function readOnce(input: Site & { events: number }, endAt: number): Promise<number> {
  const connection = createConnection(input.url, { endless: true });
  const { promise: enough, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.max(0, endAt - nowMs()));
  const counter = createCounter();
  let seen = 0;
  let over = false;
  connection
    .send(streamRequest(input, "earliest"), (chunk) => {
      if (over) return;
      seen += counter(chunk);
      if (seen >= input.events) resolve();
    })
    .then(() => reject(new Error(`the stream ended after ${seen} events`)), reject);
  try {
    await enough;
    return seen;
  } finally {
    over = true;
    clearTimeout(timer);
    await connection.close();
  }
}

/** Counts blocks with an id; a chunk may end in the middle of anything. */
function createCounter(): (chunk: Buffer) => number {
  let tail = "";
  return (chunk) => {
    let count = 0;
    // Only the seam between two chunks is looked at as text.
    if ((tail + chunk.toString("latin1", 0, idField.length - 1)).includes(idField)) count += 1;
    for (let at = chunk.indexOf(idField); at !== -1; at = chunk.indexOf(idField, at + 1))
      count += 1;
    tail = (tail + chunk.subarray(-idField.length).toString("latin1")).slice(1 - idField.length);
    return count;
  };
}

/** Opens this many live streams and waits until each has been answered. */
async function open(input: Site & { count: number }): Promise<void> {
  let opened = 0;
  broken = undefined;
  live = Array.from({ length: input.count }, () => createConnection(input.url, { endless: true }));
  for (const connection of live) {
    let text = "";
    let isOpen = false;
    connection
      .send(streamRequest(input, "latest"), (chunk) => {
        if (!isOpen) opened += 1;
        isOpen = true;
        text = takeTimes(text + chunk.toString());
      })
      .then(
        () => (broken ??= new Error("a stream ended by itself")),
        (error: unknown) => (broken ??= error instanceof Error ? error : new Error(String(error))),
      );
  }
  const patience = nowMs() + openPatienceMs;
  while (opened < input.count) {
    throwIfBroken();
    if (nowMs() > patience) throw new Error(`only ${opened} streams were answered`);
    await delay(lookMs);
  }
}

/** Takes the times of whole blocks and returns what is left. */
function takeTimes(text: string): string {
  const end = text.lastIndexOf(blockEnd);
  if (end === -1) return text;
  const at = nowMs();
  for (const sentAt of sentTimes(text.slice(0, end))) latencies.push(at - sentAt);
  return text.slice(end + blockEnd.length);
}

/** What all streams together received since this was last asked, once it is so many events. */
async function collect(input: { events: number; patienceMs: number }): Promise<Float64Array> {
  const patience = nowMs() + input.patienceMs;
  while (latencies.length < input.events) {
    throwIfBroken();
    if (nowMs() > patience) throw new Error(`${latencies.length} of ${input.events} came`);
    await delay(lookMs);
  }
  const taken = Float64Array.from(latencies);
  latencies = [];
  return taken;
}

async function close(): Promise<void> {
  await Promise.all(live.map((connection) => connection.close()));
  live = [];
}

function throwIfBroken(): void {
  if (broken !== undefined) throw broken;
}

function streamRequest({ key, tenant }: Site, from: "earliest" | "latest") {
  const path = `/events/stream?tenant=${tenant}&from=${from}`;
  return { method: "GET", path, headers: { authorization: `Bearer ${key}` } } as const;
}
