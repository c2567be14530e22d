/**
 * Goal: 100,000 tenants cost a scrape no more than some hundred do. Method: a gateway with both roles
 * on a database of 100,000 tenants, of which 5,000 have an endpoint. Each tenant gets events, some
 * more than others, and a part of the endpoints fails. Before and after that the metrics are scraped:
 * how large they are, how many series name tenants, how long it takes, and what the process holds.
 * Then /healthz is asked without pause, in turns with four scrapes a second beside it and without.
 */
import { setTimeout as delay } from "node:timers/promises";
import { migrate, type Sql } from "../../src/db/database.ts";
import { shardOf } from "../../src/control/tenants/tenants.ts";
import type { TenantId } from "../../src/log/event.ts";
import { nowMs } from "../clock.ts";
import type { GatewayProcess } from "../gateway.ts";
import { quantile } from "../measure.ts";
import type { HookOperations } from "../workers/hooks.ts";
import type { Client } from "./client.ts";
import { seedCrowd } from "./crowd.ts";
import { forEach, until } from "./endpoints.ts";
import { measureObservers } from "./observers.ts";
import { watchRss } from "./rss.ts";
import { settleDatabase } from "./seed.ts";
import type { Stage } from "./stage.ts";
import { count, figure, mebibytes, ms, promise, type Outcome, type Trial } from "./trial.ts";

/** As configured by default. */
const places = 100;
const shards = 256;

const scrapes = 20;
const scrapesPerSecond = 4;

const scrapeMaxMs = 50;
const scrapeMaxBytes = 1 << 20;
/** Of the p99 of /healthz. */
const hurtMax = 1.5;

const batchEvents = 1_000;
const busyTenants = 200;
const patienceSeconds = 300;

type Sizes = {
  readonly tenants: number;
  readonly endpoints: number;
  /** Before a scrape is measured, for what else is under way. */
  readonly restSeconds: number;
  readonly rounds: number;
  readonly seconds: number;
  /** Of each observer. */
  readonly calls: number;
};
const full: Sizes = {
  ...{ tenants: 100_000, endpoints: 5_000, restSeconds: 20 },
  ...{ rounds: 5, seconds: 6, calls: 1_000_000 },
};
const small: Sizes = {
  ...{ tenants: 600, endpoints: 300, restSeconds: 0.2 },
  ...{ rounds: 1, seconds: 0.5, calls: 10_000 },
};

export const scrape: Trial = {
  name: "scrape",
  what: "the metrics of a gateway with 100,000 tenants",
  run,
};

type Scraped = {
  readonly bytes: number;
  readonly series: number;
  /** Tenants that are named, `other` among them. */
  readonly tenants: number;
  readonly times: readonly number[];
  readonly rss: number;
};

async function run(stage: Stage): Promise<Outcome> {
  const sizes = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const hooks = stage.startWorker<HookOperations>("hooks");
  const origin = await hooks.call("open");
  await migrate(databaseUrl);
  stage.say(`making ${count(sizes.tenants)} tenants`);
  const { secrets } = stage;
  await seedCrowd(databaseUrl, { secrets, shards, size: sizes.endpoints, events: 3, origin });
  await seedRest(stage.connect(databaseUrl), sizes);
  await settleDatabase(databaseUrl);

  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway);
  await delay(sizes.restSeconds * 1_000);
  const before = await scrapeMany(client, gateway);
  for (let index = 0; index < sizes.endpoints; index += 20) {
    const path = `/idle-${index}`;
    await hooks.call("behave", { path, behaviour: { kind: "answer", status: 500 } });
  }
  stage.say("events for all of them");
  const appended = await appendToAll(client, sizes);
  await until("an attempt at each endpoint", patienceSeconds, async () => {
    return (await hooks.call("count", {})) >= sizes.endpoints;
  });
  const attempts = await hooks.call("count", {});
  await delay(sizes.restSeconds * 1_000);
  const after = await scrapeMany(client, gateway);
  stage.say("/healthz beside scrapes and without");
  const probes = stage.openClient(gateway, 1);
  const health = await healthInTurns(client, probes, sizes);
  await gateway.stop();
  stage.say("the observers alone");
  const costs = measureObservers(sizes.calls, sizes.tenants);
  return {
    findings: [
      ...scrapeFindings(before, after),
      figure(
        "/healthz p50, p99, longest, without scrapes and beside four a second",
        `${timesText(health.without)}; ${timesText(health.with)}`,
      ),
      figure("its p99 beside scrapes by that without", ratioOf(health).toFixed(2), [
        `≤ ${hurtMax}`,
        ratioOf(health) <= hurtMax,
      ]),
      figure(
        "to count an attempt, of 50 tenants and of all",
        `${costs.fewTenants.toFixed(0)} ns, ${costs.manyTenants.toFixed(0)} ns`,
      ),
      figure(
        "to take a value into a histogram, ours and prom-client's with a label",
        `${costs.histogram.toFixed(0)} ns, ${costs.libraryHistogram.toFixed(0)} ns`,
      ),
    ],
    notes: [
      `${count(sizes.tenants)} tenants, ${count(sizes.endpoints)} endpoints, of which a twentieth fails; ` +
        `${count(appended)} events appended to all tenants, ${count(attempts)} attempts before the second scrape`,
      "memory is what the push role holds of tenants that had an event in the last minute, with metrics or without",
      `times of ${scrapes} scrapes, over HTTP; ${sizes.rounds} rounds of turns of ${sizes.seconds} s`,
    ],
  };
}

function scrapeFindings(before: Scraped, after: Scraped) {
  const [ahead, time] = [quantile(before.times, 0.5), quantile(after.times, 0.5)];
  return [
    promise(
      `tenants that are named are ${places} and "other" at most`,
      after.tenants <= places + 1 && after.tenants > 1,
      `${before.tenants} before, ${after.tenants} after`,
    ),
    promise(
      `a scrape is no larger than ${mebibytes(scrapeMaxBytes)}`,
      after.bytes <= scrapeMaxBytes,
      `${count(before.bytes)} bytes before, ${count(after.bytes)} after`,
    ),
    figure("series", `${count(before.series)} before, ${count(after.series)} after`),
    figure("time of a scrape, median, longest", `${ms(ahead)} before, ${timeText(after)} after`, [
      `≤ ${scrapeMaxMs} ms`,
      time <= scrapeMaxMs,
    ]),
    figure("memory", `${mebibytes(before.rss)} before, ${mebibytes(after.rss)} after`),
  ];
}

function timeText({ times }: Scraped): string {
  return `${ms(quantile(times, 0.5))}, ${ms(Math.max(...times))}`;
}

/** Tenants without an endpoint, as rows only. */
async function seedRest(sql: Sql, { tenants, endpoints }: Sizes): Promise<void> {
  for (let from = endpoints; from < tenants; from += 10_000) {
    const rows = Array.from({ length: Math.min(10_000, tenants - from) }, (_, index) => {
      const id = crypto.randomUUID() as TenantId;
      return { id, name: `far-${from + index}`, shard: shardOf(id, shards) };
    });
    const ids = `{${rows.map(({ id }) => id).join(",")}}`;
    const names = `{${rows.map(({ name }) => name).join(",")}}`;
    const numbers = `{${rows.map(({ shard }) => shard).join(",")}}`;
    await sql`
      insert into tenants (id, name, shard)
      select * from unnest(${ids}::uuid[], ${names}::text[], ${numbers}::smallint[])`;
    await sql`insert into heads (tenant) select * from unnest(${ids}::uuid[])`;
  }
}

/** One event to each, and more to some; how many that were. */
async function appendToAll(client: Client, { tenants, endpoints }: Sizes): Promise<number> {
  const all = Array.from({ length: tenants }, (_, index) =>
    index < endpoints ? `idle-${index}` : `far-${index}`,
  );
  const busy = all.filter((_, index) => index % Math.ceil(tenants / busyTenants) === 0);
  const named = [
    ...all,
    ...busy.flatMap((tenant, index) => Array<string>(1 + (index % 20)).fill(tenant)),
  ];
  const batches = Array.from({ length: Math.ceil(named.length / batchEvents) }, (_, batch) =>
    named.slice(batch * batchEvents, (batch + 1) * batchEvents),
  );
  await forEach(batches, async (batch) => {
    const events = batch.map((tenant) => ({ tenant, type: "order.created", data: {} }));
    await client.expect("POST", "/events", JSON.stringify({ events }));
  });
  return named.length;
}

async function scrapeMany(client: Client, { pid }: GatewayProcess): Promise<Scraped> {
  const times: number[] = [];
  let text = "";
  // The first compiles what is hot.
  for (let turn = 0; turn <= scrapes; turn += 1) {
    const startAt = nowMs();
    text = (await client.send("GET", "/metrics")).text;
    if (turn > 0) times.push(nowMs() - startAt);
  }
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const tenants = new Set(
    Array.from(text.matchAll(/latency_seconds_count\{tenant="(.*?)"/g), String),
  );
  const watch = await watchRss(pid);
  const [rss = 0] = watch.take();
  await watch.stop();
  return {
    bytes: Buffer.byteLength(text),
    series: lines.length,
    tenants: tenants.size,
    times,
    rss,
  };
}

type Health = { readonly without: readonly number[]; readonly with: readonly number[] };

async function healthInTurns(
  client: Client,
  probes: Client,
  { rounds, seconds }: Sizes,
): Promise<Health> {
  const health = { without: [] as number[], with: [] as number[] };
  await probe(probes, seconds / 2);
  for (let round = 0; round < rounds; round += 1) {
    health.without.push(...(await probe(probes, seconds)));
    const scraping = setInterval(
      () => void client.send("GET", "/metrics"),
      1_000 / scrapesPerSecond,
    );
    health.with.push(...(await probe(probes, seconds)));
    clearInterval(scraping);
    await delay(1_000 / scrapesPerSecond);
  }
  return health;
}

/** One request after the other. */
async function probe(client: Client, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const endAt = nowMs() + seconds * 1_000;
  for (let startAt = nowMs(); startAt < endAt; startAt = nowMs()) {
    await client.send("GET", "/healthz");
    times.push(nowMs() - startAt);
  }
  return times;
}

function ratioOf(health: Health): number {
  return quantile(health.with, 0.99) / quantile(health.without, 0.99);
}

function timesText(times: readonly number[]): string {
  return [quantile(times, 0.5), quantile(times, 0.99), times.reduce((a, b) => Math.max(a, b), 0)]
    .map((time) => `${time.toFixed(2)} ms`)
    .join(", ");
}
