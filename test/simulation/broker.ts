/**
 * Goal: with the broker away appends go on as they did, and pushes and readers are at most about a
 * second and a half later, because they look for themselves once a second. Method: a load before,
 * during and after an outage of all brokers, and the time that events took in each.
 */
import { setTimeout as delay } from "node:timers/promises";
import { startLoad } from "./load.ts";
import { conclude, type Outcome, type Scenario, type ScenarioOptions } from "./scenario.ts";
import { openWorld } from "./world.ts";

export const broker: Scenario = {
  name: "broker",
  what: "the broker is away for a while under a load",
  defaults: { seconds: 60, brokers: 1, rate: 100 },
  run,
};

/** Of the time of the outage, before it and after it. */
const share = 1 / 2;

/** Connections are found dead and consumers are opened again. */
const recoverMs = 6_000;

async function run(options: ScenarioOptions): Promise<Outcome> {
  await using opening = new AsyncDisposableStack();
  const endpoints = [
    { name: "all", ordering: "parallel", behaviour: "steady" },
    { name: "fifo", ordering: "fifo", behaviour: "steady", types: "order.paid" },
  ] as const;
  const processes = { apiProcesses: 2, pushProcesses: 2 };
  const world = await openWorld({ ...options, ...processes, endpoints }, opening);
  const load = await startLoad(world, opening);
  // The first events found cold processes.
  await delay(recoverMs);
  world.restartRecords();
  await delay(options.seconds * share * 1_000);
  world.say("the brokers are killed");
  world.phase = "during";
  await Promise.all(world.brokers.map((server) => server.kill()));
  await delay(options.seconds * 1_000);
  world.say("the brokers are started");
  await Promise.all(world.brokers.map((server) => server.restart()));
  await delay(recoverMs);
  world.phase = "after";
  await delay(options.seconds * share * 1_000);
  return await conclude(world, load, [`all brokers away for ${options.seconds} s`]);
}
