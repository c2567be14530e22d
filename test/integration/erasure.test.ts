/** A tenant is erased, with all that it has and all who use it, and nobody else notices. */
import { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../../src/db/database.ts";
import { endpointName } from "../../src/deliveries/endpoint.ts";
import { fillTenant, rowsOf, tablesWith } from "../support/full-tenant.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { startReceiver, type Receiver } from "../support/receiver.ts";
import { openSse } from "../support/sse.ts";
import { waitUntil } from "../support/wait.ts";

/** The name is held back for 5 s, and the machine may be busy. */
const goneDeadlineMs = 25_000;

/** Each takes dozens of statements. */
const allGoneDeadlineMs = 90_000;

/** How soon readers of an erased tenant have to be gone. */
const stopDeadlineMs = 5_000;

let gateway: TestGateway;
let database: Database;
let receiver: Receiver;
/** What it logs. */
const lines: { msg: string; tenantId?: string }[] = [];

beforeAll(async () => {
  receiver = await startReceiver();
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as (typeof lines)[number]);
      done();
    },
  });
  gateway = await startTestGateway({ LOG_LEVEL: "info" }, destination);
  database = openDatabase(gateway.databaseUrl, { connections: 3, name: "test" });
});

afterAll(async () => {
  await database?.stop();
  await gateway?.stop();
  await receiver?.stop();
});

async function tenantId(name: string): Promise<string> {
  const [row] = await database.sql<[{ id: string }]>`select id from tenants where name = ${name}`;
  return row.id;
}

async function untilGone(name: string, deadlineMs = goneDeadlineMs): Promise<void> {
  const isGone = async () => (await gateway.call("GET", `/tenants/${name}`)).status === 404;
  await waitUntil(isGone, { deadlineMs, what: `the end of ${name}` });
}

async function refusal(method: string, path: string, key?: string, body?: unknown) {
  const { status, slug } = await gateway.call(method, path, {
    ...(key !== undefined && { key }),
    ...(body !== undefined && { body }),
  });
  return [status, slug];
}

// At the same time: each waits until a name is free.
describe.concurrent("an erasure", () => {
  test("takes every row of the tenant, in every table, and none of another", async () => {
    await gateway.createTenant("full");
    await gateway.createTenant("beside");
    const full = await fillTenant(database.sql, "full", 1_500);
    const beside = await fillTenant(database.sql, "beside", 1_500);
    await gateway.createKey("full");
    const before = await rowsOf(database.sql, beside);
    const filled = await tablesWith(database.sql, full);
    expect(filled).toEqual(Object.keys(before).filter((table) => table !== "erasures"));

    const { erasure } = await succeed(gateway.call("DELETE", "/tenants/full"));
    expect(erasure).toEqual({
      tenant: "full",
      status: "running",
      started_at: expect.stringMatching(/\.\d{3}Z$/),
      events: { total: 7_500, erased: 0 },
      rows_erased: 2,
    });
    await untilGone("full");
    const [told] = lines.filter(({ msg, tenantId: id }) => msg === "erasure" && id === full);
    // A key and a position at once; then eight kinds of rows (attempts, retries, tickets …) for
    // every tenth event, two days of two kinds, the days themselves and the endpoint.
    expect(told).toMatchObject({ events: 7_500, rows: 2 + 7_500 + 8 * 750 + 2 * 2 * 150 + 5 + 1 });
    expect(await tablesWith(database.sql, full)).toEqual([]);
    expect(await rowsOf(database.sql, beside)).toEqual(before);
  });

  test("refuses everybody meanwhile, and is shown", async () => {
    await gateway.createTenant("leaving");
    const key = await gateway.createKey("leaving");
    const [event] = await gateway.append("leaving", {});
    const endpoint = await succeed(
      gateway.call("POST", "/endpoints", { key, body: { url: receiver.url } }),
    );
    const { erasure } = await succeed(gateway.call("DELETE", "/tenants/leaving"));

    const append = { tenant: "leaving", type: "order.created", data: 1 };
    expect(await refusal("POST", "/events", key, append)).toEqual([401, "unauthorized"]);
    expect(await refusal("GET", "/events", key)).toEqual([401, "unauthorized"]);
    const ids = { event: event?.id ?? "", endpoint: String(endpoint["id"]) };
    for (const [method, path, body] of [
      ["POST", "/events", append],
      ["GET", "/events?tenant=leaving"],
      ["GET", "/events/stream?tenant=leaving"],
      ["GET", `/events/${ids.event}`],
      ["GET", "/limits?tenant=leaving"],
      ["POST", "/endpoints?tenant=leaving", { url: receiver.url }],
      ["POST", "/keys", { tenant: "leaving", scopes: ["read"] }],
      ["PUT", "/tenants/leaving", {}],
      ["PATCH", "/tenants/leaving", {}],
      ["PATCH", "/tenants/leaving", { name: "x" }],
    ] as const) {
      const refused = await refusal(method, path, undefined, body);
      expect([method, path, ...refused]).toEqual([method, path, 409, "tenant-erasing"]);
    }
    // The id names the tenant too, as long as its row is there.
    for (const method of ["GET", "PATCH", "DELETE"]) {
      const body = method === "PATCH" ? { description: "x" } : undefined;
      const [status] = await refusal(method, `/endpoints/${ids.endpoint}`, undefined, body);
      expect([404, 409]).toContain(status);
    }
    const again = await gateway.call("DELETE", "/tenants/leaving");
    expect(again.status).toBe(202);
    expect(again.json?.["erasure"]).toMatchObject({
      started_at: (erasure as { started_at: string }).started_at,
    });
    const shown = await succeed(gateway.call("GET", "/tenants/leaving"));
    expect(shown).toMatchObject({ status: "erasing", erasure: { tenant: "leaving" } });
    const { tenants } = await succeed(gateway.call("GET", "/tenants?limit=1000"));
    expect(tenants).toContainEqual(
      expect.objectContaining({ tenant: "leaving", status: "erasing" }),
    );
    await untilGone("leaving");
    expect(await refusal("DELETE", "/tenants/leaving")).toEqual([404, "unknown-tenant"]);
  });

  test("frees the name for a tenant that is another", async () => {
    await gateway.createTenant("again");
    const key = await gateway.createKey("again");
    const [old] = await gateway.append("again", { key: "k" }, {});
    const id = await tenantId("again");
    await succeed(gateway.call("DELETE", "/tenants/again"));
    await untilGone("again");

    const created = await gateway.call("PUT", "/tenants/again");
    expect(created.status).toBe(201);
    expect(created.json).toMatchObject({ status: "active", erasure: null });
    expect(await tenantId("again")).not.toBe(id);
    const cursor = old?.cursor ?? "";
    expect(await refusal("GET", `/events?tenant=again&cursor=${cursor}`)).toEqual([
      400,
      "cursor-invalid",
    ]);
    expect(await refusal("GET", `/events/${old?.id}`)).toEqual([404, "not-found"]);
    expect(await refusal("GET", `/events/${old?.id}?tenant=again`)).toEqual([404, "not-found"]);
    expect(await refusal("GET", "/events", key)).toEqual([401, "unauthorized"]);
    const [first] = await gateway.append("again", { key: "k" });
    expect([first?.status, first?.sequence]).toEqual([201, "00000000000000000001"]);
    expect(first?.id).not.toBe(old?.id);
  });
});

describe.concurrent("those who use the tenant when it is erased", () => {
  test("lose their streams and long polls at once", async () => {
    await gateway.createTenant("read");
    const key = await gateway.createKey("read");
    const [event] = await gateway.append("read", {});
    const port = Number(new URL(gateway.url).port);
    const streams = [
      openSse(port, "/events/stream", key),
      openSse(port, "/events/stream?types=never.appended", key),
      openSse(port, "/events/stream?tenant=read", gateway.operatorKey),
    ];
    for (const stream of streams) await stream.waitFor((blocks) => blocks.length > 0);
    const wait = `cursor=${event?.cursor}&wait=60`;
    const polls = [
      gateway.call("GET", `/events?${wait}`, { key }),
      gateway.call("GET", "/events?types=never.appended&wait=60", { key }),
      gateway.call("GET", `/events?tenant=read&${wait}`),
    ];
    await settled(polls, 200);
    await succeed(gateway.call("DELETE", "/tenants/read"));

    const problems = ["unauthorized", "unauthorized", "tenant-erasing"];
    for (const [index, stream] of streams.entries()) {
      const isEnded = () => stream.isEnded();
      await waitUntil(isEnded, { deadlineMs: stopDeadlineMs, what: `the end of stream ${index}` });
      const last = stream.blocks().at(-1);
      expect([last?.event, last?.data]).toEqual([
        "problem",
        expect.stringContaining(`/${problems[index]}"`),
      ]);
      stream.cut();
    }
    const answers = await settled(polls, stopDeadlineMs);
    expect(answers.map((answer) => answer?.slug)).toEqual(problems);
    await untilGone("read");
  });

  test("lose them in a process too that heard nothing of it", { timeout: 60_000 }, async () => {
    // Without a broker it hears of no other process.
    await using deaf = await startTestGateway({ ...gateway.environment, LOG_LEVEL: "error" });
    await gateway.createTenant("unheard");
    const key = await gateway.createKey("unheard");
    const [event] = await gateway.append("unheard", {});
    const stream = openSse(Number(new URL(deaf.url).port), "/events/stream", key);
    await stream.waitFor((blocks) => blocks.length > 0);
    await succeed(gateway.call("DELETE", "/tenants/unheard"));
    const end = { deadlineMs: 2 * stopDeadlineMs, what: "the end of the stream" };
    await waitUntil(stream.isEnded, end);
    expect(stream.blocks().at(-1)?.data).toContain('/unauthorized"');
    stream.cut();

    await untilGone("unheard");
    await gateway.createTenant("unheard");
    // At once: it takes the name for nobody else any more.
    const [first] = await deaf.append("unheard", {});
    expect([first?.status, first?.sequence]).toEqual([201, "00000000000000000001"]);
    const stale = await deaf.call("GET", `/events?tenant=unheard&cursor=${event?.cursor}`);
    expect(stale.slug).toBe("cursor-invalid");
  });

  test("get nothing pushed any more, and a late outcome changes nothing", async () => {
    await gateway.createTenant("pushed");
    const id = await tenantId("pushed");
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => (answer = resolve));
    await using slow = await startReceiver(async ({ headers }) => {
      if (headers["tidegate-sequence"] === "00000000000000000001") {
        return { kind: "answer", status: 503 };
      }
      await answered;
      // Two at once, ten a second: twenty seconds' worth is there when the tenant goes.
      await delay(200);
      return { kind: "answer" };
    });
    const body = { tenant: "pushed", url: slow.url, max_in_flight: 2, timeout_ms: 30_000 };
    await succeed(gateway.call("POST", "/endpoints", { body }));
    await gateway.append("pushed", {});
    await waitUntil(async () => (await tablesWith(database.sql, id)).includes("retries"), {
      what: "a retry",
    });
    await gateway.append("pushed", ...Array.from({ length: 200 }, () => ({})));
    await slow.received(2);
    await succeed(gateway.call("DELETE", "/tenants/pushed"));
    answer();
    await untilGone("pushed");
    expect(slow.requests.length).toBeLessThan(100);
    expect(await tablesWith(database.sql, id)).toEqual([]);
  });

  test("leave nothing behind by resuming an endpoint in that moment", async () => {
    await gateway.createTenant("resumed");
    const id = await tenantId("resumed");
    await fillTenant(database.sql, "resumed", 25_000);
    const [{ endpoint }] = await database.sql<[{ endpoint: string }]>`
      select id as endpoint from endpoints where tenant = ${id}`;
    // What was settled before is not skipped.
    await database.sql`delete from deliveries where tenant = ${id} and sequence % 10 = 0`;
    const path = `/endpoints/${endpointName(endpoint)}/resume`;
    const resumed = gateway.call("POST", path, { body: { from: "latest" } });
    const isUnderWay = async () => {
      const [row] = await database.sql`
        select from deliveries where tenant = ${id} and status = 'skipped' limit 1`;
      return row !== undefined;
    };
    await waitUntil(isUnderWay, { what: "the first step of the resume" });
    await succeed(gateway.call("DELETE", "/tenants/resumed"));
    expect([200, 404, 409]).toContain((await resumed).status);
    await untilGone("resumed", allGoneDeadlineMs);
    expect(await tablesWith(database.sql, id)).toEqual([]);
  });

  test("are refused or erased, whatever they add in that moment", { timeout: 60_000 }, async () => {
    await gateway.createTenant("busy");
    const id = await tenantId("busy");
    const body = { tenant: "busy", type: "order.created", data: 1 };
    const statuses = new Set<number>();
    let isOver = false;
    const repeat = async (path: string, content: object) => {
      while (!isOver) {
        const { status } = await gateway.call("POST", path, { body: content });
        statuses.add(status);
        if (status !== 201) return;
      }
    };
    const work = [
      ...Array.from({ length: 6 }, () => repeat("/events", body)),
      ...Array.from({ length: 3 }, () =>
        repeat("/endpoints", { tenant: "busy", url: receiver.url, types: ["never.appended"] }),
      ),
      ...Array.from({ length: 3 }, () => repeat("/keys", { tenant: "busy", scopes: ["read"] })),
    ];
    await waitUntil(async () => {
      const { use } = await succeed(gateway.call("GET", "/limits?tenant=busy"));
      return (use as { endpoints: number }).endpoints > 5;
    });
    await succeed(gateway.call("DELETE", "/tenants/busy"));
    await untilGone("busy");
    isOver = true;
    await Promise.all(work);
    // An append that was under way finds no log: 404. Whoever comes later: 409.
    expect([201, 404, 409]).toEqual(expect.arrayContaining([...statuses]));
    expect(await tablesWith(database.sql, id)).toEqual([]);
  });
});

test("a hundred erasures at once disturb nobody else", { timeout: 180_000 }, async () => {
  const names = Array.from({ length: 100 }, (_, n) => `many-${n}`);
  await Promise.all(names.map(gateway.createTenant));
  const ids = await Promise.all(names.map((name) => fillTenant(database.sql, name, 40)));
  await gateway.createTenant("other");
  await gateway.append("other", {});
  let appended = 1;
  let isOver = false;
  const load = (async () => {
    while (!isOver) {
      await gateway.append("other", {});
      appended += 1;
      await succeed(gateway.call("GET", "/events?tenant=other&limit=10"));
    }
  })();
  await Promise.all(names.map((name) => succeed(gateway.call("DELETE", `/tenants/${name}`))));
  try {
    for (const name of names) await untilGone(name, allGoneDeadlineMs);
  } finally {
    isOver = true;
  }
  await load;
  for (const id of ids) expect(await tablesWith(database.sql, id)).toEqual([]);
  const head = await gateway.call("GET", "/events?tenant=other&from=latest");
  expect(Number(head.headers.get("tidegate-head"))).toBe(appended);
});

/** What has been answered by the deadline. */
async function settled<T>(answers: readonly Promise<T>[], deadlineMs: number) {
  const late = new Promise<undefined>((resolve) => {
    setTimeout(resolve, deadlineMs, undefined);
  });
  return Promise.all(answers.map((answer) => Promise.race([answer, late])));
}
