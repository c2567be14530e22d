/**
 * A stored event is the same bytes for ever: what earlier versions stored comes out as it was
 * written then, by page, stream and push, and what is stored today is what was stored before.
 *
 * Each fixture of test/golden is loaded into a database with the schema of its version, which
 * today's gateway then brings up to date and serves.
 */
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { appendSamples } from "../golden/samples.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { readGolden } from "../support/golden.ts";
import { createDatabaseOf, readMigrations } from "../support/migrations.ts";
import { runAlone } from "../support/postgres.ts";
import { startReceiver, type Received } from "../support/receiver.ts";
import { openSse } from "../support/sse.ts";

/** The longest there is. Fixtures outlive their first ten years when their days are moved on. */
const environment = { TIDEGATE_RETENTION_DAYS: "3650" };

const fixtures = readGolden();

describe.each(fixtures)("what the schema of $name stored", ({ migration, rows, envelopes }) => {
  const opened = new AsyncDisposableStack();
  const tenants = [...envelopes];
  let gateway: TestGateway;

  beforeAll(async () => {
    const database = opened.use(await createDatabaseOf(migration));
    await runAlone(database.url, rows);
    gateway = opened.use(await startTestGateway({ ...environment, DATABASE_URL: database.url }));
  });
  afterAll(() => opened.disposeAsync());

  test.each(tenants)("comes out of a page of %s byte for byte", async (tenant, expected) => {
    const page = await bytesOf(`/events?tenant=${tenant}&limit=1000`);
    expectBytes(untilCursor(page), `{"events":[${expected.join(",")}]`);
    const accept = "application/cloudevents-batch+json";
    const batch = await bytesOf(`/events?tenant=${tenant}&limit=1000`, accept);
    expectBytes(batch, `[${expected.join(",")}]`);
  });

  test.each(tenants)("comes out of full pages of %s byte for byte", async (tenant, expected) => {
    let cursor = "";
    for (let read = 0; read < expected.length; read += 2) {
      const path = `/events?tenant=${tenant}&limit=2${cursor && `&cursor=${cursor}`}`;
      const page = await bytesOf(path);
      expectBytes(untilCursor(page), `{"events":[${expected.slice(read, read + 2).join(",")}]`);
      ({ cursor } = JSON.parse(page.toString()) as { cursor: string });
    }
  });

  test.each(tenants)("comes out of %s one by one byte for byte", async (_, expected) => {
    for (const envelope of expected) {
      const { id } = JSON.parse(envelope) as { id: string };
      expectBytes(await bytesOf(`/events/${id}`), envelope);
      expectBytes(await bytesOf(`/events/${id}`, "application/cloudevents+json"), envelope);
    }
  });

  test.each(tenants)("comes out of a stream of %s byte for byte", async (tenant, expected) => {
    const target = `/events/stream?tenant=${tenant}`;
    const client = openSse(Number(new URL(gateway.url).port), target, gateway.operatorKey);
    try {
      await client.waitFor((blocks) => blocks.length >= expected.length);
      const lines = client.body().split("\n");
      const data = lines.filter((line) => line.startsWith("data: "));
      expect(data.map((line) => line.slice("data: ".length))).toEqual(expected);
    } finally {
      client.cut();
      await once(client.socket, "close");
    }
  });

  test.each(tenants)("is pushed from %s byte for byte", async (tenant, expected) => {
    await using receiver = await startReceiver();
    for (const format of ["json", "cloudevents"]) {
      const url = `${receiver.url}/${tenant}/${format}`;
      const body = { tenant, url, format, start: "earliest" };
      await succeed(gateway.call("POST", "/endpoints", { body }));
    }
    const received = await receiver.received(2 * expected.length);
    for (const format of ["json", "cloudevents"]) {
      const pushes = received.filter(({ path }) => path.endsWith(`/${format}`));
      const bodies = pushes.toSorted(bySequence).map(({ body }) => body.toString());
      expect(bodies).toEqual(expected);
    }
  });

  async function bytesOf(path: string, accept = "application/json"): Promise<Buffer> {
    const headers = { authorization: `Bearer ${gateway.operatorKey}`, accept };
    const response = await fetch(`${gateway.url}${path}`, { headers });
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  }
});

describe("the fixtures", () => {
  // What a version stored is only known for sure from a fixture that it wrote itself.
  test("there are, for every migration that changes how events are written", () => {
    const migrations = readMigrations();
    const changes = migrations.flatMap(({ sql }, at) => (changesEvents(sql) ? [at] : []));
    expect(changes.length).toBeGreaterThan(1);
    const recorded = fixtures.map(({ migration }) =>
      migrations.findIndex(({ tag }) => tag === migration),
    );
    for (const [index, change] of changes.entries()) {
      const next = changes[index + 1] ?? migrations.length;
      const found = recorded.some((at) => at >= change && at < next);
      expect(found, `run: node test/golden/record.ts, for ${migrations[change]?.tag}`).toBe(true);
    }
  });

  test("the newest of them is what the API makes of the samples today", async () => {
    await using gateway = await startTestGateway();
    const refused = await appendSamples(gateway.url, gateway.operatorKey, async () => {});
    expect(refused).toEqual([]);
    const newest = fixtures.at(-1)?.envelopes ?? new Map<string, string[]>();
    for (const [tenant, expected] of newest) {
      const page = await succeed(gateway.call("GET", `/events?tenant=${tenant}&limit=1000`));
      const events = page["events"] as { id: string }[];
      const answers = events.map(({ id }) => gateway.call("GET", `/events/${id}`));
      const texts = (await Promise.all(answers)).map(({ text }) => withoutChance(text));
      expect(texts).toEqual(expected.map(withoutChance));
    }
  });
});

/** Inserts, updates, other columns: what may change the bytes that are stored, or their reading. */
function changesEvents(sql: string): boolean {
  const writes = /\b(insert into|update)\s+"?events"?(?![\w"])/i;
  const changesTable = /\balter table\s+"?events"?\s+(add|alter|drop|rename)\b/i;
  return writes.test(sql) || changesTable.test(sql);
}

/** The id and the time of the append differ each time. What the producer said stays. */
function withoutChance(envelope: string): string {
  return envelope
    .replace(/"id":"evt_\d{4}-\d\d-\d\d_[0-9a-f]+"/, '"id":"…"')
    .replace(/"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/, '"time":"…"');
}

function untilCursor(page: Buffer): Buffer {
  return page.subarray(0, page.lastIndexOf(',"cursor":"'));
}

function expectBytes(found: Buffer, expected: string): void {
  expect(found.toString()).toBe(expected);
  expect(found.equals(Buffer.from(expected))).toBe(true);
}

function bySequence(a: Received, b: Received): number {
  return Number(a.headers["tidegate-sequence"]) - Number(b.headers["tidegate-sequence"]);
}
