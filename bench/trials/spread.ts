/**
 * Goal: what fails together does not come again together. Method: 5,000 events of one endpoint are
 * all refused with 409 (a 5xx would open the circuit), as fast as the gateway pushes them. When
 * their first retries are due is noted in the database by a trigger made for it, when they come at
 * the receiver, both by 100 ms; beside it stands what the same schedule would have brought without
 * jitter, each event again after its whole delay.
 *
 * Failing takes about a second itself, which spreads what would come without jitter too, the more
 * the slower the machine. So the promise is of delays, each from its own failure: of what fails in
 * the same moment. A first delay of 30 s, against which a second is short, stands beside the
 * default of 5 s.
 */
import type { Sql } from "../../src/db/database.ts";
import type { Worker } from "../worker.ts";
import type { HookOperations, Received } from "../workers/hooks.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import { retryDelayMs } from "../../src/deliveries/retry-delay.ts";
import type { Client } from "./client.ts";
import { createEndpoint, until } from "./endpoints.ts";
import type { Stage } from "./stage.ts";
import { count, figure, promise, type Finding, type Outcome, type Trial } from "./trial.ts";

const bucketMs = 100;

/** How much lower the highest bucket must be than without jitter. */
const lowerMin = 0.8;

const maxInFlight = 1_000;
const patienceSeconds = 90;

/** Buckets of a line of the histogram, and its heights. */
const lineBuckets = 100;
const bars = " ▁▂▃▄▅▆▇█";

type Sizes = { events: number; delays: readonly string[] };
const full: Sizes = { events: 5_000, delays: ["5s", "30s"] };
const small: Sizes = { events: 500, delays: ["3s"] };

export const spread: Trial = {
  name: "spread",
  what: "5,000 events that fail together, and when they are tried again",
  run,
};

type Site = {
  readonly sql: Sql;
  readonly gatewayUrl: string;
  readonly key: string;
  readonly client: Client;
  readonly hooks: Worker<HookOperations>;
  readonly producers: Worker<ProducerOperations>;
  readonly origin: string;
};

type Histogram = readonly number[];

/** Retries by when they were due, when they came, and when they would have without jitter. */
type Compared = {
  readonly delay: string;
  readonly failedWithinMs: number;
  readonly due: Histogram;
  readonly came: Histogram;
  readonly plain: Histogram;
  /** From each event's own failure on; without jitter all are the same. */
  readonly delays: Histogram;
  readonly events: number;
};

async function run(stage: Stage): Promise<Outcome> {
  const { events, delays } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl);
  const hooks = stage.startWorker<HookOperations>("hooks");
  const site: Site = {
    sql: stage.connect(databaseUrl),
    ...{ gatewayUrl: gateway.url, key: stage.key, client: stage.openClient(gateway), hooks },
    producers: stage.startWorker<ProducerOperations>("producers"),
    origin: await hooks.call("open"),
  };
  await noteFirstRetries(site.sql);
  // So that failing is not slowed down by what has not been compiled.
  await failTogether(site, { delay: "1s", events: events / 2, tenant: "warm-up" });
  const all: Compared[] = [];
  for (const delay of delays) {
    stage.say(`first delay ${delay}`);
    all.push(await failTogether(site, { delay, events, tenant: `delay-${delay}` }));
  }
  return {
    findings: all.flatMap((each) => findingsOf(each)),
    notes: all.map((each) => histogramsText(each)),
  };
}

async function noteFirstRetries(sql: Sql): Promise<void> {
  await sql`create table first_retries (endpoint uuid, failed_at timestamptz, due_at timestamptz)`;
  await sql`
    create function note_first_retry() returns trigger language plpgsql as $$
    begin
      insert into first_retries values (new.endpoint, new.last_attempt_at, new.due_at);
      return null;
    end $$`;
  await sql`
    create trigger note_first_retry after insert on retries for each row
    when (new.attempts = 1) execute function note_first_retry()`;
}

async function failTogether(
  site: Site,
  { delay, events, tenant }: { delay: string; events: number; tenant: string },
): Promise<Compared> {
  const { sql, gatewayUrl, key, client, hooks, producers, origin } = site;
  const path = `/${tenant}`;
  await client.expect("PUT", `/tenants/${tenant}`, "{}");
  await producers.call("fill", { url: gatewayUrl, key, tenant, events });
  await hooks.call("take");
  await hooks.call("behave", { path, behaviour: { kind: "answer", status: 409 } });
  const { uuid } = await createEndpoint(client, {
    ...{ tenant, url: origin + path, start: "earliest", max_in_flight: maxInFlight },
    // The second is for those that come again before all have failed.
    retry_schedule: [delay, delay],
  });
  await until("all were attempted", patienceSeconds, async () => {
    return (await hooks.call("count", { attempt: 1 })) >= events;
  });
  await hooks.call("behave", { path, behaviour: { kind: "answer" } });
  await until("all were tried again", patienceSeconds, async () => {
    return (await hooks.call("count", { attempt: 2 })) >= events;
  });
  const received = (await hooks.call("take")).get(path);
  if (received === undefined) throw new Error("nothing was received");
  const noted = await sql<Noted[]>`
    select (extract(epoch from failed_at) * 1000)::float8 as failed,
      (extract(epoch from due_at) * 1000)::float8 as due
    from first_retries where endpoint = ${uuid}`;
  return compare(noted, received, delay);
}

/** Milliseconds since 1970. */
type Noted = { readonly failed: number; readonly due: number };

function compare(noted: readonly Noted[], { at, attempt }: Received, delay: string): Compared {
  const failed = noted.map((each) => each.failed);
  const first = Math.min(...failed);
  const delayMs = Number.parseInt(delay, 10) * 1_000;
  const wholeDelayMs = retryDelayMs([delayMs], 1, 1) ?? Number.NaN;
  return {
    delay,
    failedWithinMs: Math.max(...failed) - first,
    due: histogramOf(noted.map(({ due }) => due - first)),
    came: histogramOf(
      [...at].filter((_, row) => attempt[row] === 2).map((each) => each - (at[0] ?? 0)),
    ),
    plain: histogramOf(failed.map((each) => each + wholeDelayMs - first)),
    delays: histogramOf(noted.map((each) => each.due - each.failed)),
    events: noted.length,
  };
}

function histogramOf(momentsMs: readonly number[]): Histogram {
  const buckets: number[] = [];
  for (const moment of momentsMs) {
    const at = Math.floor(moment / bucketMs);
    buckets[at] = (buckets[at] ?? 0) + 1;
  }
  return Array.from(buckets, (bucket) => bucket ?? 0);
}

function findingsOf({ delay, failedWithinMs, events, ...histograms }: Compared): Finding[] {
  const { due, came, plain, delays } = histograms;
  const happened = (what: string, histogram: Histogram) => {
    const { text, lower } = comparison(histogram, Math.max(...plain));
    return figure(what, text, [`≥ ${lowerMin * 100} % lower`, lower >= lowerMin]);
  };
  const { text, lower } = comparison(delays, events);
  return [
    figure(`${delay}: all failed within`, `${count(failedWithinMs)} ms`),
    promise(
      `${delay}: most retries due in ${bucketMs} ms, of what fails at once, and without jitter`,
      lower >= lowerMin,
      text,
    ),
    happened(`${delay}: as it happened, due`, due),
    happened(`${delay}: as it happened, at the receiver`, came),
  ];
}

function comparison(histogram: Histogram, plainPeak: number): { text: string; lower: number } {
  const peak = Math.max(...histogram);
  const lower = 1 - peak / plainPeak;
  return {
    text: `${count(peak)}, ${count(plainPeak)}: ${(lower * 100).toFixed(0)} % lower`,
    lower,
  };
}

/** All to the same scale. */
function histogramsText({ delay, due, came, plain }: Compared): string {
  const peak = Math.max(...due, ...came, ...plain);
  const lines = (histogram: Histogram) =>
    Array.from({ length: Math.ceil(histogram.length / lineBuckets) }, (_, line) => {
      const from = line * lineBuckets;
      const part = histogram.slice(from, from + lineBuckets);
      const text = part.map((bucket) => bars[Math.ceil((bucket / peak) * (bars.length - 1))]);
      return `  ${`${(from * bucketMs) / 1_000} s`.padStart(5)} |${text.join("")}|`;
    });
  return [
    `${delay}: retries by ${bucketMs} ms since the first failure, ${bars.at(-1)} is ${count(peak)}`,
    "  due with jitter",
    ...lines(due),
    "  at the receiver",
    ...lines(came),
    "  due without jitter",
    ...lines(plain),
  ].join("\n");
}
