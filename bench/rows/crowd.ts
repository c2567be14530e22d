/** The processes that read very many live streams, and how events are given to them. */
import { readFile } from "node:fs/promises";
import { quantile } from "../measure.ts";
import { dataText } from "../payload.ts";
import type { Rig } from "../rig.ts";
import type { Worker } from "../worker.ts";
import type { BareFeedOperations } from "../workers/bare-feed.ts";
import type { SubscriberOperations } from "../workers/subscribers.ts";

/** Where events are appended, and where they are read: the same gateway, or two of them. */
type Site = { readonly url: string; readonly key: string; readonly tenant: string };
export type Sites = { readonly append: Site; readonly read: Site };

const connections = 8;

/** What is still on its way when the last append was answered. */
const patienceMs = 20_000;

/** One process reads so many and is not the limit, as the notes of each run show. */
const streamsPerReader = 5_000;

/** What opening these streams, and closing those before, leaves to do is done then. */
const settleMs = 1_000;

/** Enough to keep the readers busy; what many more would leave unread takes memory. */
const capacityStreams = 100;
const capacitySeconds = 1;

/** Of the size of a real one. */
const capacityBlock = `data: {"specversion":"1.0",${" ".repeat(280)}"data":${dataText(1)}}\nid: ${"c".repeat(64)}\n\n`;

/** What a process has open besides the streams that it serves. */
const furtherFiles = 500;

export type Crowd = Awaited<ReturnType<typeof startCrowd>>;

/** The processes that read the streams. */
export async function startCrowd(rig: Rig, most: number) {
  const filesMax = await readFilesMax();
  if (filesMax < most + furtherFiles) {
    throw new Error(
      `a process may have ${filesMax} files open (ulimit -Hn): too few for the streams`,
    );
  }
  const { load } = rig.workers;
  const readers = Array.from({ length: Math.ceil(most / streamsPerReader) }, () =>
    rig.startWorker<SubscriberOperations>("subscribers"),
  );
  const late: number[] = [];
  return { late, open, append, close, turn, sample, capacity };

  async function open(site: Site, streams: number): Promise<void> {
    await onEach((reader, index) => {
      const count = Math.floor((streams + index) / readers.length);
      return reader.call("open", { ...site, count });
    });
  }

  /** Appends at a steady rate until all have all of it. */
  async function append(site: Site, { perSecond, seconds }: Pace): Promise<Float64Array[]> {
    const pace = { connections, perSecond, seconds };
    const { sent, late: lateness } = await load.call("paced", { ...site, ...pace });
    late.push(quantile(lateness, 0.99));
    return await onEach((reader) => reader.call("collect", { events: sent, patienceMs }));
  }

  async function close(): Promise<void> {
    await onEach((reader) => reader.call("close"));
  }

  async function turn(
    { append: producer, read }: Sites,
    { streams, ...pace }: Pace & { streams: number },
    begin?: () => Promise<void>,
  ) {
    await open(read, streams);
    if (streams > 1) await rig.pause(settleMs);
    await begin?.();
    const latencies = joined(await append(producer, pace));
    return { latencies, events: latencies.length };
  }

  async function sample(): Promise<string> {
    return (await readers[0]?.call("sample")) ?? "";
  }

  /** What they take when they are given all they can, with the bare server on the same machine. */
  async function capacity(bareFeed: Worker<BareFeedOperations>): Promise<string> {
    const url = await bareFeed.call("open", { sample: capacityBlock });
    await open({ url, key: "none", tenant: "none" }, capacityStreams);
    await bareFeed.call("flood", { seconds: capacitySeconds });
    const counts = await onEach((reader) => reader.call("count"));
    await close();
    rig.busiest(); // They were as busy as they can be.
    const rate = counts.reduce((sum, count) => sum + count, 0) / capacitySeconds;
    return Math.round(rate).toLocaleString("en");
  }

  async function onEach<T>(call: (reader: Reader, index: number) => Promise<T>): Promise<T[]> {
    return await Promise.all(readers.map(call));
  }
}

type Reader = Worker<SubscriberOperations>;
type Pace = { readonly perSecond: number; readonly seconds: number };

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Node itself raises its limit as far as it may. Where it cannot be read, it is seen to be enough. */
async function readFilesMax(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const most = /^Max open files +\S+ +(\d+)/m.exec(limits)?.[1];
  return most === undefined ? Infinity : Number(most);
}
