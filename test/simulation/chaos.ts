/**
 * Goal: whatever fails, at any moment and in any combination, nothing that was acknowledged is lost,
 * and once it is over everything works as before. Method: a load goes on while faults of every kind
 * are injected by a plan that the seed decides; then the faults end, and after a while in which what
 * they left behind may show, a calm time must bring no duplicate any more. At the end everybody's
 * notes are compared with the log and the ledger.
 */
import { setTimeout as delay } from "node:timers/promises";
import { countEverything, duplicatesExplained } from "./check.ts";
import { createInjector } from "./faults.ts";
import { startLoad } from "./load.ts";
import { planFaults } from "./plan.ts";
import { checksText, count, countsText, faultsText, timesText } from "./report.ts";
import { openWorld, windowsOf, type World } from "./world.ts";

export type ChaosOptions = {
  readonly seed: number;
  /** Of the faults; the whole run takes about a minute more. */
  readonly seconds: number;
  readonly brokers: 1 | 3;
  readonly rate: number;
  readonly say: (progress: string) => void;
};

export type Outcome = { readonly report: string; readonly broken: readonly string[] };

/** Leases run out, circuits are probed, connections are found dead. */
const settleMs = 15_000;

const calmMs = 6_000;

export async function runChaos(options: ChaosOptions): Promise<Outcome> {
  const { seed, seconds, brokers, rate, say } = options;
  await using opening = new AsyncDisposableStack();
  const processes = { apiProcesses: 2, pushProcesses: 2 };
  const world = await openWorld({ brokers, ...processes, rate, say }, opening);
  const load = await startLoad(world, opening);
  const startedAt = performance.now();
  const injector = createInjector(world);
  world.phase = "during";
  const targets = { gateways: world.gateways.length, brokers, tenants: world.tenants.length };
  await injector.run(planFaults({ seed, seconds, ...targets }), AbortSignal.any([]));
  world.phase = "after";
  say("the faults are over");
  await delay(settleMs);
  const before = repeatsOf(world);
  await delay(calmMs);
  const inCalm = repeatsOf(world) - before;
  const pushesPerSecond = acceptedOf(world) / ((performance.now() - startedAt) / 1_000);
  await load.stop();

  const explained = duplicatesExplained(injector.injected, {
    windows: windowsOf(world),
    pushesPerSecond,
  });
  if (inCalm > 0) world.violations.report("duplicates", `${inCalm} when the faults were long over`);
  const repeats = repeatsOf(world);
  if (repeats > explained) {
    world.violations.report("duplicates", `${repeats}, of which ${count(explained)} are explained`);
  }
  const accounts = await countEverything(world);
  const sections = [
    `seed ${seed}, ${seconds} s of faults, ${brokers} broker${brokers === 1 ? "" : "s"}, 4 processes`,
    faultsText(injector.injected),
    countsText(world, accounts),
    timesText(world),
    checksText(world),
  ];
  return { report: sections.join("\n\n"), broken: [...world.violations.all().keys()] };
}

/** Accepted again where nobody asked for it. */
function repeatsOf({ hooks }: World): number {
  const unasked = hooks.filter(({ behaviour }) => behaviour !== "wary");
  return unasked.reduce((sum, hook) => sum + hook.repeats(), 0);
}

function acceptedOf({ hooks }: World): number {
  return hooks.reduce((sum, { requests }) => sum + requests(), 0);
}
