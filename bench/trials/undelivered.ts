/**
 * Goal: what is undelivered is told exactly, and at once, of 10,000,000 deliveries to 10,000
 * endpoints. Method: they are stored by SQL, in three shapes: 100 tenants with 100 endpoints each,
 * one tenant with 10,000, and 10,000 with one; about one in a hundred is dead, some thousand are
 * retried, some hundred endpoints are behind, of which a third has a filter. A gateway is asked over
 * HTTP, one request at a time, for five minutes, for the last hour, which has half of them, and for a
 * day, which has all. Each answer has to be equal to what one plain statement counts that looks at
 * every pair of an event and an endpoint; on a machine that was too busy for it to be exact, to hold
 * it within its bounds. The gateway has no push role, or what is counted would change.
 */
import { drizzle } from "drizzle-orm/postgres-js";
import { sql as template } from "drizzle-orm";
import postgres from "postgres";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { summaryStatement } from "../../src/deliveries/undelivered-statements.ts";
import { defaultLimits } from "../../src/deliveries/undelivered.ts";
import { limitPlans, openWindow } from "../../src/deliveries/undelivered-window.ts";
import { quantile } from "../measure.ts";
import { settleDatabase } from "./seed.ts";
import type { Stage } from "./stage.ts";
import { count, figure, ms, promise, type Finding, type Outcome, type Trial } from "./trial.ts";
import { seedDeliveries, type Shape } from "./undelivered-seed.ts";

const targetMs = 100;

/** Five minutes have as many as an hour has where 10,000,000 are a day's. */
const windows = ["5m", "1h", "24h"];

/** As many as a page shows at most, so that a tenth of the endpoints is compared one by one. */
const shownEndpoints = 1_000;

/** Twice for each connection that a gateway reads by. */
const warmUps = 12;

const wrongShown = 5;

type Sizes = { readonly shapes: Readonly<Record<string, Shape>>; readonly requests: number };

const full: Sizes = {
  shapes: {
    "100x100": { tenants: 100, endpoints: 100, events: 1_020 },
    "1x10000": { tenants: 1, endpoints: 10_000, events: 1_020 },
    "10000x1": { tenants: 10_000, endpoints: 1, events: 1_020 },
  },
  requests: 20,
};

const small: Sizes = {
  shapes: {
    "100x100": { tenants: 5, endpoints: 40, events: 60 },
    "1x10000": { tenants: 1, endpoints: 200, events: 60 },
    "10000x1": { tenants: 200, endpoints: 1, events: 60 },
  },
  requests: 3,
};

export const undelivered: Trial = {
  name: "undelivered",
  what: "what is undelivered of 10,000,000 deliveries to 10,000 endpoints",
  run,
};

async function run(stage: Stage): Promise<Outcome> {
  const { shapes, requests } = stage.small ? small : full;
  const names = stage.shape === undefined ? Object.keys(shapes) : [stage.shape];
  const server = await stage.openPostgres();
  if (!stage.small) await raiseWalSize(server, stage);
  const findings: Finding[] = [];
  const notes: string[] = [];
  for (const name of names) {
    const shape = shapes[name];
    if (shape === undefined) throw new Error(`the shapes are ${Object.keys(shapes).join(", ")}`);
    const measured = await measure(stage, server, { name, shape, requests });
    findings.push(...measured.findings);
    notes.push(...measured.notes);
  }
  return { findings, notes };
}

/** With the default every gigabyte would be written twice in the middle of the filling. */
async function raiseWalSize(server: string, stage: Stage): Promise<void> {
  const sql = stage.connect(server, 1);
  await sql`alter system set max_wal_size = '4GB'`;
  await sql`select pg_reload_conf()`;
}

async function measure(
  stage: Stage,
  server: string,
  { name, shape, requests }: { name: string; shape: Shape; requests: number },
) {
  const databaseUrl = await stage.createDatabase(server);
  const gateway = await stage.startGateway(databaseUrl, { TIDEGATE_ROLES: "api" });
  const client = stage.openClient(gateway, 1);
  const startedAt = performance.now();
  await seedDeliveries(databaseUrl, shape, (progress) => stage.say(`${name}: ${progress}`));
  await settleDatabase(databaseUrl);
  const sql = postgres(databaseUrl, { max: 1, fetch_types: false, onnotice: () => {} });
  stage.defer(() => sql.end());
  const [rows] = await sql<{ deliveries: string; retries: string; behind: string }[]>`
    select (select count(*) from deliveries) as deliveries,
      (select count(*) from retries) as retries,
      (select count(*) from positions p join heads h using (tenant)
        where p.sequence < h.head) as behind`;
  const seconds = (performance.now() - startedAt) / 1_000;
  const stored = `${count(Number(rows?.deliveries))} deliveries, ${count(Number(rows?.retries))} retries, ${count(Number(rows?.behind))} endpoints behind`;
  stage.say(`${name}: ${stored}, in ${seconds.toFixed(0)} s`);

  const findings = [figure(`${name}: rows`, stored)];
  const notes: string[] = [];
  for (const window of windows) {
    const path = `/stats/undelivered?window=${window}&limit=`;
    const times: number[] = [];
    // The first ones open connections, of which each has to plan, and read from the disk.
    for (let nth = -warmUps; nth < requests; nth += 1) {
      const askedAt = performance.now();
      await client.expect("GET", `${path}100`);
      if (nth >= 0) times.push(performance.now() - askedAt);
    }
    const [median, p95] = [quantile(times, 0.5), quantile(times, 0.95)];
    const told = (await client.expect("GET", `${path}${shownEndpoints}`)) as Told;
    findings.push(
      figure(`${name}, ${window}: median, p95 of ${requests}`, `${ms(median)}, ${ms(p95)}`, [
        `≤ ${targetMs} ms`,
        median <= targetMs,
      ]),
      await compared(sql, `${name}, ${window}`, told),
    );
    stage.say(`${name}, ${window}: median ${ms(median)}`);
    notes.push(`${name}, ${window}:\n${await planOf(sql, told.window_seconds)}`);
  }
  return { findings, notes };
}

type Counts = Record<"retrying" | "awaiting_receipt" | "dead" | "expired" | "waiting", number>;

type Told = Counts & {
  readonly window_seconds: number;
  readonly as_of: string;
  readonly exact: boolean;
  readonly at_most?: number;
  readonly deliveries: number;
  readonly undelivered: number;
  readonly endpoints_total: number;
  readonly endpoints: readonly (Counts & { readonly id: string })[];
};

/** By one look at every pair of an event and an endpoint that matches it. */
async function compared(sql: postgres.Sql, what: string, told: Told): Promise<Finding> {
  await sql`set work_mem = '512MB'`;
  await sql`
    create temporary table pairs as
    select v.tenant, v.sequence, e.id as endpoint, case
        when d.status in ('delivered', 'settled') then null
        when r.sequence is not null then case when r.awaiting then 'awaiting' else 'retrying' end
        when d.status in ('dead', 'expired') then d.status
        when v.sequence > p.sequence then 'waiting' end as kind
    from events v
      join endpoints e on e.tenant = v.tenant and (e.types is null or v.type like 'order.%')
      join positions p on p.tenant = e.tenant and p.consumer = e.id
      left join deliveries d on d.tenant = v.tenant and d.endpoint = e.id and d.day = v.day
        and d.sequence = v.sequence
      left join retries r on r.tenant = v.tenant and r.endpoint = e.id and r.sequence = v.sequence
    where v.appended_at > ${told.as_of}::timestamptz - ${told.window_seconds}::int * interval '1 second'`;
  const [all] = await sql<Record<string, string>[]>`
    select count(*) as pairs, count(distinct (tenant, sequence)) filter (where kind is not null) as undelivered,
      count(*) filter (where kind in ('retrying', 'awaiting')) as retrying,
      count(*) filter (where kind = 'awaiting') as awaiting_receipt,
      count(*) filter (where kind in ('dead', 'expired')) as dead,
      count(*) filter (where kind = 'expired') as expired,
      count(*) filter (where kind = 'waiting') as waiting,
      count(distinct endpoint) filter (where kind is not null) as endpoints_total
    from pairs`;
  const each = await sql<Record<string, string>[]>`
    select endpoint, count(*) filter (where kind in ('retrying', 'awaiting')) as retrying,
      count(*) filter (where kind = 'awaiting') as awaiting_receipt,
      count(*) filter (where kind in ('dead', 'expired')) as dead,
      count(*) filter (where kind = 'expired') as expired,
      count(*) filter (where kind = 'waiting') as waiting
    from pairs where kind is not null group by endpoint`;
  await sql`drop table pairs`;
  const { pairs = "0", ...sums } = all ?? {};
  const byEndpoint = new Map(each.map(({ endpoint = "", ...counts }) => [endpoint, counts]));
  const wrong = told.exact
    ? [
        ...differences("all", told, sums),
        ...told.endpoints.flatMap((endpoint) =>
          differences(endpoint.id, endpoint, byEndpoint.get(endpointUuid(endpoint.id) ?? "") ?? {}),
        ),
      ]
    : outOfBounds(told, sums);
  const counts = `${count(told.undelivered)} events; ${count(told.dead)} dead, ${count(told.retrying)} retrying, ${count(told.waiting)} waiting, of ${count(Number(pairs))} pairs`;
  return promise(
    `${what}: ${told.exact ? "exact, and" : "NOT exact, but within its bounds"} what a count of all pairs finds`,
    wrong.length === 0 && Object.keys(sums).length > 0,
    wrong.length === 0 ? counts : wrong.slice(0, wrongShown).join("; "),
  );
}

function outOfBounds(told: Told, sums: Readonly<Record<string, string>>): string[] {
  const all = Number(sums["retrying"]) + Number(sums["dead"]) + Number(sums["waiting"]);
  const { deliveries, at_most: atMost = 0 } = told;
  return deliveries <= all && all <= atMost ? [] : [`${deliveries} to ${atMost}, not ${all}`];
}

function differences(of: string, told: object, counted: Readonly<Record<string, string>>) {
  const members = told as Readonly<Record<string, unknown>>;
  return Object.entries(counted).flatMap(([name, value]) =>
    members[name] === Number(value)
      ? []
      : [`${of}: ${name} ${String(members[name])}, not ${value}`],
  );
}

/** Of the statement that does nearly all of it. */
async function planOf(sql: postgres.Sql, windowSeconds: number): Promise<string> {
  return drizzle(sql).transaction(async (transaction) => {
    const window = await openWindow(transaction, undefined, {
      ...{ seconds: windowSeconds, manyTenants: defaultLimits.manyTenants },
    });
    await limitPlans(transaction, { rowByRow: false });
    const rows = await transaction.execute<{ "QUERY PLAN": string }>(template`
      explain (analyze, buffers) ${summaryStatement(window, { shown: 100, ...defaultLimits })}`);
    return rows.map((row) => `  ${row["QUERY PLAN"]}`).join("\n");
  });
}
