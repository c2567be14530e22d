/** A key that is revoked in one process, or a tenant erased there, ends what others serve it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { startNats, type NatsServer } from "../support/nats.ts";
import { openSse } from "../support/sse.ts";
import { waitUntil } from "../support/wait.ts";

/** What the contract promises; it is meant to be at once. */
const deadlineMs = 5_000;

let nats: NatsServer;
let here: TestGateway;
let there: TestGateway;

beforeAll(async () => {
  nats = await startNats();
  here = await startTestGateway({ NATS_URL: nats.url });
  there = await startTestGateway(here.environment);
});

afterAll(async () => {
  await there?.stop();
  await here?.stop();
  await nats?.stop();
});

/** A key in use there: remembered, with a stream and a long poll. */
async function useThere(tenant: string) {
  const body = { tenant, scopes: ["read"] };
  const created = await succeed(here.call("POST", "/keys", { body }));
  const key = String(created["key"]);
  const { cursor } = await succeed(there.call("GET", "/events?from=latest", { key }));
  const stream = openSse(Number(new URL(there.url).port), "/events/stream", key);
  await stream.waitFor((blocks) => blocks.length > 0);
  const poll = there.call("GET", `/events?cursor=${String(cursor)}&wait=60`, { key });
  return { id: String(created["id"]), key, stream, poll };
}

async function expectEnded({ key, stream, poll }: Awaited<ReturnType<typeof useThere>>) {
  const isRefused = async () => (await there.call("GET", "/events", { key })).status === 401;
  await waitUntil(isRefused, { deadlineMs, what: "the refusal in the other process" });
  await waitUntil(stream.isEnded, { deadlineMs, what: "the end of its stream" });
  expect(stream.blocks().at(-1)?.data).toContain('/unauthorized"');
  let polled: string | undefined;
  void poll.then(({ slug }) => (polled = slug));
  await waitUntil(() => polled, { deadlineMs, what: "the end of its long poll" });
  expect(polled).toBe("unauthorized");
  stream.cut();
}

test("a revoked key is refused in the other process, and its streams end", async () => {
  await here.createTenant("acme");
  const revoked = await useThere("acme");
  const kept = await useThere("acme");
  await succeed(here.call("DELETE", `/keys/${revoked.id}`));
  await expectEnded(revoked);

  expect((await there.call("GET", "/events", { key: kept.key })).status).toBe(200);
  expect(kept.stream.isEnded()).toBe(false);
  await here.append("acme", {});
  await waitUntil(() => kept.stream.events().length === 1, { what: "the event" });
  expect((await kept.poll).status).toBe(200);
  kept.stream.cut();
});

test("an expired key loses its stream", async () => {
  await here.createTenant("brief");
  const expires_at = new Date(Date.now() + 2_000).toISOString();
  const body = { tenant: "brief", scopes: ["read"], expires_at };
  const key = String((await succeed(here.call("POST", "/keys", { body })))["key"]);
  const stream = openSse(Number(new URL(there.url).port), "/events/stream", key);
  await stream.waitFor((blocks) => blocks.length > 0);
  const end = { deadlineMs: 2_000 + deadlineMs, what: "the end of the stream" };
  await waitUntil(stream.isEnded, end);
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires_at));
  expect(stream.blocks().at(-1)?.data).toContain('/unauthorized"');
  stream.cut();
});

test("a tenant that is erased here has no readers there", async () => {
  await here.createTenant("gone");
  await here.append("gone", {});
  const reader = await useThere("gone");
  await succeed(here.call("DELETE", "/tenants/gone"));
  await expectEnded(reader);
  const isKnown = async () =>
    (await there.call("GET", "/events?tenant=gone")).slug === "tenant-erasing";
  await waitUntil(isKnown, { deadlineMs, what: "the refusal of operators" });
});
