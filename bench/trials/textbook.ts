/**
 * Goal: the textbook case of a noisy neighbour. Method: customer A answers in 40 ms, and so
 * does customer B at first, but then it never answers and is given up on after 8 s; both get events
 * at the same rate. In turns B has an endpoint or none; its events are appended all the while, so
 * that only pushes make the difference. A's latency counts from when an event was due to be appended to its arrival.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { HookOperations } from "../workers/hooks.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import { createEndpoint, removeEndpoint } from "./endpoints.ts";
import {
  openHealthy,
  pairsText,
  ratioOf,
  ratioTarget,
  ratioText,
  type HealthyTurn,
  type Pair,
} from "./healthy.ts";
import type { Stage } from "./stage.ts";
import { count, figure, promise, type Outcome, type Trial } from "./trial.ts";

const perSecond = 100;
const answerMs = 40;
const timeoutMs = 8_000;

/** A turn is over before B's circuit opens, at the third time-out. */
type Sizes = { rounds: number; seconds: number; warmUpSeconds: number };
const full: Sizes = { rounds: 4, seconds: 15, warmUpSeconds: 5 };
const small: Sizes = { rounds: 1, seconds: 1.5, warmUpSeconds: 0.5 };

export const textbook: Trial = {
  name: "textbook",
  what: "customer A answers in 40 ms, customer B times out at 8 s",
  run,
};

async function run(stage: Stage): Promise<Outcome> {
  const { rounds, seconds, warmUpSeconds } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway);
  const site = { url: gateway.url, key: stage.key };
  const customerA = await openHealthy(stage, {
    ...{ gatewayUrl: gateway.url, client, tenants: ["a"], perSecond, afterMs: answerMs },
  });
  const hooks = stage.startWorker<HookOperations>("hooks");
  const producers = stage.startWorker<ProducerOperations>("producers");
  const url = await hooks.call("open");
  await client.expect("PUT", "/tenants/b", "{}");
  await turn(warmUpSeconds);

  const pairs: Pair[] = [];
  let hung = 0;
  for (let round = 1; round <= rounds; round += 1) {
    stage.say(`round ${round} of ${rounds}`);
    const without = await turn(seconds);
    const settings = { tenant: "b", url: `${url}/b`, timeout_ms: timeoutMs };
    const customerB = await createEndpoint(client, settings);
    await hooks.call("behave", { path: "/b", behaviour: { kind: "answer", afterMs: answerMs } });
    await turn(warmUpSeconds);
    await hooks.call("behave", { path: "/b", behaviour: { kind: "hang" } });
    await hooks.call("take");
    pairs.push({ without, with: await turn(seconds) });
    hung += await hooks.call("count", {});
    await removeEndpoint(client, customerB);
    // What was under way ends.
    await delay(timeoutMs);
  }
  const ratio = ratioOf(pairs);
  return {
    findings: [
      figure("A's latency beside B", pairsText(pairs)),
      figure("A's p99 with B by A's p99 without it", ratioText(ratio), [
        `≤ ${ratioTarget}`,
        ratio.median <= ratioTarget,
      ]),
      promise("B had attempts that hung in every round", hung >= rounds, count(hung)),
    ],
    notes: [`${perSecond} events/s to each; ${rounds} rounds of turns of ${seconds} s`],
  };

  async function turn(turnSeconds: number): Promise<HealthyTurn> {
    const pace = { tenants: ["b"], perSecond, seconds: turnSeconds, timed: true };
    const [measured] = await Promise.all([
      customerA.turn(turnSeconds),
      producers.call("paced", { ...site, ...pace }),
    ]);
    return measured;
  }
}
