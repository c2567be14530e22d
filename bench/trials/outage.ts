/**
 * Goal: a database that goes away costs time and nothing else. Method: producers append without a
 * pause: single events with keys and batches of them in closed loops, repeated until they are
 * acknowledged, when `Retry-After` says; and single events without keys in an open loop, never
 * repeated. Under this load Postgres is brought down twice, once by an immediate shutdown
 * and once by SIGKILL of its first process, and started again after 20 s. The gateway is left
 * alone. At the end the logs are read over HTTP: what was acknowledged is there with the id that
 * was told, a key is there once, and an event of which the answer said that it was not appended is
 * not there.
 */
import { setTimeout as delay } from "node:timers/promises";
import { densePromise, storedLogs } from "./logs.ts";
import { quantile } from "../measure.ts";
import { openControlledPostgres } from "./postgres.ts";
import { readLog } from "./pages.ts";
import { startProducers, tenants, type Ledger, type SentRequest } from "./outage-producers.ts";
import { watchRss } from "./rss.ts";
import { createTenants, type Stage } from "./stage.ts";
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

type Sizes = { downSeconds: number; aroundSeconds: number };
const full: Sizes = { downSeconds: 20, aroundSeconds: 8 };
const small: Sizes = { downSeconds: 1, aroundSeconds: 0.5 };

const kills = [
  { name: "immediate shutdown", signal: "SIGQUIT" },
  { name: "killed", signal: "SIGKILL" },
] as const;

/** Of the bounded queues (128 MiB), for what else the process holds meanwhile. */
const growthMaxBytes = 128 * 2 ** 20;

/** After an outage every producer is served again within this time, or the trial fails. */
const recoveryMaxMs = 30_000;
const lookMs = 5;

/** More than what can wait for an answer, or the open loop would not be open. */
const clientConnections = 512;

export const outage: Trial = {
  name: "outage",
  what: "Postgres brought down and started again under load",
  run,
};

type Outage = {
  readonly name: string;
  readonly downAt: number;
  /** When the database answered a statement again. */
  readonly upAt: number;
  /** When the first append, and when an append of every producer, was acknowledged after that. */
  readonly firstAt: number;
  readonly allAt: number;
  readonly rss: { readonly before: number; readonly peak: number; readonly after: number };
};

async function run(stage: Stage): Promise<Outcome> {
  const { downSeconds, aroundSeconds } = stage.small ? small : full;
  const postgres = await openControlledPostgres(stage);
  const gateway = await stage.startGateway(postgres.url);
  const client = stage.openClient(gateway, clientConnections);
  await createTenants(client, stage.connect(postgres.url), tenants);
  const rss = await watchRss(gateway.pid);
  stage.defer(() => rss.stop());
  const producers = startProducers(client);
  const outages: Outage[] = [];
  for (const { name, signal } of kills) {
    await delay(aroundSeconds * 1_000);
    stage.say(`${name}, for ${downSeconds} s`);
    const before = quantile(rss.take(), 0.5);
    const downAt = performance.now();
    await postgres.kill(signal);
    await delay(downSeconds * 1_000);
    const upAt = await postgres.start();
    const { firstAt, allAt } = await recovery(producers.ledger, upAt);
    const peak = Math.max(...rss.take());
    await delay(aroundSeconds * 1_000);
    const after = quantile(rss.take(), 0.5);
    outages.push({ name, downAt, upAt, firstAt, allAt, rss: { before, peak, after } });
  }
  stage.say("comparing");
  await producers.stop();
  const logs = await storedLogs(stage.connect(postgres.url));
  return {
    findings: [
      ...outages.flatMap((each) => outageFindings(each, producers.ledger.requests)),
      ...(await compare(producers.ledger, (tenant) => readLog<{ n: number }>(client, tenant))),
      densePromise(logs),
    ],
  };
}

async function recovery({ requests, lanes }: Ledger, upAt: number) {
  let firstAt: number | undefined;
  let seen = requests.length;
  // Those that were answered before this was called count too.
  while (seen > 0 && (requests[seen - 1]?.answeredAt ?? 0) > upAt) seen -= 1;
  const served = new Set<number>();
  while (performance.now() - upAt < recoveryMaxMs) {
    for (; seen < requests.length; seen += 1) {
      const request = requests[seen];
      if (request?.acknowledged !== true) continue;
      firstAt ??= request.answeredAt;
      served.add(request.lane);
      if (served.size === lanes) return { firstAt, allAt: request.answeredAt };
    }
    await delay(lookMs);
  }
  throw new Error(
    `${served.size} of ${lanes} producers were served within ${recoveryMaxMs} ms of the restart`,
  );
}

function outageFindings(outage: Outage, requests: readonly SentRequest[]): Finding[] {
  const { name, downAt, upAt, firstAt, allAt, rss } = outage;
  const during = requests.filter(({ sentAt }) => sentAt >= downAt && sentAt < upAt);
  const refused = during.filter(isRefused);
  const batches = refused.filter(({ status }) => status === 200);
  const waits = refused.map(({ sentAt, answeredAt }) => answeredAt - sentAt);
  const share = ((100 * refused.length) / Math.max(1, during.length)).toFixed(1);
  const growth = rss.peak - rss.before;
  return [
    figure(
      `${name}: sent in ${((upAt - downAt) / 1_000).toFixed(1)} s without it, refused with 503`,
      `${count(refused.length)} of ${count(during.length)}, ${share} %`,
    ),
    promise(
      `${name}: every 503 says when to come back`,
      refused.every(({ status, retryAfter }) => status === 200 || retryAfter),
      `${count(refused.length - batches.length)}; and of ${count(batches.length)} batches with refused ` +
        `events ${count(batches.filter(({ retryAfter }) => retryAfter).length)}`,
    ),
    figure(
      `${name}: how long a refusal took`,
      `p50 ${ms(quantile(waits, 0.5))}, p99 ${ms(quantile(waits, 0.99))}, longest ${ms(Math.max(...waits))}`,
    ),
    figure(
      `${name}: from its return to the first append, to one of every producer`,
      `${ms(firstAt - upAt)}, ${ms(allAt - upAt)}`,
    ),
    figure(
      `${name}: memory before, at most, after`,
      [rss.before, rss.peak, rss.after].map(mebibytes).join(", "),
      [`growth ≤ ${mebibytes(growthMaxBytes)}`, growth <= growthMaxBytes],
    ),
  ];
}

function isRefused({ status, refusedWith }: SentRequest): boolean {
  return status === 503 || refusedWith === 503;
}

async function compare(
  { requests, events, lanes }: Ledger,
  read: (tenant: string) => Promise<readonly { id: string; data: { n: number } }[]>,
): Promise<Finding[]> {
  const stored = new Map<number, string[]>();
  for (const tenant of tenants) {
    for (const { id, data } of await read(tenant)) {
      stored.set(data.n, [...(stored.get(data.n) ?? []), id]);
    }
  }
  const all = [...events.values()];
  const acknowledged = all.filter(({ id }) => id !== undefined);
  const lost = acknowledged.filter(({ n, id = "" }) => stored.get(n)?.includes(id) !== true);
  const denied = all.filter(({ fate }) => fate === "not appended");
  const liars = denied.filter(({ n }) => stored.has(n));
  const doubled = all.filter(({ n }) => (stored.get(n)?.length ?? 0) > 1);
  const strange = [...stored.keys()].filter((n) => !events.has(n));
  const open = all.filter(({ keyed, id }) => keyed && id === undefined);
  const doubtful = all.filter(({ fate }) => fate === "in doubt");
  const other = requests.filter((request) => !request.acknowledged && !isRefused(request));
  return [
    promise(
      "no acknowledged event was lost",
      lost.length === 0,
      `${count(lost.length)} of ${count(acknowledged.length)}`,
    ),
    promise(
      "no event is there twice",
      doubled.length === 0,
      `${count(doubled.length)} of ${count(stored.size)}`,
    ),
    promise(
      "what was said not to be appended is not there",
      liars.length === 0,
      `${count(liars.length)} of ${count(denied.length)}; ${count(doubtful.length)} said to be in doubt`,
    ),
    promise("nothing is there that was not sent", strange.length === 0, count(strange.length)),
    promise(
      "every event with a key was acknowledged in the end",
      open.length === 0,
      `by ${lanes} producers`,
    ),
    promise(
      "nothing was refused otherwise than by 503",
      other.length === 0,
      `${count(requests.length)} requests`,
    ),
  ];
}
