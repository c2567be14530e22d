/**
 * Pages of 1,000 events over HTTP, read by cursor from beginning to end and again, beside the same
 * rows read by the same statement through postgres.js.
 */
import { atLeastOfBare, throughput } from "../measure.ts";
import { costsOf, takeTurns } from "../turns.ts";
import { siteOf, type Row } from "./row.ts";

const events = 100_000;
const pageEvents = 1_000;

/** Each at another place of the log: readers at the same place would share what is read. */
const readers = 4;

export const pull: Row = {
  name: "pull",
  what: `pages of ${pageEvents.toLocaleString("en")} over HTTP, ${readers} readers, by cursor`,
  core: true,
  async measure(rig, turns) {
    const { load, bare } = rig.workers;
    const taken = await takeTurns(rig, turns, {
      async prepare(side) {
        const tenant = await side.createTenant("pull");
        await rig.seed(side, tenant, events);
        const site = { ...siteOf(side, tenant), pageEvents };
        const cursors = await load.call("walk", site);
        if (cursors.length !== events / pageEvents) {
          throw new Error(`${cursors.length} pages of ${pageEvents} came out of ${events} events`);
        }
        return { tenant, reading: { ...site, cursors, readers } };
      },
      turn: ({ prepared, seconds }) => load.call("pages", { ...prepared.reading, seconds }),
      bare: ({ side: { databaseUrl }, prepared: { tenant }, seconds }) =>
        bare.call("read", { databaseUrl, tenant, events, readers, pageEvents, seconds }),
    });
    return {
      figures: [throughput(taken, atLeastOfBare(0.6))],
      costs: costsOf(taken),
      notes: [],
    };
  },
};
