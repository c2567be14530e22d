/** Streams: one reader that catches up from the beginning, and many that are live. */
import { interleave, latency, quantile, repeat, throughput, type Target } from "../measure.ts";
import { siteOf, type Row } from "./row.ts";

const events = 100_000;

/** What a reader of the database would ask for; the stream reads as little as it can send. */
const barePageEvents = 1_000;

export const catchUp: Row = {
  name: "stream",
  what: "one reader catching up from the beginning of the log",
  async measure(rig, turns) {
    const { streams, bare } = rig.workers;
    const tenant = await rig.createTenant("stream");
    await rig.seed(tenant, events);
    const site = siteOf(rig, tenant);
    const measured = await interleave(
      turns,
      (seconds) => streams.call("catchUp", { ...site, events, seconds }),
      (seconds) =>
        bare.call("read", { tenant, events, readers: 1, pageEvents: barePageEvents, seconds }),
    );
    const figure = throughput(
      measured.gateway.map(({ rate }) => rate),
      measured.bare.map(({ rate }) => rate),
    );
    return { figures: [figure], notes: [`bare: one reader, pages of ${barePageEvents}`] };
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
  async measure(rig, { rounds, seconds }) {
    const { load, streams } = rig.workers;
    const tenant = await rig.createTenant("fan-out");
    const site = siteOf(rig, tenant);
    const late: number[] = [];
    const gateway = await repeat({ rounds, seconds: seconds * 2 }, async (turnSeconds) => {
      await streams.call("open", { ...site, count: streamCount });
      const pace = { connections, perSecond: appendsPerSecond, seconds: turnSeconds };
      const sent = await load.call("paced", { ...site, ...pace });
      late.push(quantile(sent.late, 0.99));
      const wanted = sent.sent * streamCount;
      const latencies = await streams.call("collect", { events: wanted, patienceMs });
      await streams.call("close");
      return { latencies };
    });
    return {
      figures: [latency("p50", gateway), latency("p99", gateway, decide)],
      notes: [`the generator itself was late by p99 ${quantile(late, 0.5).toFixed(1)} ms`],
    };
  },
};

function decide(median: number): Target {
  return { text: target.text, met: median > target.limitMs ? false : undefined };
}
