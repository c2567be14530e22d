/**
 * Goal: what a gateway costs does not grow with what is stored. Method: two databases on one server,
 * one with 10,000,000 events and 100,000 endpoints, of which each belongs to another tenant and all
 * are caught up, and one with a hundredth of the events and few endpoints. On each a gateway is
 * started again and again, in turns (A B A B …), until it says that it is ready and until it holds
 * all shards. Then its processor time and memory are taken while nobody asks for anything, and one of
 * two push processes is killed. At last both gateways run and are asked for the same in turns:
 * appends, pushes, pages, and events on their way to a webhook and to streams. Of each round the
 * two make a ratio; told is the median of the rounds.
 */
import { statfs } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { nowMs } from "../clock.ts";
import { quantile, summarize } from "../measure.ts";
import { createChance } from "./chance.ts";
import { until } from "./endpoints.ts";
import { openRunning, takeTurn, works, type Running, type Turn, type Work } from "./grown-work.ts";
import { openSite, shards, type Site, type Size } from "./grown-site.ts";
import { openHealthy } from "./healthy.ts";
import { measureIdle, type Idle } from "./idle-cost.ts";
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

/** How many times as much anything may cost where much is stored. */
const growthMax = 1.2;

/** Of a core, for the gateway and Postgres together. */
const coresMax = 0.02;
const takeOverMaxMs = 5_000;

/** On disk, with its index entries and all else, and as much again for what is not yet removed. */
const bytesPerEvent = 1_500;

const idleSeconds = 30;

const readyLookMs = 5;
const activePerSecond = 50;
const patienceSeconds = 120;

type Sizes = {
  readonly grown: Size;
  readonly fresh: Size;
  /** Of starts. */
  readonly starts: number;
  /** Of turns. */
  readonly rounds: number;
  readonly seconds: number;
  readonly pages: number;
  /** Events that are pushed in a turn. */
  readonly pushed: number;
};

const full: Sizes = {
  grown: { crowd: 100_000, events: 20, log: 9_000_000 },
  fresh: { crowd: 400, events: 20, log: 100_000 },
  starts: 5,
  ...{ rounds: 5, seconds: 2.5, pages: 15, pushed: 20_000 },
};
const small: Sizes = {
  grown: { crowd: 1_000, events: 5, log: 20_000 },
  fresh: { crowd: 300, events: 5, log: 10_000 },
  starts: 1,
  ...{ rounds: 1, seconds: 0.5, pages: 1, pushed: 500 },
};

export const grown: Trial = {
  name: "grown",
  what: "10,000,000 events and 100,000 endpoints against a fresh database",
  run,
};

/** Of the grown one and of the fresh one. */
type Both<T> = { readonly grown: T; readonly fresh: T };

async function run(stage: Stage): Promise<Outcome> {
  const sizes = stage.small ? small : full;
  const sites = await openSites(stage, sizes);
  stage.say("starts");
  const starts = await inTurns(sizes.starts, sites, (site) => start(stage, site));
  // A small run leaves out what is made of waiting, which the trial `idle` has, too.
  const waits = stage.small ? [] : await waitsOf(stage, sites);
  const running = await forBoth(sites, (site) => runAt(stage, site));
  const findings: Finding[] = [];
  for (const work of works) {
    stage.say(work.what);
    await forBoth(running, (at) => takeTurn(at, work, { ...sizes, seconds: sizes.seconds / 2 }));
    const turns = await inTurns(sizes.rounds, running, (at) => takeTurn(at, work, sizes));
    findings.push(...workFindings(work, turns));
  }
  return {
    findings: [...startFindings(starts), ...waits, ...findings],
    notes: [
      `grown ${sizeText(sizes.grown)}; fresh ${sizeText(sizes.fresh)}; ` +
        `${sizes.rounds} rounds of turns of ${sizes.seconds} s; processor time is that of gateway and Postgres`,
    ],
  };
}

async function openSites(stage: Stage, sizes: Sizes): Promise<Both<Site>> {
  const serverUrl = await stage.openPostgres();
  if (!stage.small) {
    const { bavail, bsize } = await statfs(stage.dir);
    const bytes = eventsOf(sizes.grown) * bytesPerEvent;
    if (bavail * bsize < bytes) {
      throw new Error(`${stage.dir} needs ${count(bytes / 2 ** 20)} MiB; choose another --dir`);
    }
    const sql = stage.connect(serverUrl, 1);
    await sql`alter system set max_wal_size = '4GB'`;
    await sql`select pg_reload_conf()`;
  }
  const open = async (name: keyof Both<Site>) => {
    const databaseUrl = await stage.createDatabase(serverUrl);
    const { pages, pushed } = sizes;
    return await openSite(stage, { name, databaseUrl, size: sizes[name], pages, pushed });
  };
  return { fresh: await open("fresh"), grown: await open("grown") };
}

async function forBoth<In, Out>(
  both: Both<In>,
  act: (one: In) => Promise<Out>,
): Promise<Both<Out>> {
  return { fresh: await act(both.fresh), grown: await act(both.grown) };
}

async function inTurns<In, Out>(
  rounds: number,
  both: Both<In>,
  act: (one: In) => Promise<Out>,
): Promise<Both<Out[]>> {
  const turns = { grown: [] as Out[], fresh: [] as Out[] };
  for (let round = 0; round < rounds; round += 1) {
    turns.grown.push(await act(both.grown));
    turns.fresh.push(await act(both.fresh));
  }
  return turns;
}

type Start = { readonly readyMs: number; readonly leasedMs: number };

/** Of a process that is told to start now. */
async function start(stage: Stage, { databaseUrl, sql }: Site): Promise<Start> {
  const startAt = nowMs();
  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway, 1);
  while ((await client.send("GET", "/readyz")).status !== 200) await delay(readyLookMs);
  const readyMs = nowMs() - startAt;
  await until("all shards leased", patienceSeconds, async () => {
    return (await leasedShards(sql)) === shards;
  });
  const leasedMs = nowMs() - startAt;
  await gateway.stop();
  return { readyMs, leasedMs };
}

async function idleOf(stage: Stage, { databaseUrl, sql }: Site): Promise<Idle> {
  const gateway = await stage.startGateway(databaseUrl);
  const idle = await measureIdle({
    sql,
    seconds: idleSeconds,
    pid: gateway.pid,
    brokerPid: undefined,
  });
  await gateway.stop();
  return idle;
}

async function waitsOf(stage: Stage, sites: Both<Site>): Promise<Finding[]> {
  stage.say("idle");
  const idle = await forBoth(sites, (site) => idleOf(stage, site));
  stage.say("take-over");
  const taken = await forBoth(sites, (site) => {
    return takeOver(stage, { ...site, shards, environment: {} });
  });
  return [...idleFindings(idle), ...takeOverFindings(taken)];
}

async function runAt(stage: Stage, site: Site): Promise<Running> {
  const gateway = await stage.startGateway(site.databaseUrl);
  const client = stage.openClient(gateway);
  const tenants = ["active"];
  const healthy = await openHealthy(stage, {
    ...{ gatewayUrl: gateway.url, client, tenants, perSecond: activePerSecond },
  });
  return await openRunning(stage, site, {
    ...{ gateway, client, healthy, chance: createChance(stage.seed) },
  });
}

function startFindings(starts: Both<Start[]>): Finding[] {
  const compare = (what: string, of: (start: Start) => number) =>
    compared(what, { grown: starts.grown.map(of), fresh: starts.fresh.map(of) }, ms);
  return [
    compare("start until ready", ({ readyMs }) => readyMs),
    compare("start until all shards are held", ({ leasedMs }) => leasedMs),
  ];
}

function idleFindings({ grown: ofGrown, fresh }: Both<Idle>): Finding[] {
  const share = ({ gateway, postgres }: Idle) =>
    `gateway ${percent(gateway)}, Postgres ${percent(postgres)}`;
  const rest = ({ transactionsPerSecond, walPerSecond }: Idle) =>
    `${transactionsPerSecond.toFixed(1)}/s, ${(walPerSecond / 1_024).toFixed(1)} KiB/s`;
  return [
    figure("idle: of a core", `${share(ofGrown)}; fresh ${share(fresh)}`, [
      `≤ ${coresMax * 100} %`,
      ofGrown.gateway + ofGrown.postgres <= coresMax,
    ]),
    figure("idle: transactions, WAL", `${rest(ofGrown)}; fresh ${rest(fresh)}`),
    compared("idle: memory", { grown: [ofGrown.rss], fresh: [fresh.rss] }, mebibytes),
  ];
}

function takeOverFindings({ grown: ofGrown, fresh }: Both<TakeOver>): Finding[] {
  const text = ({ heldMs, deliveredMs }: TakeOver) => `${ms(heldMs)}, ${ms(deliveredMs)}`;
  return [
    promise("an event appended at a kill is delivered", ofGrown.deliveredMs > 0, "delivered"),
    figure(
      `push process killed: its ${ofGrown.moved} shards held, that event delivered after`,
      `${text(ofGrown)}; fresh ${text(fresh)}`,
      [`≤ ${takeOverMaxMs / 1_000} s`, ofGrown.heldMs <= takeOverMaxMs],
    ),
  ];
}

function workFindings({ what, unit }: Work, turns: Both<Turn[]>): Finding[] {
  const values = (of: keyof Turn) => ({
    grown: turns.grown.map((turn) => turn[of]),
    fresh: turns.fresh.map((turn) => turn[of]),
  });
  // Of rates more is better: then it is the fresh one's that is so many times the other's.
  const rates = unit === "events/s";
  return [
    compared(what, values("value"), rates ? (rate) => `${count(rate)}/s` : ms, rates),
    compared(`  processor time`, values("cpu"), (us) => `${us.toFixed(1)} µs`),
  ];
}

function compared(
  what: string,
  { grown: ofGrown, fresh }: Both<readonly number[]>,
  text: (value: number) => string,
  inverse = false,
): Finding {
  const ratio = summarize(
    ofGrown.map((value, round) => {
      const other = fresh[round] ?? Number.NaN;
      return inverse ? other / value : value / other;
    }),
  );
  const [median, min, max] = [ratio.median, ratio.min, ratio.max].map((each) => each.toFixed(2));
  const each = `${text(quantile(ofGrown, 0.5))} : ${text(quantile(fresh, 0.5))}`;
  return figure(what, `${each}; costs ${median} (${min} – ${max}) times as much`, [
    `≤ ${growthMax}`,
    ratio.median <= growthMax,
  ]);
}

function eventsOf({ crowd, events, log }: Size): number {
  return (crowd / 2) * events + log;
}

function sizeText(size: Size): string {
  return `${count(eventsOf(size))} events, ${count(size.crowd)} tenants with an endpoint each`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
