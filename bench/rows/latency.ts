/**
 * From the moment an event was meant to be appended to the moment its webhook has it, at a steady
 * rate. An append that has to wait for its turn counts with its wait, so a stall of the gateway
 * shows in every event that it held up and not just in those that happened to be under way.
 */
import { atMostMs, quantile } from "../measure.ts";
import { costsOf, takeTurns } from "../turns.ts";
import { lateNote, quantileFigures } from "./quantiles.ts";
import { siteOf, type Row } from "./row.ts";

const connections = 32;

/** What is still on its way when the last append was answered. */
const patienceSeconds = 10;

/** The design's, for 200 events a second in one process. */
const targets = { p50: atMostMs(5), p99: atMostMs(20) };

export const latencyRows: readonly Row[] = [
  { ...webhookRow("latency", 200, targets), core: true },
  webhookRow("latency-50", 50),
  webhookRow("latency-1000", 1_000),
  {
    ...webhookRow("latency-jetstream", 200),
    what: "the same as latency, appended in one process and pushed by another, over JetStream",
    side: {
      jetStream: true,
      environment: { TIDEGATE_ROLES: "api" },
      partner: { TIDEGATE_ROLES: "push" },
    },
  },
];

function webhookRow(
  name: string,
  perSecond: number,
  held: Parameters<typeof quantileFigures>[1] = {},
): Row {
  return {
    name,
    what: `append → received by a webhook, ${perSecond.toLocaleString("en")} events/s, open loop`,
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
          const pace = { connections, perSecond, seconds };
          const { sent, late: lateness } = await load.call("paced", { ...site, ...pace });
          late.push(quantile(lateness, 0.99));
          const wanted = { count: sent, seconds: seconds + patienceSeconds };
          const { latencies } = await receiver.call("until", wanted);
          if (latencies.length !== sent) throw new Error(`${latencies.length} of ${sent} arrived`);
          return { latencies, events: sent };
        },
      });
      return {
        figures: quantileFigures(taken, held),
        costs: costsOf(taken),
        notes: [lateNote(late)],
      };
    },
  };
}
