/**
 * Shards that pass from one push process to another: from one that is stopped for longer than its
 * lease and then goes on as if it had only blinked, and from one that is told to end.
 */
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { createClient, type Client } from "../support/client.ts";
import { natsUrl } from "../support/nats.ts";
import { createTestDatabase } from "../support/postgres.ts";
import {
  createDirectory,
  productionEnvironment,
  startGatewayProcess,
  type GatewayProcess,
} from "../support/process.ts";
import { appendMany, eventOf, repeated, sequenceOf, upTo } from "../support/pushes.ts";
import { startReceiver, type Behaviour, type Receiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const timeout = 120_000;

/** Leases run out after 4 s and are claimed within one; processes start; the rest is a busy machine. */
const takeoverMs = 30_000;

const shards = 16;

/** Longer than a process is stopped here, so that what it was sent meanwhile is what it reads. */
const timeoutMs = 30_000;

let opened: AsyncDisposableStack;
let sql: Sql;
let receiver: Receiver;
let client: Client;
let startPush: () => Promise<GatewayProcess>;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const created = opened.use(await createTestDatabase());
  const database = openDatabase(created.url, { connections: 1, name: "test" });
  opened.defer(() => database.stop());
  ({ sql } = database);
  const nats = await natsUrl();
  opened.defer(() => nats.stop());
  const directory = opened.use(await createDirectory());
  receiver = opened.use(await startReceiver());
  const env = {
    ...productionEnvironment(created.url),
    NATS_URL: nats.url,
    TIDEGATE_SHARDS: String(shards),
  };
  const start = async (TIDEGATE_ROLES: string) =>
    opened.use(
      await startGatewayProcess({ directory: directory.path, env: { ...env, TIDEGATE_ROLES } }),
    );
  const api = await start("api");
  client = createClient(api.url, api.operatorKey);
  startPush = () => start("push");
});

afterEach(() => opened.disposeAsync());

test(
  "a process that was stopped for longer than its lease changes nothing, and says so",
  { timeout },
  async () => {
    // Until the gate opens nothing is answered; then what was sent before gets the answer that its
    // path asks for, and all that comes later is taken.
    const gate = Promise.withResolvers<void>();
    let isOpen = false;
    receiver.behave(async (request) => {
      const late = !isOpen;
      await gate.promise;
      const { status = 200 } = endpoints.find(({ path }) => path === request.path) ?? {};
      const fails = late || (request.path === "/hook/failing" && sequenceOf(request) === 2);
      return { kind: "answer", status: fails ? status : 200 };
    });
    const endpoints = [
      { path: "/hook/parallel", status: 200, settings: {} },
      { path: "/hook/fifo", status: 200, settings: { ordering: "fifo" } },
      { path: "/hook/failing", status: 500, settings: { retry_schedule: ["1h", "1h"] } },
      // By which it would be disabled.
      { path: "/hook/gone", status: 410, settings: { ordering: "fifo" } },
    ];
    await client.tenant("acme");
    const ids: string[] = [];
    for (const { path, settings } of endpoints) {
      const url = new URL(path, receiver.url).href;
      const created = await client.createEndpoint("acme", {
        url,
        timeout_ms: timeoutMs,
        ...settings,
      });
      ids.push(created.id);
    }
    const stopped = await startPush();
    await shardsAreHeldBy(1);
    await appendMany(client, "acme", repeated("a", 5));
    await receiver.received(endpoints.length, takeoverMs);
    process.kill(stopped.pid, "SIGSTOP");
    const inFlight = receiver.requests.length;
    isOpen = true;
    gate.resolve();

    const owner = await ownerOfAll();
    const next = await startPush();
    await waitUntil(async () => ![undefined, owner].includes(await ownerOfAll()), {
      deadlineMs: takeoverMs,
      what: "the other process taking over",
    });
    for (const id of ids) {
      await client.endpointWhen(id, ({ position }) => Number(position) === 5, takeoverMs);
    }
    const before = await written();
    const pushes = receiver.requests.length;
    expect(pushes).toBe(inFlight + endpoints.length * 5);

    process.kill(stopped.pid, "SIGCONT");
    await waitUntil(() => warningOf(stopped), { deadlineMs: takeoverMs, what: "the warning" });
    expect(warningOf(stopped)).toMatchObject({ shards, leaseMs: 4_000 });
    expect(Number(warningOf(stopped)?.["keptMs"])).toBeGreaterThan(2_000);
    // Its own outcomes, the 410 among them, and then its share of the shards again.
    await waitUntil(() => stopped.stderr().includes('"not disabled: it is served anew"'), {
      deadlineMs: takeoverMs,
      what: "the refusal to disable",
    });
    expect(stopped.stderr()).toContain("outcomes were not taken");
    await shardsAreHeldBy(2);
    expect(await written()).toEqual(before);
    expect(receiver.requests.length).toBe(pushes);
    expect(next.stderr()).not.toContain("was stopped or starved");

    const [last = ""] = await appendMany(client, "acme", ["a"]);
    await receiver.received(pushes + endpoints.length, takeoverMs);
    expect(receiver.requests.slice(pushes).map(eventOf)).toEqual(endpoints.map(() => last));
  },
);

test(
  "a process that is told to end gives back its shards, but for those with attempts under way",
  { timeout },
  async () => {
    const tenants = Array.from({ length: 12 }, (_, n) => `tenant_${n}`);
    for (const tenant of tenants) {
      await client.tenant(tenant);
      const url = new URL(pathOf(tenant), receiver.url).href;
      await client.createEndpoint(tenant, { url, timeout_ms: timeoutMs });
    }
    const leaving = await startPush();
    const owner = await waitUntil(() => ownerOfAll(), { deadlineMs: takeoverMs });
    const staying = await startPush();
    await shardsAreHeldBy(2);
    const its = await sql<{ name: string; shard: number }[]>`
      select name, t.shard from tenants t join shard_leases s on s.shard = t.shard
      where owner = ${owner} order by name`;
    const [slow] = its;
    const other = its.find(({ shard }) => shard !== slow?.shard);
    if (slow === undefined || other === undefined) throw new Error("it has tenants of two shards");

    const gate = Promise.withResolvers<Behaviour>();
    receiver.behave(({ path }) => (path === pathOf(slow.name) ? gate.promise : { kind: "answer" }));
    await appendMany(client, slow.name, ["a"]);
    await receiver.received(1, takeoverMs);
    const ending = leaving.terminate();
    const held = () => sql`select shard from shard_leases where owner = ${owner}`;
    await waitUntil(async () => (await held()).length === 1, {
      deadlineMs: takeoverMs,
      what: "the return of what is not busy",
    });
    expect(await held()).toEqual([{ shard: slow.shard }]);
    // The other process has it already, while the slow attempt goes on.
    await appendMany(client, other.name, ["a"]);
    await receiver.received(2, takeoverMs);
    expect(await held()).toEqual([{ shard: slow.shard }]);

    gate.resolve({ kind: "answer" });
    const { code, stderr } = await ending;
    expect(code, `it said ${stderr}`).toBe(0);
    await waitUntil(() => ownerOfAll(), { deadlineMs: takeoverMs, what: "the last shard" });
    await appendMany(client, slow.name, ["a"]);
    await receiver.received(3, takeoverMs);
    const slowOnes = receiver.requests.filter(({ path }) => path === pathOf(slow.name));
    expect(slowOnes.map(sequenceOf)).toEqual(upTo(2));
    expect((await staying.terminate()).code).toBe(0);
  },
);

function pathOf(tenant: string): string {
  return `/hook/${tenant}`;
}

async function shardsAreHeldBy(processes: number): Promise<void> {
  await waitUntil(
    async () => {
      const shares = await sql<{ held: number }[]>`
        select count(*)::int as held from shard_leases where owner is not null group by owner`;
      return shares.length === processes && shares.every(({ held }) => held === shards / processes);
    },
    { deadlineMs: takeoverMs, what: `${processes} processes with even shares` },
  );
}

/** The process that has every shard. */
async function ownerOfAll(): Promise<string | undefined> {
  const owners = await sql<{ owner: string | null }[]>`select distinct owner from shard_leases`;
  const [first, ...others] = owners;
  return others.length === 0 ? (first?.owner ?? undefined) : undefined;
}

/** All that the push side writes, but for when it looked last. */
async function written() {
  return {
    positions: [
      ...(await sql`select consumer, sequence, last_matched, status, status_reason, generation,
        last_success_at, last_failure_at, failing_since, circuit from positions order by consumer`),
    ],
    deliveries: [...(await sql`select * from deliveries order by endpoint, sequence`)],
    retries: [...(await sql`select * from retries order by endpoint, sequence`)],
    attempts: [...(await sql`select * from attempts order by endpoint, sequence, attempt`)],
  };
}

function warningOf(gateway: GatewayProcess): Record<string, unknown> | undefined {
  const line = gateway.stderr().match(/^.*was stopped or starved for \d+ ms.*$/m)?.[0];
  return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
}
