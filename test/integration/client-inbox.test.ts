/** The inbox behind a real gateway that pushes to it, and reads what it misses from there. */
import { createServer } from "node:http";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { AddressInfo } from "node:net";
import { Hono } from "hono";
import { afterEach, describe, expect, test } from "vitest";
import {
  toExpressHandler,
  toHonoHandler,
  toNodeHandler,
  type FetchHandler,
} from "../../src/client/adapters.ts";
import { createInbox, type Inbox, type InboxOptions } from "../../src/client/inbox.ts";
import { memoryStore } from "../../src/client/inbox/memory.ts";
import type { InboxStore } from "../../src/client/inbox/store.ts";
import { postgresStore } from "../../src/client/postgres.ts";
import { appendPushables, inboxSecret, pushRequest, type Pushable } from "../support/inbox.ts";
import { connectTo, openPostgresPlace } from "../support/inbox-stores.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { waitUntil } from "../support/wait.ts";

const suite = openPushSuite();
const deadlineMs = 20_000;

let opened = new AsyncDisposableStack();
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

type Handled = { readonly sequence: number; readonly by: string; readonly replay?: string };
type Options = Partial<Omit<InboxOptions<unknown>, "store" | "feed">> & {
  feed?: Partial<InboxOptions<unknown>["feed"]>;
};

/** An inbox of a tenant's whole log that notes what it handles. */
async function inboxOf(
  tenant: string,
  { feed, store = memoryStore(), ...options }: Options & { store?: unknown } = {},
) {
  const handled: Handled[] = [];
  const errors: { error: unknown; during: string }[] = [];
  const inbox = createInbox<unknown>({
    secret: inboxSecret,
    feed: {
      ...{ url: suite.gateway.url, key: suite.gateway.operatorKey, tenant },
      ...{ endpoint: "ep_of_nobody", types: ["order.*"], ...feed },
    },
    store: store as InboxStore<unknown>,
    handle(event, _, { by, replay }) {
      handled.push({ sequence: Number(event.sequence), by, ...(replay && { replay }) });
    },
    onError: (error, { during }) => void errors.push({ error, during }),
    ...{ pollAfterMs: 60_000, holePatienceMs: 20 },
    ...options,
  });
  opened.use(inbox);
  const sequences = () => handled.map(({ sequence }) => sequence);
  const { name = "ep_of_nobody" } = options;
  const isOpen = async () => (await (store as InboxStore).open(name)) !== undefined;
  return { inbox, handled, errors, sequences, isOpen };
}

async function listen(inbox: FetchHandler): Promise<string> {
  const server = createServer(toNodeHandler(inbox)).listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

/** A tenant whose log has so many events, of which two in three are of this inbox. */
async function logOf(events: number): Promise<{ tenant: string; log: Pushable[] }> {
  const tenant = await suite.newTenant();
  return { tenant, log: await appendPushables(suite.gateway, tenant, events) };
}

function at(log: readonly Pushable[], index: number): Pushable {
  const found = log[index];
  if (found === undefined) throw new Error(`the log has no event ${index}`);
  return found;
}

describe("behind a gateway that pushes", () => {
  test.each([{ ordered: true }, { ordered: false }])(
    "every event is handled once by push, and none is read, with %o",
    async ({ ordered }) => {
      const tenant = await suite.newTenant();
      let receive: Inbox["fetch"] = async () => new Response("not yet", { status: 503 });
      const url = await listen({ fetch: (request) => receive(request) });
      const settings = { url, types: ["order.*"], secret: inboxSecret };
      const { id } = await suite.client.createEndpoint(tenant, settings);
      const { inbox, errors, sequences } = await inboxOf(tenant, {
        ordered,
        feed: { endpoint: id },
      });
      receive = inbox.fetch;
      for (let n = 0; n < 12; n += 1) await suite.client.append(tenant, { n });
      await waitUntil(() => sequences().length >= 12, { deadlineMs });
      expect(sequences().toSorted((one, two) => one - two)).toEqual(
        Array.from({ length: 12 }, (_, n) => n + 1),
      );
      expect(inbox.counts.pulled).toBe(0);
      expect(errors).toEqual([]);
    },
  );
});

describe("pushes by hand", () => {
  test.each([{ ordered: true }, { ordered: false }])(
    "what is missing is read from the feed, with %o",
    async ({ ordered }) => {
      const { tenant, log } = await logOf(9);
      const { inbox, handled, sequences } = await inboxOf(tenant, { ordered });
      expect((await inbox.fetch(await pushRequest(at(log, 0)))).status).toBe(200);
      expect((await inbox.fetch(await pushRequest(at(log, 3)))).status).toBe(200);
      await waitUntil(() => handled.length >= 4, { deadlineMs });
      const expected = log.slice(0, 4).map(({ sequence }) => sequence);
      if (ordered) expect(sequences()).toEqual(expected);
      expect(sequences().toSorted((one, two) => one - two)).toEqual(expected);
      // Told to be handled, and not handled again.
      for (const each of log.slice(0, 4)) {
        expect((await inbox.fetch(await pushRequest(each))).status).toBe(200);
      }
      expect(handled).toHaveLength(4);
      expect(inbox.counts.duplicates).toBe(4);
    },
  );

  test("an event that cannot be handled is answered 500, holds up those behind it and comes again", async () => {
    const { tenant, log } = await logOf(6);
    let isWell = false;
    const order: number[] = [];
    const { inbox, errors } = await inboxOf(tenant, {
      ordered: true,
      answerWithinMs: 300,
      handle(event) {
        if (!isWell && event.id === at(log, 1).event.id) throw new Error("not yet");
        order.push(Number(event.sequence));
      },
    });
    const send = async (index: number) =>
      (await inbox.fetch(await pushRequest(at(log, index)))).status;
    expect(await send(0)).toBe(200);
    expect(await send(1)).toBe(500);
    expect(errors).toMatchObject([{ during: "handle" }]);
    const behind = await inbox.fetch(await pushRequest(at(log, 2)));
    expect([behind.status, behind.headers.get("retry-after")]).toEqual([503, "1"]);
    isWell = true;
    // It comes again by itself, with what waits behind it.
    await waitUntil(() => order.length >= 3, { deadlineMs });
    expect(order).toEqual(log.slice(0, 3).map(({ sequence }) => sequence));
    expect(await send(1)).toBe(200);
    expect(order).toHaveLength(3);
  });

  test("without an order an event that cannot be handled holds up no other", async () => {
    const { tenant, log } = await logOf(12);
    let isWell = false;
    const { inbox, handled } = await inboxOf(tenant);
    const refusing = await inboxOf(tenant, {
      handle(event, _, { by }) {
        if (!isWell && event.id === at(log, 2).event.id) throw new Error("not yet");
        handled.push({ sequence: Number(event.sequence), by });
      },
    });
    await inbox.stop();
    refusing.inbox.start();
    await waitUntil(() => handled.length >= log.length - 1, { deadlineMs });
    isWell = true;
    await waitUntil(() => handled.length >= log.length, { deadlineMs });
    expect(handled.at(-1)?.sequence).toBe(at(log, 2).sequence);
    expect(new Set(handled.map(({ sequence }) => sequence)).size).toBe(log.length);
  });

  test("a replay is handled again once, where that is asked for", async () => {
    const { tenant, log } = await logOf(3);
    const replay = async (name: string) =>
      await pushRequest(at(log, 0), { "tidegate-replay": name });
    for (const [replays, times] of [
      ["ignore", 1],
      ["handle", 3],
    ] as const) {
      const { inbox, handled } = await inboxOf(tenant, { replays });
      await inbox.fetch(await pushRequest(at(log, 0)));
      for (const name of ["rpl_a", "rpl_a", "rpl_b", "rpl_b"]) {
        expect((await inbox.fetch(await replay(name))).status).toBe(200);
      }
      expect(handled).toHaveLength(times);
      // One that brings its event for the first time is handled once too.
      const first = await pushRequest(at(log, 1), { "tidegate-replay": "rpl_a" });
      const again = await pushRequest(at(log, 1), { "tidegate-replay": "rpl_a" });
      expect((await inbox.fetch(first)).status).toBe(200);
      expect((await inbox.fetch(again)).status).toBe(200);
      expect(handled).toHaveLength(times + 1);
    }
  });

  test("a replay whose answer was lost is handled once, however long ago its event was", async () => {
    const { tenant, log } = await logOf(1);
    const store = memoryStore();
    await store.open("ep_of_nobody", { sequence: 5_000, cursor: undefined });
    const { inbox, handled } = await inboxOf(tenant, { store, ordered: true, replays: "handle" });
    for (const sequence of [5_001, 5_002]) {
      const push = await pushRequest(at(log, 0), { "tidegate-replay": "rpl_a" });
      expect((await inbox.fetch(push)).status).toBe(200);
      await store.settle("ep_of_nobody", { sequence, cursor: undefined }, sequence - 1_000);
    }
    expect(handled).toHaveLength(1);
  });

  test.each([{ ordered: true }, { ordered: false }])(
    "a copy of a push with other headers makes nothing jump, with %o",
    async ({ ordered }) => {
      const { tenant, log } = await logOf(15);
      const { inbox, sequences } = await inboxOf(tenant, {
        ...{ ordered, replays: "handle", answerWithinMs: 300 },
      });
      const copies = [
        // As if nothing were between; as if it stood behind all others; as if it were asked for.
        { of: 3, headers: { "tidegate-previous-sequence": "1".padStart(20, "0") } },
        { of: 4, headers: { "tidegate-cursor": at(log, 9).cursor } },
        { of: 0, headers: { "tidegate-replay": "rpl_forged" } },
      ];
      expect((await inbox.fetch(await pushRequest(at(log, 0)))).status).toBe(200);
      for (const { of, headers } of copies) {
        const copy = await pushRequest(at(log, of));
        for (const [name, value] of Object.entries(headers)) copy.headers.set(name, value);
        await inbox.fetch(copy);
      }
      for (const each of log) await inbox.fetch(await pushRequest(each));
      await waitUntil(() => sequences().length >= log.length, { deadlineMs });
      const expected = log.map(({ sequence }) => sequence);
      if (ordered) expect(sequences()).toEqual(expected);
      expect(sequences().toSorted((one, two) => one - two)).toEqual(expected);
    },
  );

  test("what is not the gateway's learns nothing", async () => {
    const { tenant, log } = await logOf(1);
    const { inbox, handled } = await inboxOf(tenant);
    const push = await pushRequest(at(log, 0));
    const forged = new Request(push, { body: `${at(log, 0).body} `, method: "POST" });
    const bare = new Request(push.url, { method: "POST", body: "{}" });
    const other = await pushRequest(at(log, 0), { "tidegate-endpoint": "ep_other" });
    const answers = await Promise.all(
      [forged, bare, other, new Request(push.url)].map((each) => inbox.fetch(each)),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 400, 400, 405]);
    for (const answer of answers) expect((await answer.text()).length).toBeLessThan(30);
    expect(handled).toEqual([]);
    expect(inbox.counts.refused).toBe(4);
  });
});

test("what is pushed and the feed leaves out is handled at its place", async () => {
  const tenant = await suite.newTenant();
  const pushables = await appendPushables(suite.gateway, tenant, 9);
  const { inbox, handled, isOpen } = await inboxOf(tenant, {
    ...{ ordered: true, holePatienceMs: 60_000, answerWithinMs: deadlineMs },
    feed: { types: ["invoice.*"] },
  });
  const waiting = pushables.slice(1, 4).map(async (pushable) => {
    return inbox.fetch(await pushRequest(pushable));
  });
  await waitUntil(isOpen, { what: "an inbox that its store knows", deadlineMs });
  inbox.start();
  const statuses = (await Promise.all(waiting)).map(({ status }) => status);
  expect(statuses).toEqual([200, 200, 200]);
  await waitUntil(() => handled.length === 6, { what: "all that is there", deadlineMs });
  expect(handled.map(({ sequence, by }) => `${sequence} ${by}`)).toEqual([
    "2 pull",
    "3 push",
    "4 push",
    "5 pull",
    "6 push",
    "8 pull",
  ]);
});

test("an inbox that is stopped ends before the page that it handles", async () => {
  const { tenant, log } = await logOf(30);
  let calls = 0;
  const { inbox } = await inboxOf(tenant, {
    ordered: true,
    async handle() {
      calls += 1;
      await delay(50);
    },
  });
  inbox.start();
  await waitUntil(() => calls > 0, { deadlineMs });
  await inbox.stop();
  const atEnd = calls;
  expect(atEnd).toBeLessThan(log.length);
  await delay(100);
  expect(calls).toBe(atEnd);
});

test("a receipt that was not sent any more is sent by who comes next", async () => {
  const tenant = await suite.newTenant();
  const settings = { url: "http://127.0.0.1:9/hook", types: ["order.*"], secret: inboxSecret };
  const { id } = await suite.client.createEndpoint(tenant, settings);
  const [first] = await appendPushables(suite.gateway, tenant, 1);
  if (first === undefined) throw new Error("no event");
  const store = memoryStore();
  const options = { store, ordered: true, feed: { endpoint: id } };
  // One that ends like a process that is killed sends none for what came by push.
  const before = await inboxOf(tenant, options);
  expect((await before.inbox.fetch(await pushRequest(first))).status).toBe(200);
  await before.inbox.stop();
  expect(before.inbox.counts.receipts).toBe(0);
  const after = await inboxOf(tenant, options);
  expect((await after.inbox.fetch(await pushRequest(first))).status).toBe(200);
  await waitUntil(() => after.inbox.counts.receipts > 0, { deadlineMs });
  expect(after.errors).toEqual([]);
});

test("events are read while pushes stay away, also those to come", async () => {
  const { tenant, log } = await logOf(9);
  const { inbox, handled } = await inboxOf(tenant, { ordered: true, pollAfterMs: 50 });
  inbox.start();
  await waitUntil(() => handled.length >= log.length, { deadlineMs });
  await suite.client.append(tenant, { late: true });
  await waitUntil(() => handled.length > log.length, { deadlineMs });
  expect(new Set(handled.map(({ by }) => by))).toEqual(new Set(["pull"]));
});

test("what follows a push that comes late is read, while pushes come", async () => {
  const { tenant, log } = await logOf(6);
  const { inbox, handled } = await inboxOf(tenant);
  await inbox.fetch(await pushRequest(at(log, 0)));
  inbox.start();
  await waitUntil(() => handled.length >= log.length, { deadlineMs });
  const late = await appendPushables(suite.gateway, tenant, 6, { time: "2026-01-01T00:00:00Z" });
  const previous = at(log, log.length - 1).sequence;
  await inbox.fetch(await pushRequest({ ...at(late, 0), previous }));
  await waitUntil(() => handled.length >= log.length + late.length, { deadlineMs });
  const last = handled.slice(log.length).map(({ by }) => by);
  expect(last.toSorted()).toEqual(["pull", "pull", "pull", "push"]);
});

test("an inbox that begins with the latest handles nothing from before", async () => {
  const { tenant, log } = await logOf(6);
  const { inbox, sequences } = await inboxOf(tenant, { from: "latest", pollAfterMs: 50 });
  // The first push opens it; what it brings is the first that counts.
  expect((await inbox.fetch(await pushRequest(at(log, 2)))).status).toBe(200);
  expect((await inbox.fetch(await pushRequest(at(log, 1)))).status).toBe(200);
  inbox.start();
  await waitUntil(() => sequences().length > 1, { deadlineMs });
  expect(sequences()).toEqual([at(log, 2).sequence, at(log, 3).sequence]);
  const started = await inboxOf(tenant, { from: "latest", pollAfterMs: 50, name: "another" });
  started.inbox.start();
  await waitUntil(started.isOpen, { deadlineMs });
  const { sequence } = await suite.client.append(tenant, {});
  await waitUntil(() => started.sequences().length > 0, { deadlineMs });
  expect(started.sequences()).toEqual([Number(sequence)]);
});

test.each([{ ordered: true }, { ordered: false }])(
  "an inbox that begins at a place handles nothing from before, also pushed, with %o",
  async ({ ordered }) => {
    const { tenant, log } = await logOf(9);
    const from = { cursor: at(log, 2).cursor };
    const { inbox, sequences } = await inboxOf(tenant, { ordered, from });
    for (const index of [0, 1, 2, 3, 4]) {
      expect((await inbox.fetch(await pushRequest(at(log, index)))).status).toBe(200);
    }
    expect(sequences()).toEqual([at(log, 3).sequence, at(log, 4).sequence]);
    const time = new Date(Date.now() + 60_000);
    const later = await inboxOf(tenant, { ordered, from: { time }, name: "later" });
    expect((await later.inbox.fetch(await pushRequest(at(log, 5)))).status).toBe(200);
    expect(later.sequences()).toEqual([]);
  },
);

test("processes that share a store handle each event once, in order", async () => {
  const { tenant, log } = await logOf(30);
  const postgres = opened.use(await openPostgresPlace());
  const place = await postgres.newSchema();
  const sql = connectTo(place);
  opened.defer(() => sql.end());
  const inboxes = await Promise.all(
    [1, 2, 3].map(async () => {
      const own = connectTo(place);
      opened.defer(() => own.end());
      return await inboxOf(tenant, {
        ordered: true,
        store: postgresStore(own),
        async handle(event, transaction) {
          const insert = transaction as typeof sql;
          await insert`insert into written values (${event.sequence})`;
        },
      });
    }),
  );
  // Each push to two of them, and some to none.
  await Promise.all(
    log.flatMap((each, index) =>
      index % 5 === 0
        ? []
        : [index, index + 1].map(async (n) => {
            await inboxes[n % 3]?.inbox.fetch(await pushRequest(each));
          }),
    ),
  );
  for (const { inbox } of inboxes) inbox.start();
  const written = async () =>
    (await sql<{ text: string }[]>`select text from written order by ctid`).map(({ text }) => text);
  await waitUntil(async () => (await written()).length >= log.length, { deadlineMs });
  expect((await written()).map(Number)).toEqual(log.map(({ sequence }) => sequence));
});

test("processes that share a store take turns without reading anything", async () => {
  const { tenant, log } = await logOf(60);
  const postgres = opened.use(await openPostgresPlace());
  const place = await postgres.newSchema();
  const inboxes = await Promise.all(
    [1, 2].map(async () => {
      const own = connectTo(place);
      opened.defer(() => own.end());
      const patient = { holePatienceMs: 60_000, answerWithinMs: deadlineMs };
      return await inboxOf(tenant, { ordered: true, store: postgresStore(own), ...patient });
    }),
  );
  const answers = await Promise.all(
    log.map(async (each, n) => await inboxes[n % 2]?.inbox.fetch(await pushRequest(each))),
  );
  expect(new Set(answers.map((answer) => answer?.status))).toEqual(new Set([200]));
  for (const { inbox } of inboxes) expect(inbox.counts).toMatchObject({ pushed: 20, pulled: 0 });
});

describe("the adapters", () => {
  test("Hono hands over its request", async () => {
    const { tenant, log } = await logOf(1);
    const { inbox, handled } = await inboxOf(tenant);
    const app = new Hono();
    app.post("/hook", toHonoHandler(inbox));
    expect((await app.request(await pushRequest(at(log, 0)))).status).toBe(200);
    expect(handled).toHaveLength(1);
  });

  test("Express's raw body is taken, and a parsed one is said to be of no use", async () => {
    const { tenant, log } = await logOf(1);
    const { inbox, handled } = await inboxOf(tenant);
    const handler = toExpressHandler(inbox);
    const { headers } = await pushRequest(at(log, 0));
    const send = (body: unknown) =>
      new Promise<unknown>((resolve) => {
        const request = {
          ...{ method: "POST", url: "/hook", body },
          // As HTTP/2 has them too.
          headers: { ":path": "/hook", ...Object.fromEntries(headers) },
          async *[Symbol.asyncIterator]() {},
        };
        const response = { statusCode: 0, setHeader() {}, end: () => resolve(response.statusCode) };
        handler(request, response, resolve);
      });
    const plain = (body: unknown) =>
      new Promise<unknown>((resolve) => {
        const request = {
          ...{ method: "POST", url: "/hook", body, headers: Object.fromEntries(headers) },
          async *[Symbol.asyncIterator]() {},
        };
        toNodeHandler(inbox)(request, { statusCode: 0, setHeader() {}, end: resolve });
      });
    const { body } = at(log, 0);
    expect(await send(JSON.parse(body))).toBeInstanceOf(Error);
    expect(await plain(JSON.parse(body))).toMatch("before express.json()");
    expect(await send(Buffer.from(body))).toBe(200);
    expect(handled).toHaveLength(1);
  });
});

test("what expired before it was read stops the reading, or is skipped", async () => {
  const { tenant, log } = await logOf(6);
  const store = memoryStore();
  const before = await inboxOf(tenant, { store, ordered: true });
  await before.inbox.fetch(await pushRequest(at(log, 0)));
  await before.inbox.stop();
  const { sql } = suite;
  await sql`update events set day = day - 1, appended_at = appended_at - interval '1 day'`;
  await sql`update log_days set day = day - 1, first_at = first_at - interval '1 day'`;
  await sql`update heads set day = day - 1, at = at - interval '1 day'`;
  const { sequence } = await suite.client.append(tenant, {});
  await sql`update log_settings set oldest_day = (clock_timestamp() at time zone 'UTC')::date`;
  try {
    const failing = await inboxOf(tenant, { store, ordered: true });
    failing.inbox.start();
    await waitUntil(() => failing.errors.length > 0, { deadlineMs });
    expect(failing.errors[0]).toMatchObject({ during: "pull", error: { slug: "cursor-expired" } });
    expect(failing.handled).toEqual([]);
    await failing.inbox.stop();

    const skipping = await inboxOf(tenant, { store, ordered: true, onExpired: "skip" });
    skipping.inbox.start();
    await waitUntil(() => skipping.handled.length > 0, { deadlineMs });
    expect(skipping.sequences()).toEqual([Number(sequence)]);
    expect(skipping.errors).toMatchObject([{ error: { slug: "cursor-expired", lost: 5 } }]);
  } finally {
    await sql`update log_settings set oldest_day = oldest_day - 30`;
  }
});
