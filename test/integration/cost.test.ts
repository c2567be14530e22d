/**
 * What an event costs, in numbers that do not depend on the machine: statements, rows, entries of
 * indexes, bytes of the write-ahead log, and bytes that the gateway allocates. Whoever makes
 * something more expensive hears of it here, and changes the number if it is worth it; whoever
 * makes it cheaper should lower the number, so that it stays so. bench/README.md tells them, too.
 *
 * Method: a gateway as a process of its own on a Postgres of its own, looked at by costs.ts and
 * allocations.ts. What belongs to an event is told apart from what belongs to a request by putting
 * more events into as many requests. Rows and entries are exact, bytes are bounds.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client, type Json } from "../support/client.ts";
import { perOne, startMeter, type Costs, type Counts, type Meter } from "../support/costs.ts";
import {
  createDirectory,
  productionEnvironment,
  startGatewayProcess,
  type GatewayProcess,
} from "../support/process.ts";
import { startReceiver, type Behave, type Receiver } from "../support/receiver.ts";
import { openSse } from "../support/sse.ts";
import { waitUntil } from "../support/wait.ts";

/**
 * Statements that a gateway sends whether anything happens or not, by the first table that each
 * names, and how often in a second. What is kept in memory for two seconds is among them, and is
 * asked for only when something happens.
 */
const backgroundPerSecond: Counts = {
  ...{ append_groups: 1, erasures: 1, push_processes: 1, housekeeper: 0.5 },
  ...{ positions: 0.2, replays: 0.2, delivery_minutes: 0.1 },
  ...{ "select ?": 0.5, "select note_database() as restored": 0.1 },
  ...{ keys: 0.5, tenants: 0.5, event_types: 2 },
  // Once in a minute or half of one.
  ...{ consumers: 0.04, tickets: 0.02, log_days: 0.02, log_settings: 0.02, unnest: 0.02 },
};

/** What was appended, as Postgres sees it: a row, its key, and one entry by subject. */
const event: Counts = {
  "inserted events": 1,
  "entered events_pkey": 1,
  "entered events_tenant_hashtextextended_sequence_idx": 1,
};

/** What all events of a statement that are one tenant's share. */
const group: Counts = {
  "locked heads": 1,
  "updated heads": 1,
  "inserted append_groups": 1,
  "entered append_groups_pkey": 1,
  "entered append_groups_at": 1,
};

const delivery: Counts = {
  "inserted deliveries": 1,
  "confirmed deliveries": 1,
  "entered deliveries_pkey": 1,
};

/** What all outcomes of a statement that are one endpoint's share. */
const outcomes: Counts = { "locked positions": 1, "updated positions": 1 };

/** Of an event that is delivered at the second attempt: told apart, kept until then, and settled. */
const retried: Counts = {
  ...delivery,
  "inserted attempts": 2,
  "confirmed attempts": 2,
  "entered attempts_pkey": 2,
  "inserted retries": 1,
  "confirmed retries": 1,
  "entered retries_tenant_endpoint_sequence_pk": 1,
  "entered retries_due": 1,
  "entered retries_tenant": 1,
  "deleted retries": 1,
};

/**
 * Of the write-ahead log, for an order of 220 bytes: a twentieth above what they are. Renewing the
 * leases of all 256 shards is what an idle gateway writes.
 */
const logBytes = {
  ...{ event: 865, group: 445, delivery: 330, outcomes: 185 },
  /** Of a delivery at the second attempt, whose receivers answer with few headers. */
  retried: 1_900,
  idlePerSecond: 43_000,
};

/**
 * Of the heap of the gateway's process: an eighth above what they are. They repeat within two
 * percent, whatever else the machine does.
 */
const allocatedBytes = {
  appended: 9_200,
  alone: 73_600,
  /** With its append, in a batch. */
  pushed: 34_000,
  /** From the log, not from memory, as is a page. */
  streamed: 3_950,
  paged: 3_340,
};

/** Of which the least counts. */
const turns = 5;

const data = {
  ...{ order: "order_1042", customer: "cus_7Hc2mQ9xV4", amount: 4200, currency: "eur" },
  items: [
    { sku: "SKU-1001", quantity: 2, price: 1500 },
    { sku: "SKU-2044", quantity: 1, price: 1200 },
  ],
  ...{ status: "paid", note: "leave it at the door" },
};

/** Outcomes that share a statement at least, however slowly they come. */
const outcomesMin = 4;

const all = new AsyncDisposableStack();
let meter: Meter;
let gateway: GatewayProcess;
let client: Client;
let receiver: Receiver;

/** Answers well, but for the first attempts at this path. */
const behave: Behave = ({ path, headers }) => {
  const refused = path === "/second" && headers["tidegate-attempt"] === "1";
  return { kind: "answer", status: refused ? 409 : 200 };
};

beforeAll(async () => {
  meter = all.use(await startMeter());
  receiver = all.use(await startReceiver(behave, { keepBodies: false }));
  const directory = all.use(await createDirectory());
  const preloaded = new URL("../support/allocations.ts", import.meta.url).href;
  gateway = all.use(
    await startGatewayProcess({
      directory: directory.path,
      env: {
        ...productionEnvironment(meter.postgres.url),
        ...{ NODE_OPTIONS: `--import ${preloaded}`, LOG_LEVEL: "error" },
      },
    }),
  );
  client = createClient(gateway.url, gateway.operatorKey);
});

afterAll(() => all.disposeAsync());

test("an append is one statement, with a row and two entries for each event", async () => {
  await prepare("batches");
  const few = await meter.measure(() => append("batches", { batch: 100, times: 10 }));
  const many = await meter.measure(() => append("batches", { batch: 200, times: 10 }));
  for (const costs of [few, many]) expect(work(costs)).toEqual({ append_to_logs: 10 });
  expect(perOne(few.writes, many.writes, 1_000)).toEqual(event);
  expect(few.writes).toEqual(total([1_000, event], [10, group]));
  expect((many.bytes - few.bytes) / 1_000).toBeLessThan(logBytes.event);
});

test("an event appended alone costs a group of one", async () => {
  await prepare("alone");
  const costs = await meter.measure(() => append("alone", { batch: 1, times: 50 }));
  expect(work(costs)).toEqual({ append_to_logs: 50 });
  expect(costs.writes).toEqual(total([50, event], [50, group]));
  expect(costs.bytes / 50).toBeLessThan(logBytes.event + logBytes.group);
});

test("a key costs a row and an entry", async () => {
  await prepare("keyed");
  const more = (index: number) => ({ key: `key-${index}` });
  const costs = await meter.measure(() => append("keyed", { batch: 100, times: 1, more }));
  expect(work(costs)).toEqual({ append_to_logs: 1 });
  const key = { "inserted append_keys": 1, "entered append_keys_pkey": 1 };
  expect(costs.writes).toEqual(total([100, { ...event, ...key }], [1, group]));
});

test("a delivery is a row with one entry, in one statement after the append's", async () => {
  const path = await prepare("live", "/live");
  const costs = await meter.measure(async () => {
    for (let round = 1; round <= 20; round += 1) {
      await append("live", { batch: 1, times: 1 });
      await delivered(path, round + 1);
    }
  });
  expect(work(costs)).toEqual({ append_to_logs: 20, record_lanes: 20 });
  expect(costs.writes).toEqual(total([20, { ...event, ...group, ...delivery, ...outcomes }]));
  const { event: ofEvent, group: ofGroup, delivery: ofDelivery, outcomes: ofOutcomes } = logBytes;
  expect(costs.bytes / 20).toBeLessThan(ofEvent + ofGroup + ofDelivery + ofOutcomes);
});

test("deliveries at once share their statements and their endpoint's position", async () => {
  const path = await prepare("burst", "/burst");
  const costs = await meter.measure(async () => {
    await append("burst", { batch: 500, times: 1 });
    await delivered(path, 501);
  });
  const { record_lanes: statements = 0, ...others } = work(costs);
  expect(others).toEqual({ append_to_logs: 1 });
  expect(statements).toBeLessThanOrEqual(500 / outcomesMin);
  const each = { ...event, ...delivery };
  expect(costs.writes).toEqual(total([500, each], [1, group], [statements, outcomes]));
  const bytesOfEach = logBytes.event + logBytes.delivery;
  expect(costs.bytes).toBeLessThan(
    500 * bytesOfEach + logBytes.group + statements * logBytes.outcomes,
  );
});

test("a retry is a row until it is settled, and two attempts that are told", async () => {
  const path = await prepare("second", "/second");
  const costs = await meter.measure(async () => {
    await append("second", { batch: 40, times: 1 });
    await delivered(path, 41);
  });
  const { record_lanes: statements = 0, retries: reads = 0, ...others } = work(costs);
  expect(others).toEqual({ append_to_logs: 1 });
  // Retries are due at times of their own.
  expect(statements).toBeLessThanOrEqual(80);
  expect(reads).toBeLessThanOrEqual(40);
  const each = { ...event, ...retried };
  expect(costs.writes).toEqual(total([40, each], [1, group], [statements, outcomes]));
  expect(costs.bytes).toBeLessThan(
    40 * (logBytes.event + logBytes.retried) + logBytes.group + statements * logBytes.outcomes,
  );
});

test("a page is two statements, also where there is nothing to read yet", async () => {
  await prepare("pages");
  await append("pages", { batch: 999, times: 1 });
  const first = await client.page("pages", { from: "earliest", limit: "100" });
  let { cursor } = first;
  const pages = await meter.measure(async () => {
    for (let page = 0; page < 9; page += 1) {
      ({ cursor } = await client.page("pages", { cursor, limit: "100" }));
    }
  });
  expect(work(pages)).toEqual({ heads: 9, events: 9 });
  expect(pages.writes).toEqual({});
  const polls = await meter.measure(async () => {
    for (let poll = 0; poll < 9; poll += 1) {
      expect((await client.page("pages", { cursor })).events).toEqual([]);
    }
  });
  expect(work(polls)).toEqual({ heads: 9, events: 9 });
});

test("a live stream asks the database for nothing", async () => {
  await prepare("stream");
  const stream = openStream("stream");
  await stream.waitFor((blocks) => blocks.length > 0);
  const costs = await meter.measure(async () => {
    await append("stream", { batch: 1, times: 20 });
    await append("stream", { batch: 200, times: 1 });
    await waitUntil(() => stream.events().length >= 220);
  });
  expect(work(costs)).toEqual({ append_to_logs: 21 });
  expect(costs.writes).toEqual(total([220, event], [21, group]));
});

test("an idle gateway renews its leases and looks for what has changed, and that is all", async () => {
  const costs = await meter.measure(() => delay(2_000));
  expect(work(costs)).toEqual({});
  expect(costs.writes).toEqual({});
  expect(costs.background).toBeLessThan(logBytes.idlePerSecond * (costs.seconds + 1));
});

test("what the gateway allocates for an event is bounded", async () => {
  const logs = Array.from({ length: turns }, (_, index) => `memory-log-${index}`);
  for (const tenant of ["memory-batches", "memory-alone", ...logs]) await prepare(tenant);
  for (const tenant of logs) await append(tenant, { batch: 999, times: 1 });
  const pushed = await prepare("memory-pushed", "/memory");
  let count = 1;
  const allocated: Record<keyof typeof allocatedBytes, number> = {
    appended: await allocatedFor(1_000, () => append("memory-batches", { batch: 100, times: 10 })),
    alone: await allocatedFor(100, () => append("memory-alone", { batch: 1, times: 100 })),
    pushed: await allocatedFor(500, async () => {
      await append(pushed, { batch: 500, times: 1 });
      await delivered(pushed, (count += 500));
    }),
    // Each log once: what was read is kept for those who come after.
    streamed: await allocatedFor(1_000, async (turn) => {
      const stream = openStream(logs[turn] ?? "", "earliest");
      await stream.waitFor((blocks) => blocks.length >= 1_000);
      stream.cut();
    }),
    paged: await allocatedFor(1_000, (turn) =>
      client.page(logs[turn] ?? "", { from: "earliest", limit: "1000" }),
    ),
  };
  const tooMuch = Object.entries(allocated).filter(([what, bytes]) => {
    return bytes > allocatedBytes[what as keyof typeof allocatedBytes];
  });
  expect(tooMuch).toEqual([]);
});

/** A tenant whose log and whose endpoint, if it has one, have had their first event. */
async function prepare(tenant: string, path?: string): Promise<string> {
  await client.tenant(tenant);
  if (path !== undefined) {
    const url = receiver.url.replace("/hook", path);
    await client.createEndpoint(tenant, { url, retry_schedule: ["1s"] });
  }
  await append(tenant, { batch: 1, times: 1 });
  if (path !== undefined) await delivered(tenant, 1);
  return tenant;
}

async function append(
  tenant: string,
  given: { batch: number; times: number; more?: (index: number) => Json },
): Promise<void> {
  const { batch, times: requests, more } = given;
  for (let request = 0; request < requests; request += 1) {
    const events = Array.from({ length: batch }, (_, index) => ({
      ...{ tenant, type: "order.created", subject: "order_1042", data },
      ...more?.(request * batch + index),
    }));
    await client.expectOk("POST", "/events", { events });
  }
}

/** Waits until so many deliveries of the tenant are written. */
async function delivered(tenant: string, count: number): Promise<void> {
  await waitUntil(
    async () => {
      const [row] = await meter.sql`
        select count(*)::int as count from deliveries d join tenants t on t.id = d.tenant
        where t.name = ${tenant} and d.status = 'delivered'`;
      return row?.["count"] >= count;
    },
    { deadlineMs: 20_000, what: `${count} deliveries` },
  );
}

function openStream(tenant: string, from = "latest") {
  const { port } = new URL(gateway.url);
  const target = `/events/stream?tenant=${tenant}&from=${from}`;
  const stream = openSse(Number(port), target, gateway.operatorKey);
  all.defer(() => void stream.cut());
  return stream;
}

/** Statements without those in the background, unless these are more than time explains. */
function work({ statements, seconds }: Costs): Counts {
  return Object.fromEntries(
    Object.entries(statements).filter(([name, calls]) => {
      const perSecond = backgroundPerSecond[name];
      return perSecond === undefined || calls > Math.ceil(perSecond * seconds) + 1;
    }),
  );
}

/** All of these counts together, each so many times. */
function total(...given: readonly (readonly [times: number, counts: Counts])[]): Counts {
  const sums: Record<string, number> = {};
  for (const [times, counts] of given) {
    for (const [name, count] of Object.entries(counts)) {
      sums[name] = (sums[name] ?? 0) + times * count;
    }
  }
  return sums;
}

/** Bytes for each event; the least of some turns, since what else goes on only adds to it. */
async function allocatedFor(
  events: number,
  act: (turn: number) => Promise<unknown>,
): Promise<number> {
  const bytes: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    await takeAllocated();
    await act(turn);
    bytes.push((await takeAllocated()) / events);
  }
  return Math.round(Math.min(...bytes));
}

async function takeAllocated(): Promise<number> {
  const url = /^allocations at (\S+)$/m.exec(gateway.stdout())?.[1];
  if (url === undefined) throw new Error("the gateway does not tell what it allocates");
  const answer = await fetch(url);
  return Number(await answer.text());
}
