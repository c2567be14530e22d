/** A stream whose reader catches up from the beginning; live.ts has those that are live. */
import { throughput } from "../measure.ts";
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
