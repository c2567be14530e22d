/**
 * Goal: one tenant does not hold up the others. Method: 20 tenants append single events at a
 * steady rate, an open loop, while in turns (a) nothing else happens, (b) the row of another tenant
 * in `heads` is locked by a transaction from outside, while that tenant appends too, (c) that
 * tenant is flooded by 16 producers with single events and (d) with batches of 100, (e) some of
 * that tenant's events are refused by the database, by a trigger made for them, so that the groups
 * they are in fail as a whole. The turns are repeated; a wait counts from the moment an append was
 * due to its answer. At the end every acknowledged event must be in its log, and no other.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Sql } from "../../src/db/database.ts";
import { quantile } from "../measure.ts";
import type { Worker } from "../worker.ts";
import type { Produced, ProducerOperations } from "../workers/producers.ts";
import { densePromise, storedLogs } from "./logs.ts";
import { createTenants, type Stage } from "./stage.ts";
import { count, figure, ms, promise, type Finding, type Outcome, type Trial } from "./trial.ts";

const otherTenants = 20;
const othersPerSecond = 200;
const victim = "victim";
const victimPerSecond = 50;
const floodProducers = 16;
const floodBatch = 100;

/** Every how many events of the victim the database refuses one. */
const poisonEvery = 10;

/** What the others may wait at most. */
const pauseTargetMs = 50;

const warmUpSeconds = 0.3;

/** Before the lock and after it, for the turn to be under way. */
const aroundLockSeconds = 0.5;

type Sizes = { rounds: number; seconds: number; lockSeconds: number };
const full: Sizes = { rounds: 5, seconds: 6, lockSeconds: 2 };
const small: Sizes = { rounds: 1, seconds: 0.8, lockSeconds: 0.3 };

export const locked: Trial = {
  name: "locked",
  what: "one tenant locked, flooded or poisonous beside 20 others",
  run,
};

type Turn = { readonly others: Produced; readonly victim: Produced | undefined };
type Act = { readonly name: string; readonly play: (seconds: number) => Promise<Turn> };

async function run(stage: Stage): Promise<Outcome> {
  const { rounds, seconds, lockSeconds } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl);
  const sql = stage.connect(databaseUrl);
  const others = Array.from({ length: otherTenants }, (_, index) => `other-${index}`);
  await createTenants(stage.openClient(gateway), sql, [...others, victim]);
  const workers = {
    others: stage.startWorker<ProducerOperations>("producers"),
    victim: stage.startWorker<ProducerOperations>("producers"),
  };
  const site = { url: gateway.url, key: stage.key };
  await refusePoison(sql);
  const acts = createActs({ sql, workers, site, others, lockSeconds });
  // What is hot gets compiled, connections and plans are made.
  for (const { play } of acts) await play(warmUpSeconds);
  const played = new Map<string, Turn[]>(acts.map(({ name }) => [name, []]));
  const before = await storedLogs(sql);
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, play } of acts) {
      stage.say(`round ${round} of ${rounds}, ${name}`);
      played.get(name)?.push(await play(seconds));
    }
  }
  return {
    findings: [
      ...acts.map(({ name }) => waitOf(name, played.get(name) ?? [])),
      ...(await promises(sql, [...played.values()].flat(), before)),
    ],
    notes: [
      [
        `${otherTenants} tenants with ${othersPerSecond} appends/s in all; ${rounds} rounds of ` +
          `turns of ${seconds} s, in which the lock is held for ${lockSeconds} s at a time`,
        ...acts.map(({ name }) => noteOf(name, played.get(name) ?? [])),
      ].join("\n"),
    ],
  };
}

function createActs(given: {
  sql: Sql;
  workers: Record<"others" | "victim", Worker<ProducerOperations>>;
  site: { url: string; key: string };
  others: readonly string[];
  lockSeconds: number;
}): Act[] {
  const { sql, workers, site, others, lockSeconds } = given;
  return [
    { name: "nothing else", play: (seconds) => beside(seconds, Promise.resolve(undefined)) },
    { name: "one locked", play: lock },
    { name: "one flooded by singles", play: (seconds) => beside(seconds, flood(seconds, 1)) },
    {
      name: `one flooded by batches of ${floodBatch}`,
      play: (seconds) => beside(seconds, flood(seconds, floodBatch)),
    },
    { name: "one poisonous", play: (seconds) => beside(seconds, trickle(seconds, poisonEvery)) },
  ];

  async function beside(seconds: number, work: Promise<Produced | undefined>): Promise<Turn> {
    const pace = { tenants: others, perSecond: othersPerSecond, seconds };
    const [produced, itself] = await Promise.all([
      workers.others.call("paced", { ...site, ...pace }),
      work,
    ]);
    return { others: produced, victim: itself };
  }

  function flood(seconds: number, batch: number): Promise<Produced> {
    const load = { tenant: victim, producers: floodProducers, batch, seconds };
    return workers.victim.call("flood", { ...site, ...load });
  }

  function trickle(seconds: number, every = 0): Promise<Produced> {
    const pace = { tenants: [victim], perSecond: victimPerSecond, seconds, poisonEvery: every };
    return workers.victim.call("paced", { ...site, ...pace });
  }

  async function lock(seconds: number): Promise<Turn> {
    const [turn] = await Promise.all([beside(seconds, trickle(seconds)), holdLock(seconds)]);
    return turn;
  }

  async function holdLock(seconds: number): Promise<void> {
    for (let left = seconds; left >= lockSeconds + aroundLockSeconds;) {
      await delay(aroundLockSeconds * 1_000);
      await sql.begin(async (transaction) => {
        await transaction`
          select from heads join tenants on id = tenant where name = ${victim} for update of heads`;
        await delay(lockSeconds * 1_000);
      });
      left -= lockSeconds + aroundLockSeconds;
    }
  }
}

/** For the whole trial, since every change of a table makes the next append plan anew. */
async function refusePoison(sql: Sql): Promise<void> {
  await sql`
    create function refuse_poison() returns trigger language plpgsql as $$
    begin raise exception 'poison' using errcode = '22023'; end $$`;
  await sql`
    create trigger refuse_poison before insert on events for each row
    when (new.type = 'order.poisoned') execute function refuse_poison()`;
}

function waitOf(name: string, turns: readonly Turn[]): Finding {
  const waits = turns.flatMap((turn) => [...turn.others.waits]);
  const longest = Math.max(...waits);
  const rest = `p99 ${ms(quantile(waits, 0.99))}, p50 ${ms(quantile(waits, 0.5))}`;
  return figure(`${name}: the others' longest wait`, `${ms(longest)} (${rest})`, [
    `≤ ${pauseTargetMs} ms`,
    longest <= pauseTargetMs,
  ]);
}

/** Each round's longest wait of the others, and what the one tenant did meanwhile. */
function noteOf(name: string, turns: readonly Turn[]): string {
  const rounds = turns.map((turn) => ms(Math.max(...turn.others.waits)));
  const itself = turns.flatMap((turn) => (turn.victim === undefined ? [] : [turn.victim]));
  const appended = itself.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  const most = Math.max(...itself.flatMap(({ waits }) => [...waits]));
  const own = `; the one appended ${count(appended)} events and waited up to ${ms(most)}`;
  return `  ${name}: longest by round ${rounds.join(", ")}${itself.length === 0 ? "" : own}`;
}

async function promises(
  sql: Sql,
  turns: readonly Turn[],
  before: Awaited<ReturnType<typeof storedLogs>>,
): Promise<Finding[]> {
  const logs = await storedLogs(sql);
  const storedBefore = before.reduce((sum, log) => sum + log.stored, 0);
  const stored = logs.reduce((sum, log) => sum + log.stored, 0) - storedBefore;
  const all = turns.flatMap((turn) => [turn.others, ...(turn.victim ? [turn.victim] : [])]);
  const sum = (of: (each: Produced) => number) => all.reduce((total, each) => total + of(each), 0);
  const acknowledged = sum((each) => each.acknowledged);
  const refused = sum((each) => each.refused);
  const poison = turns.reduce((total, turn) => total + (turn.victim?.poisonRefused ?? 0), 0);
  const [found] = await sql<{ poison: number }[]>`
    select count(*) as poison from events where type = 'order.poisoned'`;
  return [
    promise("what was acknowledged is stored, once", stored === acknowledged, count(stored)),
    promise("nothing else was refused", refused === 0, `${count(refused)} refusals`),
    promise(
      "a poisonous event spoils only itself",
      poison > 0 && found?.poison === 0,
      `${count(poison)} refused with 422`,
    ),
    densePromise(logs),
  ];
}
