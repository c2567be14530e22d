/** Tickets: one stream each, for whoever opens it first, until the ticket or its key is gone. */
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTicketChore } from "../../src/control/tickets/ticket-chore.ts";
import { openDatabase, type Database } from "../../src/db/database.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { eventsOf, parseBlocks, type Block } from "../support/sse.ts";
import { waitUntil } from "../support/wait.ts";

const deadlineMs = 20_000;
const origin = "https://shop.example";

let gateway: TestGateway;
/** Another process of the same installation, which hears nothing of the first. */
let second: TestGateway;
let database: Database;
let log = "";
const opened: { cut(): void }[] = [];

beforeAll(async () => {
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  const environment = { TIDEGATE_ROLES: "api", TIDEGATE_CORS_ORIGINS: origin };
  gateway = await startTestGateway({ ...environment, LOG_LEVEL: "trace" }, destination);
  second = await startTestGateway({ ...gateway.environment, LOG_LEVEL: "error" });
  database = openDatabase(gateway.databaseUrl, { connections: 2, name: "test" });
});

afterAll(async () => {
  for (const { cut } of opened) cut();
  await database?.stop();
  await second?.stop();
  await gateway?.stop();
});

/** A tenant with two events, and a key that may read. */
async function tenantWithKey(name: string) {
  await gateway.createTenant(name);
  const body = { tenant: name, scopes: ["read"] };
  const { id, key } = await succeed(gateway.call("POST", "/keys", { body }));
  await gateway.append(name, { type: "order.created", subject: "a" }, { type: "b", subject: "b" });
  return { id: String(id), key: String(key) };
}

async function makeTicket(key: string, body: object = {}): Promise<string> {
  return String((await succeed(gateway.call("POST", "/tickets", { key, body })))["ticket"]);
}

/** As a browser does it: without a key. */
async function open(
  ticket: string,
  { at = gateway, query = "", lastEventId }: Opening = {},
): Promise<Opened> {
  const aborting = new AbortController();
  const cut = () => aborting.abort();
  opened.push({ cut });
  const response = await fetch(`${at.url}/events/stream?ticket=${ticket}${query}`, {
    signal: aborting.signal,
    headers: { origin, ...(lastEventId !== undefined && { "last-event-id": lastEventId }) },
  });
  const received = { text: "", ended: false };
  const type = response.headers.get("content-type");
  if (type === "text/event-stream") void readOn(response, received);
  else received.text = await response.text();
  const blocks = () => parseBlocks(received.text);
  return {
    ...{ response, cut, blocks },
    status: response.status,
    text: () => received.text,
    isEnded: () => received.ended,
    events: () => eventsOf(blocks()),
    lastId: () =>
      waitUntil(() => blocks().findLast(({ id }) => id !== undefined)?.id, { deadlineMs }),
  };
}

type Opening = { at?: TestGateway; query?: string; lastEventId?: string };
type Opened = {
  response: Response;
  status: number;
  cut: () => void;
  text: () => string;
  blocks: () => Block[];
  isEnded: () => boolean;
  events: () => { sequence: string; type: string }[];
  lastId: () => Promise<string>;
};

async function readOn(response: Response, received: { text: string; ended: boolean }) {
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      received.text += decoder.decode(chunk as Uint8Array, { stream: true });
    }
    received.ended = true;
  } catch {
    // Cut by the test.
  }
}

async function expectRefused(stream: Promise<Opened>, detail: string | RegExp): Promise<void> {
  const { status, response, text } = await stream;
  expect([status, response.headers.get("content-type")]).toEqual([401, "application/problem+json"]);
  // A browser tells the page nothing of an answer that it may not see.
  expect(response.headers.get("access-control-allow-origin")).toBe(origin);
  const problem = JSON.parse(text()) as { type: string; detail: string };
  expect(problem.type).toMatch(/\/unauthorized$/);
  expect(problem.detail).toMatch(detail);
}

const used = /another one/;
const notOfStream = /Last-Event-ID/;
const invalid = /the ticket is not valid/;

describe("a ticket", () => {
  test("opens one stream, which has what the ticket was made for", async () => {
    const { key } = await tenantWithKey("once");
    const made = await gateway.call("POST", "/tickets", { key, body: { types: ["order.*"] } });
    expect(made.status).toBe(201);
    expect(Object.keys(made.json ?? {})).toEqual(["ticket", "expires_at"]);
    const { ticket, expires_at: expiresAt } = made.json as Record<string, string>;
    const forMs = Date.parse(expiresAt ?? "") - Date.now();
    expect(Math.abs(forMs - 3_600_000)).toBeLessThan(120_000);

    const stream = await open(String(ticket));
    expect(stream.status).toBe(200);
    expect(stream.response.headers.get("access-control-allow-origin")).toBe(origin);
    await waitUntil(() => stream.events().length > 0, { deadlineMs });
    await gateway.append("once", { type: "b" }, { type: "order.paid" });
    await waitUntil(() => stream.events().length > 1, { deadlineMs });
    expect(stream.events().map(({ type }) => type)).toEqual(["order.created", "order.paid"]);

    // Housekeeping takes those away that nobody has opened in time.
    const [kept] = await database.sql`
      select good_until = expires_at as kept from tickets
      where tenant = (select id from tenants where name = 'once')`;
    expect(kept).toEqual({ kept: true });
    await expectRefused(open(String(ticket)), used);
    await expectRefused(open(String(ticket), { at: second }), used);
    expect(stream.isEnded()).toBe(false);
  });

  test("is for the first of all who try at once, in whatever process", async () => {
    const { key } = await tenantWithKey("race");
    const ticket = await makeTicket(key);
    const tries = Array.from({ length: 10 }, (_, n) =>
      open(ticket, { at: n % 2 ? second : gateway }),
    );
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array<number>(9).fill(401)]);
  });

  test("reconnects its stream by what the stream has told, in any process", async () => {
    const { key } = await tenantWithKey("again");
    const [, , third] = await gateway.append("again", {}, {}, {});
    const page = await succeed(gateway.call("GET", "/events?limit=2", { key }));
    const beside = await succeed(gateway.call("GET", "/events?types=b", { key }));
    const ticket = await makeTicket(key);
    const first = await open(ticket, { query: "&from=latest" });
    const told = await first.lastId();
    first.cut();
    await gateway.append("again", { type: "missed" });
    const next = await open(ticket, { at: second, query: "&from=latest", lastEventId: told });
    await waitUntil(() => next.events().length > 0, { deadlineMs });
    expect(next.events().map(({ type }) => type)).toEqual(["missed"]);

    // From before it began, of no reader at all, and of another filter.
    await expectRefused(open(ticket, { lastEventId: String(page["cursor"]) }), notOfStream);
    await expectRefused(open(ticket, { lastEventId: third?.cursor ?? "" }), notOfStream);
    const ofOtherFilter = await open(ticket, { lastEventId: String(beside["cursor"]) });
    expect([ofOtherFilter.status, ofOtherFilter.text()]).toEqual([
      400,
      expect.stringContaining("cursor-filter-mismatch"),
    ]);
    await expectRefused(open(ticket), used);
    await expectRefused(open(ticket, { query: `&cursor=${told}` }), used);

    // The stream before it is left where it is in the same process.
    const last = await open(ticket, { at: second, lastEventId: await next.lastId() });
    expect(last.status).toBe(200);
    await waitUntil(() => next.isEnded(), { deadlineMs, what: "the end of the one before" });
    expect(last.isEnded()).toBe(false);
  });

  test("does not take the cursor that stands in the URL for one of its stream", async () => {
    const { key } = await tenantWithKey("logged");
    const page = await succeed(gateway.call("GET", "/events?limit=1", { key }));
    const cursor = String(page["cursor"]);
    const ticket = await makeTicket(key);
    const stream = await open(ticket, { query: `&cursor=${cursor}` });
    await waitUntil(() => stream.events().length === 1, { deadlineMs });
    await expectRefused(open(ticket, { lastEventId: cursor }), notOfStream);
    const lastEventId = await stream.lastId();
    expect((await open(ticket, { query: `&cursor=${cursor}`, lastEventId })).status).toBe(200);
  });

  test("is refused when nobody has opened it for a minute, and goes with its time", async () => {
    const { key } = await tenantWithKey("late");
    const late = await makeTicket(key);
    const { count } = await database.sql`
      update tickets set good_until = now()
      where tenant = (select id from tenants where name = 'late')`;
    expect(count).toBe(1);
    await expectRefused(open(late), used);

    const short = await makeTicket(key, { ttl_seconds: 6 });
    const stream = await open(short);
    expect(stream.status).toBe(200);
    const lastEventId = await stream.lastId();
    await waitUntil(() => stream.isEnded(), { deadlineMs, what: "the end of the stream" });
    expect(stream.blocks().at(-1)).toMatchObject({
      event: "problem",
      data: expect.stringContaining("/unauthorized"),
    });
    await expectRefused(open(short, { lastEventId }), invalid);
    await createTicketChore(database).run({ isHeld: () => true });
    expect(
      await database.sql`
      select from tickets where tenant = (select id from tenants where name = 'late')`,
    ).toHaveLength(0);
  });

  test("dies with the key that made it, and takes its stream along", async () => {
    const { id, key } = await tenantWithKey("revoked");
    const [ticket, other, unopened] = [
      await makeTicket(key),
      await makeTicket(key),
      await makeTicket(key),
    ];
    const streams = [await open(ticket), await open(other, { at: second })];
    const lastEventId = await streams[0]?.lastId();
    await succeed(gateway.call("DELETE", `/keys/${id}`));
    for (const stream of streams) {
      await waitUntil(() => stream.isEnded(), { deadlineMs, what: "the end of the stream" });
      expect(stream.blocks().at(-1)?.data).toContain("/unauthorized");
    }
    await expectRefused(open(ticket, { lastEventId: lastEventId ?? "" }), invalid);
    for (const at of [gateway, second]) await expectRefused(open(unopened, { at }), invalid);
  });

  test("ends no later than the key", async () => {
    await gateway.createTenant("brief");
    const expires = new Date(Date.now() + 600_000).toISOString();
    const body = { tenant: "brief", scopes: ["read"], expires_at: expires };
    const { key } = await succeed(gateway.call("POST", "/keys", { body }));
    const made = await succeed(gateway.call("POST", "/tickets", { key: String(key) }));
    expect(made["expires_at"]).toBe(expires);
  });

  test("of an operator is for one tenant, and goes with it", async () => {
    await tenantWithKey("named");
    await tenantWithKey("beside");
    const ticket = await makeTicket(gateway.operatorKey, { tenant: "named" });
    const wrong = await open(ticket, { query: "&tenant=beside" });
    expect([wrong.status, wrong.text()]).toEqual([404, expect.stringContaining("unknown-tenant")]);
    const unnamed = await gateway.call("POST", "/tickets", { body: {} });
    expect(unnamed.slug).toBe("tenant-required");
    const unopened = await makeTicket(gateway.operatorKey, { tenant: "named" });
    const stream = await open(ticket, { query: "&tenant=named" });
    expect(await stream.lastId()).toBeDefined();
    await succeed(gateway.call("DELETE", "/tenants/named"));
    await waitUntil(() => stream.isEnded(), { deadlineMs, what: "the end of the stream" });
    await expectRefused(open(unopened), invalid);
  });

  test("lets nobody choose what it was made for, and nothing but its stream", async () => {
    const { key } = await tenantWithKey("bound");
    const ticket = await makeTicket(key, { types: ["b"] });
    for (const query of ["types=order.*", "subjects=a", "endpoint=ep_1", "rebase=true"]) {
      const { status, text } = await open(ticket, { query: `&${query}` });
      expect([query, status, text()]).toEqual([
        query,
        400,
        expect.stringContaining("invalid-parameter"),
      ]);
    }
    const both = await gateway.call("GET", `/events/stream?ticket=${ticket}`, { key });
    expect([both.status, both.slug]).toEqual([400, "invalid-parameter"]);
    for (const path of ["/events", "/limits", "/consumers"]) {
      const { status } = await fetch(`${gateway.url}${path}?ticket=${ticket}`);
      expect([path, status]).toEqual([path, 401]);
    }
    const asKey = await gateway.call("GET", "/events", { key: ticket });
    expect(asKey.status).toBe(401);
    for (const wrong of ["", "x", `${ticket}x`, `tg_tk_${"A".repeat(32)}`, key]) {
      await expectRefused(open(encodeURIComponent(wrong)), invalid);
    }
    // None of that has used it up.
    expect((await open(ticket)).status).toBe(200);
  });

  test("is made by whoever may read, and as many as a tenant may have", async () => {
    const { key } = await tenantWithKey("many");
    const append = await gateway.createKey("many", ["append"]);
    expect((await gateway.call("POST", "/tickets", { key: append })).slug).toBe("scope-missing");
    const large = { subjects: Array.from({ length: 20 }, (_, n) => `${n}`.padEnd(1_000, "x")) };
    expect((await gateway.call("POST", "/tickets", { key, body: large })).slug).toBe("invalid");
    await makeTicket(key);
    const { count } = await database.sql`
      insert into tickets (hash, tenant, key, expires_at, good_until)
      select sha256(n::text::bytea), tenant, key, expires_at, expires_at
      from tickets, generate_series(1, 9999) n
      where tenant = (select id from tenants where name = 'many')`;
    expect(count).toBe(9_999);
    const refused = await gateway.call("POST", "/tickets", { key });
    expect([refused.status, refused.json]).toMatchObject([
      429,
      { limit: "tickets", value: 10_000 },
    ]);
    await database.sql`
      update tickets set good_until = now() where hash = sha256('1'::bytea)`;
    await makeTicket(key);
  });

  test("is in no log and in no table", async () => {
    const { key } = await tenantWithKey("secret");
    const ticket = await makeTicket(key);
    const stream = await open(ticket);
    stream.cut();
    await expectRefused(open(ticket), used);
    await open(ticket, { query: "&nonsense=1" });
    await open(ticket, { query: `&ticket=${ticket}` });
    const isLogged = () => log.includes("streamEvents") && log.includes('"tenant":"secret"');
    await waitUntil(isLogged, { deadlineMs, what: "the requests in the log" });
    expect(log).not.toContain("tg_tk_");
    const rows = await database.sql<{ text: string }[]>`select t::text as text from tickets t`;
    expect(JSON.stringify(rows)).not.toContain("tg_tk_");
  });
});
