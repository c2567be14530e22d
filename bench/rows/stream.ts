/** Streams: one reader that catches up from the beginning, and many that are live. */
import { latency, quantile, throughput, type Figure, type Target } from "../measure.ts";
import { costsOf, takeTurns } from "../turns.ts";
import { siteOf, type Row } from "./row.ts";

const events = 100_000;

/** What a reader of the database would ask for; the stream reads as little as it can send. */
const barePageEvents = 1_000;

export const catchUp: Row = {
  name: "stream",
  what: "one reader catching up from the beginning of the log",
  core: true,
  async measure(rig, turns) {
    const { streams, bare } = rig.workers;
    const reading = { events, readers: 1, pageEvents: barePageEvents };
    const taken = await takeTurns(rig, turns, {
      async prepare(side) {
        const tenant = await side.createTenant("stream");
        await rig.seed(side, [tenant], events);
        return tenant;
      },
      turn: ({ side, prepared: tenant, seconds }) =>
        streams.call("catchUp", { ...siteOf(side, tenant), events, seconds }),
      bare: ({ side: { databaseUrl }, prepared: tenant, seconds }) =>
        bare.call("read", { ...reading, databaseUrl, tenant, seconds }),
    });
    return {
      figures: [throughput(taken)],
      costs: costsOf(taken),
      notes: [`bare: one reader, pages of ${barePageEvents}`],
    };
  },
};

const streamCount = 200;
const appendsPerSecond = 20;
const connections = 4;

/** What is still on its way when the last append was answered. */
const patienceMs = 10_000;

/** The target is for more streams than these: they can miss it, but not meet it. */
const target = { text: "≤ 50 ms at 1,000", limitMs: 50 };

export const fanOut: Row = {
  name: "fan-out",
  what: `append → ${streamCount} live streams, ${appendsPerSecond} events/s, open loop`,
  core: true,
  effort: { seconds: 2 },
  async measure(rig, turns) {
    const { load, streams } = rig.workers;
    const late: number[] = [];
    const taken = await takeTurns(rig, turns, {
      prepare: async (side) => siteOf(side, await side.createTenant("fan-out")),
      async turn({ prepared: site, seconds }) {
        await streams.call("open", { ...site, count: streamCount });
        const pace = { connections, perSecond: appendsPerSecond, seconds };
        const { sent, late: lateness } = await load.call("paced", { ...site, ...pace });
        late.push(quantile(lateness, 0.99));
        const wanted = sent * streamCount;
        const latencies = await streams.call("collect", { events: wanted, patienceMs });
        await streams.call("close");
        return { latencies, events: wanted };
      },
    });
    return {
      figures: [latency("p50", taken), latency("p99", taken, decide)],
      costs: costsOf(taken),
      notes: [`the generator itself was late by p99 ${quantile(late, 0.5).toFixed(1)} ms`],
    };
  },
};

function decide({ gateway }: Figure): Target {
  return { text: target.text, met: gateway.median > target.limitMs ? false : undefined };
}
