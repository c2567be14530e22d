/**
 * What a gateway is asked for in turns, at one site and at another: rates, times, and the processor
 * time of gateway and Postgres for each event.
 */
import { setTimeout as delay } from "node:timers/promises";
import { nowMs } from "../clock.ts";
import type { GatewayProcess } from "../gateway.ts";
import { quantile } from "../measure.ts";
import type { Worker } from "../worker.ts";
import type { LoadOperations } from "../workers/load.ts";
import type { SubscriberOperations } from "../workers/subscribers.ts";
import type { Chance } from "./chance.ts";
import type { Client } from "./client.ts";
import { cpuOf, cpuOfServer, findServer } from "./cpu.ts";
import { createEndpoint, removeEndpoint, until } from "./endpoints.ts";
import { pageEvents, pushTenant, readTenant, type Site } from "./grown-site.ts";
import type { Healthy } from "./healthy.ts";
import type { Stage } from "./stage.ts";

export type Running = {
  readonly site: Site;
  readonly gateway: GatewayProcess;
  readonly client: Client;
  readonly load: Worker<LoadOperations>;
  readonly streams: Worker<SubscriberOperations>;
  readonly healthy: Healthy;
  /** The first process of the server. */
  readonly server: number;
  readonly key: string;
  readonly chance: Chance;
};

export type Work = {
  readonly what: string;
  readonly unit: "events/s" | "ms";
  turn(at: Running, given: TurnSizes): Promise<{ value: number; events: number }>;
};

export type TurnSizes = {
  readonly seconds: number;
  readonly pages: number;
  readonly pushed: number;
};

export type Turn = {
  readonly value: number;
  /** Microseconds of processor time for each event, of gateway and Postgres together. */
  readonly cpu: number;
};

/** The tenant that is appended to. */
const appendTenant = "append";

const maxInFlight = 64;
const streamsOpen = 20;
const streamedPerSecond = 50;
const readers = 4;
const patienceSeconds = 60;

/** Backends tell of processor time at once, but what ends in the background takes a moment. */
const quietMs = 200;

export const works: readonly Work[] = [
  {
    ...{ what: "appends of single events", unit: "events/s" },
    turn: (at, { seconds }) => appends(at, { connections: 64, batch: 1, seconds }),
  },
  {
    ...{ what: "appends of 100 events", unit: "events/s" },
    turn: (at, { seconds }) => appends(at, { connections: 8, batch: 100, seconds }),
  },
  { what: "pushes of a backlog", unit: "events/s", turn: pushes },
  { what: "pages of 1,000", unit: "events/s", turn: pages },
  { what: "append to webhook, p50", unit: "ms", turn: webhooks },
  { what: "append to 20 streams, p50", unit: "ms", turn: toStreams },
];

export async function openRunning(
  stage: Stage,
  site: Site,
  opened: Pick<Running, "gateway" | "client" | "healthy" | "chance">,
): Promise<Running> {
  await opened.client.expect("PUT", `/tenants/${appendTenant}`, "{}");
  return {
    ...opened,
    site,
    load: stage.startWorker<LoadOperations>("load"),
    streams: stage.startWorker<SubscriberOperations>("subscribers"),
    server: await findServer(site.sql),
    key: stage.key,
  };
}

export async function takeTurn(at: Running, work: Work, sizes: TurnSizes): Promise<Turn> {
  const before = await cpu(at);
  const { value, events } = await work.turn(at, sizes);
  await delay(quietMs);
  return { value, cpu: (((await cpu(at)) - before) / events) * 1e6 };
}

/** The server is the same at all sites, whose turns do not overlap. */
async function cpu({ gateway, server }: Running): Promise<number> {
  const [{ all }, postgres] = await Promise.all([cpuOf(gateway.pid), cpuOfServer(server)]);
  return all + postgres;
}

async function appends(
  at: Running,
  pace: { connections: number; batch: number; seconds: number },
): Promise<{ value: number; events: number }> {
  const { rate, events } = await at.load.call("appends", { ...siteOf(at, appendTenant), ...pace });
  return { value: rate, events };
}

/** From when the endpoint was made until all outcomes are written. */
async function pushes(at: Running, { pushed }: TurnSizes) {
  const { client, site } = at;
  const url = `${await site.hooks.call("open")}/${pushTenant}`;
  const settings = { tenant: pushTenant, url, max_in_flight: maxInFlight } as const;
  const startAt = nowMs();
  const endpoint = await createEndpoint(client, { ...settings, start: "earliest" });
  await until("the backlog pushed", patienceSeconds, async () => {
    const [row] = await site.sql<[{ sequence: number }]>`
      select sequence from positions where consumer = ${endpoint.uuid}`;
    return row.sequence >= pushed;
  });
  const seconds = (nowMs() - startAt) / 1_000;
  await removeEndpoint(client, endpoint);
  await site.hooks.call("take");
  return { value: pushed / seconds, events: pushed };
}

/** Each turn at another place, read again and again by readers of which each is at another page. */
async function pages(at: Running, { pages: some, seconds }: TurnSizes) {
  const cursors = at.site.cursors(at.chance.below(at.site.places), some);
  const { rate } = await at.load.call("pages", {
    ...siteOf(at, readTenant),
    ...{ cursors, readers, pageEvents, seconds },
  });
  return { value: rate, events: rate * seconds };
}

async function webhooks({ healthy }: Running, { seconds }: TurnSizes) {
  const { latencies } = await healthy.turn(seconds);
  return { value: quantile(latencies, 0.5), events: latencies.length };
}

async function toStreams(at: Running, { seconds }: TurnSizes) {
  const { streams, load } = at;
  const site = siteOf(at, appendTenant);
  await streams.call("open", { ...site, count: streamsOpen });
  const pace = { connections: 4, perSecond: streamedPerSecond, seconds };
  const { sent } = await load.call("paced", { ...site, ...pace });
  const wanted = { events: sent, patienceMs: patienceSeconds * 1_000 };
  const latencies = await streams.call("collect", wanted);
  await streams.call("close");
  return { value: quantile(latencies, 0.5), events: latencies.length };
}

function siteOf({ gateway, key }: Running, tenant: string) {
  return { url: gateway.url, key, tenant };
}
