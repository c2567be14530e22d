/**
 * Appends over HTTP, each answered after its commit, beside the same statement sent straight
 * through postgres.js. The bare groups are as large as the groups that the gateway made in the turn
 * before, so the ratio is what HTTP, validation and waiting cost, not what grouping gains. Where
 * there are several tenants, each next event belongs to the next of them.
 */
import { atLeast, atLeastOfBare, atMostMs, latency, throughput, type Figure } from "../measure.ts";
import type { Rig } from "../rig.ts";
import type { Side } from "../side.ts";
import { costsOf, takeTurns, type Turns } from "../turns.ts";
import { siteOf, type Row } from "./row.ts";

type Load = {
  readonly connections: number;
  readonly batch: number;
  readonly tenants?: number;
  /** Of `data`; an order of about 220 where it is not said. */
  readonly bytes?: number;
};

type Decide = (figure: Figure) => NonNullable<Figure["target"]>;

const lineConnections = 2;

export const appendRows: readonly Row[] = [
  closedLoop("append-single-1", { connections: 1, batch: 1 }),
  closedLoop("append-single-16", { connections: 16, batch: 1 }),
  {
    ...closedLoop("append-single", { connections: 64, batch: 1 }, atLeast(12_000), atMostMs(25)),
    core: true,
    effort: {},
  },
  closedLoop("append-batch-10", { connections: 8, batch: 10 }),
  {
    ...closedLoop("append-batch", { connections: 8, batch: 100 }, atLeastOfBare(0.6)),
    core: true,
    effort: {},
  },
  closedLoop("append-batch-1000", { connections: 4, batch: 1_000 }),
  ndjson(),
  closedLoop("append-single-100-tenants", { connections: 64, batch: 1, tenants: 100 }),
  closedLoop("append-single-10k-tenants", { connections: 64, batch: 1, tenants: 10_000 }),
  closedLoop("append-batch-100-tenants", { connections: 8, batch: 100, tenants: 100 }),
  closedLoop("append-batch-10k-tenants", { connections: 8, batch: 100, tenants: 10_000 }),
  closedLoop("append-4kb", { connections: 64, batch: 1, bytes: 4_096 }),
  closedLoop("append-200kb", { connections: 16, batch: 1, bytes: 204_800 }),
];

/** Each connection sends its next request when the last one is answered. */
function closedLoop(name: string, load: Load, rate?: Decide, p99?: Decide): Row {
  const events = load.batch === 1 ? "single events" : `batches of ${load.batch} events`;
  const size = load.bytes === undefined ? "" : ` of ${Math.round(load.bytes / 1_024)} KiB`;
  const tenants = load.tenants === undefined ? "" : `, ${load.tenants} tenants`;
  return {
    name,
    what: `${events}${size} over HTTP, ${load.connections} connections${tenants}, closed loop`,
    effort: { seconds: 0.8 },
    async measure(rig, turns) {
      const { taken, note } = await measureAppends(rig, turns, load);
      return {
        figures: [throughput(taken, rate), latency("p50", taken), latency("p99", taken, p99)],
        costs: costsOf(taken),
        notes: [note],
      };
    },
  };
}

async function measureAppends(rig: Rig, turns: Turns, given: Load) {
  const { load, bare } = rig.workers;
  const { tenants: count = 1, bytes = 0, ...shape } = given;
  const groups: number[] = [];
  const taken = await takeTurns(rig, turns, {
    prepare: (side) => side.createTenants(count),
    async turn({ side, prepared: tenants, seconds }) {
      const before = await countAppends(side);
      const names = tenants.map(({ name }) => name);
      const site = { ...siteOf(side, { name: "" }), tenants: names, bytes };
      const turn = await load.call("appends", { ...site, ...shape, seconds });
      groups.push(groupSize(before, await countAppends(side), turn.events));
      return turn;
    },
    bare({ side: { databaseUrl }, prepared: tenants, seconds }) {
      const group = Math.max(1, Math.round(groups.at(-1) ?? shape.batch));
      return bare.call("append", { databaseUrl, tenants, group, bytes, seconds });
    },
  });
  return { taken, note: groupNote(groups) };
}

function ndjson(): Row {
  return {
    name: "append-ndjson",
    what: `lines without end over HTTP, ${lineConnections} connections, minimal answers`,
    effort: { seconds: 0.8 },
    async measure(rig, turns) {
      const { load, bare } = rig.workers;
      const groups: number[] = [];
      const taken = await takeTurns(rig, turns, {
        prepare: (side) => side.createTenant("lines"),
        async turn({ side, prepared: tenant, seconds }) {
          const before = await countAppends(side);
          const lines = { ...siteOf(side, tenant), connections: lineConnections, seconds };
          const turn = await load.call("lines", lines);
          groups.push(groupSize(before, await countAppends(side), turn.events));
          return turn;
        },
        bare({ side: { databaseUrl }, prepared: tenant, seconds }) {
          const group = Math.round(groups.at(-1) ?? 1);
          return bare.call("append", { databaseUrl, tenants: [tenant], group, seconds });
        },
      });
      return { figures: [throughput(taken)], costs: costsOf(taken), notes: [groupNote(groups)] };
    },
  };
}

type Appends = { readonly events: number; readonly groups: number };

/** In all logs, and by how many statements. */
async function countAppends({ sql }: Side): Promise<Appends> {
  const [row] = await sql<Appends[]>`
    select (select coalesce(sum(head), 0)::bigint from heads) as events,
      (select count(*) from append_groups) as groups`;
  return row ?? { events: 0, groups: 0 };
}

function groupSize(before: Appends, after: Appends, acknowledged: number): number {
  const events = after.events - before.events;
  if (events < acknowledged) {
    throw new Error(`${acknowledged} events were acknowledged, fewer are in the log`);
  }
  return events / Math.max(1, after.groups - before.groups);
}

function groupNote(groups: readonly number[]): string {
  const [least, most] = [Math.min(...groups), Math.max(...groups)].map(Math.round);
  return `${least} to ${most} events in a statement`;
}
