/**
 * Goal: a receiver that is down costs next to nothing, whatever waits for it, and loses nothing.
 * Method: endpoints whose receivers were well go down, by a closed port or by answering 503, one
 * with `parallel` ordering and one with `fifo` each; then each gets 1,000 events. While they are
 * down attempts are counted (at the receiver where it still answers, otherwise in the database)
 * and all that is written; when they are back everything must be delivered, under `fifo` in order.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Sql } from "../../src/db/database.ts";
import type { Worker } from "../worker.ts";
import type { HookOperations, Received } from "../workers/hooks.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import {
  circuitOf,
  createEndpoint,
  rowsOf,
  rowsSum,
  until,
  type MadeEndpoint,
  type Rows,
} from "./endpoints.ts";
import type { Stage } from "./stage.ts";
import { count, figure, promise, type Finding, type Outcome, type Trial } from "./trial.ts";

const maxInFlight = 50;
const probesPerMinute = 10;

/**
 * Under `fifo` the attempts of the first event are the probes: with the gateway's own schedule the
 * trial would wait for it for minutes after the receiver is back.
 */
const fifoSchedule = ["2s", "4s", "8s", ...Array<string>(19).fill("15s")];

/** Until the window of an endpoint that is well has grown. */
const eventsBefore = 1_000;

/** Probes are a minute apart in the end, and what waited is drained by a ramp. */
const healPatienceSeconds = 180;
const patienceSeconds = 60;

/** Outcomes of what was under way when the circuit opened are written by then. */
const writtenMs = 1_000;

type Sizes = { events: number; downSeconds: number };
const full: Sizes = { events: 1_000, downSeconds: 90 };
const small: Sizes = { events: 100, downSeconds: 4 };

export const down: Trial = {
  name: "down",
  what: "1,000 events for a receiver that is down, and back after a while",
  run,
};

type How = "closed" | "503";
type Ordering = "parallel" | "fifo";

type Case = {
  readonly name: string;
  readonly how: How;
  readonly ordering: Ordering;
  readonly tenant: string;
  readonly path: string;
  readonly origin: string;
  readonly endpoint: MadeEndpoint;
};

type Outage = {
  readonly before: Rows;
  /** Once the circuit was open; undefined under `fifo`, where it may take long to open. */
  readonly opened: Rows | undefined;
  readonly end: Rows;
  readonly attempts: number;
  readonly seconds: number;
};

type Site = {
  readonly sql: Sql;
  readonly hooks: Worker<HookOperations>;
  fill(tenant: string, events: number): Promise<void>;
};

async function run(stage: Stage): Promise<Outcome> {
  const { events, downSeconds } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway);
  const hooks = stage.startWorker<HookOperations>("hooks");
  const producers = stage.startWorker<ProducerOperations>("producers");
  const site: Site = { sql: stage.connect(databaseUrl), hooks, fill };
  const cases: Case[] = [];
  for (const how of ["closed", "503"] as const) {
    for (const ordering of ["parallel", "fifo"] as const) {
      const tenant = `${ordering}-${how}`;
      const path = `/${tenant}`;
      const origin = await hooks.call("open", {});
      await client.expect("PUT", `/tenants/${tenant}`, "{}");
      const endpoint = await createEndpoint(client, {
        ...{ tenant, url: origin + path, ordering, max_in_flight: maxInFlight },
        ...(ordering === "fifo" && { retry_schedule: fifoSchedule }),
      });
      const name = `${ordering}, ${how === "503" ? "answering 503" : "port closed"}`;
      cases.push({ name, how, ordering, tenant, path, origin, endpoint });
    }
  }
  stage.say("well");
  const filled = stage.small ? events : eventsBefore;
  await Promise.all(cases.map((each) => deliverAll(site, each, filled)));
  stage.say(`down for ${downSeconds} s`);
  await hooks.call("take");
  const outages = await Promise.all(cases.map((each) => outage(site, each, events, downSeconds)));
  const received = await hooks.call("take");
  stage.say("back");
  const back = performance.now();
  const drained = await Promise.all(cases.map((each) => heal(site, each, filled + events, back)));
  const after = await hooks.call("take");
  return {
    findings: cases.flatMap((each, index) => {
      const told = outages[index];
      if (told === undefined) return [];
      const came = [received, after].flatMap((some) => some.get(each.path) ?? []);
      return [
        ...outageFindings(each, told, events),
        ...afterFindings(each, { came, events, seconds: drained[index] ?? Number.NaN }),
      ];
    }),
  };

  async function fill(tenant: string, some: number): Promise<void> {
    const site = { url: gateway.url, key: stage.key };
    const { acknowledged } = await producers.call("fill", { ...site, tenant, events: some });
    if (acknowledged !== some) throw new Error(`${some - acknowledged} appends were refused`);
  }
}

async function deliverAll(site: Site, { tenant, endpoint, path }: Case, events: number) {
  await site.fill(tenant, events);
  await until(`${path} delivered`, patienceSeconds, async () => {
    return (await rowsOf(site.sql, endpoint)).deliveries >= events;
  });
}

async function outage(site: Site, each: Case, events: number, seconds: number): Promise<Outage> {
  const { sql, hooks } = site;
  const { how, path, origin, endpoint, ordering } = each;
  const before = await rowsOf(sql, endpoint);
  const startedAt = performance.now();
  if (how === "closed") await hooks.call("close", { url: origin });
  else await hooks.call("behave", { path, behaviour: { kind: "answer", status: 503 } });
  await site.fill(each.tenant, events);
  let opened: Rows | undefined;
  if (ordering === "parallel") {
    await until(`the circuit of ${path} open`, patienceSeconds, async () => {
      return (await circuitOf(sql, endpoint)).circuit !== "closed";
    });
    await delay(writtenMs);
    opened = await rowsOf(sql, endpoint);
  }
  await delay(Math.max(0, startedAt + seconds * 1_000 - performance.now()));
  const end = await rowsOf(sql, endpoint);
  const { probes } = await circuitOf(sql, endpoint);
  // Under `fifo` a probe is an attempt of the first event, and written as one.
  const written = end.attempts - before.attempts + (ordering === "fifo" ? 0 : probes);
  const attempts = how === "503" ? await hooks.call("count", { paths: [path] }) : written;
  return { before, opened, end, attempts, seconds: (performance.now() - startedAt) / 1_000 };
}

/** Resolves with how long it took until all was delivered and written, in seconds. */
async function heal(site: Site, each: Case, events: number, since: number): Promise<number> {
  const { sql, hooks } = site;
  const { how, path, origin, endpoint } = each;
  if (how === "closed") await hooks.call("open", { url: origin });
  else await hooks.call("behave", { path, behaviour: { kind: "answer" } });
  await until(`all of ${path} delivered`, healPatienceSeconds, async () => {
    const { deliveries, retries } = await rowsOf(sql, endpoint);
    return deliveries >= events && retries === 0;
  });
  return (performance.now() - since) / 1_000;
}

function outageFindings({ name, ordering }: Case, outage: Outage, events: number): Finding[] {
  const { before, opened, end, attempts, seconds } = outage;
  const window = ordering === "fifo" ? 1 : maxInFlight;
  const allowed = window + probesPerMinute * Math.ceil(seconds / 60);
  const rows = rowsSum(end) - rowsSum(before);
  const added = `${count(end.deliveries - before.deliveries)} deliveries, ${count(end.retries)} retries, ${count(end.attempts)} attempts`;
  return [
    promise(
      `${name}: attempts in ${count(seconds)} s, at most the window and ${probesPerMinute} a minute`,
      attempts > 0 && attempts <= allowed,
      `${count(attempts)} of at most ${count(allowed)}`,
    ),
    promise(
      `${name}: rows of ${count(events)} events that wait, at most two for each attempt`,
      rows <= 2 * attempts,
      `${count(rows)}: ${added}`,
    ),
    ...(opened === undefined
      ? []
      : [
          promise(
            `${name}: rows written while its circuit was open`,
            rowsSum(end) === rowsSum(opened),
            count(rowsSum(end) - rowsSum(opened)),
          ),
        ]),
  ];
}

function afterFindings(
  { name, ordering }: Case,
  given: { came: readonly Received[]; events: number; seconds: number },
): Finding[] {
  const { came, events, seconds } = given;
  const delivered = came.flatMap(({ sequence, status }) =>
    [...sequence].filter((_, index) => status[index] === 200),
  );
  const inOrder = delivered.every(
    (each, index) => index === 0 || each > (delivered[index - 1] ?? 0),
  );
  return [
    promise(
      `${name}: all delivered when it was back${ordering === "fifo" ? ", in order" : ""}`,
      new Set(delivered).size === events && (ordering !== "fifo" || inOrder),
      `${count(delivered.length)} pushes of ${count(events)} events`,
    ),
    figure(`${name}: from its return to the last of them`, `${seconds.toFixed(1)} s`),
  ];
}
