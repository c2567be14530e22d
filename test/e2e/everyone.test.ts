/**
 * Everybody at once. Goal: whichever way a consumer receives, it receives everything: pull and
 * stream each event once and in order, push each at least once and verifiably signed. Method:
 * 2,000 appends by 16 clients over 5 tenants, each with a poller, a long poller, a stream and a
 * webhook that were there before the first append.
 */

import { EventSource } from "eventsource";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client, type ReadEvent } from "../support/client.ts";
import { createDirectory, startGatewayProcess, type GatewayProcess } from "../support/process.ts";
import { startReceiver, type Received, type Receiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const appends = 2_000;
const clients = 16;
const tenants = ["acme", "globex", "initech", "umbrella", "hooli"];
const eventsPerTenant = appends / tenants.length;

/** Between two polls of the consumer that does not wait for events. */
const pollEveryMs = 25;

/** Many times what it takes on an idle machine. */
const deadlineMs = 40_000;

/** All that one tenant received, in each of the ways. */
type Consumers = {
  readonly polled: ReadEvent[];
  readonly longPolled: ReadEvent[];
  readonly streamed: ReadEvent[];
  readonly receiver: Receiver;
  readonly secret: string;
};

const opened = new AsyncDisposableStack();
const ending = new AbortController();
let gateway: GatewayProcess;

beforeAll(async () => {
  const directory = opened.use(await createDirectory());
  gateway = opened.use(await startGatewayProcess({ directory: directory.path }));
});

afterAll(async () => {
  ending.abort();
  await opened.disposeAsync();
});

test("everyone sees every event of its tenant", { timeout: 60_000 }, async () => {
  const operator = createClient(gateway.url, gateway.operatorKey);
  const consumers = new Map<string, Consumers>();
  for (const tenant of tenants) consumers.set(tenant, await startConsumers(operator, tenant));

  const appended = await appendAll(operator);
  for (const [tenant, ids] of appended)
    expect(ids.size, `events of ${tenant}`).toBe(eventsPerTenant);
  await waitUntil(() => [...consumers.values()].every(isComplete), {
    deadlineMs,
    what: "everyone having everything",
  });

  for (const [tenant, { polled, longPolled, streamed, receiver, secret }] of consumers) {
    const log = await operator.readAll(tenant);
    expect(sequencesOf(log)).toEqual(upTo(eventsPerTenant));
    expect(new Set(log.map(({ id }) => id))).toEqual(appended.get(tenant));
    expect(polled, `${tenant} by polling`).toEqual(log);
    expect(longPolled, `${tenant} by long polling`).toEqual(log);
    expect(streamed, `${tenant} by stream`).toEqual(log);
    expectPushed(receiver.requests, secret, log);
  }
});

/** The ids of each tenant's events, as they were acknowledged. */
async function appendAll(client: Client): Promise<Map<string, Set<string>>> {
  const ids = new Map(tenants.map((tenant) => [tenant, new Set<string>()]));
  await Promise.all(
    Array.from({ length: clients }, async (_, writer) => {
      for (let n = writer; n < appends; n += clients) {
        const tenant = tenants[n % tenants.length] ?? "";
        const { id } = await client.append(tenant, { n, text: "é 🎈 ".repeat(n % 20) });
        ids.get(tenant)?.add(id);
      }
    }),
  );
  return ids;
}

async function startConsumers(operator: Client, tenant: string): Promise<Consumers> {
  await operator.tenant(tenant);
  const key = await operator.tenantKey(tenant);
  const client = createClient(gateway.url, key);
  const receiver = opened.use(await startReceiver());
  const { secret } = await client.createEndpoint(tenant, { url: receiver.url });
  // Two ways to read a stream: what browsers do, and the bytes themselves.
  const followed =
    tenants.indexOf(tenant) < 2 ? followWithEventSource(key) : follow(client, tenant);
  return {
    polled: keepPolling(client, tenant, "0"),
    longPolled: keepPolling(client, tenant, "10"),
    streamed: await followed,
    receiver,
    secret,
  };
}

/** Reads page after page, by the cursor of the one before. */
function keepPolling(client: Client, tenant: string, wait: string): ReadEvent[] {
  const events: ReadEvent[] = [];
  untilTheEnd(async () => {
    let cursor: string | undefined;
    while (!ending.signal.aborted) {
      const page = await client.page(tenant, { wait, ...(cursor !== undefined && { cursor }) });
      events.push(...page.events);
      cursor = page.cursor;
      if (wait === "0" && !page.has_more) await delay(pollEveryMs);
    }
  });
  return events;
}

async function follow(client: Client, tenant: string): Promise<ReadEvent[]> {
  const events: ReadEvent[] = [];
  untilTheEnd(async () => {
    for await (const event of client.stream(tenant, ending.signal)) events.push(event);
  });
  return events;
}

/** With a tenant's key in a header, which this client adds through its own `fetch`. */
async function followWithEventSource(key: string): Promise<ReadEvent[]> {
  const events: ReadEvent[] = [];
  const source = new EventSource(`${gateway.url}/events/stream`, {
    fetch: (url, init) =>
      fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } }),
  });
  opened.defer(() => source.close());
  source.addEventListener("message", ({ data }) => events.push(JSON.parse(data) as ReadEvent));
  await waitUntil(() => source.readyState === source.OPEN, { what: "an open stream" });
  return events;
}

/** Runs until the test is over. A failure before that shows as a consumer that lacks events. */
function untilTheEnd(work: () => Promise<void>): void {
  work().catch((error: unknown) => {
    if (!ending.signal.aborted) console.error(error);
  });
}

function isComplete({ polled, longPolled, streamed, receiver }: Consumers): boolean {
  const pushed = new Set(receiver.requests.map(({ headers }) => headers["webhook-id"]));
  return [polled.length, longPolled.length, streamed.length, pushed.size].every(
    (count) => count >= eventsPerTenant,
  );
}

/** Each event at least once, as it is in the log, and signed so that both libraries accept it. */
function expectPushed(requests: readonly Received[], secret: string, log: readonly ReadEvent[]) {
  const libraries = [new StandardWebhook(secret), new SvixWebhook(secret)];
  const seen = new Set<number>();
  for (const { headers, body } of requests) {
    const flat = headers as Record<string, string>;
    for (const library of libraries) {
      const event = library.verify(body.toString(), flat) as ReadEvent;
      expect(log[Number(event.sequence) - 1]).toEqual(event);
      expect(headers["webhook-id"]).toBe(event.id);
      expect(headers["tidegate-sequence"]).toBe(event.sequence);
    }
    seen.add(Number(headers["tidegate-sequence"]));
  }
  expect(seen).toEqual(new Set(upTo(eventsPerTenant)));
}

function sequencesOf(events: readonly ReadEvent[]): number[] {
  return events.map(({ sequence }) => Number(sequence));
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
