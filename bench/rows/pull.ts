/**
 * Pages of events over HTTP, read by cursor from beginning to end and again, beside the same rows
 * read by the same statement through postgres.js.
 */
import { atLeastOfBare, throughput } from "../measure.ts";
import { costsOf, takeTurns } from "../turns.ts";
import { siteOf, type Row } from "./row.ts";

const events = 100_000;

/** Each at another place of the log: readers at the same place would share what is read. */
const readers = 4;

export const pullRows: readonly Row[] = [
  { ...pagesRow("pull", 1_000, 0.6), core: true },
  { ...pagesRow("pull-100", 100), effort: { seconds: 0.8 } },
];

function pagesRow(name: string, pageEvents: number, share?: number): Row {
  return {
    name,
    what: `pages of ${pageEvents.toLocaleString("en")} over HTTP, ${readers} readers, by cursor`,
    async measure(rig, turns) {
      const { load, bare } = rig.workers;
      const taken = await takeTurns(rig, turns, {
        async prepare(side) {
          const tenant = await side.createTenant("pull");
          await rig.seed(side, [tenant], events);
          const site = { ...siteOf(side, tenant), pageEvents };
          const cursors = await load.call("walk", site);
          if (cursors.length !== events / pageEvents) {
            throw new Error(
              `${cursors.length} pages of ${pageEvents} came out of ${events} events`,
            );
          }
          return { tenant, reading: { ...site, cursors, readers } };
        },
        turn: ({ prepared, seconds }) => load.call("pages", { ...prepared.reading, seconds }),
        bare: ({ side: { databaseUrl }, prepared: { tenant }, seconds }) =>
          bare.call("read", { databaseUrl, tenant, events, readers, pageEvents, seconds }),
      });
      return {
        figures: [throughput(taken, share === undefined ? undefined : atLeastOfBare(share))],
        costs: costsOf(taken),
        notes: [],
      };
    },
  };
}
