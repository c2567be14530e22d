/**
 * Appends over HTTP, each answered after its commit, beside the same statement sent straight
 * through postgres.js. The bare groups are as large as the groups that the gateway made in the turn
 * before, so the ratio is what HTTP, validation and waiting cost, not what grouping gains.
 */
import type { Tenant } from "../../src/http/auth.ts";
import { atLeastOfBare, atMostMs, interleave, latency, throughput } from "../measure.ts";
import type { Rig } from "../rig.ts";
import { siteOf, type Row } from "./row.ts";

const rateTarget = 12_000;

export const appendSingle: Row = {
  name: "append-single",
  what: "single events over HTTP, 64 connections, closed loop",
  async measure(rig, turns) {
    const { gateway, bare, groups } = await measureAppends(rig, turns, {
      ...{ name: "append-single", connections: 64, batch: 1 },
    });
    const figure = throughput(gateway.map(rateOf), bare.map(rateOf));
    const met = figure.gateway.median >= rateTarget;
    return {
      figures: [
        { ...figure, target: { text: `≥ ${rateTarget.toLocaleString("en")}/s`, met } },
        latency("p50", gateway),
        latency("p99", gateway, atMostMs(25)),
      ],
      notes: [groupNote(groups)],
    };
  },
};

export const appendBatch: Row = {
  name: "append-batch",
  what: "batches of 100 events over HTTP, 8 connections, closed loop",
  async measure(rig, turns) {
    const { gateway, bare, groups } = await measureAppends(rig, turns, {
      ...{ name: "append-batch", connections: 8, batch: 100 },
    });
    const figure = throughput(gateway.map(rateOf), bare.map(rateOf));
    return {
      figures: [
        { ...figure, target: atLeastOfBare(0.6, figure.ratio) },
        latency("p50", gateway),
        latency("p99", gateway),
      ],
      notes: [groupNote(groups)],
    };
  },
};

async function measureAppends(
  rig: Rig,
  turns: { rounds: number; seconds: number },
  { name, connections, batch }: { name: string; connections: number; batch: number },
) {
  const { load, bare } = rig.workers;
  const tenant = await rig.createTenant(name);
  // A log of its own, so that neither side finds the other's rows in its way.
  const other = await rig.createTenant(`${name}-bare`);
  const groups: number[] = [];
  const measured = await interleave(
    turns,
    async (seconds) => {
      const before = await countAppends(rig, tenant);
      const site = siteOf(rig, tenant);
      const turn = await load.call("appends", { ...site, connections, batch, seconds });
      const after = await countAppends(rig, tenant);
      if (after.events - before.events < turn.events) {
        throw new Error(`${turn.events} events were acknowledged, fewer are in the log`);
      }
      groups.push((after.events - before.events) / (after.groups - before.groups));
      return turn;
    },
    (seconds) => {
      const group = Math.max(1, Math.round(groups.at(-1) ?? batch));
      return bare.call("append", { tenant: other, group, seconds });
    },
  );
  return { ...measured, groups: groups.slice(1) };
}

async function countAppends({ sql }: Rig, tenant: Tenant) {
  const [row] = await sql<{ events: number; groups: number }[]>`
    select h.head as events, count(g.id) as groups
    from heads h left join append_groups g on g.tenants = array[h.tenant]
    where h.tenant = ${tenant.id} group by h.head`;
  return row ?? { events: 0, groups: 0 };
}

function rateOf({ rate }: { rate: number }): number {
  return rate;
}

function groupNote(groups: readonly number[]): string {
  const [least, most] = [Math.min(...groups), Math.max(...groups)].map(Math.round);
  return `${least} to ${most} events in a statement, on both sides`;
}
