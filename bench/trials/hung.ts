/**
 * Goal: endpoints that hang cost nobody else anything. Method: 10 customers with an endpoint each
 * that is well get 50 events a second each, an open loop. In turns there are beside them none, 100
 * or 2,000 endpoints that accept and never answer, all of one tenant or each of a tenant of its
 * own, and get an event every few seconds, so that they keep wanting slots. They are made anew for
 * each turn: none is known to be slow, and no circuit is open yet. A latency counts from when an
 * event was due to be appended to its arrival; each turn is compared with the one before it, in
 * which the same events were appended and there was nowhere to push them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { quantile } from "../measure.ts";
import type { Worker } from "../worker.ts";
import type { HookOperations } from "../workers/hooks.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import type { Client } from "./client.ts";
import { createEndpoint, forEach, removeEndpoint, until, type MadeEndpoint } from "./endpoints.ts";
import {
  openHealthy,
  pairsText,
  ratioOf,
  ratioTarget,
  ratioText,
  type Healthy,
  type HealthyTurn,
  type Pair,
} from "./healthy.ts";
import type { Stage } from "./stage.ts";
import { count, figure, ms, promise, type Finding, type Outcome, type Trial } from "./trial.ts";

const healthyTenants = Array.from({ length: 10 }, (_, index) => `healthy-${index}`);
const eventsPerSecond = 500;

/** Events of one append, where each endpoint that hangs has a tenant of its own. */
const trickleBatch = 50;

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

/** So many must hang before a turn, or nothing would be shown: fewer than have room. */
const hungMin = 100;
const patienceSeconds = 60;

export const hung: Trial = {
  name: "hung",
  what: "100 and 2,000 endpoints that never answer beside 10 that do",
  run,
};

/** Endpoints that hang, and which tenants they belong to. */
type Crowd = { readonly name: string; readonly tenants: readonly string[]; readonly size: number };

type Turns = { readonly pairs: Pair[]; attempts: number };

type Site = {
  readonly sizes: Sizes;
  readonly gatewayUrl: string;
  readonly key: string;
  readonly client: Client;
  readonly healthy: Healthy;
  readonly hooks: Worker<HookOperations>;
  readonly producers: Worker<ProducerOperations>;
  readonly hungUrl: string;
};

async function run(stage: Stage): Promise<Outcome> {
  const sizes = stage.small ? small : full;
  const { rounds, seconds } = sizes;
  const site = await openSite(stage, sizes);
  const crowds = sizes.hung.flatMap((size) => crowdsOf(size));
  stage.say("making tenants");
  await forEach([...new Set(crowds.flatMap(({ tenants }) => tenants))], (tenant) =>
    site.client.expect("PUT", `/tenants/${tenant}`, "{}"),
  );
  await site.healthy.turn(sizes.warmUpSeconds);

  const turns = new Map<Crowd, Turns>(crowds.map((crowd) => [crowd, { pairs: [], attempts: 0 }]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [crowd, { pairs }] of turns) {
      stage.say(`round ${round} of ${rounds}, ${crowd.name}`);
      const without = await turn(site, crowd);
      const beside = await besideCrowd(site, crowd);
      pairs.push({ without, with: beside.turn });
      const told = turns.get(crowd);
      if (told !== undefined) told.attempts += beside.attempts;
    }
  }
  return {
    findings: [...turns].flatMap(([crowd, told]) => findingsOf(crowd, told)),
    notes: [
      [
        `${healthyTenants.length} healthy endpoints with ${eventsPerSecond} events/s in all; ` +
          `${rounds} rounds of turns of ${seconds} s; an event every ${sizes.trickleSeconds} s to each that hangs`,
        ...[...turns].map(([crowd, told]) => noteOf(crowd, told)),
      ].join("\n"),
    ],
  };
}

async function openSite(stage: Stage, sizes: Sizes): Promise<Site> {
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway);
  const healthy = await openHealthy(stage, {
    ...{ gatewayUrl: gateway.url, client, tenants: healthyTenants, perSecond: eventsPerSecond },
  });
  const hooks = stage.startWorker<HookOperations>("hooks");
  const producers = stage.startWorker<ProducerOperations>("producers");
  const hungUrl = `${await hooks.call("open")}/hung`;
  await hooks.call("behave", { path: "/hung", behaviour: { kind: "hang" } });
  const clients = { gatewayUrl: gateway.url, key: stage.key, client };
  return { sizes, ...clients, healthy, hooks, producers, hungUrl };
}

function crowdsOf(size: number): Crowd[] {
  const own = Array.from({ length: size }, (_, index) => `hung-${index}`);
  return [
    { name: `${count(size)} of one tenant`, tenants: ["hung"], size },
    { name: `${count(size)} of as many tenants`, tenants: own, size },
  ];
}

async function besideCrowd(site: Site, crowd: Crowd) {
  const { tenants, size } = crowd;
  const { client, hooks, hungUrl } = site;
  const { trickleSeconds, timeoutMs } = site.sizes;
  const endpoints: MadeEndpoint[] = [];
  const owners = Array.from({ length: size }, (_, index) => tenants[index % tenants.length] ?? "");
  await forEach(owners, async (tenant) => {
    endpoints.push(await createEndpoint(client, { tenant, url: hungUrl, timeout_ms: timeoutMs }));
  });
  await hooks.call("take");
  // What there is room for hangs when the turn begins, so that it shows the time with them and not
  // how they were made: that many changes of one tenant's endpoints take a while to be taken in.
  await trickle(site, tenants, trickleSeconds);
  await until("some hung", patienceSeconds, async () => {
    return (await hooks.call("count", {})) >= Math.min(size, hungMin);
  });
  await trickle(site, tenants, trickleSeconds);
  await hooks.call("take");
  const beside = await turn(site, crowd);
  const attempts = await hooks.call("count", {});
  await forEach(endpoints, (endpoint) => removeEndpoint(client, endpoint));
  await delay(timeoutMs);
  return { turn: beside, attempts };
}

async function turn(site: Site, { tenants }: Crowd): Promise<HealthyTurn> {
  const { seconds } = site.sizes;
  const [measured] = await Promise.all([
    site.healthy.turn(seconds),
    trickle(site, tenants, seconds),
  ]);
  return measured;
}

async function trickle(
  { gatewayUrl, key, producers, sizes }: Site,
  tenants: readonly string[],
  seconds: number,
): Promise<void> {
  const batch = Math.min(trickleBatch, tenants.length);
  const perSecond = tenants.length / sizes.trickleSeconds / batch;
  const { refused } = await producers.call("spray", {
    ...{ url: gatewayUrl, key, tenants, batch, perSecond, seconds },
  });
  if (refused > 0) throw new Error(`${refused} appends were refused`);
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
