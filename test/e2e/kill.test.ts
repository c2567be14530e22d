/**
 * kill -9 in the middle of a load, then a start in the same directory. Goal: what was acknowledged
 * is there and is delivered, what was not is there whole or not at all, the sequences have no
 * holes, cursors handed out before go on exactly, and a webhook sees nothing more than twice.
 */

import { expect, test } from "vitest";
import { createClient, type Client, type ReadEvent } from "../support/client.ts";
import { createDirectory, startGatewayProcess } from "../support/process.ts";
import { startReceiver, type Behave, type Received, type Receiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const tenants = ["acme", "globex", "initech"];

/** Enough that a group commit, a batch of outcomes and many attempts are always under way. */
const appenders = 12;
const batchEvents = 5;

/** Acknowledged events at the kill. */
const loadEvents = 600;

/** Attempts that a lane has under way, for each endpoint. */
const maxInFlight = 20;

/** How receivers take their first attempts: well, slowly so that a backlog stands, and badly. */
const behave: Behave = ({ path, headers }) => {
  const isFirst = headers["tidegate-attempt"] === "1";
  if (path === "/globex") return { kind: "answer", afterMs: 100 };
  const fails = path === "/initech" && isFirst && Number(headers["tidegate-sequence"]) % 5 === 0;
  return { kind: "answer", status: fails ? 503 : 200, afterMs: 5 };
};

type Sent = { tenant: string; id: string; text: string };

type Load = {
  /** Everything that an append was sent for, by the id in its data. */
  readonly sent: Map<string, Sent>;
  /** Sequence and event id of what was acknowledged, by the id in its data. */
  readonly acknowledged: Map<string, { tenant: string; sequence: string; event: string }>;
  /** Cursors that were handed out, with the sequence that each stands behind. */
  readonly cursors: { tenant: string; cursor: string; sequence: number }[];
  /** Lets appends and reads fail from now on: the kill is coming. */
  expectEnd(): void;
  readonly ended: Promise<unknown>;
};

test.each([
  { what: "the Node process alone, whose Postgres lives on", kill: "kill" },
  { what: "everything at once, Postgres too", kill: "killEverything" },
] as const)("kill -9 of $what loses nothing", { timeout: 90_000 }, async ({ kill }) => {
  await using directory = await createDirectory();
  await using receiver = await startReceiver(behave);
  await using first = await startGatewayProcess({ directory: directory.path });
  const before = createClient(first.url, first.operatorKey);
  for (const tenant of tenants) {
    await before.tenant(tenant);
    const url = receiver.url.replace("/hook", `/${tenant}`);
    await before.createEndpoint(tenant, {
      url,
      max_in_flight: maxInFlight,
      retry_schedule: ["1s"],
    });
  }

  const load = startLoad(before);
  await waitUntil(() => load.acknowledged.size >= loadEvents && receiver.requests.length >= 200, {
    deadlineMs: 30_000,
    what: "a load",
  });
  load.expectEnd();
  await first[kill]();
  await load.ended;
  const pushedBefore = receiver.requests.length;

  await using second = await startGatewayProcess({ directory: directory.path });
  // All shards at once: the dead process's leases need not run out where there can be no other.
  expect(second.stderr()).toContain('"gained":256,"held":256');
  const after = createClient(second.url, second.operatorKey);
  const logs = new Map<string, ReadEvent[]>();
  for (const tenant of tenants) logs.set(tenant, await after.readAll(tenant));

  for (const [tenant, log] of logs) expectDense(tenant, log);
  expectLogged(load, logs);
  await expectCursorsContinue(load, after, logs);
  await expectPushed(receiver, logs, pushedBefore);
  await expectAppendable(after, receiver, logs);
});

function startLoad(client: Client): Load {
  const sent: Load["sent"] = new Map();
  const acknowledged: Load["acknowledged"] = new Map();
  const cursors: Load["cursors"] = [];
  let mayFail = false;

  const work = [
    ...Array.from({ length: appenders }, (_, writer) => repeat((n) => appendOnce(writer, n))),
    ...tenants.map((tenant) => repeatRead(tenant)),
  ];
  return {
    ...{ sent, acknowledged, cursors, ended: Promise.all(work) },
    expectEnd() {
      mayFail = true;
    },
  };

  async function repeat(once: (n: number) => Promise<void>): Promise<void> {
    for (let n = 1; ; n += 1) {
      try {
        await once(n);
      } catch (error) {
        if (mayFail) return;
        throw error;
      }
    }
  }

  /** Every third append is a batch. */
  async function appendOnce(writer: number, n: number): Promise<void> {
    const tenant = tenants[(writer + n) % tenants.length] ?? "";
    const count = n % 3 === 0 ? batchEvents : 1;
    const events = Array.from({ length: count }, (_, item) => {
      const id = `${writer}.${n}.${item}`;
      const text = id.repeat(20);
      sent.set(id, { tenant, id, text });
      return { tenant, type: "order.created", data: { id, text } };
    });
    const answer = await client.expectOk("POST", "/events?cursors=true", { events });
    const results = answer["results"] as { id: string; sequence: string; cursor: string }[];
    for (const [item, { id, sequence, cursor }] of results.entries()) {
      acknowledged.set(`${writer}.${n}.${item}`, { tenant, sequence, event: id });
      cursors.push({ tenant, cursor, sequence: Number(sequence) });
    }
  }

  /** A consumer that polls: its cursors are handed out by pages. */
  function repeatRead(tenant: string): Promise<void> {
    let cursor: string | undefined;
    return repeat(async () => {
      const query = cursor === undefined ? {} : { cursor };
      const page = await client.page(tenant, { limit: "50", wait: "5", ...query });
      cursor = page.cursor;
      const last = page.events.at(-1);
      if (last !== undefined) cursors.push({ tenant, cursor, sequence: Number(last.sequence) });
    });
  }
}

function expectDense(tenant: string, log: readonly ReadEvent[]): void {
  const sequences = log.map(({ sequence }) => Number(sequence));
  expect(sequences, `log of ${tenant}`).toEqual(
    Array.from({ length: log.length }, (_, index) => index + 1),
  );
}

function expectLogged(load: Load, logs: ReadonlyMap<string, ReadEvent[]>): void {
  const kept = new Map<string, ReadEvent>();
  for (const [tenant, log] of logs) {
    for (const event of log) {
      const data = event.data as { id: string; text: string };
      // Whole, in its tenant's log, and once.
      expect(load.sent.get(data.id)).toEqual({ tenant, ...data });
      expect(kept.has(data.id), `${data.id} is there twice`).toBe(false);
      kept.set(data.id, event);
    }
  }
  for (const [id, { tenant, sequence, event }] of load.acknowledged) {
    expect(kept.get(id), `event ${id}`).toMatchObject({ tenant, sequence, id: event });
  }
}

async function expectCursorsContinue(
  load: Load,
  client: Client,
  logs: ReadonlyMap<string, ReadEvent[]>,
): Promise<void> {
  // All would take long. The last ones stand nearest to the kill.
  const some = [...load.cursors.slice(0, 5), ...load.cursors.slice(-25)];
  for (const { tenant, cursor, sequence } of some) {
    const rest = logs.get(tenant)?.slice(sequence) ?? [];
    expect(await client.readAll(tenant, cursor), `${tenant} after ${sequence}`).toEqual(rest);
  }
}

async function expectPushed(
  receiver: Receiver,
  logs: ReadonlyMap<string, ReadEvent[]>,
  pushedBefore: number,
): Promise<void> {
  const all = new Set([...logs.values()].flatMap((log) => log.map(({ id }) => id)));
  const attempts = () => new Set(receiver.requests.map(attemptOf));
  const failed = Math.floor((logs.get("initech")?.length ?? 0) / 5);
  await waitUntil(() => attempts().size >= all.size + failed, {
    deadlineMs: 20_000,
    what: "the delivery of every event",
  });
  expect(new Set(receiver.requests.map(idOf))).toEqual(all);
  for (const { body, path, headers } of receiver.requests) {
    const event = JSON.parse(body.toString()) as ReadEvent;
    expect(logs.get(event.tenant)?.[Number(event.sequence) - 1]).toEqual(event);
    expect(path).toBe(`/${event.tenant}`);
    // All match, so what came before is told rightly even by what comes again.
    const previous = Number(headers["tidegate-previous-sequence"]);
    expect(previous).toBe(Number(event.sequence) - 1);
  }
  // One crash repeats an attempt once at most, and only those whose outcome was not recorded yet:
  // what was under way, and what a few statements of the ledger hold.
  const counts = Map.groupBy(receiver.requests, attemptOf);
  expect(Math.max(...[...counts.values()].map((requests) => requests.length))).toBeLessThan(3);
  const repeated = receiver.requests.length - counts.size;
  expect(repeated).toBeLessThan(pushedBefore / 2);
}

async function expectAppendable(
  client: Client,
  receiver: Receiver,
  logs: ReadonlyMap<string, ReadEvent[]>,
): Promise<void> {
  for (const [tenant, log] of logs) {
    const { id, sequence } = await client.append(tenant, "after the crash");
    expect(Number(sequence)).toBe(log.length + 1);
    await waitUntil(() => receiver.requests.some((request) => idOf(request) === id));
  }
}

function idOf({ headers }: Received): string {
  return String(headers["webhook-id"]);
}

function attemptOf({ headers }: Received): string {
  return `${String(headers["webhook-id"])} ${String(headers["tidegate-attempt"])}`;
}
