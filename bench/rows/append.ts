/**
 * Appends over HTTP, each answered after its commit, beside the same statement sent straight
 * through postgres.js. The bare groups are as large as the groups that the gateway made in the turn
 * before, so the ratio is what HTTP, validation and waiting cost, not what grouping gains.
 */
import type { Tenant } from "../../src/http/auth.ts";
import { atLeast, atLeastOfBare, atMostMs, latency, throughput } from "../measure.ts";
import type { Rig } from "../rig.ts";
import type { Side } from "../side.ts";
import { costsOf, takeTurns, type Turns } from "../turns.ts";
import { siteOf, type Row } from "./row.ts";

export const appendSingle: Row = {
  name: "append-single",
  what: "single events over HTTP, 64 connections, closed loop",
  core: true,
  async measure(rig, turns) {
    const { taken, note } = await measureAppends(rig, turns, { connections: 64, batch: 1 });
    return {
      figures: [
        throughput(taken, atLeast(12_000)),
        latency("p50", taken),
        latency("p99", taken, atMostMs(25)),
      ],
      costs: costsOf(taken),
      notes: [note],
    };
  },
};

export const appendBatch: Row = {
  name: "append-batch",
  what: "batches of 100 events over HTTP, 8 connections, closed loop",
  core: true,
  async measure(rig, turns) {
    const { taken, note } = await measureAppends(rig, turns, { connections: 8, batch: 100 });
    return {
      figures: [
        throughput(taken, atLeastOfBare(0.6)),
        latency("p50", taken),
        latency("p99", taken),
      ],
      costs: costsOf(taken),
      notes: [note],
    };
  },
};

async function measureAppends(
  rig: Rig,
  turns: Turns,
  { connections, batch }: { connections: number; batch: number },
) {
  const { load, bare } = rig.workers;
  const groups: number[] = [];
  const taken = await takeTurns(rig, turns, {
    // A log of its own for the bare statement, so that neither finds the other's rows in its way.
    prepare: async (side) => ({
      tenant: await side.createTenant("append"),
      other: await side.createTenant("append-bare"),
    }),
    async turn({ side, prepared: { tenant }, seconds }) {
      const before = await countAppends(side, tenant);
      const site = siteOf(side, tenant);
      const turn = await load.call("appends", { ...site, connections, batch, seconds });
      const after = await countAppends(side, tenant);
      if (after.events - before.events < turn.events) {
        throw new Error(`${turn.events} events were acknowledged, fewer are in the log`);
      }
      groups.push((after.events - before.events) / (after.groups - before.groups));
      return turn;
    },
    bare({ side: { databaseUrl }, prepared: { other }, seconds }) {
      const group = Math.max(1, Math.round(groups.at(-1) ?? batch));
      return bare.call("append", { databaseUrl, tenant: other, group, seconds });
    },
  });
  return { taken, note: groupNote(groups) };
}

async function countAppends({ sql }: Side, tenant: Tenant) {
  const [row] = await sql<{ events: number; groups: number }[]>`
    select h.head as events, count(g.id) as groups
    from heads h left join append_groups g on g.tenants = array[h.tenant]
    where h.tenant = ${tenant.id} group by h.head`;
  return row ?? { events: 0, groups: 0 };
}

function groupNote(groups: readonly number[]): string {
  const [least, most] = [Math.min(...groups), Math.max(...groups)].map(Math.round);
  return `${least} to ${most} events in a statement`;
}
