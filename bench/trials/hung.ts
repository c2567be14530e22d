/**
 * Goal: endpoints that hang cost nobody else anything. Method: 10 customers with an endpoint each
 * that is well get 50 events a second each, an open loop. In turns there are beside them none, 100
 * or 2,000 endpoints that accept and never answer, all of one tenant or each of a tenant of its
 * own, and get an event every few seconds, so that they keep wanting slots. They are made anew for
 * each turn: none is known to be slow, and no circuit is open yet. A latency counts from when an
 * event was due to be appended to its arrival; each turn is compared with the one before it, in
 * which the same events were appended and there was nowhere to push them.
 */
import { quantile } from "../measure.ts";
import { crowdOfMany, crowdOfOne, healthyPerSecond, openHanging, type Crowd } from "./hanging.ts";
import { pairsText, ratioOf, ratioTarget, ratioText, type Pair } from "./healthy.ts";
import type { Stage } from "./stage.ts";
import { count, figure, ms, promise, type Finding, type Outcome, type Trial } from "./trial.ts";

type Sizes = {
  rounds: number;
  seconds: number;
  warmUpSeconds: number;
  hung: readonly number[];
  /** Every so often each endpoint that hangs gets an event. */
  trickleSeconds: number;
  /** Of their attempts; then what was under way has ended. */
  timeoutMs: number;
};
const full: Sizes = {
  ...{ rounds: 2, seconds: 15, warmUpSeconds: 8, hung: [100, 2_000] },
  ...{ trickleSeconds: 4, timeoutMs: 5_000 },
};
const small: Sizes = {
  ...{ rounds: 1, seconds: 1.5, warmUpSeconds: 1, hung: [20] },
  ...{ trickleSeconds: 1, timeoutMs: 1_000 },
};

export const hung: Trial = {
  name: "hung",
  what: "100 and 2,000 endpoints that never answer beside 10 that do",
  run,
};

type Turns = { readonly pairs: Pair[]; attempts: number };

async function run(stage: Stage): Promise<Outcome> {
  const sizes = stage.small ? small : full;
  const { rounds, seconds, trickleSeconds, timeoutMs } = sizes;
  const gateway = await stage.startGateway(await stage.openPostgres());
  const client = stage.openClient(gateway);
  const hanging = await openHanging(stage, {
    ...{ gatewayUrl: gateway.url, client, trickleSeconds, timeoutMs },
  });
  const crowds = sizes.hung.flatMap((size) => crowdsOf(size));
  stage.say("making tenants");
  await hanging.createTenants(crowds);
  await hanging.without(crowdOfOne(0), sizes.warmUpSeconds);

  const turns = new Map<Crowd, Turns>(crowds.map((crowd) => [crowd, { pairs: [], attempts: 0 }]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [crowd, { pairs }] of turns) {
      stage.say(`round ${round} of ${rounds}, ${crowd.name}`);
      const without = await hanging.without(crowd, seconds);
      const beside = await hanging.beside(crowd, seconds);
      await beside.remove();
      pairs.push({ without, with: beside.turn });
      const told = turns.get(crowd);
      if (told !== undefined) told.attempts += beside.attempts;
    }
  }
  return {
    findings: [...turns].flatMap(([crowd, told]) => findingsOf(crowd, told)),
    notes: [
      [
        `10 healthy endpoints with ${healthyPerSecond} events/s in all; ` +
          `${rounds} rounds of turns of ${seconds} s; an event every ${trickleSeconds} s to each that hangs`,
        ...[...turns].map(([crowd, told]) => noteOf(crowd, told)),
      ].join("\n"),
    ],
  };
}

function crowdsOf(size: number): Crowd[] {
  return [crowdOfOne(size), crowdOfMany(size)];
}

function findingsOf({ name }: Crowd, { pairs, attempts }: Turns): Finding[] {
  const ratio = ratioOf(pairs);
  return [
    figure(`beside ${name}`, pairsText(pairs)),
    figure(`beside ${name}: of this the appends`, pairsText(pairs, "waits")),
    figure(`beside ${name}: p99 with by p99 without`, ratioText(ratio), [
      `≤ ${ratioTarget}`,
      ratio.median <= ratioTarget,
    ]),
    promise(`beside ${name}: they were attempted meanwhile`, attempts > 0, count(attempts)),
  ];
}

/** Each round's p99. */
function noteOf({ name }: Crowd, { pairs }: Turns): string {
  const p99 = (values: Float64Array) => ms(quantile(values, 0.99));
  const rounds = pairs.map(
    (pair) => `${p99(pair.with.latencies)} against ${p99(pair.without.latencies)}`,
  );
  return `  ${name}: p99 by round ${rounds.join(", ")}`;
}
