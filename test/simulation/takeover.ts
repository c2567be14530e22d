/**
 * Goal: when a push process dies, another one drives its endpoints within five seconds. Method: two
 * push processes share the shards of many tenants under a load; one of them after the other is
 * killed, and it is written down when all shards have a living owner again, and how long the
 * endpoint that waited longest got nothing.
 */
import { setTimeout as delay } from "node:timers/promises";
import { waitUntil } from "../support/wait.ts";
import type { ManagedGateway } from "./gateways.ts";
import { startLoad } from "./load.ts";
import { longestMs } from "./records.ts";
import { linesOf } from "./report.ts";
import { conclude, type Outcome, type Scenario, type ScenarioOptions } from "./scenario.ts";
import { openWorld, type World } from "./world.ts";

export const takeover: Scenario = {
  name: "takeover",
  what: "kill -9 of push processes, one after the other: how long until others go on",
  // About nine for each kill.
  defaults: { seconds: 180, brokers: 1, rate: 200 },
  run,
};

/** Enough that either process has some of them. */
const tenants = Array.from({ length: 16 }, (_, n) => `tenant-${n + 1}`);

const secondsPerKill = 9;

/** The promise, and what a busy machine adds to it. */
const takeoverMaxMs = 5_000;
const slackMs = 3_000;

const deadlineMs = 30_000;

async function run(options: ScenarioOptions): Promise<Outcome> {
  await using opening = new AsyncDisposableStack();
  const endpoints = [{ name: "all", ordering: "parallel", behaviour: "steady" }] as const;
  const processes = { apiProcesses: 1, pushProcesses: 2 };
  const world = await openWorld({ ...options, ...processes, tenants, endpoints }, opening);
  const load = await startLoad(world, opening);
  world.phase = "during";
  const leased: number[] = [];
  const waited: number[] = [];
  const kills = Math.max(1, Math.round(options.seconds / secondsPerKill));
  for (let kill = 0; kill < kills; kill += 1) {
    const victim = world.gateways[1 + (kill % 2)];
    if (victim === undefined) throw new Error("unreachable");
    await sharedEvenly(world);
    const times = await killAndWait(world, victim);
    world.say(`kill ${kill + 1} of ${kills}: ${times.leasedMs.toFixed(0)} ms`);
    leased.push(times.leasedMs);
    waited.push(times.waitedMs);
    await victim.start();
  }
  world.phase = "after";
  const slowest = Math.max(...leased, ...waited);
  if (slowest > takeoverMaxMs + slackMs) {
    world.violations.report("leases", `a take-over took ${slowest.toFixed(0)} ms`);
  }
  return await conclude(world, load, [
    linesOf([
      [`${kills} kills`, "median, longest"],
      ["until all shards have a living owner", spread(leased)],
      ["the longest that any endpoint got nothing", spread(waited)],
    ]),
  ]);
}

async function sharedEvenly({ sql }: World): Promise<void> {
  await waitUntil(
    async () => {
      const shares = await sql<{ shards: number }[]>`
        select count(*)::int as shards from shard_leases
        where expires_at > clock_timestamp() group by owner`;
      return shares.length === 2 && shares.every(({ shards }) => shards === 128);
    },
    { deadlineMs, what: "an even share" },
  );
  // Until the tenants that have just changed hands are pushed to again.
  await delay(500);
}

async function killAndWait({ sql, hooks }: World, victim: ManagedGateway) {
  for (const { pulse } of hooks) pulse.restart();
  const requests = hooks.map((hook) => hook.requests());
  const killedAt = performance.now();
  await victim.kill();
  const before = await sql<{ shards: number }[]>`
    select count(*)::int as shards from shard_leases where expires_at > clock_timestamp() + '2 s'`;
  let leasedMs: number | undefined;
  await waitUntil(
    async () => {
      const [owned] = await sql<{ owners: number; shards: number }[]>`
        select count(distinct owner)::int as owners, count(*)::int as shards from shard_leases
        where expires_at > clock_timestamp()`;
      if (owned?.owners === 1 && owned.shards === 256) leasedMs ??= performance.now() - killedAt;
      return leasedMs !== undefined;
    },
    { deadlineMs, what: `the shards of ${victim.name} with another one (${before[0]?.shards})` },
  );
  await waitUntil(
    () => hooks.every((hook, index) => hook.requests() > (requests[index] ?? 0) + 2),
    { deadlineMs, what: "pushes to every endpoint" },
  );
  return { leasedMs: leasedMs ?? NaN, waitedMs: longestMs(hooks.map(({ pulse }) => pulse)) };
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? NaN;
  return `${median.toFixed(0)} ms, ${(sorted.at(-1) ?? NaN).toFixed(0)} ms`;
}
