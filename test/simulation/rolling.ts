/**
 * Goal: a deployment loses nothing, fails no request but those whose connection was closed, and costs
 * streams a reconnect. Method: under a load one process after the other gets SIGTERM and another one
 * is started in its place. With another version of the program to begin with, old and new ones run
 * beside each other meanwhile.
 */
import { setTimeout as delay } from "node:timers/promises";
import { startLoad } from "./load.ts";
import { linesOf } from "./report.ts";
import { conclude, type Outcome, type Scenario, type ScenarioOptions } from "./scenario.ts";
import { openWorld } from "./world.ts";

export const rolling: Scenario = {
  name: "rolling",
  what: "two api and two push processes are replaced one after the other under a load",
  // In which each is replaced once, with some time between.
  defaults: { seconds: 40, brokers: 1, rate: 500 },
  run,
};

/** What a client sees of a process that ends, and repeats with another. */
const ofConnection: ReadonlySet<string> = new Set(["ECONNREFUSED", "ECONNRESET", "UND_ERR_SOCKET"]);

async function run(options: ScenarioOptions): Promise<Outcome> {
  await using opening = new AsyncDisposableStack();
  const endpoints = [
    { name: "all", ordering: "parallel", behaviour: "steady" },
    { name: "subject", ordering: "subject", behaviour: "steady", types: "order.paid" },
  ] as const;
  const processes = { apiProcesses: 2, pushProcesses: 2 };
  const world = await openWorld({ ...options, ...processes, endpoints }, opening);
  const load = await startLoad(world, opening);
  const pauseMs = (options.seconds * 1_000) / (world.gateways.length + 1);
  await delay(pauseMs);
  world.phase = "during";
  const times: [string, string][] = [];
  for (const gateway of world.gateways) {
    world.say(`${gateway.name} is replaced`);
    const startedAt = performance.now();
    const code = await gateway.terminate();
    const endedMs = performance.now() - startedAt;
    if (code !== 0) world.violations.report("alive", `${gateway.name} ended with ${code}`);
    await gateway.start();
    const backMs = performance.now() - startedAt;
    times.push([gateway.name, `${endedMs.toFixed(0)} ms, back after ${backMs.toFixed(0)} ms`]);
    await delay(pauseMs);
  }
  world.phase = "after";
  await delay(pauseMs);
  for (const { name, failures } of world.producers) {
    for (const [reason, times] of failures) {
      if (!ofConnection.has(reason)) {
        world.violations.report("answered", `${name}: ${reason}, ${times} times`);
      }
    }
  }
  return await conclude(world, load, [linesOf([["replaced", "ended after SIGTERM in"], ...times])]);
}
