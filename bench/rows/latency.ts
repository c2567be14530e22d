/**
 * From the moment an event was meant to be appended to the moment its webhook has it, at a steady
 * rate. An append that has to wait for its turn counts with its wait, so a stall of the gateway
 * shows in every event that it held up and not just in those that happened to be under way.
 */
import { atMostMs, latency, quantile } from "../measure.ts";
import { costsOf, takeTurns } from "../turns.ts";
import { siteOf, type Row } from "./row.ts";

const appendsPerSecond = 200;
const connections = 32;

/** What is still on its way when the last append was answered. */
const patienceSeconds = 10;

export const appendToWebhook: Row = {
  name: "latency",
  what: `append → received by a webhook, ${appendsPerSecond} events/s, open loop`,
  core: true,
  effort: { seconds: 2 },
  async measure(rig, turns) {
    const { load, receiver } = rig.workers;
    const late: number[] = [];
    const taken = await takeTurns(rig, turns, {
      async prepare(side) {
        const tenant = await side.createTenant("latency");
        const url = `${rig.receiverUrl}/hook`;
        await side.request("POST", "/endpoints", { tenant: tenant.name, url });
        return siteOf(side, tenant);
      },
      async turn({ prepared: site, seconds }) {
        await receiver.call("start");
        const pace = { connections, perSecond: appendsPerSecond, seconds };
        const { sent, late: lateness } = await load.call("paced", { ...site, ...pace });
        late.push(quantile(lateness, 0.99));
        const wanted = { count: sent, seconds: seconds + patienceSeconds };
        const { latencies } = await receiver.call("until", wanted);
        if (latencies.length !== sent) throw new Error(`${latencies.length} of ${sent} arrived`);
        return { latencies, events: sent };
      },
    });
    return {
      figures: [latency("p50", taken, atMostMs(5)), latency("p99", taken, atMostMs(20))],
      costs: costsOf(taken),
      notes: [`the generator itself was late by p99 ${quantile(late, 0.5).toFixed(1)} ms`],
    };
  },
};
