/** Generates the load on the gateway: appends and pages, by plain HTTP. */
import { setTimeout as delay } from "node:timers/promises";
import { nowMs } from "../clock.ts";
import { appendBody } from "../payload.ts";
import { createConnection, type Connection, type Request } from "./connection.ts";
import { serve } from "./serve.ts";

export type LoadOperations = typeof operations;

/** Where to, and as whom. */
type Site = { readonly url: string; readonly key: string; readonly tenant: string };

/** As many as a request may have, and one request more than is being committed. */
const fillBatch = 1_000;
const fillConnections = 2;

const operations = { appends, fill, paced, walk, pages };
serve(operations);

/** Closed loop: each connection sends its next request when the last one is answered. */
async function appends(
  input: Site & { connections: number; batch: number; seconds: number },
): Promise<{ rate: number; events: number; latencies: Float64Array }> {
  const { connections, batch, seconds } = input;
  const request = appendRequest(input, appendBody(input.tenant, batch));
  const latencies: number[] = [];
  let events = 0;
  await withConnections(input.url, connections, async (lanes) => {
    const endAt = nowMs() + seconds * 1_000;
    await Promise.all(lanes.map((lane) => sendUntil(lane, endAt)));
  });
  return { rate: events / seconds, events, latencies: Float64Array.from(latencies) };

  async function sendUntil(lane: Connection, endAt: number): Promise<void> {
    for (let sentAt = nowMs(); sentAt < endAt;) {
      await lane.send(request);
      const answeredAt = nowMs();
      if (answeredAt <= endAt) {
        events += batch;
        latencies.push(answeredAt - sentAt);
      }
      sentAt = answeredAt;
    }
  }
}

/** Makes a log hold this many events more, in batches as large as they may be. */
async function fill(input: Site & { events: number }): Promise<void> {
  let left = input.events;
  await withConnections(input.url, fillConnections, async (lanes) => {
    await Promise.all(lanes.map(fillOn));
  });

  async function fillOn(lane: Connection): Promise<void> {
    while (left > 0) {
      const batch = Math.min(fillBatch, left);
      left -= batch;
      await lane.send(appendRequest(input, appendBody(input.tenant, batch)));
    }
  }
}

/**
 * Open loop: each event has its moment, and is sent then, or later when no connection is free;
 * it says itself when it was meant to go. `late` tells how late they went, in milliseconds.
 */
async function paced(
  input: Site & { connections: number; perSecond: number; seconds: number },
): Promise<{ sent: number; late: Float64Array }> {
  const { connections, perSecond, seconds } = input;
  const total = Math.max(1, Math.round(perSecond * seconds));
  const late = new Float64Array(total);
  await withConnections(input.url, connections, async (lanes) => {
    const free = [...lanes];
    const waiting: (() => void)[] = [];
    const startAt = nowMs();
    const sending: Promise<void>[] = [];
    for (let index = 0; index < total; index += 1) {
      const dueAt = startAt + (index * 1_000) / perSecond;
      while (nowMs() < dueAt) await delay(Math.max(1, Math.floor(dueAt - nowMs())));
      sending.push(sendOne(index, dueAt));
    }
    await Promise.all(sending);

    async function sendOne(index: number, dueAt: number): Promise<void> {
      while (free.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
      const lane = free.pop();
      if (lane === undefined) throw new Error("a connection was free and then was not");
      late[index] = nowMs() - dueAt;
      await lane.send(appendRequest(input, appendBody(input.tenant, 1, dueAt)));
      free.push(lane);
      waiting.shift()?.();
    }
  });
  return { sent: total, late };
}

/** Reads the whole log once; the cursors after which a full page follows, and the log's end. */
async function walk(input: Site & { pageEvents: number }): Promise<string[]> {
  const cursors: string[] = [];
  await withConnections(input.url, 1, async ([lane]) => {
    for (let target = "from=earliest", full = true; full && lane !== undefined;) {
      const chunks: Buffer[] = [];
      await lane.send(pageRequest(input, target), (chunk) => chunks.push(chunk));
      const page = JSON.parse(Buffer.concat(chunks).toString()) as {
        events: unknown[];
        cursor: string;
      };
      full = page.events.length === input.pageEvents;
      if (full) cursors.push(page.cursor);
      target = `cursor=${page.cursor}`;
    }
  });
  return cursors;
}

/** Closed loop: each reader walks from its own place through the log and begins again at its end. */
async function pages(
  input: Site & {
    cursors: readonly string[];
    readers: number;
    pageEvents: number;
    seconds: number;
  },
): Promise<{ rate: number; events: number }> {
  const { cursors, readers, pageEvents, seconds } = input;
  const full = cursors.length - 1;
  const requests = cursors.slice(0, full).map((cursor) => pageRequest(input, `cursor=${cursor}`));
  let events = 0;
  await withConnections(input.url, readers, async (lanes) => {
    const endAt = nowMs() + seconds * 1_000;
    await Promise.all(
      lanes.map((lane, reader) => readUntil(lane, Math.floor((reader * full) / readers), endAt)),
    );
  });
  return { rate: events / seconds, events };

  async function readUntil(lane: Connection, start: number, endAt: number): Promise<void> {
    for (let place = start; nowMs() < endAt; place = (place + 1) % full) {
      const request = requests[place];
      if (request === undefined) throw new Error("the log has no full page to read");
      const { headers } = await lane.send(request);
      if (headers["tidegate-cursor"] !== cursors[place + 1]) throw new Error("a page has changed");
      if (nowMs() <= endAt) events += pageEvents;
    }
  }
}

/** With connections that are open already: what is measured is requests. */
async function withConnections(
  url: string,
  count: number,
  use: (lanes: readonly Connection[]) => Promise<void>,
): Promise<void> {
  const lanes = Array.from({ length: count }, () => createConnection(url));
  try {
    const probe = { method: "GET", path: "/healthz", headers: {} } as const;
    await Promise.all(lanes.map((lane) => lane.send(probe)));
    await use(lanes);
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
  }
}

function appendRequest({ key }: Site, body: Buffer): Request {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  return { method: "POST", path: "/events", headers, body };
}

function pageRequest(
  { key, tenant, pageEvents }: Site & { pageEvents: number },
  start: string,
): Request {
  const path = `/events?tenant=${tenant}&limit=${pageEvents}&${start}`;
  return { method: "GET", path, headers: { authorization: `Bearer ${key}` } };
}
