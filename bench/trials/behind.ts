/**
 * Goal: a backlog costs neither rows nor memory. Method: a log of 1,000,000 events, and an endpoint
 * at its beginning whose receiver is not there; another tenant's endpoint gets 50 events/s before
 * and meanwhile. The gateway's memory is compared with what it was before, rows are counted, and
 * so is what the other endpoint received.
 */
import type { HookOperations } from "../workers/hooks.ts";
import { quantile } from "../measure.ts";
import { createEndpoint, rowsOf, rowsSum, until, circuitOf } from "./endpoints.ts";
import { openHealthy, quantilesText } from "./healthy.ts";
import { watchRss } from "./rss.ts";
import { seedLogs, settleDatabase } from "./seed.ts";
import { createTenants, type Stage } from "./stage.ts";
import { count, figure, mebibytes, promise, type Outcome, type Trial } from "./trial.ts";

const growthMaxBytes = 50 * 2 ** 20;
const healthyPerSecond = 50;

/** Attempts that fail before the circuit opens, each with a retry and an attempt written. */
const rowsMax = 20;

const patienceSeconds = 60;

type Sizes = { events: number; seconds: number };
const full: Sizes = { events: 1_000_000, seconds: 60 };
const small: Sizes = { events: 20_000, seconds: 3 };

export const behind: Trial = {
  name: "behind",
  what: "1,000,000 events behind an endpoint that is not there",
  run,
};

async function run(stage: Stage): Promise<Outcome> {
  const { events, seconds } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway);
  const sql = stage.connect(databaseUrl);
  const healthy = await openHealthy(stage, {
    ...{ gatewayUrl: gateway.url, client, tenants: ["healthy"], perSecond: healthyPerSecond },
  });
  const hooks = stage.startWorker<HookOperations>("hooks");
  const url = await hooks.call("open");
  await hooks.call("close", { url });
  stage.say(`storing ${count(events)} events`);
  const tenants = await createTenants(client, sql, ["behind"]);
  await seedLogs(databaseUrl, { tenants, days: 1, perDay: events });
  await settleDatabase(databaseUrl);

  const rss = await watchRss(gateway.pid);
  stage.defer(() => rss.stop());
  // Twice, so that the gateway has what it needs for this load before its memory is looked at.
  await healthy.turn(seconds / 2);
  rss.take();
  stage.say("without the endpoint");
  const without = await healthy.turn(seconds);
  const before = quantile(rss.take(), 0.5);
  const endpoint = await createEndpoint(client, {
    ...{ tenant: "behind", url: `${url}/dead`, start: "earliest" },
  });
  stage.say("with it");
  const [beside] = await Promise.all([
    healthy.turn(seconds),
    until("the circuit open", patienceSeconds, async () => {
      return (await circuitOf(sql, endpoint)).circuit !== "closed";
    }),
  ]);
  const peak = Math.max(...rss.take());
  const rows = await rowsOf(sql, endpoint);
  const sent = healthyPerSecond * seconds;
  return {
    findings: [
      promise(
        `rows of ${count(events)} events that wait: those of the attempts before the circuit opened`,
        rowsSum(rows) <= rowsMax && rows.deliveries === 0,
        `${count(rows.deliveries)} deliveries, ${count(rows.retries)} retries, ${count(rows.attempts)} attempts`,
      ),
      figure("the gateway's memory before, at most", [before, peak].map(mebibytes).join(", "), [
        `growth ≤ ${mebibytes(growthMaxBytes)}`,
        peak - before <= growthMaxBytes,
      ]),
      promise(
        "the healthy endpoint received all of its events meanwhile",
        beside.latencies.length === sent,
        `${count(beside.latencies.length)} of ${count(sent)}`,
      ),
      figure(
        "its latency",
        `with ${quantilesText(beside.latencies)}; without ${quantilesText(without.latencies)}`,
      ),
    ],
  };
}
