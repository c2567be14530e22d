/** Generates the load on the gateway: appends and pages, by plain HTTP. */
import { setTimeout as delay } from "node:timers/promises";
import { nowMs } from "../clock.ts";
import { appendBody, dataText, spreadBody } from "../payload.ts";
import { createConnection, type Connection, type Request } from "./connection.ts";
import { sendLines } from "./lines.ts";
import { serve } from "./serve.ts";

export type LoadOperations = typeof operations;

/** Where to, and as whom. */
type Site = { readonly url: string; readonly key: string; readonly tenant: string };

/** What is appended: to several tenants in turn, where they are named, and how large. */
type Appended = { readonly tenants?: readonly string[]; readonly bytes?: number };

/** As many events and bytes as a request may have, and one request more than is being committed. */
const fillBatch = 1_000;
const fillBatchBytes = 8 << 20;
const fillConnections = 2;

const operations = { appends, lines, fill, paced, walk, pages, readEach };
serve(operations);

/** Closed loop: each connection sends its next request when the last one is answered. */
async function appends(
  input: Site & Appended & { connections: number; batch: number; seconds: number },
): Promise<{ rate: number; events: number; latencies: Float64Array }> {
  const { connections, batch, seconds } = input;
  const requests = appendRequests(input, batch);
  const latencies: number[] = [];
  let events = 0;
  let sent = 0;
  await withConnections(input.url, connections, async (lanes) => {
    const endAt = nowMs() + seconds * 1_000;
    await Promise.all(lanes.map((lane) => sendUntil(lane, endAt)));
  });
  return { rate: events / seconds, events, latencies: Float64Array.from(latencies) };

  async function sendUntil(lane: Connection, endAt: number): Promise<void> {
    for (let sentAt = nowMs(); sentAt < endAt;) {
      sent += 1;
      await lane.send(requests(sent));
      const answeredAt = nowMs();
      if (answeredAt <= endAt) {
        events += batch;
        latencies.push(answeredAt - sentAt);
      }
      sentAt = answeredAt;
    }
  }
}

/** Lines without end on each connection, as fast as they are taken. */
async function lines(
  input: Site & { connections: number; seconds: number },
): Promise<{ rate: number; events: number }> {
  const startedAt = nowMs();
  const counts = await Promise.all(
    Array.from({ length: input.connections }, () => sendLines(input)),
  );
  const events = counts.reduce((sum, count) => sum + count, 0);
  return { rate: events / ((nowMs() - startedAt) / 1_000), events };
}

/** Makes logs hold this many events more, in batches as large as they may be. */
async function fill(input: Site & Appended & { events: number }): Promise<void> {
  const { bytes = 0 } = input;
  const batch = Math.min(fillBatch, input.events, Math.ceil(fillBatchBytes / (bytes + 500)));
  const requests = appendRequests(input, batch);
  const count = Math.ceil(input.events / batch);
  let sent = 0;
  await withConnections(input.url, fillConnections, async (lanes) => {
    await Promise.all(lanes.map(fillOn));
  });

  async function fillOn(lane: Connection): Promise<void> {
    while (sent < count) {
      sent += 1;
      await lane.send(requests(sent));
    }
  }
}

/** The n-th request: its events belong to the next tenants of the list, round and round. */
function appendRequests(input: Site & Appended, batch: number): (n: number) => Request {
  const { tenants = [input.tenant] } = input;
  const data = dataText(undefined, input.bytes);
  const different = Math.max(1, Math.ceil(tenants.length / batch));
  const made = Array.from({ length: different }, (_, at) => {
    const own = Array.from(
      { length: batch },
      (_, index) => tenants[(at * batch + index) % tenants.length] ?? "",
    );
    return appendRequest(input, spreadBody(own, data));
  });
  return (n) => {
    const request = made[n % different];
    if (request === undefined) throw new Error("there is no tenant to append to");
    return request;
  };
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

/** Requests one after the other, each of which must end at its cursor; milliseconds of each. */
async function readEach(
  input: Site & { reads: readonly { limit: number; after: string; end: string }[] },
): Promise<Float64Array> {
  const took = new Float64Array(input.reads.length);
  await withConnections(input.url, 1, async ([lane]) => {
    for (const [index, { limit, after, end }] of input.reads.entries()) {
      const sentAt = nowMs();
      const request = pageRequest({ ...input, pageEvents: limit }, `cursor=${after}`);
      const answer = await lane?.send(request);
      if (answer?.headers["tidegate-cursor"] !== end) throw new Error("it was another page");
      took[index] = nowMs() - sentAt;
    }
  });
  return took;
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
