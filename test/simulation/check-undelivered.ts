/**
 * What the gateway tells as undelivered, against a count by brute force: every pair of an endpoint and
 * an event that matches it, with all rows there are of it.
 */
import { sql as template } from "drizzle-orm";
import { openDatabase, type Orm } from "../../src/db/database.ts";
import { endpointName } from "../../src/deliveries/endpoint.ts";
import { createUndeliveredReader } from "../../src/deliveries/undelivered.ts";
import { compileFilter, type Filter } from "../../src/log/filter.ts";
import { ask } from "./check-confirmed.ts";
import type { World } from "./world.ts";

/** Deliveries that are retried move while one looks: an answer counts that they stood still around. */
const looksMax = 20;

const path = "/stats/undelivered?window=1d&limit=1000";

const kinds = ["retrying", "awaiting_receipt", "dead", "expired", "waiting"] as const;

type Execute = Pick<Orm, "execute">;

type Told = Record<(typeof kinds)[number] | "deliveries", number> & {
  readonly exact: boolean;
  readonly undelivered: number;
  readonly endpoints: readonly (Record<(typeof kinds)[number], number> & { readonly id: string })[];
};

/** Of an endpoint: how many of its events are what, and `undelivered` those that are open. */
type Counted = Record<(typeof kinds)[number] | "matching" | "done", number> & {
  readonly tenant: string;
  readonly id: string;
  readonly undelivered: readonly number[];
};

/**
 * While much is still under way: the same statements, as for many tenants, and the count in one
 * transaction, which sees one state. With all the time that they may need.
 */
export async function checkUndeliveredNow(world: World): Promise<void> {
  const { orm, stop } = openDatabase(world.postgres.url, { connections: 1, name: "undelivered" });
  try {
    await orm.transaction(
      async (transaction) => {
        const here = {
          transaction: (work: (of: typeof transaction) => unknown) => work(transaction),
        };
        const reader = createUndeliveredReader(here as Pick<Orm, "transaction">, {
          budgetMs: 60_000,
          manyTenants: 0,
        });
        const asked = { tenant: undefined, windowSeconds: 86_400, limit: 1_000 };
        const { events, awaiting, endpoints, ...rest } = await reader.read(asked);
        const shown = endpoints.map(({ endpoint, awaiting: its, ...counts }) => ({
          ...{ ...counts, id: endpointName(endpoint), awaiting_receipt: its },
        }));
        const told = { ...rest, undelivered: events, awaiting_receipt: awaiting, endpoints: shown };
        const counted = await countAll(transaction);
        const { deliveries, retrying, waiting } = told;
        world.say(`undelivered: ${deliveries}, of which ${retrying} are retried, ${waiting} wait`);
        const fault = faultOf(told, counted);
        if (fault !== undefined)
          world.violations.report("undelivered", `after the faults: ${fault}`);
        const wrong = await countWrongTimes(transaction);
        if (wrong > 0)
          world.violations.report(
            "undelivered",
            `${wrong} rows tell another time than their event`,
          );
      },
      { isolationLevel: "repeatable read", accessMode: "read only" },
    );
  } finally {
    await stop();
  }
}

async function countWrongTimes(orm: Execute): Promise<number> {
  const [row] = await orm.execute<{ wrong: number }>(template`
    select count(*)::int as wrong
    from (
      select tenant, day, sequence, appended_at from deliveries where status in ('dead', 'expired')
      union all
      select tenant, day, sequence, appended_at from retries
    ) r join events e on e.tenant = r.tenant and e.day = r.day and e.sequence = r.sequence
    where r.appended_at is distinct from e.appended_at`);
  return row?.wrong ?? 0;
}

/** Of all tenants together, and of each, as the gateway answers. */
export async function checkUndelivered(world: World): Promise<void> {
  const { orm, stop } = openDatabase(world.postgres.url, { connections: 1, name: "undelivered" });
  try {
    await compareAnswers(world, orm);
  } finally {
    await stop();
  }
}

async function compareAnswers(world: World, orm: Execute): Promise<void> {
  let before = await countAll(orm);
  for (let looks = 0; looks < looksMax; looks += 1) {
    const all = await ask<Told>(world, path);
    const each = await Promise.all(
      world.tenants.map((tenant) => ask<Told>(world, `${path}&tenant=${tenant}`)),
    );
    const after = await countAll(orm);
    if (JSON.stringify(before) === JSON.stringify(after)) {
      report("all tenants", all, after);
      for (const [index, tenant] of world.tenants.entries()) {
        const its = after.filter((endpoint) => endpoint.tenant === tenant);
        report(tenant, each[index] ?? all, its);
      }
      return;
    }
    before = after;
  }
  world.violations.report("undelivered", "it never stood still");

  function report(whose: string, told: Told, counted: readonly Counted[]): void {
    const fault = faultOf(told, counted);
    if (fault !== undefined) world.violations.report("undelivered", `${whose}: ${fault}`);
  }
}

function faultOf(told: Told, counted: readonly Counted[]): string | undefined {
  if (!told.exact) return "there was no time to count all";
  const events = new Set(
    counted.flatMap(({ tenant, undelivered }) => undelivered.map((event) => `${tenant} ${event}`)),
  );
  if (told.undelivered !== events.size) return `${told.undelivered} events, not ${events.size}`;
  const byEndpoint = new Map(told.endpoints.map((endpoint) => [endpoint.id, endpoint]));
  for (const endpoint of counted) {
    const { matching, done } = endpoint;
    const shown = byEndpoint.get(endpointName(endpoint.id));
    const open = (shown?.retrying ?? 0) + (shown?.dead ?? 0) + (shown?.waiting ?? 0);
    if (done + open !== matching) return `${endpoint.id}: ${done} and ${open} of ${matching}`;
    for (const kind of kinds) {
      const wanted = endpoint[kind];
      if ((shown?.[kind] ?? 0) !== wanted) {
        return `${endpoint.id}: ${shown?.[kind]} ${kind}, not ${wanted}`;
      }
    }
  }
  const sum = (kind: (typeof kinds)[number]) =>
    counted.reduce((total, endpoint) => total + endpoint[kind], 0);
  const wrong = kinds.find((kind) => told[kind] !== sum(kind));
  if (wrong !== undefined) return `${told[wrong]} ${wrong}, not ${sum(wrong)}`;
  const all = sum("retrying") + sum("dead") + sum("waiting");
  return told.deliveries === all ? undefined : `${told.deliveries} deliveries, not ${all}`;
}

async function countAll(orm: Execute): Promise<Counted[]> {
  const lanes = await orm.execute<Lane>(template`
    select t.name as tenant, e.tenant as "tenantId", e.id, e.types, e.subjects, p.sequence as position, (
        select coalesce(max(g.through), 0) from receipt_ranges g
        where g.tenant = e.tenant and g.endpoint = e.id
          and g.at >= coalesce(p.resumed_at, '-infinity')
      ) as confirmed
    from endpoints e
      join tenants t on t.id = e.tenant
      join positions p on p.tenant = e.tenant and p.consumer = e.id
    order by t.name, e.id`);
  const logs = new Map<string, LoggedEvent[]>();
  for (const tenant of new Set(lanes.map(({ tenantId }) => tenantId))) {
    logs.set(
      tenant,
      await orm.execute<LoggedEvent>(template`
        select sequence, type, subject from events
        where tenant = ${tenant} and appended_at > now() - interval '1 day' order by sequence`),
    );
  }
  const counted: Counted[] = [];
  for (const lane of lanes) counted.push(await countLane(orm, lane, logs.get(lane.tenantId) ?? []));
  return counted;
}

type Lane = Filter & {
  readonly tenant: string;
  readonly tenantId: string;
  readonly id: string;
  readonly position: number;
  readonly confirmed: number;
};

type LoggedEvent = {
  readonly sequence: number;
  readonly type: string;
  readonly subject: string | null;
};

async function countLane(orm: Execute, lane: Lane, log: readonly LoggedEvent[]) {
  const { tenant, tenantId, id, position, confirmed } = lane;
  const rows = await orm.execute<{ sequence: number; status: string }>(template`
    select sequence, status from deliveries where tenant = ${tenantId} and endpoint = ${id}`);
  const retries = await orm.execute<{ sequence: number; awaiting: boolean }>(template`
    select sequence, awaiting from retries where tenant = ${tenantId} and endpoint = ${id}`);
  const subjects = await orm.execute<{ subject: string; sequence: number }>(template`
    select subject, sequence from blocked_subjects where tenant = ${tenantId} and endpoint = ${id}`);
  const statuses = new Map(rows.map(({ sequence, status }) => [sequence, status]));
  const retrying = new Map(retries.map(({ sequence, awaiting }) => [sequence, awaiting]));
  const blocked = new Map(subjects.map(({ subject, sequence }) => [subject, sequence]));
  const matching = log.filter(compileFilter(lane).matches);
  const kinds = matching.map(kindOf);
  const of = (...wanted: string[]) => kinds.filter((kind) => wanted.includes(kind)).length;
  return {
    ...{ tenant, id, matching: matching.length, done: of("done") },
    ...{ retrying: of("retrying", "awaiting"), awaiting_receipt: of("awaiting") },
    ...{ dead: of("dead", "expired"), expired: of("expired"), waiting: of("waiting") },
    undelivered: matching.flatMap(({ sequence }, index) =>
      kinds[index] === "done" ? [] : [sequence],
    ),
  };

  function kindOf({ sequence, subject }: LoggedEvent): string {
    const status = statuses.get(sequence);
    const isAwaiting = retrying.get(sequence);
    const isSettled = status === "delivered" || status === "settled";
    if (isSettled || sequence <= confirmed) return "done";
    if (isAwaiting !== undefined) return isAwaiting ? "awaiting" : "retrying";
    if (status === "dead" || status === "expired") return status;
    const isHeld = sequence > (blocked.get(subject ?? "") ?? Infinity);
    if (sequence > position || isHeld) return "waiting";
    return status === "skipped" ? "done" : "unknown";
  }
}
