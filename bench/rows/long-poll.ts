/**
 * Very many readers that wait at the end of the log by long polls: from the moment an event was
 * meant to be appended to the arrival of its page at each of them, after which each asks again; and
 * what it costs to let them wait. A bare server that holds as many requests takes turns.
 */
import { orNaN } from "../cost.ts";
import { figureOf, quantile } from "../measure.ts";
import type { Rig } from "../rig.ts";
import type { Side } from "../side.ts";
import { costsOf, takeTurns } from "../turns.ts";
import { cpuOf } from "../trials/cpu.ts";
import type { BareFeedOperations } from "../workers/bare-feed.ts";
import type { PollerOperations } from "../workers/pollers.ts";
import { lateNote, quantileFigures } from "./quantiles.ts";
import { siteOf, type Row } from "./row.ts";

const readers = 1_000;

/** A page and a new request for each reader, so the gateway is far from idle, and from full. */
const perSecond = 2;

const connections = 4;
const patienceMs = 20_000;

/** Below the 60 s after which a poll is answered without an event. */
const idleSeconds = 10;

/** What a start and opening the connections leave to do is done then. */
const settleMs = 1_500;

export const longPoll: Row = {
  name: "long-poll",
  what: `append → ${readers.toLocaleString("en")} waiting long polls, ${perSecond} events/s, open loop`,
  effort: { seconds: 2 },
  async measure(rig, turns) {
    const { load } = rig.workers;
    const pollers = rig.startWorker<PollerOperations>("pollers");
    const bareFeed = rig.startWorker<BareFeedOperations>("bare-feed");
    const late: number[] = [];
    const idle: Idle[] = [];

    const taken = await takeTurns(rig, turns, {
      async prepare(side) {
        const site = siteOf(side, await side.createTenant("long-poll"));
        const alone = await cpuPerMinute(rig, side);
        await pollers.call("open", { ...site, count: readers });
        idle.push({ alone, waiting: await cpuPerMinute(rig, side) });
        await pollers.call("close");
        return site;
      },
      async turn({ prepared: site, seconds, begin }) {
        const done = await turn(site, seconds, begin);
        return { ...done, after: () => pollers.call("close") };
      },
      async bare({ seconds }) {
        const url = await bareFeed.call("open", { sample: await pollers.call("sample") });
        const done = await turn({ url, key: "none", tenant: "none" }, seconds);
        await pollers.call("close");
        return done;
      },
    });
    const current = idle.slice(-1);
    return {
      figures: [
        ...quantileFigures(taken),
        figureOf(
          { gateway: current, before: idle.slice(0, -1), bare: current },
          {
            ...{ name: "a minute of waiting", unit: "CPU s" },
            of: ({ waiting }) => waiting,
            bare: ({ alone }) => alone,
          },
        ),
      ],
      costs: costsOf(taken),
      notes: [lateNote(late), "a minute of waiting: bare is the same gateway when nobody waits"],
    };

    async function turn(site: ReturnType<typeof siteOf>, seconds: number, begin = async () => {}) {
      await pollers.call("open", { ...site, count: readers });
      await rig.pause(settleMs);
      await begin();
      const pace = { connections, perSecond, seconds };
      const { sent, late: lateness } = await load.call("paced", { ...site, ...pace });
      late.push(quantile(lateness, 0.99));
      const latencies = await pollers.call("collect", { events: sent, patienceMs });
      return { latencies, events: latencies.length };
    }
  },
};

type Idle = { readonly alone: number; readonly waiting: number };

async function cpuPerMinute(rig: Rig, { gateway }: Side): Promise<number> {
  const used = () => orNaN(cpuOf(gateway.pid).then(({ all }) => all));
  await rig.pause(settleMs);
  const before = await used();
  await rig.pause(idleSeconds * 1_000);
  return (((await used()) - before) / idleSeconds) * 60;
}
