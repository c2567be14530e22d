/**
 * Pages of 1,000 events over HTTP, read by cursor from beginning to end and again, beside the same
 * rows read by the same statement through postgres.js.
 */
import { atLeastOfBare, interleave, throughput } from "../measure.ts";
import { siteOf, type Row } from "./row.ts";

const events = 100_000;
const pageEvents = 1_000;

/** Each at another place of the log: readers at the same place would share what is read. */
const readers = 4;

export const pull: Row = {
  name: "pull",
  what: `pages of ${pageEvents.toLocaleString("en")} over HTTP, ${readers} readers, by cursor`,
  async measure(rig, turns) {
    const { load, bare } = rig.workers;
    const tenant = await rig.createTenant("pull");
    await rig.seed(tenant, events);
    const site = { ...siteOf(rig, tenant), pageEvents };
    const cursors = await load.call("walk", site);
    if (cursors.length !== events / pageEvents) {
      throw new Error(`${cursors.length} pages of ${pageEvents} came out of ${events} events`);
    }
    const measured = await interleave(
      turns,
      (seconds) => load.call("pages", { ...site, cursors, readers, seconds }),
      (seconds) => bare.call("read", { tenant, events, readers, pageEvents, seconds }),
    );
    const figure = throughput(
      measured.gateway.map(({ rate }) => rate),
      measured.bare.map(({ rate }) => rate),
    );
    return { figures: [{ ...figure, target: atLeastOfBare(0.6, figure.ratio) }], notes: [] };
  },
};
