/**
 * Goal: an endpoint with a rate of its own takes what it allows, and nobody pays for the rest.
 * Method: 250 events/s for 60 s to an endpoint with `rate_per_second` 50, so that most of them
 * wait, until all are delivered; another tenant's endpoint gets 50 events/s meanwhile. Before that and
 * afterwards there is the same load without the paced endpoint, for comparison.
 */
import { quantile } from "../measure.ts";
import type { HookOperations, Received } from "../workers/hooks.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import { createEndpoint, removeEndpoint, rowsOf, until, type Rows } from "./endpoints.ts";
import { openHealthy, quantilesText, ratioTarget, type HealthyTurn } from "./healthy.ts";
import type { Stage } from "./stage.ts";
import { count, figure, promise, type Finding, type Outcome, type Trial } from "./trial.ts";

const ratePerSecond = 50;
const rateTolerance = 0.05;
const eventsPerSecond = 250;
const otherPerSecond = 50;

/** Left out at both ends of the drain, where it is not one. */
const endsMs = 1_000;

/** Of a drain, beside what it takes at the endpoint's rate. */
const patienceSeconds = 60;

type Sizes = { seconds: number; aroundSeconds: number; warmUpSeconds: number };
const full: Sizes = { seconds: 60, aroundSeconds: 30, warmUpSeconds: 10 };
const small: Sizes = { seconds: 1, aroundSeconds: 1, warmUpSeconds: 0.5 };

export const paced: Trial = {
  name: "paced",
  what: "five times the rate that an endpoint allows",
  run,
};

type Turn = { readonly other: HealthyTurn; readonly waits: Float64Array };

async function run(stage: Stage): Promise<Outcome> {
  const { seconds, aroundSeconds, warmUpSeconds } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway);
  const other = await openHealthy(stage, {
    ...{ gatewayUrl: gateway.url, client, tenants: ["other"], perSecond: otherPerSecond },
  });
  const hooks = stage.startWorker<HookOperations>("hooks");
  const producers = stage.startWorker<ProducerOperations>("producers");
  await client.expect("PUT", "/tenants/paced", "{}");
  await turn(warmUpSeconds);
  stage.say("without the endpoint");
  const before = await turn(aroundSeconds);

  const url = `${await hooks.call("open")}/paced`;
  const endpoint = await createEndpoint(client, {
    ...{ tenant: "paced", url, rate_per_second: ratePerSecond },
  });
  stage.say("with it");
  const beside = await turn(seconds);
  const events = Math.round(eventsPerSecond * seconds);
  stage.say("draining");
  const patience = events / ratePerSecond + patienceSeconds;
  await until(
    "all events arrived",
    patience,
    async () => (await hooks.call("count", {})) >= events,
  );
  const received = (await hooks.call("take")).get("/paced");
  if (received === undefined) throw new Error("nothing was received");
  const sql = stage.connect(databaseUrl);
  await until("all was recorded", patienceSeconds, async () => {
    return (await rowsOf(sql, endpoint)).deliveries >= events;
  });
  const rows = await rowsOf(sql, endpoint);
  await removeEndpoint(client, endpoint);
  stage.say("without it again");
  const after = await turn(aroundSeconds);
  const without = (of: (each: Turn) => Float64Array) => [...of(before), ...of(after)];
  return {
    findings: [
      ...promises(rows, received, events),
      ...drainFindings(received),
      comparison(
        "append, p99",
        without((each) => each.waits),
        beside.waits,
      ),
      comparison(
        "the other endpoint's latency, p99",
        without((each) => each.other.latencies),
        beside.other.latencies,
      ),
    ],
    notes: [
      `${eventsPerSecond} events/s for ${seconds} s, ${otherPerSecond}/s to the other endpoint`,
    ],
  };

  async function turn(turnSeconds: number): Promise<Turn> {
    const pace = { tenants: ["paced"], perSecond: eventsPerSecond, seconds: turnSeconds };
    const [measured, { waits, refused }] = await Promise.all([
      other.turn(turnSeconds),
      producers.call("paced", { url: gateway.url, key: stage.key, ...pace }),
    ]);
    if (refused > 0) throw new Error(`${refused} appends were refused`);
    return { other: measured, waits };
  }
}

function promises(rows: Rows, { sequence, attempt }: Received, events: number): Finding[] {
  const again = attempt.filter((number) => number !== 1).length;
  const distinct = new Set(sequence).size;
  return [
    promise(
      "all events were delivered, each once",
      rows.deliveries === events && distinct === events && sequence.length === events,
      `${count(rows.deliveries)} recorded, ${count(sequence.length)} received of ${count(events)}`,
    ),
    promise(
      "nothing failed, nothing was retried",
      again === 0 && rows.retries === 0 && rows.attempts === 0,
      `${count(again)} retries, ${count(rows.attempts)} failed attempts`,
    ),
  ];
}

function drainFindings({ at }: Received): Finding[] {
  const first = at[0] ?? 0;
  const [from, to] = [first + endsMs, (at.at(-1) ?? 0) - endsMs];
  const inside = at.filter((each) => each >= from && each < to);
  const rate = inside.length / ((to - from) / 1_000);
  const bySecond = Map.groupBy(inside, (each) => Math.floor((each - from) / 1_000));
  // The last is no whole second.
  const whole = [...bySecond.values()].slice(0, -1).map((each) => each.length);
  return [
    figure(
      `received a second, over ${count((to - from) / 1_000)} s of the drain`,
      rate.toFixed(2),
      [
        `${ratePerSecond} ± ${rateTolerance * 100} %`,
        Math.abs(rate / ratePerSecond - 1) <= rateTolerance,
      ],
    ),
    figure(
      "in single seconds of it, fewest and most",
      `${Math.min(...whole)}, ${Math.max(...whole)}`,
    ),
  ];
}

function comparison(what: string, without: readonly number[], beside: Float64Array): Finding {
  const ratio = quantile(beside, 0.99) / quantile(without, 0.99);
  const text = `with ${quantilesText(beside)}; without ${quantilesText(without)}: ${ratio.toFixed(2)}`;
  return figure(what, text, [`≤ ${ratioTarget}`, ratio <= ratioTarget]);
}
