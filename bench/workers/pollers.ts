/**
 * Readers that wait for events by long polls, very many of them: each asks again behind what it
 * was given. An event's time is taken when the whole page has come.
 */
import type { Socket } from "node:net";
import { createArrivals } from "./arrivals.ts";
import { createConnection } from "./connection.ts";
import { serve } from "./serve.ts";
import { openSockets, type Sockets } from "./sockets.ts";

export type PollerOperations = typeof operations;

type Site = { readonly url: string; readonly key: string; readonly tenant: string };

/** The longest that the gateway waits for. */
const waitSeconds = 60;

const headEnd = "\r\n\r\n";

const arrivals = createArrivals();
let live: Sockets | undefined;
/** What has come of an answer that is not all there, by reader. */
let rests: (Buffer | undefined)[] = [];
let page = "";

const { collect } = arrivals;
const operations = { open, collect, sample, close };
serve(operations);

/** Lets so many wait behind the end of the log. */
async function open(input: Site & { count: number }): Promise<void> {
  const { url, count } = input;
  arrivals.begin(count);
  rests = Array<undefined>(count).fill(undefined);
  const cursor = await latestCursor(input);
  live = await openSockets({
    ...{ url, count, onEnd: arrivals.fail },
    onOpen: (socket) => ask(input, socket, cursor),
    onBytes: (index, bytes, socket) => {
      const next = take(index, bytes);
      if (next !== undefined) ask(input, socket, next);
    },
  });
}

async function latestCursor({ url, key, tenant }: Site): Promise<string> {
  const connection = createConnection(url);
  const path = `/events?tenant=${tenant}&from=latest`;
  const headers = { authorization: `Bearer ${key}` };
  const answer = await connection.send({ method: "GET", path, headers });
  await connection.close();
  return String(answer.headers["tidegate-cursor"]);
}

function ask({ url, key, tenant }: Site, socket: Socket, cursor: string): void {
  socket.write(
    `GET /events?tenant=${tenant}&wait=${waitSeconds}&cursor=${cursor} HTTP/1.1\r\n` +
      `host: ${new URL(url).host}\r\nauthorization: Bearer ${key}\r\n\r\n`,
  );
}

/** The cursor to go on from, when all of an answer is there. */
function take(index: number, bytes: Buffer): string | undefined {
  const rest = rests[index];
  const all = rest === undefined ? bytes : Buffer.concat([rest, bytes]);
  const bodyAt = all.indexOf(headEnd) + headEnd.length;
  const head = all.toString("latin1", 0, bodyAt);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined || all.length < bodyAt + Number(length)) {
    rests[index] = Buffer.from(all);
    return undefined;
  }
  rests[index] = undefined;
  const cursor = /\r\ntidegate-cursor: *(\S+)/i.exec(head)?.[1];
  if (!head.startsWith("HTTP/1.1 200") || cursor === undefined) {
    arrivals.fail(new Error(`a poll was refused: ${all.toString("latin1", 0, 500)}`));
    return undefined;
  }
  if (arrivals.take(index, all) === 1) page = all.toString("latin1", bodyAt);
  return cursor;
}

/** The newest page of one event, as it was sent. */
async function sample(): Promise<string> {
  return page;
}

async function close(): Promise<void> {
  live?.close();
  live = undefined;
}
