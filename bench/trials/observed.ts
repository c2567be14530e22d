/**
 * Goal: what logs, metrics and traces cost the pushes. Method: a backlog is pushed to one fast
 * endpoint as quickly as the gateway can, by gateways that differ in what is observed and in nothing
 * else. Each turn starts a gateway of its own, which also appends its backlog, since an event keeps
 * the trace that its append began. The gateways take turns, and a ratio is made of two turns of one
 * round: what it leaves of the rate of a gateway that writes no log, is not scraped and traces
 * nothing. What only counts costs every gateway the same; `npm run trial -- scrape` tells how much.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Sql } from "../../src/db/database.ts";
import type { GatewayProcess } from "../gateway.ts";
import { nowMs } from "../clock.ts";
import { quantile } from "../measure.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import type { ReceiverOperations } from "../workers/receiver.ts";
import type { Worker } from "../worker.ts";
import { createEndpoint, type MadeEndpoint } from "./endpoints.ts";
import { createTenants, type Stage } from "./stage.ts";
import { count, figure, promise, type Finding, type Outcome, type Trial } from "./trial.ts";

type Observed = {
  readonly name: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly scraped?: boolean;
  /** Of the appends; undefined traces nothing. */
  readonly sampled?: number;
};

const nothing: Observed = { name: "nothing" };

const allObserved: readonly Observed[] = [
  nothing,
  { name: "logs as by default", environment: { LOG_LEVEL: "info" } },
  { name: "a line for each attempt", environment: { LOG_LEVEL: "debug" } },
  { name: "scraped every second", scraped: true },
  { name: "1 % traced", sampled: 0.01 },
  { name: "everything traced", sampled: 1 },
  { name: "all of it at once", environment: { LOG_LEVEL: "debug" }, scraped: true, sampled: 1 },
];

const fewObserved: readonly Observed[] = [nothing, ...allObserved.slice(-1)];

const scrapeEveryMs = 1_000;

const inFlight = 64;

/** Small, so that a sample is one of many. */
const appendBatch = 100;

/** More than is pushed, so that a turn ends before its backlog does. */
const backlogPerSecond = 32_000;

/** In which connections are opened and what is hot is compiled. */
const warmUpSeconds = 1.5;

type Sizes = { rounds: number; seconds: number; observed: readonly Observed[] };
const full: Sizes = { rounds: 4, seconds: 3, observed: allObserved };
const small: Sizes = { rounds: 1, seconds: 0.5, observed: fewObserved };

export const observed: Trial = {
  name: "observed",
  what: "pushes by gateways that log, are scraped and trace, against one that does not",
  run,
};

type Turn = { readonly rate: number; readonly exports: number };

type Site = {
  readonly databaseUrl: string;
  readonly sql: Sql;
  readonly producers: Worker<ProducerOperations>;
  readonly receiver: Worker<ReceiverOperations>;
  /** Takes what is exported, and looks at none of it. */
  readonly collector: Worker<ReceiverOperations>;
};

async function run(stage: Stage): Promise<Outcome> {
  const sizes = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const site: Site = {
    ...{ databaseUrl, sql: stage.connect(databaseUrl) },
    producers: stage.startWorker("producers"),
    receiver: stage.startWorker("receiver"),
    collector: stage.startWorker("receiver"),
  };
  const turns = new Map<Observed, Turn[]>(sizes.observed.map((each) => [each, []]));
  for (let round = 0; round < sizes.rounds; round += 1) {
    // Each is the first of a round as often as any other.
    const at = round % sizes.observed.length;
    for (const each of [...sizes.observed.slice(at), ...sizes.observed.slice(0, at)]) {
      stage.say(`round ${round + 1} of ${sizes.rounds}: ${each.name}`);
      const turn = await take(stage, site, each, { round, seconds: sizes.seconds });
      turns.get(each)?.push(turn);
    }
  }
  return { findings: findingsOf(turns) };
}

async function take(
  stage: Stage,
  site: Site,
  each: Observed,
  { round, seconds }: { round: number; seconds: number },
): Promise<Turn> {
  const { databaseUrl, sql, producers, receiver, collector } = site;
  const gateway = await stage.startGateway(databaseUrl, {
    LOG_LEVEL: "silent",
    ...each.environment,
    ...(await tracing(each, collector)),
  });
  const client = stage.openClient(gateway);
  const name = `${each.name.replaceAll(/\W+/g, "-")}-${round}`;
  const [tenant] = await createTenants(client, sql, [name]);
  if (tenant === undefined) throw new Error("no tenant was created");
  const events = Math.ceil((warmUpSeconds + seconds) * backlogPerSecond);
  const key = { url: gateway.url, key: stage.key };
  await producers.call("fill", { ...key, tenant: name, events, batch: appendBatch });
  await collector.call("start");
  await receiver.call("start");
  const url = `${await receiver.call("where")}/hook`;
  const endpoint = await createEndpoint(client, {
    ...{ tenant: name, url, max_in_flight: inFlight, start: "earliest" },
  });
  const rate = await rateOf(site, endpoint, { events, seconds, gateway, stage, each });
  await client.close();
  await gateway.stop();
  await receiver.call("quiet", { ms: 200 });
  const exports = each.sampled === undefined ? 0 : await exportsOf(collector);
  return { rate, exports };
}

/** Recorded deliveries a second, once it is warm. */
async function rateOf(
  { sql, receiver }: Site,
  { uuid }: MadeEndpoint,
  turn: { events: number; seconds: number; gateway: GatewayProcess; stage: Stage; each: Observed },
): Promise<number> {
  const { events, seconds, gateway, stage, each } = turn;
  await receiver.call("until", { count: events, seconds: warmUpSeconds });
  const scraping = each.scraped === true ? scrape(stage, gateway) : undefined;
  const [from, fromMs] = [await delivered(), nowMs()];
  await delay(seconds * 1_000);
  const [to, toMs] = [await delivered(), nowMs()];
  await scraping?.stop();
  if (to >= events) throw new Error("the backlog ended before the turn");
  return (to - from) / ((toMs - fromMs) / 1_000);

  /** By its index alone, which takes a few milliseconds for any number. */
  async function delivered(): Promise<number> {
    const [row] = await sql<{ count: number }[]>`
      select sequence as count from positions where consumer = ${uuid}`;
    return row?.count ?? 0;
  }
}

function scrape(stage: Stage, gateway: GatewayProcess): { stop(): Promise<void> } {
  const client = stage.openClient(gateway, 1);
  let stopped = false;
  const loop = (async () => {
    while (!stopped) {
      await client.send("GET", "/metrics");
      await delay(scrapeEveryMs);
    }
    await client.close();
  })();
  return {
    async stop() {
      stopped = true;
      await loop;
    },
  };
}

async function tracing(
  { sampled }: Observed,
  collector: Worker<ReceiverOperations>,
): Promise<Record<string, string>> {
  if (sampled === undefined) return {};
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: await collector.call("where"),
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: String(sampled),
  };
}

/** Requests with spans, which a gateway that has stopped has sent. */
async function exportsOf(collector: Worker<ReceiverOperations>): Promise<number> {
  return (await collector.call("until", { count: 1, seconds: 0 })).count;
}

function findingsOf(turns: ReadonlyMap<Observed, readonly Turn[]>): Finding[] {
  const bare = turns.get(nothing) ?? [];
  return Array.from(turns, ([each, own]) => {
    const rates = own.map(({ rate }) => rate);
    const ratios = rates.map((rate, round) => rate / (bare[round]?.rate ?? Number.NaN));
    const share = `${percent(quantile(ratios, 0.5))} (${percent(Math.min(...ratios))} – ${percent(Math.max(...ratios))})`;
    const line = figure(each.name, `${count(quantile(rates, 0.5))} pushes/s  ${share}`);
    if (each.sampled !== 1) return [line];
    const exports = own.map(({ exports: requests }) => requests);
    const came = exports.every((requests) => requests > 0);
    return [line, promise("  its spans were exported", came, `${exports.join(", ")} requests`)];
  }).flat();
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
