/**
 * Goal: a gateway that is killed loses nothing, repeats only what it had no time to record, and
 * keeps every order. Method: rounds in which three endpoints (`parallel`, `fifo` and `subject`,
 * some of whose events are refused at first) have a backlog each and are pushed to at full speed,
 * until the gateway gets SIGKILL at a moment chosen by chance and is started again on the same
 * database, where as much is appended again in small pieces. What the receivers had accepted by then is compared with what was recorded: the
 * difference, which is what was in flight and what was not written yet, may come again, and
 * nothing else may.
 */
import { setTimeout as delay } from "node:timers/promises";
import { arrayText, type Sql } from "../../src/db/database.ts";
import { nowMs } from "../clock.ts";
import type { GatewayProcess } from "../gateway.ts";
import type { Worker } from "../worker.ts";
import type { HookOperations } from "../workers/hooks.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import { createChance, type Chance } from "./chance.ts";
import { createEndpoint, until, type EndpointSettings, type MadeEndpoint } from "./endpoints.ts";
import {
  acceptedOf,
  arrivalsOf,
  distinctOf,
  isRising,
  repeatsOf,
  type Accepted,
  type Arrival,
} from "./accepted.ts";
import type { Stage } from "./stage.ts";
import { count, figure, promise, type Finding, type Outcome, type Trial } from "./trial.ts";

const maxInFlight = 50;
const subjects = 40;
const refuseEvery = 100;

/** Events of an append, before the endpoints are made and while they catch up after the kill. */
const backlogBatch = 1_000;
const trickleBatch = 20;

/** What is on its way through the receiver's sockets when the gateway has ended. */
const quietMs = 300;
const patienceSeconds = 120;

/** Longer than leases take to run out and the longest delay of a retry. */
const stillMs = 20_000;
const lookMs = 100;

type Kind = "parallel" | "fifo" | "subject";
const kinds: readonly Kind[] = ["parallel", "fifo", "subject"];

type Sizes = { rounds: number; events: Record<Kind, number> };
const full: Sizes = { rounds: 8, events: { parallel: 24_000, fifo: 4_000, subject: 12_000 } };
const small: Sizes = { rounds: 1, events: { parallel: 1_500, fifo: 300, subject: 600 } };

export const killed: Trial = {
  name: "killed",
  what: "kill -9 of the gateway while it pushes at full speed",
  run,
};

/** One endpoint in one round. */
type Told = {
  readonly kind: Kind;
  readonly events: number;
  readonly round: number;
  /** By `nowMs`. */
  readonly killedAt: number;
  /** All that came, accepted or not, in the order in which it came. */
  readonly arrivals: readonly Arrival[];
  /** Accepted before the kill and in all. */
  readonly before: Accepted;
  readonly all: Accepted;
  /** Accepted before the kill and not recorded by then. */
  readonly unrecorded: ReadonlySet<number>;
};

type Site = {
  readonly sql: Sql;
  readonly chance: Chance;
  readonly hooks: Worker<HookOperations>;
  readonly origin: string;
  readonly events: Record<Kind, number>;
  /** Appends half of what the tenant gets, all at once or while it is pushed. */
  fill(gateway: GatewayProcess, kind: Kind, tenant: string, batch: number): Promise<void>;
};

async function run(stage: Stage): Promise<Outcome> {
  const { rounds, events } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const hooks = stage.startWorker<HookOperations>("hooks");
  const producers = stage.startWorker<ProducerOperations>("producers");
  const site: Site = {
    ...{ sql: stage.connect(databaseUrl), chance: createChance(stage.seed), hooks, events },
    origin: await hooks.call("open"),
    async fill(gateway, kind, tenant, batch) {
      const backlog = { tenant, events: events[kind] / 2, subjects, batch };
      await producers.call("fill", { url: gateway.url, key: stage.key, ...backlog });
    },
  };
  const told: Told[] = [];
  const restarts: number[] = [];
  let gateway = await stage.startGateway(databaseUrl);
  for (let round = 1; round <= rounds; round += 1) {
    stage.say(`round ${round} of ${rounds}`);
    const endpoints = await pushSome(stage, site, gateway, round);
    process.kill(gateway.pid, "SIGKILL");
    await gateway.stop();
    const killedAt = nowMs();
    await whenGone(site.sql);
    const before = await site.hooks.call("take");
    const recorded = await Promise.all(endpoints.map((each) => recordedOf(site.sql, each)));
    gateway = await stage.startGateway(databaseUrl);
    await Promise.all(
      kinds.map((kind) => site.fill(gateway, kind, pathOf(kind, round).slice(1), trickleBatch)),
    );
    await allAccepted(site, endpoints);
    restarts.push((nowMs() - killedAt) / 1_000);
    const after = await site.hooks.call("take");
    kinds.forEach((kind, index) => {
      const path = pathOf(kind, round);
      const early = arrivalsOf(before.get(path));
      const arrivals = [...early, ...arrivalsOf(after.get(path))];
      const accepted = acceptedOf(early);
      const known = recorded[index] ?? new Set();
      told.push({
        ...{ kind, round, killedAt, events: events[kind], arrivals },
        ...{ before: accepted, all: acceptedOf(arrivals) },
        unrecorded: new Set(distinctOf(accepted).filter((each) => !known.has(each))),
      });
    });
  }
  return {
    findings: [
      ...kinds.flatMap((kind) =>
        findingsOf(
          kind,
          told.filter((each) => each.kind === kind),
        ),
      ),
      figure(
        "from the kill until all was delivered, longest",
        `${Math.max(...restarts).toFixed(1)} s`,
      ),
    ],
    notes: [notesOf(told, rounds)],
  };
}

function pathOf(kind: Kind, round: number): string {
  return `/${kind}-${round}`;
}

/** Lets the backlogs be pushed until a moment chosen by chance. */
async function pushSome(
  stage: Stage,
  site: Site,
  gateway: GatewayProcess,
  round: number,
): Promise<MadeEndpoint[]> {
  const { chance, hooks, origin, events } = site;
  const client = stage.openClient(gateway);
  const names = kinds.map((kind) => ({ kind, path: pathOf(kind, round) }));
  for (const { kind, path } of names) {
    await client.expect("PUT", `/tenants${path}`, "{}");
    await site.fill(gateway, kind, path.slice(1), backlogBatch);
  }
  const behaviour = { kind: "answer", refuseEvery } as const;
  await hooks.call("behave", { path: pathOf("subject", round), behaviour });
  const made = await Promise.all(
    names.map(({ kind, path }) => {
      const settings: EndpointSettings = {
        ...{ tenant: path.slice(1), url: origin + path, start: "earliest" },
        ...{ ordering: kind, max_in_flight: maxInFlight },
        ...(kind === "subject" && { retry_schedule: Array<string>(8).fill("1s") }),
      };
      return createEndpoint(client, settings);
    }),
  );
  const total = kinds.reduce((sum, kind) => sum + events[kind] / 2, 0);
  // Not so late that the slower ones alone are left.
  const wanted = chance.below(Math.floor(total / 2)) + Math.floor(total / 20);
  await until(`${wanted} pushes`, patienceSeconds, async () => {
    return (await hooks.call("count")) >= wanted;
  });
  return made;
}

/** Waits until the last outcomes of a gateway that is gone are written, or are not going to be. */
async function whenGone(sql: Sql): Promise<void> {
  await until("the gateway's connections gone", patienceSeconds, async () => {
    const [row] = await sql<{ left: number }[]>`
      select count(*) as left from pg_stat_activity
      where datname = current_database() and application_name = 'tidegate push'`;
    return row?.left === 0;
  });
  await delay(quietMs);
}

async function recordedOf(sql: Sql, { uuid }: MadeEndpoint): Promise<ReadonlySet<number>> {
  const rows = await sql<{ sequence: number }[]>`
    select sequence from deliveries where endpoint = ${uuid} and status = 'delivered'`;
  return new Set(rows.map(({ sequence }) => sequence));
}

/** Waits until all is recorded, or nothing has been for so long that nothing will be. */
async function allAccepted(
  { sql, events }: Site,
  endpoints: readonly MadeEndpoint[],
): Promise<void> {
  const uuids = arrayText(endpoints.map(({ uuid }) => uuid));
  const wanted = kinds.reduce((sum, kind) => sum + events[kind], 0);
  let last = { recorded: 0, at: performance.now() };
  while (last.recorded < wanted && performance.now() - last.at < stillMs) {
    const [row] = await sql<{ recorded: number }[]>`
      select count(*) as recorded from deliveries where endpoint = any(${uuids}::uuid[])`;
    const recorded = row?.recorded ?? 0;
    if (recorded > last.recorded) last = { recorded, at: performance.now() };
    await delay(lookMs);
  }
}

function findingsOf(kind: Kind, rounds: readonly Told[]): Finding[] {
  const sum = (of: (each: Told) => number) => rounds.reduce((total, each) => total + of(each), 0);
  const lost = sum(({ events, all }) => events - distinctOf(all).length);
  const early = sum(({ before }) => repeatsOf(before).length);
  const repeats = sum(({ all }) => repeatsOf(all).length);
  const strange = sum((each) => strangeOf(each).length);
  const bound = sum(({ unrecorded }) => unrecorded.size);
  return [
    promise(`${kind}: lost`, lost === 0, `${count(lost)} of ${count(sum(({ events }) => events))}`),
    promise(
      `${kind}: accepted again, of those in flight or unrecorded at the kill`,
      repeats <= bound && early === 0,
      `${count(repeats)} of at most ${count(bound)}`,
    ),
    promise(`${kind}: accepted again although it was recorded`, strange === 0, count(strange)),
    ...orderFindings(kind, rounds),
  ];
}

/** The order of what came for the first time; how far repeats go back is told by what may repeat. */
function orderFindings(kind: Kind, rounds: readonly Told[]): Finding[] {
  if (kind === "parallel") return [];
  const group = (all: Accepted) =>
    kind === "fifo" ? [all] : [...Map.groupBy(all, ({ subject }) => subject).values()];
  const orders = rounds.flatMap(({ all }) => group(all));
  const broken = orders.filter((order) => !isRising(distinctOf(order)));
  return [
    promise(
      kind === "fifo" ? "fifo: every receiver in order" : "subject: every subject in order",
      broken.length === 0,
      `${count(orders.length - broken.length)} of ${count(orders.length)}`,
    ),
  ];
}

/** What came again and should not have. */
function strangeOf({ all, unrecorded }: Told): number[] {
  return repeatsOf(all).filter((each) => !unrecorded.has(each));
}

/** Every arrival of what came again and should not have, by seconds from the kill. */
function strangeText(told: Told): string[] {
  return strangeOf(told).map((sequence) => {
    const came = told.arrivals.filter((each) => each.sequence === sequence);
    const text = came.map(({ at, attempt, status, subject }) => {
      const seconds = ((at - told.killedAt) / 1_000).toFixed(3);
      return `${seconds} s attempt ${attempt} of subject ${subject} answered ${status}`;
    });
    return `${told.kind}, round ${told.round}, sequence ${sequence}: ${text.join("; ")}`;
  });
}

function notesOf(told: readonly Told[], rounds: number): string {
  const lines = kinds.map((kind) => {
    const own = told.filter((each) => each.kind === kind);
    const each = own.map(({ before, all, unrecorded }) =>
      [distinctOf(before).length, unrecorded.size, repeatsOf(all).length].map(count).join(" / "),
    );
    return `  ${kind}: ${each.join(", ")}`;
  });
  return [
    `${rounds} kills; by round accepted before it / of these not recorded / accepted again`,
    ...lines,
    `windows: ${maxInFlight} attempts of parallel and subject, 1 of fifo`,
    ...told.flatMap(strangeText),
  ].join("\n");
}
