/**
 * A gateway on a database that was restored from a backup. What was read up to the backup goes on
 * as if nothing had happened; whoever read further is told that the feed was reset, however far the
 * log has grown since; and endpoints stand where they stood. The steps are those of
 * docs/backup-and-restore.md, once for each way to bring a database back.
 */
import { afterEach, expect, test } from "vitest";
import { createClient, type Client } from "../support/client.ts";
import { startOwnPostgres, type OwnPostgres } from "../support/own-postgres.ts";
import { runAlone, urlOfDatabase } from "../support/postgres.ts";
import {
  createDirectory,
  productionEnvironment,
  startGatewayProcess,
  type GatewayProcess,
} from "../support/process.ts";
import { eventOf, header, sequenceOf, upTo } from "../support/pushes.ts";
import { startReceiver, type Receiver } from "../support/receiver.ts";
import { takeSnapshot } from "../support/snapshot.ts";
import { openSse } from "../support/sse.ts";

/** A server of its own, up to ten starts of programs. */
const timeout = 120_000;

const tenant = "acme";

/** Appended before the backup, after it, and after the restore: then the log is longer than ever. */
const [kept, lost, further] = [5, 4, 10];

/** Where a database is after the restore. */
type Restore = () => Promise<{ url: string }>;

const ways: { how: string; backUp: (server: OwnPostgres) => Promise<Restore> }[] = [
  {
    how: "into another database, as pg_restore does",
    async backUp(server) {
      await runAlone(urlOfDatabase(server.url, "template1"), copyOf("backup", "postgres"));
      return async () => ({ url: urlOfDatabase(server.url, "backup") });
    },
  },
  {
    how: "by recovery to the time of a base backup",
    async backUp(server) {
      const snapshot = await takeSnapshot(server);
      return async () => {
        await snapshot.recover();
        return server;
      };
    },
  },
  {
    how: "by a snapshot of its files, and the statement that says so",
    async backUp(server) {
      const snapshot = await takeSnapshot(server);
      return async () => {
        await snapshot.putBack();
        await runAlone(server.url, "update log_settings set restored_at = now()");
        return server;
      };
    },
  },
];

let opened = new AsyncDisposableStack();

afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

test.each(ways)("a restore $how skips nothing silently", { timeout }, async ({ backUp }) => {
  const server = opened.use(await startOwnPostgres());
  const directory = opened.use(await createDirectory());
  const receiver = opened.use(await startReceiver());
  const environment = productionEnvironment(server.url);
  const start = async (url = server.url) => {
    const env = { ...environment, DATABASE_URL: url };
    const process = opened.use(await startGatewayProcess({ directory: directory.path, env }));
    return { process, client: createClient(process.url, process.operatorKey) };
  };

  const first = await start();
  await first.client.tenant(tenant);
  const { id } = await first.client.createEndpoint(tenant, { url: receiver.url });
  await appendSome(first.client, kept);
  const before = await cursorsOf(first, receiver, kept);
  await first.client.endpointWhen(id, ({ position }) => Number(position) === kept);
  await first.process.terminate();
  const restore = await backUp(server);

  const second = await start();
  await appendSome(second.client, lost);
  const after = await cursorsOf(second, receiver, kept + lost);
  await second.client.endpointWhen(id, ({ position }) => Number(position) === kept + lost);
  await second.process.terminate();
  expect(second.process.stderr()).not.toContain("was restored");

  const { url } = await restore();
  const third = await start(url);
  for (const cursor of before) {
    expect((await third.client.page(tenant, { cursor })).events).toEqual([]);
  }
  for (const cursor of after) await expectReset(third, id, cursor);
  expect(Number((await third.client.endpoint(id)).position)).toBe(kept);

  const pushedBefore = receiver.requests.length;
  const ids = await appendSome(third.client, further);
  for (const cursor of before) {
    const { events } = await third.client.page(tenant, { cursor });
    expect(events.map((event) => event.id)).toEqual(ids);
  }
  for (const cursor of after) await expectReset(third, id, cursor);
  await receiver.received(pushedBefore + further);
  const pushes = receiver.requests.slice(pushedBefore);
  expect(new Set(pushes.map(eventOf))).toEqual(new Set(ids));
  expect(new Set(pushes.map(sequenceOf))).toEqual(new Set(upTo(kept + further, kept + 1)));
  await third.process.terminate();
});

test("a database made of a template that nobody has used is no restore", { timeout }, async () => {
  const server = opened.use(await startOwnPostgres());
  const directory = opened.use(await createDirectory());
  const { url } = server;
  const start = async (database: string) => {
    const env = productionEnvironment(urlOfDatabase(url, database));
    return opened.use(await startGatewayProcess({ directory: directory.path, env }));
  };
  // What a template has from the migrations alone: its own first start is undone.
  await (await start("postgres")).terminate();
  await runAlone(url, "delete from log_settings");
  await runAlone(urlOfDatabase(url, "template1"), copyOf("used", "postgres"));
  const gateway = await start("used");
  expect(gateway.stderr()).not.toContain("was restored");
});

type Running = { readonly process: GatewayProcess; readonly client: Client };

async function appendSome({ append }: Client, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) ids.push((await append(tenant, n)).id);
  return ids;
}

/** Of the end of the log, as each way of reading gives it out. */
async function cursorsOf({ process, client }: Running, receiver: Receiver, head: number) {
  const { cursor } = await client.page(tenant);
  const stream = openSse(portOf(process), `/events/stream?tenant=${tenant}`, process.operatorKey);
  await stream.waitFor((blocks) => blocks.filter(({ data }) => data !== undefined).length >= head);
  const streamed = stream.blocks().findLast(({ id }) => id !== undefined)?.id ?? "";
  stream.cut();
  await receiver.received(head);
  const push = receiver.requests.find((request) => sequenceOf(request) === head);
  return [cursor, streamed, push === undefined ? "" : header("tidegate-cursor")(push)];
}

async function expectReset({ process, client }: Running, endpoint: string, cursor: string) {
  const query = new URLSearchParams({ tenant, cursor }).toString();
  const start = { tenant, url: "http://127.0.0.1:1/", start: { cursor } };
  const answers = [
    await client.call("GET", `/events?${query}`),
    await client.call("GET", `/events?${query}&wait=5`),
    await client.call("POST", "/endpoints", start),
    await client.call("POST", `/endpoints/${endpoint}/resume`, { from: { cursor } }),
  ];
  for (const { status, json } of answers) expect([status, json["type"]]).toEqual([410, reset]);

  const options = { lastEventId: cursor };
  const target = `/events/stream?tenant=${tenant}`;
  const stream = openSse(portOf(process), target, process.operatorKey, options);
  await stream.waitFor(() => stream.status() === 410 && stream.plainBody().endsWith("}"));
  expect(JSON.parse(stream.plainBody())).toMatchObject({ type: reset });
  stream.cut();
}

const reset = "https://tidegate.dev/problems/feed-reset";

function portOf({ url }: GatewayProcess): number {
  return Number(new URL(url).port);
}

function copyOf(name: string, original: string): string {
  return `create database ${name} template ${original}`;
}
