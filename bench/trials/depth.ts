/**
 * Goal: a page costs the same however much is stored. Method: two databases on one server, one
 * with 10,000,000 events and one with 100,000, each with one large log among fifty small ones over
 * several days, filled by SQL with events of about 500 bytes in their final form; a gateway on
 * each. Pages of 1,000 and 100 events and of a single one are read at random places by cursor, one
 * request at a time, the two gateways in turns (A B A B …), each page twice: the first time most
 * of it comes from outside Postgres's own buffers in the one database and from within them in the
 * other, which holds nothing else; the second time from within them in both. Of each round the
 * medians make a ratio; told is the median of the rounds. Every page must end with the cursor that it should.
 * A page that crosses midnight takes further statements whatever is stored, so the places are
 * chosen such that none does.
 */
import { statfs } from "node:fs/promises";
import type { Sql } from "../../src/db/database.ts";
import { parseKeyRing } from "../../src/keyring.ts";
import { createCursors, type Cursors } from "../../src/log/cursor.ts";
import type { Day, TenantId } from "../../src/log/event.ts";
import { quantile, summarize } from "../measure.ts";
import { createChance, type Chance } from "./chance.ts";
import type { Client } from "./client.ts";
import { seededFingerprint, seedLogs, settleDatabase, type SeededLogs } from "./seed.ts";
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

const days = 5;
const smallLogs = 50;

/** Of what is stored: the share of the one large log. */
const largeShare = 0.98;

const pageSizes = [1_000, 100, 1];

const ratioTarget = 1.2;

/** What a cursor says of its filter when there is none. */
const everything = new Uint8Array(7);

const wrongShown = 3;

/** On disk, with its index entry, and as much again for what is not yet written back or removed. */
const bytesPerEvent = 1_000;

type Sizes = { deep: number; flat: number; rounds: number; pages: number };
const full: Sizes = { deep: 10_000_000, flat: 100_000, rounds: 15, pages: 100 };
const small: Sizes = { deep: 40_000, flat: 10_000, rounds: 2, pages: 5 };

export const depth: Trial = {
  name: "depth",
  what: "pages out of 10,000,000 stored events against 100,000",
  run,
};

type Site = {
  readonly events: number;
  readonly sql: Sql;
  readonly client: Client;
  readonly tenant: TenantId;
  readonly log: SeededLogs;
};

/** How pages are read: how large, how many of them in a turn, where. */
type Reading = {
  readonly limit: number;
  readonly pages: number;
  readonly chance: Chance;
  readonly cursors: Cursors;
};

async function run(stage: Stage): Promise<Outcome> {
  const { deep: deepEvents, flat: flatEvents, rounds, pages } = stage.small ? small : full;
  await requireSpace(stage.dir, deepEvents * bytesPerEvent);
  const serverUrl = await stage.openPostgres();
  if (!stage.small) await raiseWalSize(stage.connect(serverUrl));
  const deep = await openSite(stage, await stage.createDatabase(serverUrl), deepEvents);
  const flat = await openSite(stage, await stage.createDatabase(serverUrl), flatEvents);

  const chance = createChance(stage.seed);
  const cursors = createCursors(parseKeyRing(stage.secrets));
  const findings: Finding[] = [];
  const wrong: string[] = [];
  for (const limit of pageSizes) {
    stage.say(`pages of ${count(limit)}`);
    const medians = { first: noMedians(), again: noMedians() };
    // The first round only warms up.
    for (let round = 0; round <= rounds; round += 1) {
      const reading = { limit, pages, chance, cursors };
      const [ofDeep, ofFlat] = [await readPages(deep, reading), await readPages(flat, reading)];
      wrong.push(...ofDeep.wrong, ...ofFlat.wrong);
      if (round === 0) continue;
      for (const read of ["first", "again"] as const) {
        medians[read].deep.push(quantile(ofDeep[read], 0.5));
        medians[read].flat.push(quantile(ofFlat[read], 0.5));
      }
    }
    const page = limit === 1 ? "a page of a single event" : `a page of ${count(limit)} events`;
    findings.push(ratioOf(`${page}, read first`, medians.first));
    findings.push(ratioOf(`${page}, read again`, medians.again));
  }
  const read = pageSizes.length * (rounds + 1) * pages * 2 * 2;
  findings.push(
    promise("every page was the right one", wrong.length === 0, `${count(read)} pages`),
  );
  const plans = [await planOf(deep, chance), await planOf(flat, chance)];
  return { findings, notes: [...wrong.slice(0, wrongShown), ...plans] };
}

async function requireSpace(dir: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize > bytes) return;
  throw new Error(`${dir} needs ${count(bytes / 2 ** 20)} MiB of free space; choose another --dir`);
}

/** With the default every gigabyte would be written twice in the middle of the filling. */
async function raiseWalSize(sql: Sql): Promise<void> {
  await sql`alter system set max_wal_size = '4GB'`;
  await sql`select pg_reload_conf()`;
}

async function openSite(stage: Stage, databaseUrl: string, events: number): Promise<Site> {
  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway, 1);
  const sql = stage.connect(databaseUrl);
  const names = Array.from({ length: smallLogs }, (_, index) => `small-${index}`);
  const [large, ...others] = await createTenants(client, sql, ["large", ...names]);
  if (large === undefined) throw new Error("no tenant was created");
  const startedAt = performance.now();
  const perDay = Math.round((events * largeShare) / days);
  const othersPerDay = Math.round((events * (1 - largeShare)) / smallLogs / days);
  await seedLogs(databaseUrl, { tenants: others, days, perDay: othersPerDay });
  const log = await seedLogs(databaseUrl, { tenants: [large], days, perDay });
  await settleDatabase(databaseUrl);
  const [size] = await sql<{ bytes: number }[]>`
    select pg_database_size(current_database()) as bytes`;
  const seconds = (performance.now() - startedAt) / 1_000;
  stage.say(`${count(events)} events, ${mebibytes(size?.bytes ?? 0)}, in ${seconds.toFixed(0)} s`);
  return { events, sql, client, tenant: large.id, log };
}

/** A place that a page of this size can be read from without crossing midnight. */
function somewhere({ log }: Site, limit: number, chance: Chance): { after: number; day: Day } {
  const index = chance.below(log.days.length);
  const within = 1 + chance.below(log.perDay - limit);
  return { after: index * log.perDay + within, day: log.days[index] ?? "" };
}

async function readPages(site: Site, { limit, pages, chance, cursors }: Reading) {
  const { client, tenant } = site;
  const first: number[] = [];
  const again: number[] = [];
  const wrong: string[] = [];
  for (let page = 0; page < pages; page += 1) {
    const { after, day } = somewhere(site, limit, chance);
    const target = `/events?tenant=large&limit=${limit}&cursor=${cursorAt(after, day)}`;
    const end = cursorAt(after + limit, day);
    first.push(await readOne(target, end));
    again.push(await readOne(target, end));
  }
  return { first, again, wrong };

  /** Milliseconds. */
  async function readOne(target: string, end: string): Promise<number> {
    const startedAt = performance.now();
    const { status, headers, text } = await client.send("GET", target);
    const latency = performance.now() - startedAt;
    const events = text.split('"specversion"').length - 1;
    if (status !== 200 || headers["tidegate-cursor"] !== end || events !== limit) {
      wrong.push(`${target} was answered ${status} ${text.slice(0, 200)}`);
    }
    return latency;
  }

  function cursorAt(sequence: number, day: Day): string {
    const fingerprint = seededFingerprint(sequence);
    return cursors.mint({ tenant, position: { sequence, day }, fingerprint, filter: everything });
  }
}

type Medians = { readonly deep: number[]; readonly flat: number[] };

function noMedians(): Medians {
  return { deep: [], flat: [] };
}

function ratioOf(what: string, { deep, flat }: Medians): Finding {
  const ratio = summarize(deep.map((median, round) => median / (flat[round] ?? Number.NaN)));
  const spread = `${ratio.min.toFixed(2)} – ${ratio.max.toFixed(2)}`;
  const each = `${ms(quantile(deep, 0.5))} : ${ms(quantile(flat, 0.5))}`;
  return figure(what, `${ratio.median.toFixed(2)} (${spread}); ${each}`, [
    `≤ ${ratioTarget}`,
    ratio.median <= ratioTarget,
  ]);
}

/** Of the statement of `src/log/day.ts` for pages in bulk, at a random place. */
async function planOf(site: Site, chance: Chance): Promise<string> {
  const { sql, tenant, events } = site;
  const limit = Math.max(...pageSizes);
  const { after, day } = somewhere(site, limit, chance);
  const rows = await sql<{ "QUERY PLAN": string }[]>`
    explain (analyze, buffers)
    select sequence,
      case when octet_length(envelope) <= 4194 or sequence = ${after} then envelope end as envelope
    from events
    where tenant = ${tenant} and day = ${day} and sequence >= ${after}
      and day >= (select oldest_day from log_settings)
    order by sequence limit ${limit + 1}`;
  const lines = rows.map((row) => `  ${row["QUERY PLAN"]}`);
  return [`${count(events)} events stored:`, ...lines].join("\n");
}
