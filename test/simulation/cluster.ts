/**
 * Goal: a cluster of three loses a server, and another one its store, and nothing else is lost.
 * Method: under a load one server is killed for a while; then another one is killed, its store is
 * removed, and it comes back empty.
 */
import { setTimeout as delay } from "node:timers/promises";
import { startLoad } from "./load.ts";
import { conclude, type Outcome, type Scenario, type ScenarioOptions } from "./scenario.ts";
import { openWorld } from "./world.ts";

export const cluster: Scenario = {
  name: "cluster",
  what: "of three brokers one is killed, and another one loses its store",
  defaults: { seconds: 40, brokers: 3, rate: 100 },
  run,
};

async function run(options: ScenarioOptions): Promise<Outcome> {
  await using opening = new AsyncDisposableStack();
  const world = await openWorld({ ...options, apiProcesses: 2, pushProcesses: 2 }, opening);
  const load = await startLoad(world, opening);
  const stepMs = options.seconds * 250;
  await delay(stepMs);
  world.phase = "during";
  const [first, second] = world.brokers;
  world.say("a server is killed");
  await first?.kill();
  await delay(stepMs);
  await first?.restart();
  await delay(stepMs);
  world.say("a server loses its store");
  await second?.kill();
  await second?.wipe();
  await delay(stepMs / 2);
  await second?.restart();
  await delay(stepMs / 2);
  world.phase = "after";
  await delay(stepMs);
  return await conclude(world, load, ["one of three brokers killed, then another one wiped"]);
}
