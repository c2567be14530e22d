/**
 * Streams that are live, one or very many: from the moment an event was meant to be appended to
 * its arrival at each of them. Where there are many, a bare server that gives the same bytes to as
 * many connections takes turns with the gateway.
 */
import { atMostMs } from "../measure.ts";
import { costsOf, takeTurns } from "../turns.ts";
import type { BareFeedOperations } from "../workers/bare-feed.ts";
import { startCrowd } from "./crowd.ts";
import { lateNote, quantileFigures } from "./quantiles.ts";
import { siteOf, type Row } from "./row.ts";
import { measureMemory, memoryFigures, memoryNote, type StreamMemory } from "./stream-memory.ts";

type Shape = {
  readonly streams: number;
  readonly perSecond: number;
  /** Beside a bare server. */
  readonly beside?: boolean;
  /** How much memory a stream takes is looked at, too. */
  readonly memory?: boolean;
  readonly p99Ms?: number;
};

const jetStream = {
  jetStream: true,
  environment: { TIDEGATE_ROLES: "api" },
  partner: { TIDEGATE_ROLES: "api" },
};

export const streamLatencyRows: readonly Row[] = [
  liveRow("stream-latency", { streams: 1, perSecond: 200 }),
  liveRow("stream-latency-50", { streams: 1, perSecond: 50 }),
  liveRow("stream-latency-1000", { streams: 1, perSecond: 1_000 }),
];

/** About as many deliveries a second each. */
export const fanOutRows: readonly Row[] = [
  {
    ...liveRow("fan-out", { streams: 1_000, perSecond: 20, beside: true, p99Ms: 50 }),
    core: true,
  },
  liveRow("fan-out-3000", { streams: 3_000, perSecond: 6, beside: true, p99Ms: 120 }),
  liveRow("fan-out-10000", { streams: 10_000, perSecond: 2, beside: true, memory: true }),
  {
    ...liveRow("fan-out-jetstream", { streams: 1_000, perSecond: 20 }),
    what: "the same as fan-out, appended in one process and streamed by another, over JetStream",
    side: jetStream,
  },
];

function liveRow(name: string, shape: Shape): Row {
  const { streams, perSecond, beside = false, memory = false, p99Ms } = shape;
  const readers = streams === 1 ? "a live stream" : `${streams.toLocaleString("en")} live streams`;
  return {
    name,
    what: `append → ${readers}, ${perSecond.toLocaleString("en")} events/s, open loop`,
    effort: { seconds: 2 },
    async measure(rig, turns) {
      const crowd = await startCrowd(rig, streams);
      const bareFeed = beside ? rig.startWorker<BareFeedOperations>("bare-feed") : undefined;
      const most = bareFeed && (await crowd.capacity(bareFeed));
      const memories: StreamMemory[] = [];
      const taken = await takeTurns(rig, turns, {
        async prepare(side) {
          const tenant = await side.createTenant("live");
          const append = siteOf(side, tenant);
          const sites = { append, read: { ...append, url: side.partner.url } };
          if (memory) memories.push(await measureMemory(rig, crowd, side, sites, shape));
          return sites;
        },
        async turn({ prepared, seconds, begin }) {
          const turn = await crowd.turn(prepared, { ...shape, seconds }, begin);
          return { ...turn, after: crowd.close };
        },
        ...(bareFeed && {
          async bare({ seconds }: { seconds: number }) {
            const url = await bareFeed.call("open", { sample: await crowd.sample() });
            const site = { url, key: "none", tenant: "none" };
            const turn = await crowd.turn({ append: site, read: site }, { ...shape, seconds });
            await crowd.close();
            return turn;
          },
        }),
      });
      const target = p99Ms === undefined ? {} : { p99: atMostMs(p99Ms) };
      return {
        figures: [...quantileFigures(taken, target), ...memoryFigures(memories)],
        costs: costsOf(taken),
        notes: [
          lateNote(crowd.late),
          ...(most === undefined
            ? []
            : [`the readers took ${most} events/s when sent all they could`]),
          ...memories.map(memoryNote),
        ],
      };
    },
  };
}
