/** A reader that catches up; subscribers.ts has those that are live. */
import { nowMs } from "../clock.ts";
import { createConnection } from "./connection.ts";
import { serve } from "./serve.ts";

export type StreamOperations = typeof operations;

type Site = { readonly url: string; readonly key: string; readonly tenant: string };

const idField = "\nid: ";

const operations = { catchUp };
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
    .send(streamRequest(input), (chunk) => {
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

function streamRequest({ key, tenant }: Site) {
  const path = `/events/stream?tenant=${tenant}&from=earliest`;
  return { method: "GET", path, headers: { authorization: `Bearer ${key}` } } as const;
}
