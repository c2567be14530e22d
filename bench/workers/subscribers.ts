/**
 * Readers of live streams, very many of them: the gateway's or those of the bare server. An event's
 * time is taken when its block is complete.
 */
import { nowMs } from "../clock.ts";
import { createArrivals } from "./arrivals.ts";
import { serve } from "./serve.ts";
import { openSockets, type Sockets } from "./sockets.ts";

export type SubscriberOperations = typeof operations;

type Site = { readonly url: string; readonly key: string; readonly tenant: string };

/** A chunk of whole blocks ends so, and neither server sends others behind the first. */
const wholeEnd = Buffer.from("\n\n\r\n");

/** All streams open in this time, or something is wrong. */
const openPatienceMs = 60_000;

type Reader = { isOpen: boolean; rest: Buffer | undefined };

const arrivals = createArrivals();
let live: Sockets | undefined;
let readers: Reader[] = [];
let answered = 0;
let frame = "";

const { collect, count } = arrivals;
const operations = { open, collect, count, sample, close };
serve(operations);

/** Opens so many live streams, and resolves when each has been answered. */
async function open(input: Site & { count: number }): Promise<{ seconds: number }> {
  const { url, key, tenant, count } = input;
  const startedAt = nowMs();
  answered = 0;
  arrivals.begin(count);
  readers = Array.from({ length: count }, () => ({ isOpen: false, rest: undefined }));
  const request =
    `GET /events/stream?tenant=${tenant}&from=latest HTTP/1.1\r\nhost: ${new URL(url).host}\r\n` +
    `authorization: Bearer ${key}\r\naccept: text/event-stream\r\n\r\n`;
  const onOpen = (socket: { write(text: string): void }) => socket.write(request);
  live = await openSockets({ url, count, onOpen, onBytes: take, onEnd: arrivals.fail });
  const isAll = () => answered >= count;
  await arrivals.until(isAll, openPatienceMs, () => `${answered} of ${count} were answered`);
  return { seconds: (nowMs() - startedAt) / 1_000 };
}

function take(index: number, bytes: Buffer): void {
  const reader = readers[index];
  if (reader === undefined) return;
  const all = reader.rest === undefined ? bytes : Buffer.concat([reader.rest, bytes]);
  if (!all.subarray(-wholeEnd.length).equals(wholeEnd)) {
    reader.rest = Buffer.from(all);
    return;
  }
  reader.rest = undefined;
  if (!reader.isOpen) begin(reader, all);
  if (arrivals.take(index, all) !== 1) return;
  // Without what the chunk adds.
  frame = all.toString("latin1", all.indexOf("data: "), all.length - 2);
}

function begin(reader: Reader, bytes: Buffer): void {
  reader.isOpen = true;
  answered += 1;
  if (bytes.toString("latin1", 0, 12) === "HTTP/1.1 200") return;
  arrivals.fail(new Error(`a stream was refused: ${bytes.toString("latin1", 0, 500)}`));
}

/** The newest event's block, as it was sent. */
async function sample(): Promise<string> {
  return frame;
}

async function close(): Promise<void> {
  live?.close();
  live = undefined;
}
