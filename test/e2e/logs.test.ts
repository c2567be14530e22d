/**
 * What a process writes while everything happens to it: each kind of line has exactly the members
 * that docs/logs.md tells, no line has one that is not told there, and nothing secret is in any of
 * them, nor in anything else that the process prints. Values that would give it away are planted
 * wherever somebody can put one in, in what succeeds and in what fails.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, inject, test } from "vitest";
import { parseConfig } from "../../src/config.ts";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { createAuthority } from "../support/certificate.ts";
import { createClient, type Client, type Json } from "../support/client.ts";
import { natsUrl } from "../support/nats.ts";
import { createTestDatabase, runAlone } from "../support/postgres.ts";
import {
  createDirectory,
  productionEnvironment,
  runGateway,
  startGatewayProcess,
  type GatewayProcess,
} from "../support/process.ts";
import { startReceiver, type Receiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

type Line = Readonly<Record<string, unknown>> & { readonly msg: string };

/** Of every line, by the logger itself. */
const ofEveryLine = ["hostname", "level", "msg", "pid", "time"];

/** Without dots, slashes and whatever else may be escaped on the way into a line. */
const planted: string[] = [];

function plant(): string {
  const secret = `PLANTED${randomBytes(12).toString("hex")}`;
  planted.push(secret);
  return secret;
}

/** Notes what the gateway made up itself. */
function keep(secret: unknown): string {
  planted.push(String(secret));
  return String(secret);
}

/** The tables of docs/logs.md: the members of each kind of line, and of all. */
async function documented() {
  const text = await readFile(new URL("../../docs/logs.md", import.meta.url), "utf8");
  const rows = text.split("\n").flatMap((row) => {
    const cells = row.split(" | ").map((cell) => cell.replaceAll(/^\| | \|$/g, ""));
    return row.startsWith("| `") ? [cells] : [];
  });
  const names = (cell = "") => Array.from(cell.matchAll(/`([\w ]+)`/g), ([, name = ""]) => name);
  const kinds = new Map<string, string[]>();
  const members = new Set<string>();
  for (const cells of rows) {
    if (cells.length === 3) kinds.set(names(cells[0])[0] ?? "", names(cells[2]));
    else for (const name of names(cells[0])) members.add(name);
  }
  return { kinds, members };
}

function linesOf(gateway: GatewayProcess): Line[] {
  const lines = gateway.stderr().split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}

function told(gateway: GatewayProcess, kind: string, more: Json = {}): Promise<Line> {
  return waitUntil(
    () =>
      linesOf(gateway).find(
        (line) =>
          line.msg === kind && Object.entries(more).every(([name, value]) => line[name] === value),
      ),
    { what: `a line ${kind} ${JSON.stringify(more)}`, deadlineMs: 20_000 },
  );
}

async function stepTo(gateway: GatewayProcess, now: string): Promise<void> {
  process.kill(gateway.pid, "SIGUSR2");
  await told(gateway, "log level", { now });
}

/** As seen by receivers: what signs a request. */
function keepSignatures({ requests }: Receiver): void {
  for (const { headers } of requests) {
    for (const name of ["webhook-signature", "tidegate-signature", "tidegate-cursor"]) {
      const value = headers[name];
      if (typeof value === "string") for (const part of value.split(" ")) keep(part);
    }
  }
}

/** Pushes that succeed, that fail in every way, and the replay and receipt after them. */
async function push(gateway: GatewayProcess, client: Client, receivers: AsyncDisposableStack) {
  const echoing = receivers.use(
    await startReceiver(({ body, headers }) => ({
      ...{ kind: "answer", status: 500, headers: { "x-echo": String(headers["x-own"]) } },
      body: `${body.toString()} ${JSON.stringify(headers)}`,
    })),
  );
  const good = receivers.use(await startReceiver());
  const tls = createAuthority().issue({ host: "localhost" });
  const untrusted = receivers.use(await startReceiver({ kind: "answer" }, { tls }));
  const endpoint = (url: string, settings: Json = {}) =>
    client.createEndpoint("acme", {
      url: `${url}?token=${plant()}`,
      headers: { "x-own": plant(), authorization: `Bearer ${plant()}` },
      metadata: { own: plant() },
      description: plant(),
      ...settings,
    });
  const failing = await endpoint(echoing.url, { retry_schedule: ["1s"] });
  const refused = await endpoint(untrusted.url, { secret: `whsec_${plantedSecret()}` });
  const fine = await endpoint(good.url);
  for (const { secret } of [failing, fine]) keep(secret);
  await client.append("acme", { card: plant() });
  await told(gateway, "attempt", { endpoint: failing.id, outcome: "dead" });
  await told(gateway, "attempt", { endpoint: refused.id, outcome: "retry" });
  await told(gateway, "attempt", { endpoint: fine.id, outcome: "delivered" });
  await client.expectOk("POST", `/endpoints/${failing.id}/test`);

  await client.expectOk("POST", `/endpoints/${failing.id}/replays`, { status: "dead" });
  await told(gateway, "replay", { endpoint: failing.id });
  const { events } = await client.page("acme");
  await client.expectOk("POST", "/receipts", {
    ...{ endpoint: refused.id, events: events.map(({ id }) => id) },
    ...{ status: "processed", detail: plant() },
  });
  keepSignatures(echoing);
  keepSignatures(good);
}

function plantedSecret(): string {
  const secret = randomBytes(24).toString("base64");
  planted.push(secret);
  return secret;
}

/** Pages, and streams with a key and with a ticket. */
async function read({ url }: GatewayProcess, client: Client, key: string): Promise<void> {
  const page = await client.page("acme", { limit: "1" });
  await client.page("acme", { cursor: keep(page.cursor) });
  await client.call("GET", `/events?tenant=acme&cursor=${plant()}`);
  const { ticket } = await client.expectOk("POST", "/tickets", { tenant: "acme" });
  const headers = { authorization: `Bearer ${key}` };
  for (const [query, init] of [
    [`?ticket=${keep(ticket)}&from=earliest`, {}],
    ["?from=earliest", { headers }],
    [`?cursor=${page.cursor}`, { headers }],
  ] as const) {
    const leaving = new AbortController();
    const answer = await fetch(`${url}/events/stream${query}`, { ...init, signal: leaving.signal });
    expect(answer.status).toBe(200);
    const first = await answer.body?.getReader().read();
    for (const [, id] of Buffer.from(first?.value ?? "")
      .toString()
      .matchAll(/^id: (.+)$/gm)) {
      keep(id);
    }
    leaving.abort();
  }
}

/** What callers get wrong. */
async function blunder({ url }: GatewayProcess, key: string): Promise<void> {
  const json = "application/json";
  const bodies: [string, string, string][] = [
    ["/events", json, `{"type":"order.created","data":{"a":"${plant()}" ${plant()}`],
    ["/events", json, `{"type":"${plant()} ","data":1}`],
    ["/events", json, `{"type":"order.created","data":"${plant()}\\u0000","key":"${plant()}"}`],
    ["/events", json, `{"type":"order.created","data":1,"key":"${plant()}\\u0000"}`],
    ["/events", "application/x-ndjson", `{"type":"order.created","data":1}\n${plant()}\n[`],
    ["/events", "application/cloudevents+json", `{"specversion":"1.0","id":"${plant()}"}`],
    ["/endpoints", json, `{"url":"http://user:${plant()}@127.0.0.1/x"}`],
    ["/endpoints", json, `{"url":"${plant()}","secret":"${plant()}"}`],
    ["/receipts", json, `{"endpoint":"${plant()}","events":["${plant()}"],"status":"failed"}`],
  ];
  for (const [path, type, body] of bodies) {
    const headers = { authorization: `Bearer ${key}`, "content-type": type };
    const query = `${path}?x=${plant()}`;
    await fetch(`${url}${path}`, { method: "POST", headers, body }).then((one) => one.text());
    await fetch(`${url}${query}`, { method: "POST", headers, body }).then((one) => one.text());
  }
  const headers = { authorization: `Bearer ${plant()}`, cookie: plant() };
  await fetch(`${url}/events?tenant=${plant()}&token=${plant()}`, { headers });
}

/** Of the database's server, which knows nobody without a password. */
async function createRole(opened: AsyncDisposableStack) {
  const server = inject("postgresUrl");
  const [name, password] = [`logs_${randomBytes(6).toString("hex")}`, plant()];
  await runAlone(server, `create role ${name} superuser login password '${password}'`);
  opened.defer(() => runAlone(server, `drop role ${name}`));
  return { name, password };
}

/** What happens while parts of the database are gone. */
async function breakDatabase(gateway: GatewayProcess, client: Client, sql: Sql): Promise<void> {
  const away = async (table: string, work: () => Promise<unknown>) => {
    await sql.unsafe(`alter table ${table} rename to away`);
    try {
      await work();
    } finally {
      await sql.unsafe(`alter table away rename to ${table}`);
    }
  };
  const create = { url: `http://127.0.0.1:9/?t=${plant()}`, headers: { "x-own": plant() } };
  await away("endpoints", async () => {
    const body = { tenant: "acme", ...create, secret: `whsec_${plantedSecret()}` };
    expect((await client.call("POST", "/endpoints", body)).status).toBe(500);
  });
  await away("heads", async () => {
    const event = { tenant: "acme", type: "order.created", data: plant(), key: plant() };
    expect((await client.call("POST", "/events", event)).status).toBeGreaterThanOrEqual(500);
    await told(gateway, "append", { outcome: "failed" });
  });
  await away("attempts", async () => {
    await client.append("acme", { card: plant() });
    await told(gateway, "outcomes not written");
  });
}

test("lines have the members that are documented and nothing secret, at every level", async () => {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await createDirectory());
  const role = await createRole(opened);
  const database = opened.use(await createTestDatabase());
  const nats = await natsUrl();
  opened.defer(nats.stop);
  const url = new URL(database.url);
  [url.username, url.password] = [role.name, role.password];
  const broker = new URL(nats.url);
  [broker.username, broker.password] = ["broker", plant()];
  const env = {
    ...{ ...productionEnvironment(url.href), NATS_URL: broker.href },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: "", TIDEGATE_SHUTDOWN_SECONDS: "2" },
  };
  keep(env.TIDEGATE_OPERATOR_KEY);
  keep(env.TIDEGATE_SECRETS.slice(2));
  const { sql, stop } = openDatabase(database.url, { connections: 1, name: "test" });
  opened.defer(stop);

  const gateway = opened.use(await startGatewayProcess({ directory: directory.path, env }));
  const client = createClient(gateway.url, gateway.operatorKey);
  for (const name of ["acme", "leaving"]) await client.tenant(name);
  const key = keep(await client.tenantKey("acme"));
  await client.expectOk("DELETE", "/tenants/leaving");
  await stepTo(gateway, "debug");
  await stepTo(gateway, "trace");

  await push(gateway, client, opened);
  await read(gateway, client, key);
  await blunder(gateway, key);
  await breakDatabase(gateway, client, sql);
  const { kinds, members } = await documented();
  for (const kind of kinds.keys()) await told(gateway, kind);
  await stepTo(gateway, "info");
  await client.page("acme");
  expect(linesOf(gateway).at(-1)).toMatchObject({ msg: "log level", before: "trace", now: "info" });
  const { code, stdout, stderr } = await gateway.terminate();
  expect(code).toBe(0);

  for (const line of linesOf(gateway)) {
    const names = Object.keys(line).filter((name) => !ofEveryLine.includes(name));
    const known = kinds.get(line.msg);
    if (known === undefined) expect([...members]).toEqual(expect.arrayContaining(names));
    else expect([line.msg, names.toSorted()]).toEqual([line.msg, known.toSorted()]);
  }
  expect(leaked(stdout + stderr)).toEqual([]);

  const refused = [
    `postgres://someone:${plant()}@127.0.0.1:1/none`,
    `${url.href}?x=%zz${plant()}`,
  ].map((bad) => runGateway({ directory: directory.path, env: { ...env, DATABASE_URL: bad } }));
  for (const exit of await Promise.all(refused)) {
    expect([exit.code, leaked(exit.stdout + exit.stderr)]).toEqual([1, []]);
  }
  // What is wrong in the environment is told by the process as it is thrown.
  for (const bad of [
    { DATABASE_URL: `http://someone:${plant()}@127.0.0.1/none` },
    { TIDEGATE_SECRETS: `1:${plant()}` },
    { NATS_URL: `http://broker:${plant()}@broker` },
  ]) {
    let message = "";
    try {
      parseConfig({ ...env, ...bad });
    } catch (error) {
      message = String(error);
    }
    expect([message.slice(0, 6), leaked(message)]).toEqual(["Error:", []]);
  }
}, 60_000);

/** The lines that give something away. */
function leaked(output: string): string[] {
  expect(planted.length).toBeGreaterThan(0);
  return output.split("\n").filter((line) => planted.some((secret) => line.includes(secret)));
}
