/**
 * Goal: a replay of very many events is exact, whatever interrupts it, and those who are pushed to
 * live hardly notice it. Method: an endpoint whose events are all delivered already; what is live,
 * for it and for others, is timed without a replay and then beside one of all of them. In the middle
 * of it the gateway gets SIGKILL and is started again on the same database. What the receiver got is
 * compared with what the replay counts and with what is recorded.
 */
import type { Sql } from "../../src/db/database.ts";
import { quantile } from "../measure.ts";
import type { Worker } from "../worker.ts";
import type { HookOperations } from "../workers/hooks.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import type { Client } from "./client.ts";
import { createEndpoint, until, type MadeEndpoint } from "./endpoints.ts";
import { openHealthy, quantilesText, ratioTarget } from "./healthy.ts";
import { seedLogs, settleDatabase } from "./seed.ts";
import { createTenants, type Stage } from "./stage.ts";
import { count, figure, promise, type Finding, type Outcome, type Trial } from "./trial.ts";

const tenant = "replayed";
const perSecond = 50;

/** Sent behind the first whose outcome is not written: what may come again after a kill. */
const repeatsMax = 1_000;

const patienceSeconds = 1_800;

type Sizes = { events: number; seconds: number };
const full: Sizes = { events: 200_000, seconds: 60 };
const small: Sizes = { events: 4_000, seconds: 2 };

export const replay: Trial = {
  name: "replay",
  what: "200,000 deliveries made again, and a kill -9 in the middle",
  run,
};

type Job = { id: string; status: string; sent: number; failed: number; total: number | null };

async function run(stage: Stage): Promise<Outcome> {
  const { events, seconds } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway);
  const sql = stage.connect(databaseUrl);
  const hooks = stage.startWorker<HookOperations>("hooks");
  const url = `${await hooks.call("open")}/${tenant}`;
  const endpoint = await openDelivered(stage, { databaseUrl, client, sql, url, events });
  const timed = await openTimed(stage, { gatewayUrl: gateway.url, client, hooks });

  await timed(seconds / 2);
  stage.say("live events without a replay");
  const without = await timed(seconds);
  const startedAt = performance.now();
  // Those that were there, and not the live ones.
  const wanted = { status: "all", until: `${new Date().toISOString().slice(0, 10)}T00:00:00Z` };
  const path = `/endpoints/${endpoint.id}/replays`;
  const asked = await client.expect("POST", path, JSON.stringify(wanted));
  const { id } = asked as Job;
  stage.say("with it");
  const beside = await timed(seconds);
  const still = await jobOf(client, id);
  await until("half of it sent", patienceSeconds, async () => {
    return (await jobOf(client, id)).sent >= events / 2;
  });
  stage.say("killing the gateway");
  process.kill(gateway.pid, "SIGKILL");
  await gateway.stop();
  const later = stage.openClient(await stage.startGateway(databaseUrl));
  const killedAt = await jobOf(later, id);
  await until("the replay completed", patienceSeconds, async () => {
    return (await jobOf(later, id)).status === "completed";
  });
  const took = (performance.now() - startedAt) / 1_000;
  const done = await jobOf(later, id);
  const received = await timed.received();
  return {
    findings: [
      ...exactness({ events, done, received, recorded: await recordedOf(sql, endpoint) }),
      figure("counted when the gateway was back", `${count(killedAt.sent)} of ${count(events)}`),
      figure("sent again a second, with the restart", count(events / took)),
      figure("sent beside the live events, a second", count(still.sent / seconds)),
      ...latencies(without, beside),
    ],
  };
}

/** An endpoint that has had all of its events, as if they had been pushed. */
async function openDelivered(
  stage: Stage,
  given: { databaseUrl: string; client: Client; sql: Sql; url: string; events: number },
): Promise<MadeEndpoint> {
  const { databaseUrl, client, sql, url, events } = given;
  stage.say(`storing ${count(events)} events`);
  const tenants = await createTenants(client, sql, [tenant]);
  await seedLogs(databaseUrl, { tenants, days: 1, perDay: events });
  const endpoint = await createEndpoint(client, { tenant, url });
  await sql`
    insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code)
    select e.tenant, p.consumer, e.day, e.sequence, 'delivered', 1, e.sequence - 1,
      e.appended_at, e.appended_at, 1, 1, 200
    from events e join positions p on p.tenant = e.tenant where p.consumer = ${endpoint.uuid}`;
  await settleDatabase(databaseUrl);
  return endpoint;
}

type Latencies = { readonly own: number[]; readonly others: Float64Array };

/** Live events for so long, to the endpoint itself and to others; what came of the replay is kept. */
async function openTimed(
  stage: Stage,
  given: { gatewayUrl: string; client: Client; hooks: Worker<HookOperations> },
) {
  const { gatewayUrl, client, hooks } = given;
  const producers = stage.startWorker<ProducerOperations>("producers");
  const healthy = await openHealthy(stage, {
    ...{ gatewayUrl, client, tenants: ["beside"], perSecond },
  });
  const replayed: number[] = [];
  return Object.assign(turn, { received });

  async function turn(seconds: number): Promise<Latencies> {
    const pace = { tenants: [tenant], perSecond, seconds, timed: true };
    const [{ latencies }, { acknowledged }] = await Promise.all([
      healthy.turn(seconds),
      producers.call("paced", { url: gatewayUrl, key: stage.key, ...pace }),
    ]);
    const own: number[] = [];
    await until("all live events arrived", patienceSeconds, async () => {
      own.push(...(await take()));
      return own.length >= acknowledged;
    });
    return { own, others: latencies };
  }

  async function received(): Promise<readonly number[]> {
    await take();
    return replayed;
  }

  /** Live events say when they were meant to be appended; those that are made again do not. */
  async function take(): Promise<number[]> {
    const rows = (await hooks.call("take")).get(`/${tenant}`);
    const live: number[] = [];
    rows?.latency.forEach((latency, row) => {
      if (Number.isNaN(latency)) replayed.push(rows.sequence[row] ?? Number.NaN);
      else live.push(latency);
    });
    return live;
  }
}

async function jobOf(client: Client, id: string): Promise<Job> {
  return (await client.expect("GET", `/replays/${id}`)) as Job;
}

type Recorded = { readonly delivered: number; readonly repeated: number };

/** Of the events that there were before: delivered, and by a replay. */
async function recordedOf(sql: Sql, { uuid }: MadeEndpoint): Promise<Recorded> {
  const [row] = await sql<Recorded[]>`
    select count(*) filter (where d.status = 'delivered') as delivered,
      count(*) filter (where exists (
        select from attempts a where a.tenant = d.tenant and a.endpoint = d.endpoint
          and a.day = d.day and a.sequence = d.sequence and a.replay is not null)) as repeated
    from deliveries d where d.endpoint = ${uuid} and d.previous is not null
      and d.day < (now() at time zone 'UTC')::date`;
  if (row === undefined) throw new Error("nothing was counted");
  return row;
}

function exactness(found: {
  events: number;
  done: Job;
  received: readonly number[];
  recorded: Recorded;
}): Finding[] {
  const { events, done, received, recorded } = found;
  const distinct = new Set(received).size;
  const repeats = received.length - distinct;
  return [
    promise(
      "every event was sent again",
      distinct === events,
      `${count(distinct)} of ${count(events)}`,
    ),
    promise(
      "the replay counts each once, over the kill",
      done.sent === events && done.failed === 0 && done.total === events,
      `${count(done.sent)} sent, ${count(done.failed)} failed, ${count(done.total ?? 0)} in all`,
    ),
    promise(
      "each is recorded: delivered, with an attempt of the replay",
      recorded.delivered === events && recorded.repeated === events,
      `${count(recorded.delivered)}, ${count(recorded.repeated)}`,
    ),
    promise(
      `came twice, for the kill: at most ${count(repeatsMax)}`,
      repeats <= repeatsMax,
      count(repeats),
    ),
  ];
}

function latencies(without: Latencies, beside: Latencies): Finding[] {
  return (["own", "others"] as const).flatMap((whose) => {
    const ratio = quantile(beside[whose], 0.99) / quantile(without[whose], 0.99);
    const what = whose === "own" ? "the same endpoint" : "another one";
    const target: [string, boolean] = [`≤ ${ratioTarget}`, ratio <= ratioTarget];
    return [
      figure(`live p99 of ${what}, with the replay to without it`, ratio.toFixed(2), target),
      figure(
        "  its latency",
        `with ${quantilesText(beside[whose])}; without ${quantilesText(without[whose])}`,
      ),
    ];
  });
}
