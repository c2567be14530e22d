/**
 * Goal: old days go, and nobody notices who does not want them. Method: 50 logs of ten days are
 * filled by SQL, in a database whose housekeeping the trial keeps for itself at first. A gateway
 * that retains three days takes steady appends and reads pages of the last days, both as open
 * loops, over a quiet window; then it is given the housekeeping, and the same goes on over a
 * window of the same length, in which the partitions must go. A reader that stopped on the first
 * day is told that it expired, how much it lost and where to continue, and continues from there to
 * the end. A small run ends before the partitions go, which takes minutes: it waits out the longest
 * statement time-out, twice.
 */
import { setTimeout as delay } from "node:timers/promises";
import { migrate, type Sql } from "../../src/db/database.ts";
import type { Day } from "../../src/log/event.ts";
import { parseKeyRing } from "../../src/keyring.ts";
import { createCursors } from "../../src/log/cursor.ts";
import { quantile } from "../measure.ts";
import type { Worker } from "../worker.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import type { Client } from "./client.ts";
import { storedLogs } from "./logs.ts";
import { readLog } from "./pages.ts";
import { seedLogs, seededFingerprint, settleDatabase, type SeededLogs } from "./seed.ts";
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

const logs = 50;
const days = 10;
const daysKept = 3;

const appendsPerSecond = 200;
const readsPerSecond = 50;
const pageEvents = 100;

/** How far the reader on the first day had come. */
const readerSequence = 10;

/** How much longer the longest wait may be than without anything going on. */
const pauseTargetMs = 50;

/** Of what the partitions held; what is appended meanwhile takes some of it again. */
const freedShareMin = 0.8;

const warmUpSeconds = 1;
const lookMs = 200;

type Sizes = { perDay: number; seconds: number };
const full: Sizes = { perDay: 4_000, seconds: 160 };
const small: Sizes = { perDay: 60, seconds: 3 };

export const retention: Trial = {
  name: "retention",
  what: `a log of ${days} days of which ${daysKept} are kept, under load`,
  run,
};

type Window = { readonly appends: Waits; readonly reads: Waits };
type Waits = { readonly waits: Float64Array; readonly wrong: number; readonly done: number };

async function run(stage: Stage): Promise<Outcome> {
  const { perDay, seconds } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  await migrate(databaseUrl);
  const sql = stage.connect(databaseUrl);
  await keepHouse(sql);
  const gateway = await stage.startGateway(databaseUrl, {
    TIDEGATE_RETENTION_DAYS: String(daysKept),
    TIDEGATE_RETRY_SCHEDULE: "5s,1m",
  });
  const client = stage.openClient(gateway);
  const names = Array.from({ length: logs }, (_, index) => `log-${index}`);
  const tenants = await createTenants(client, sql, names);
  stage.say(`filling ${logs} logs with ${count(perDay * days)} events each`);
  const seeded = await seedLogs(databaseUrl, { tenants, days, perDay });
  await settleDatabase(databaseUrl);

  const cursors = createCursors(parseKeyRing(stage.secrets));
  const targetAt = (index: number, sequence: number) => {
    const tenant = tenants[index];
    const day = seeded.days[Math.floor((sequence - 1) / perDay)];
    if (tenant === undefined || day === undefined) throw new Error("there is no such place");
    const fingerprint = seededFingerprint(sequence);
    const cursor = cursors.mint({
      ...{ tenant: tenant.id, position: { sequence, day }, fingerprint },
      filter: "any",
    });
    return `/events?tenant=${tenant.name}&limit=${pageEvents}&cursor=${cursor}`;
  };
  const first = perDay * (days - daysKept) + 1;
  const targets = names.map((_, index) => targetAt(index, first + index));
  const workers = {
    appends: stage.startWorker<ProducerOperations>("producers"),
    reads: stage.startWorker<ProducerOperations>("producers"),
  };
  const site = { url: gateway.url, key: stage.key };
  const load = (length = seconds) =>
    loadFor(workers, { ...site, tenants: names, targets, seconds: length });
  const reader = targetAt(0, readerSequence);
  await client.expect("GET", reader);

  await load(warmUpSeconds);
  stage.say(`a quiet window of ${seconds} s`);
  const quiet = await load();
  const before = await sizes(sql, seeded);
  stage.say(`retention, for ${seconds} s`);
  await leaveHouse(sql);
  const [busy, watched] = await Promise.all([load(), watch(sql, client, reader, seconds)]);
  const after = await sizes(sql, seeded);
  return {
    findings: [
      ...(stage.small ? [] : goneFindings(before, after, watched)),
      ...(await readerFindings({ client, reader, first, sql, watched })),
      ...pauseFindings(quiet, busy),
    ],
  };
}

/** So that no gateway does: a lease for as long as the trial may take. */
async function keepHouse(sql: Sql): Promise<void> {
  await sql`insert into housekeeper default values on conflict do nothing`;
  await sql`
    update housekeeper
    set owner = gen_random_uuid(), expires_at = clock_timestamp() + interval '1 hour'`;
}

async function leaveHouse(sql: Sql): Promise<void> {
  await sql`update housekeeper set owner = null, expires_at = 'epoch'`;
}

async function loadFor(
  workers: Record<"appends" | "reads", Worker<ProducerOperations>>,
  given: {
    url: string;
    key: string;
    tenants: readonly string[];
    targets: readonly string[];
    seconds: number;
  },
): Promise<Window> {
  const [produced, read] = await Promise.all([
    workers.appends.call("paced", { ...given, perSecond: appendsPerSecond }),
    workers.reads.call("reads", { ...given, pageEvents, perSecond: readsPerSecond }),
  ]);
  return {
    appends: { waits: produced.waits, wrong: produced.refused, done: produced.acknowledged },
    reads: { ...read, done: read.waits.length - read.wrong },
  };
}

type Space = { readonly database: number; readonly oldPartitions: number; readonly old: number };

async function sizes(sql: Sql, { days: seededDays }: SeededLogs): Promise<Space> {
  const kept: Day = seededDays[days - daysKept] ?? "";
  const [row] = await sql<Space[]>`
    select pg_database_size(current_database()) as database,
      coalesce(sum(pg_total_relation_size(oid)), 0)::bigint as "oldPartitions", count(*) as old
    from pg_class
    where relkind = 'r' and relname ~ '^(events|deliveries|attempts|append_keys)_[0-9]{8}$'
      and right(relname, 8) < ${kept.replaceAll("-", "")}`;
  if (row === undefined) throw new Error("no sizes");
  return row;
}

type Watched = {
  /** Seconds after the housekeeping was left to the gateway; undefined if it did not happen. */
  expiredAfter: number | undefined;
  goneAfter: number | undefined;
  /** Answers to the reader meanwhile that were neither its page nor that it had expired. */
  strange: number;
};

async function watch(sql: Sql, client: Client, reader: string, seconds: number): Promise<Watched> {
  const startedAt = performance.now();
  const watched: Watched = { expiredAfter: undefined, goneAfter: undefined, strange: 0 };
  const elapsed = () => (performance.now() - startedAt) / 1_000;
  while (elapsed() < seconds) {
    const { status } = await client.send("GET", reader);
    if (status === 410) watched.expiredAfter ??= elapsed();
    else if (status !== 200 || watched.expiredAfter !== undefined) watched.strange += 1;
    const [found] = await sql<{ old: number }[]>`
      select count(*) as old from pg_class, log_settings
      where relkind = 'r' and relname ~ '^events_[0-9]{8}$'
        and right(relname, 8) < to_char((clock_timestamp() at time zone 'UTC')::date
          - ${daysKept}::int, 'YYYYMMDD')`;
    if (found?.old === 0) watched.goneAfter ??= elapsed();
    await delay(lookMs);
  }
  return watched;
}

function goneFindings(before: Space, after: Space, { goneAfter }: Watched): Finding[] {
  const freed = before.database - after.database;
  return [
    promise(
      "the partitions of the days before are gone",
      after.old === 0 && goneAfter !== undefined,
      `${before.old} partitions, after ${goneAfter?.toFixed(0) ?? "more than the window's"} s`,
    ),
    promise(
      "their space is free",
      freed >= freedShareMin * before.oldPartitions,
      `${mebibytes(before.oldPartitions)}; the database had ${mebibytes(before.database)}, ` +
        `has ${mebibytes(after.database)} (${mebibytes(freed)} less, with what was appended)`,
    ),
  ];
}

async function readerFindings(given: {
  client: Client;
  reader: string;
  first: number;
  sql: Sql;
  watched: Watched;
}): Promise<Finding[]> {
  const { client, reader, first, sql, watched } = given;
  const { status, text } = await client.send("GET", reader);
  const problem = JSON.parse(text) as { type: string; lost?: number; oldest_cursor?: string };
  const told = status === 410 && problem.type.endsWith("/cursor-expired");
  const lost = first - 1 - readerSequence;
  const rest = told ? await readLog(client, "log-0", `cursor=${problem.oldest_cursor}`) : [];
  const stored = (await storedLogs(sql)).find(({ tenant }) => tenant === "log-0");
  const isWhole = rest.every(({ sequence }, index) => Number(sequence) === first + index);
  return [
    promise(
      "a reader below the floor is told 410, at once and for good",
      told && watched.expiredAfter !== undefined && watched.strange === 0,
      `${watched.expiredAfter?.toFixed(1) ?? "more"} s after the gateway may keep house`,
    ),
    promise("it is told what it lost", problem.lost === lost, `${count(problem.lost ?? 0)} events`),
    promise(
      "it continues from oldest_cursor to the end",
      isWhole && rest.length > 0 && Number(rest.at(-1)?.sequence) === stored?.head,
      `${count(rest.length)} events`,
    ),
  ];
}

function pauseFindings(quiet: Window, busy: Window): Finding[] {
  const findings = (["appends", "reads"] as const).map((kind) => {
    const longest = (window: Window) => Math.max(...window[kind].waits);
    const [before, during] = [longest(quiet), longest(busy)];
    const p99 = `p99 ${ms(quantile(quiet[kind].waits, 0.99))}, ${ms(quantile(busy[kind].waits, 0.99))}`;
    return figure(
      `${kind}: longest wait, quiet and under retention`,
      `${ms(before)}, ${ms(during)} (${p99})`,
      [`≤ ${pauseTargetMs} ms more`, during <= before + pauseTargetMs],
    );
  });
  const all = [quiet, busy].flatMap(({ appends, reads }) => [appends, reads]);
  const wrong = all.reduce((sum, each) => sum + each.wrong, 0);
  const done = all.reduce((sum, each) => sum + each.done, 0);
  return [...findings, promise("every append and read was served", wrong === 0, count(done))];
}
