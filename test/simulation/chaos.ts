/**
 * Goal: whatever fails, at any moment and in any combination, nothing that was acknowledged is lost,
 * what a consumer has confirmed is not pushed to it any more, and once it is over everything works as
 * before. Method: a load goes on, with receipts, readers of what is missed and replays, while faults of
 * every kind are injected by a plan that the seed decides; then the faults end, and after a while in
 * which what they left behind may show, a calm time must bring no duplicate any more. At the end
 * everybody's notes are compared with the log and the ledger.
 */
import { setTimeout as delay } from "node:timers/promises";
import { duplicatesExplained } from "./check.ts";
import { checkUndeliveredNow } from "./check-undelivered.ts";
import { createInjector, type Injected } from "./faults.ts";
import { startLoad } from "./load.ts";
import { planFaults } from "./plan.ts";
import { createReplayer } from "./replayers.ts";
import { count, faultsText, linesOf } from "./report.ts";
import { conclude, type Outcome, type Scenario, type ScenarioOptions } from "./scenario.ts";
import { openWorld, windowsOf, type World } from "./world.ts";

export const chaos: Scenario = {
  name: "chaos",
  what: "faults of every kind, at moments that the seed decides",
  defaults: { seconds: 60, brokers: 3, rate: 100 },
  run,
};

/** Leases run out, circuits are probed, connections are found dead. */
const settleMs = 15_000;

const calmMs = 6_000;

/** They last four seconds. */
const leaseSurelyOverMs = 5_000;

async function run(options: ScenarioOptions): Promise<Outcome> {
  const { seed, seconds, kinds, brokers } = options;
  await using opening = new AsyncDisposableStack();
  const processes = { apiProcesses: 2, pushProcesses: 2, hybrid: true };
  const world = await openWorld({ ...options, ...processes }, opening);
  const load = await startLoad(world, opening);
  const startedAt = performance.now();
  const injector = createInjector(world);
  world.phase = "during";
  const replaying = new AbortController();
  opening.defer(() => replaying.abort());
  const replayer = createReplayer(world, seed);
  const replayed = replayer.run(replaying.signal);
  const targets = { gateways: world.gateways.length, brokers, tenants: world.tenants.length };
  await injector.run(planFaults({ seed, seconds, kinds, ...targets }));
  world.phase = "after";
  replaying.abort();
  await replayed;
  world.say("the faults are over");
  await checkUndeliveredNow(world);
  await delay(settleMs);
  world.isCalm = true;
  const before = repeatsOf(world);
  await delay(calmMs);
  const inCalm = repeatsOf(world) - before;
  if (inCalm > 0) world.violations.report("duplicates", `${inCalm} when the faults were long over`);

  checkSleepers(world, injector.injected);

  const runSeconds = (performance.now() - startedAt) / 1_000;
  const explained = duplicatesExplained(injector.injected, {
    windows: windowsOf(world),
    pushesPerSecond: requestsOf(world) / runSeconds,
    reach: (fault) => reachOf(world, fault),
  });
  const repeats = repeatsOf(world);
  if (repeats > explained) {
    world.violations.report("duplicates", `${repeats}, of which ${count(explained)} are explained`);
  }
  const sections = [
    linesOf([
      ["faults", faultsText(injector.injected)],
      ["duplicates", `${count(repeats)}, of at most ${count(explained)} that the faults explain`],
      ["replays", count(replayer.asked.length)],
    ]),
  ];
  return await conclude(world, load, sections, replayer.asked);
}

/** A push process that was stopped for longer than its leases says that it gave its shards up. */
function checkSleepers({ gateways, violations }: World, faults: readonly Injected[]): void {
  for (const [index, { name, roles, log }] of gateways.entries()) {
    if (roles === "api") continue;
    const slept = faults.filter(
      ({ kind, target, startedAt, endedAt, shardsHeld }) =>
        kind === "stop" &&
        target === index &&
        shardsHeld > 0 &&
        endedAt - startedAt > leaseSurelyOverMs,
    );
    if (slept.length > 0 && !log().includes("gives up its shards")) {
      violations.report("leases", `${name} was stopped ${slept.length} times and says nothing`);
    }
  }
}

/** The part of all endpoints whose pushes a fault can repeat. */
function reachOf({ gateways, tenants, hooks }: World, { kind, target }: Injected): number {
  switch (kind) {
    case "cut-receivers":
    case "delay-receivers":
    case "silence-receivers":
      return 1 / tenants.length;
    case "pause":
      return 1 / hooks.length;
    case "crash-postgres":
      return 1;
    default:
      // A process that does not push repeats nothing.
      return gateways[target]?.roles === "api" ? 0 : 1;
  }
}

/** Accepted again where nobody asked for it. */
function repeatsOf({ hooks }: World): number {
  const unasked = hooks.filter(
    ({ behaviour, confirming }) => behaviour !== "wary" && confirming !== "each",
  );
  return unasked.reduce((sum, hook) => sum + hook.repeats(), 0);
}

function requestsOf({ hooks }: World): number {
  return hooks.reduce((sum, { requests }) => sum + requests(), 0);
}
