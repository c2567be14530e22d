/** How a process ends when it is asked to. */

import { connect } from "node:net";
import { expect, test } from "vitest";
import { createClient, type ReadEvent } from "../support/client.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { createDirectory, productionEnvironment, startGatewayProcess } from "../support/process.ts";
import { startReceiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

test("SIGTERM under load drains: streams end whole, nothing acknowledged is lost", async () => {
  await using directory = await createDirectory();
  await using database = await createTestDatabase();
  await using receiver = await startReceiver({ kind: "answer", afterMs: 700 });
  const env = { ...productionEnvironment(database.url), TIDEGATE_SHUTDOWN_SECONDS: "10" };
  await using first = await startGatewayProcess({ directory: directory.path, env });
  const client = createClient(first.url, first.operatorKey);
  await client.tenant("acme");
  await client.createEndpoint("acme", { url: receiver.url, max_in_flight: 20 });

  const streamed: ReadEvent[] = [];
  const streaming = (async () => {
    for await (const event of client.stream("acme", AbortSignal.timeout(60_000))) {
      streamed.push(event);
    }
  })();
  const waiting = client.page("acme", { from: "latest", types: "never.*", wait: "60" });
  const acknowledged = new Map<string, string>();
  let stopping = false;
  const appending = Array.from({ length: 8 }, async (_, writer) => {
    for (let n = 1; ; n += 1) {
      const id = `${writer}.${n}`;
      try {
        const { sequence } = await client.append("acme", { id });
        acknowledged.set(id, sequence);
      } catch (error) {
        if (stopping) return;
        throw error;
      }
    }
  });
  await waitUntil(() => acknowledged.size >= 200 && receiver.requests.length >= 20, {
    deadlineMs: 20_000,
    what: "a load",
  });

  stopping = true;
  const startedAt = performance.now();
  const { code, stderr } = await first.terminate();
  expect(code, `it said ${stderr}`).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(12_000);
  await Promise.all(appending);
  // Neither was cut: the stream ended between two blocks, the long poll got its empty page.
  await streaming;
  expect((await waiting).events).toEqual([]);
  expect(streamed.map(({ sequence }) => Number(sequence))).toEqual(
    Array.from({ length: streamed.length }, (_, index) => index + 1),
  );

  receiver.behave({ kind: "answer" });
  await using second = await startGatewayProcess({ directory: directory.path, env });
  const log = await createClient(second.url, second.operatorKey).readAll("acme");
  const kept = new Map(log.map(({ data, sequence }) => [(data as { id: string }).id, sequence]));
  for (const [id, sequence] of acknowledged) expect(kept.get(id), `event ${id}`).toBe(sequence);
  // The attempts under way at the signal ended and were recorded, so nothing came twice.
  const pushed = () => receiver.requests.map(({ headers }) => headers["webhook-id"]);
  await waitUntil(() => new Set(pushed()).size >= log.length, {
    deadlineMs: 20_000,
    what: "the delivery of every event",
  });
  expect(new Set(pushed())).toEqual(new Set(log.map(({ id }) => id)));
  expect(pushed()).toHaveLength(log.length);
});

test("SIGTERM waits for what hangs no longer than the grace time", async () => {
  await using directory = await createDirectory();
  await using database = await createTestDatabase();
  await using receiver = await startReceiver({ kind: "hang" });
  const env = { ...productionEnvironment(database.url), TIDEGATE_SHUTDOWN_SECONDS: "4" };
  await using gateway = await startGatewayProcess({ directory: directory.path, env });
  const client = createClient(gateway.url, gateway.operatorKey);
  await client.tenant("acme");
  await client.createEndpoint("acme", { url: receiver.url, timeout_ms: 30_000 });
  await client.append("acme", {});
  await receiver.received(1);
  // A request whose body never comes to its end.
  const { hostname, port } = new URL(gateway.url);
  const socket = connect({ host: hostname, port: Number(port) }).on("error", () => {});
  socket.write(
    `POST /events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${gateway.operatorKey}\r\n` +
      'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"tenant":',
  );
  await client.append("acme", {}); // by now the other one has arrived, too

  const startedAt = performance.now();
  const { code, stderr } = await gateway.terminate();
  expect(code, `it said ${stderr}`).toBe(0);
  const tookMs = performance.now() - startedAt;
  expect(tookMs).toBeGreaterThan(3_900);
  // One grace time for both.
  expect(tookMs).toBeLessThan(7_500);
});
