/**
 * Pushes to many endpoints at once, of one origin or each of its own. They are there from the
 * beginning, idle, as in a gateway that runs for long. A turn appends a fixed number of events to
 * all their logs, and is measured from when they are in the log until the last is recorded. Beside
 * it one of these pushes is sent again and again by a bare undici loop, to the same addresses.
 */
import { nowMs } from "../clock.ts";
import { throughput } from "../measure.ts";
import type { Rig } from "../rig.ts";
import { atOnce, type Side } from "../side.ts";
import { costsOf, takeTurns } from "../turns.ts";
import type { Row } from "./row.ts";

type Spread = {
  readonly tenants: number;
  /** All of a tenant's endpoints get all of its events. */
  readonly endpointsEach: number;
  /** Undefined: one for all. */
  readonly origins?: number;
};

/** Enough that most are still to be pushed when the last is appended. */
const deliveriesPerSecond = 8_000;
const deliveriesMin = 4_000;
const inFlight = 64;

/** For all that was appended in a turn. */
const patienceSeconds = 60;

const lookMs = 20;

/** Longer than an outcome takes to be written, shorter than a retry. */
const quietMs = 200;

export const pushManyRows: readonly Row[] = [
  spreadRow("push-100", { tenants: 100, endpointsEach: 1 }),
  spreadRow("push-100-origins", { tenants: 100, endpointsEach: 1, origins: 100 }),
  spreadRow("push-5000", { tenants: 5_000, endpointsEach: 1 }),
  spreadRow("push-5000-origins", { tenants: 5_000, endpointsEach: 1, origins: 5_000 }),
  spreadRow("push-1-to-20", { tenants: 1, endpointsEach: 20 }),
];

function spreadRow(name: string, spread: Spread): Row {
  const { tenants: count, endpointsEach, origins = 1 } = spread;
  const endpoints = count * endpointsEach;
  const whose = count === 1 ? "each event to all of them" : "each of another tenant";
  return {
    name,
    what: `${endpoints} endpoints, ${whose}, ${origins === 1 ? "one origin" : `${origins} origins`}`,
    effort: { seconds: 0.8, rounds: count > 1_000 ? 0.6 : 1 },
    async measure(rig, turns) {
      const { bare, receiver } = rig.workers;
      const urls = await addresses(rig, endpoints, origins);
      const early: number[] = [];
      const taken = await takeTurns(rig, turns, {
        async prepare(side) {
          const tenants = await side.createTenants(count);
          await atOnce(urls, (url, index) =>
            side.request("POST", "/endpoints", {
              ...{ tenant: tenants[index % count]?.name, url, max_in_flight: inFlight },
            }),
          );
          return tenants;
        },
        async turn({ side, prepared: tenants, seconds, begin }) {
          const deliveries = Math.max(deliveriesMin, deliveriesPerSecond * seconds);
          const events = Math.ceil(deliveries / endpoints) * count;
          const before = await countEvents(side);
          await receiver.call("start");
          await rig.seed(side, tenants, events);
          await begin();
          const wanted = ((await countEvents(side)) - before) * endpointsEach;
          const turn = await untilRecorded(rig, side, wanted);
          early.push(turn.early);
          return turn;
        },
        async bare({ seconds }) {
          const sample = await receiver.call("sample");
          const turn = await bare.call("post", { urls, ...sample, inFlight, seconds });
          await receiver.call("quiet", { ms: quietMs });
          return turn;
        },
      });
      const most = Math.round(Math.max(...early) * 100);
      return {
        figures: [throughput(taken)],
        costs: costsOf(taken),
        notes: [`at most ${most} % were pushed before all was appended, and are not counted`],
      };
    },
  };
}

/** One for each endpoint. */
async function addresses(rig: Rig, endpoints: number, origins: number): Promise<string[]> {
  const { receiver } = rig.workers;
  const found =
    origins === 1 ? [rig.receiverUrl] : await receiver.call("origins", { count: origins });
  return Array.from({ length: endpoints }, (_, n) => `${found[n % found.length]}/hook/${n}`);
}

/** What is pushed and recorded from now on, of what was wanted. */
async function untilRecorded({ workers, pause }: Rig, side: Side, wanted: number) {
  const startedAt = nowMs();
  const already = await workers.receiver.call("counted");
  while ((await countBehind(side)) > 0) {
    if (nowMs() > startedAt + patienceSeconds * 1_000) throw new Error("pushes were not recorded");
    await pause(lookMs);
  }
  const events = wanted - already;
  if (events <= 0) throw new Error("all was pushed before it was known to be appended");
  return { events, early: already / wanted, rate: events / ((nowMs() - startedAt) / 1_000) };
}

async function countEvents({ sql }: Side): Promise<number> {
  const [row] = await sql<{ events: number }[]>`
    select coalesce(sum(head), 0)::bigint as events from heads`;
  return row?.events ?? 0;
}

/** Endpoints that are not at the end of their log. */
async function countBehind({ sql }: Side): Promise<number> {
  const [row] = await sql<{ endpoints: number }[]>`
    select count(*) as endpoints from positions p join heads h on h.tenant = p.tenant
    where p.sequence < h.head`;
  return row?.endpoints ?? 0;
}
