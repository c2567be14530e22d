/**
 * What an open stream takes of the gateway's memory: what its process holds (RSS) with all the
 * streams less what it holds without any, each after it had nothing to do for a while, when garbage
 * has been collected: `node` does that by itself when it is idle. It is a new process and has
 * served a few streams before, so code and caches are in both, and no memory is left over from
 * earlier crowds. What the kernel keeps for a connection is in neither.
 */
import { orNaN } from "../cost.ts";
import { figureOf, type Figure } from "../measure.ts";
import type { Rig } from "../rig.ts";
import type { Side } from "../side.ts";
import { rssOf } from "../trials/rss.ts";
import type { Crowd, Sites } from "./crowd.ts";

/** Those before the streams whose memory is measured: what is needed once is there then. */
const warmUpStreams = 200;
const warmUpSeconds = 1.5;

/** So long nothing is asked of the gateway; it gives memory back some seconds after its last work. */
const quietSeconds = 12;
const lookMs = 250;

const kilobytesPerStream = 20;

export type StreamMemory = {
  readonly without: number;
  readonly with: number;
  readonly streams: number;
};

export async function measureMemory(
  rig: Rig,
  crowd: Crowd,
  side: Side,
  sites: Sites,
  { streams, perSecond }: { streams: number; perSecond: number },
): Promise<StreamMemory> {
  const pace = { perSecond, seconds: warmUpSeconds };
  await crowd.turn(sites, { ...pace, streams: warmUpStreams });
  await crowd.close();
  const without = await quietRss(rig, side);
  await crowd.open(sites.read, streams);
  await crowd.append(sites.append, pace);
  const taken = await quietRss(rig, side);
  await crowd.close();
  return { without, with: taken, streams };
}

/** The least in the time of quiet. */
async function quietRss(rig: Rig, { partner }: Side): Promise<number> {
  let least = Infinity;
  const endAt = performance.now() + quietSeconds * 1_000;
  while (performance.now() < endAt) {
    await rig.pause(lookMs);
    least = Math.min(least, await orNaN(rssOf(partner.pid)));
  }
  return least;
}

export function memoryFigures(memories: readonly StreamMemory[]): Figure[] {
  const current = memories.slice(-1);
  if (current.length === 0) return [];
  const text = `≤ ${kilobytesPerStream} KB`;
  return [
    figureOf(
      { gateway: current, before: memories.slice(0, -1), bare: [] },
      {
        ...{ name: "memory of a stream", unit: "KB" },
        of: ({ without, with: taken, streams }) => (taken - without) / streams / 1_000,
        target: ({ gateway: { median } }) => ({
          text,
          met: Number.isNaN(median) ? undefined : median <= kilobytesPerStream,
        }),
      },
    ),
  ];
}

export function memoryNote({ without, with: taken, streams }: StreamMemory): string {
  const [least, most] = [without, taken].map((bytes) => `${(bytes / 1e6).toFixed(0)} MB`);
  return `RSS ${least} without streams, ${most} with ${streams.toLocaleString("en")}`;
}
