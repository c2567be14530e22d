/**
 * Goal: tenants and endpoints that have nothing to do cost nothing. Method: a database with 100,000
 * tenants that have an endpoint each, all caught up. A gateway is started on it in each role and
 * in both, with fan-out in the process and by a real broker, and when it has settled its processor
 * time and memory are taken, and Postgres's time, transactions and log, over a minute in which
 * nobody asks for anything. Then one tenant gets 10 events/s, in turns there and in a database of
 * its own. At last one of two push processes is killed.
 */
import type { Sql } from "../../src/db/database.ts";
import { nowMs } from "../clock.ts";
import { quantile } from "../measure.ts";
import type { Worker } from "../worker.ts";
import type { HookOperations } from "../workers/hooks.ts";
import { openBroker, type Broker } from "./broker.ts";
import { differences, seedCrowd } from "./crowd.ts";
import { createEndpoint, until } from "./endpoints.ts";
import { openHealthy, pairsText, ratioTarget, type Pair } from "./healthy.ts";
import { measureIdle, type Idle } from "./idle-cost.ts";
import { settleDatabase } from "./seed.ts";
import type { Stage } from "./stage.ts";
import { leasedShards, takeOver, type TakeOver } from "./takeover.ts";
import {
  count,
  figure,
  mebibytes,
  ms,
  promise,
  type Finding,
  type Outcome,
  type Trial,
} from "./trial.ts";

/** Of a core, for the gateway and Postgres together. */
const coresMax = 0.02;
const takeOverMaxMs = 5_000;

const activePerSecond = 10;

/** Of those that have had any. */
const eventsEach = 3;

/** As many as there are unless one is configured. */
const shards = 256;

const patienceSeconds = 60;

type Sizes = { crowd: number; seconds: number; rounds: number; turnSeconds: number };
const full: Sizes = { crowd: 100_000, seconds: 60, rounds: 3, turnSeconds: 20 };
const small: Sizes = { crowd: 400, seconds: 1, rounds: 1, turnSeconds: 1 };

export const idle: Trial = {
  name: "idle",
  what: "100,000 tenants and endpoints that have nothing to do",
  run,
};

type Environment = Readonly<Record<string, string>>;
type Fanout = { readonly name: string; readonly environment: Environment };

type Site = {
  readonly databaseUrl: string;
  readonly sql: Sql;
  readonly hooks: Worker<HookOperations>;
  readonly origin: string;
};

const roles: readonly (readonly [string, Environment])[] = [
  ["both roles", {}],
  ["api alone", { TIDEGATE_ROLES: "api" }],
  ["push alone", { TIDEGATE_ROLES: "push" }],
];

async function run(stage: Stage): Promise<Outcome> {
  const sizes = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const hooks = stage.startWorker<HookOperations>("hooks");
  const origin = await hooks.call("open");
  const site: Site = { databaseUrl, sql: stage.connect(databaseUrl), hooks, origin };
  const different = await makeCrowd(stage, site, sizes.crowd);
  const broker = await openBroker(stage);
  const all = [
    { name: "in the process", environment: {} },
    ...(broker ? [{ name: "JetStream", environment: { NATS_URL: broker.url } }] : []),
  ];
  // A small run starts fewer gateways: over the broker where there is one, with both roles.
  const fanouts: readonly Fanout[] = stage.small ? all.slice(-1) : all;
  const costs: Finding[] = [];
  for (const fanout of fanouts) {
    for (const [role, environment] of stage.small ? roles.slice(0, 1) : roles) {
      const name = `${role}, fan-out ${fanout.name}`;
      stage.say(name);
      const cost = await costOf(stage, site, broker, {
        ...{ seconds: sizes.seconds, environment: { ...fanout.environment, ...environment } },
      });
      costs.push(...costFindings(name, cost));
    }
  }
  stage.say("one active tenant, among the idle ones and alone");
  const pairs = await beside(stage, site, sizes);
  const takeOvers: Finding[] = [];
  for (const { name, environment } of fanouts) {
    stage.say(`take-over, fan-out ${name}`);
    takeOvers.push(
      ...takeOverFindings(name, await takeOver(stage, { ...site, shards, environment })),
    );
  }
  return {
    findings: [
      promise(
        "tenants were made as the gateway makes them",
        different.length === 0,
        different.join("; ") || count(sizes.crowd),
      ),
      ...costs,
      ...activeFindings(pairs),
      ...takeOvers,
    ],
    notes: [
      `${count(sizes.crowd)} tenants; each cost over ${sizes.seconds} s, transactions by xact_commit of ` +
        `pg_stat_database; ${sizes.rounds} rounds of turns of ${sizes.turnSeconds} s with ${activePerSecond} events/s`,
      ...(broker === undefined ? ["no NATS_URL and no nats-server: JetStream was left out"] : []),
    ],
  };
}

/** Two tenants by the gateway, with events and without, and then the others by SQL. */
async function makeCrowd(stage: Stage, site: Site, size: number): Promise<string[]> {
  const { databaseUrl, sql, hooks, origin } = site;
  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway);
  for (const tenant of ["made-busy", "made-quiet"]) {
    await client.expect("PUT", `/tenants/${tenant}`, "{}");
    await createEndpoint(client, { tenant, url: `${origin}/${tenant}` });
  }
  const event = { tenant: "made-busy", type: "order.created", subject: "order_1042", data: {} };
  const body = JSON.stringify({ events: Array(eventsEach).fill(event) });
  await client.expect("POST", "/events", body);
  await until("all delivered", patienceSeconds, async () => {
    const [row] = await sql<[{ delivered: number }]>`
      select count(*) as delivered from deliveries where status = 'delivered'`;
    return row.delivered === eventsEach;
  });
  await gateway.stop();
  await hooks.call("take");
  stage.say(`making ${count(size)} tenants`);
  const { secrets } = stage;
  await seedCrowd(databaseUrl, { secrets, shards, size, events: eventsEach, origin });
  await settleDatabase(databaseUrl);
  return [
    ...(await differences(sql, "made-busy", "idle-0")),
    ...(await differences(sql, "made-quiet", "idle-1")),
  ];
}

type Cost = {
  readonly startedMs: number;
  readonly leasedMs: number | undefined;
  readonly idle: Idle;
};

async function costOf(
  stage: Stage,
  { databaseUrl, sql }: Site,
  broker: Broker | undefined,
  { seconds, environment }: { seconds: number; environment: Environment },
): Promise<Cost> {
  const startAt = nowMs();
  const gateway = await stage.startGateway(databaseUrl, environment);
  const startedMs = nowMs() - startAt;
  let leasedMs: number | undefined;
  if (environment["TIDEGATE_ROLES"] !== "api") {
    await until("all shards leased", patienceSeconds, async () => {
      return (await leasedShards(sql)) === shards;
    });
    leasedMs = nowMs() - startAt;
  }
  const brokerPid = environment["NATS_URL"] === undefined ? undefined : broker?.pid;
  const idle = await measureIdle({ sql, seconds, pid: gateway.pid, brokerPid });
  await gateway.stop();
  return { startedMs, leasedMs, idle };
}

async function beside(
  stage: Stage,
  { databaseUrl }: Site,
  { rounds, turnSeconds }: Sizes,
): Promise<Pair[]> {
  const open = async (url: string) => {
    const gateway = await stage.startGateway(url);
    const client = stage.openClient(gateway);
    const healthy = await openHealthy(stage, {
      ...{ gatewayUrl: gateway.url, client, tenants: ["active"], perSecond: activePerSecond },
    });
    return { gateway, healthy };
  };
  const among = await open(databaseUrl);
  const alone = await open(await stage.createDatabase(databaseUrl));
  await among.healthy.turn(turnSeconds / 2);
  await alone.healthy.turn(turnSeconds / 2);
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const without = await alone.healthy.turn(turnSeconds);
    pairs.push({ without, with: await among.healthy.turn(turnSeconds) });
  }
  await Promise.all([among.gateway.stop(), alone.gateway.stop()]);
  return pairs;
}

function costFindings(name: string, { startedMs, leasedMs, idle }: Cost): Finding[] {
  const { gateway, loop, postgres, broker, transactionsPerSecond, walPerSecond, rss } = idle;
  const leased = leasedMs === undefined ? "" : `, all shards leased after ${ms(leasedMs)}`;
  const brokerText = broker === undefined ? "" : `, broker ${percent(broker)}`;
  return [
    figure(`${name}: started`, `${ms(startedMs)}${leased}`),
    figure(
      `${name}: of a core`,
      `gateway ${percent(gateway)} (event loop ${percent(loop)}), Postgres ${percent(postgres)}${brokerText}`,
      [`≤ ${coresMax * 100} % together`, gateway + postgres <= coresMax],
    ),
    figure(
      `${name}: transactions, WAL, memory`,
      `${transactionsPerSecond.toFixed(1)}/s, ${(walPerSecond / 1_024).toFixed(1)} KiB/s, ${mebibytes(rss)}`,
    ),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function activeFindings(pairs: readonly Pair[]): Finding[] {
  const all = (which: keyof Pair) => pairs.flatMap((pair) => [...pair[which].latencies]);
  const ratio = (q: number) => quantile(all("with"), q) / quantile(all("without"), q);
  const ratios = [0.5, 0.99].map(ratio);
  return [
    figure("one active tenant, with the idle ones and without", pairsText(pairs)),
    figure("its p50 and p99, with by without", ratios.map((each) => each.toFixed(2)).join(", "), [
      `≤ ${ratioTarget}`,
      ratios.every((each) => each <= ratioTarget),
    ]),
  ];
}

function takeOverFindings(name: string, told: TakeOver): Finding[] {
  const { moved, heldMs, deliveredMs, afterwardsMs } = told;
  const title = `push process killed, fan-out ${name}`;
  return [
    figure(`${title}: its ${moved} shards held by the other after`, ms(heldMs), [
      `≤ ${takeOverMaxMs / 1_000} s`,
      heldMs <= takeOverMaxMs,
    ]),
    figure(`${title}: an event appended at the kill delivered after`, ms(deliveredMs)),
    figure(`${title}: one appended once they were held, after`, ms(afterwardsMs)),
  ];
}
