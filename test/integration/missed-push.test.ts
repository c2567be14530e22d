/** What real pushes leave missed, and a reader that closes the hole while the endpoint comes back. */
import { describe, expect, test } from "vitest";
import type { Page } from "../support/client.ts";
import { range } from "../support/feed.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { waitUntil } from "../support/wait.ts";

const suite = openPushSuite();

const deadlineMs = 20_000;

async function page(id: string, query: Record<string, string> = {}) {
  const target = `/endpoints/${id}/missed?${new URLSearchParams(query).toString()}`;
  const { events, cursor, has_more } = (await suite.client.expectOk("GET", target)) as Page;
  return { seen: events.map(({ sequence }) => Number(sequence)), cursor, more: has_more };
}

async function walk(id: string): Promise<number[]> {
  const seen: number[] = [];
  let cursor: string | undefined;
  for (;;) {
    const found = await page(id, { limit: "7", ...(cursor !== undefined && { cursor }) });
    seen.push(...found.seen);
    if (!found.more) return seen;
    ({ cursor } = found);
  }
}

async function missedWhen(id: string, wanted: readonly number[]): Promise<void> {
  const isThere = async () => (await walk(id)).join() === wanted.join();
  await waitUntil(isThere, { deadlineMs, what: `that ${wanted.join()} are missed` });
}

async function append(tenant: string, count: number, subject?: (n: number) => string) {
  const events = range(1, count).map((n) => (subject === undefined ? {} : { subject: subject(n) }));
  await suite.gateway.append(tenant, ...events);
}

describe("a receiver that fails", () => {
  test("has missed what is retried, and what is dead", async () => {
    const failing = { kind: "answer", status: 500 } as const;
    const { tenant, id } = await suite.pushTo(failing, { retry_schedule: ["1h"] });
    await append(tenant, 3);
    await missedWhen(id, [1, 2, 3]);
    expect((await suite.client.endpoint(id)).retrying).toBe(3);

    const other = await suite.pushTo({ kind: "answer", status: 400 }, { retry_schedule: [] });
    await append(other.tenant, 3);
    await suite.client.endpointWhen(other.id, ({ dead }) => dead === 3, deadlineMs);
    expect(await walk(other.id)).toEqual([1, 2, 3]);
  });

  test("has missed what its blocked subjects hold, and nothing that others got", async () => {
    const { tenant, id } = await suite.pushTo(
      ({ body }) => ({ kind: "answer", status: body.includes('"subject":"bad"') ? 400 : 200 }),
      { ordering: "subject", retry_schedule: ["1h"] },
    );
    await append(tenant, 12, (n) => (n % 3 === 0 ? "bad" : `s${n}`));
    await missedWhen(id, [3, 6, 9, 12]);
    expect(await suite.client.endpoint(id)).toMatchObject({ retrying: 1 });
  });

  test("wakes a reader that waits as soon as a push fails", async () => {
    const { tenant, id } = await suite.pushTo(
      { kind: "answer", status: 500 },
      {
        retry_schedule: ["1h"],
      },
    );
    const answer = page(id, { wait: "30" });
    await append(tenant, 1);
    expect((await answer).seen).toEqual([1]);
  });
});

test("a receipt through the walk's cursor settles all of it, and nothing of it is pushed again", async () => {
  const { tenant, receiver, id } = await suite.pushTo(
    { kind: "answer", status: 500 },
    { retry_schedule: ["2s", "1h"] },
  );
  await append(tenant, 40);
  await missedWhen(id, range(1, 40));
  await suite.client.act(id, "pause");
  await suite.client.endpointWhen(id, (endpoint) => endpoint.in_flight === 0, deadlineMs);
  const { cursor } = await page(id, { limit: "100" });
  await suite.client.expectOk("POST", "/receipts", {
    ...{ endpoint: id, through: cursor, status: "processed" },
  });
  expect(await walk(id)).toEqual([]);

  const before = receiver.requests.length;
  receiver.behave({ kind: "answer" });
  await suite.client.act(id, "resume");
  await append(tenant, 3);
  await suite.client.endpointWhen(id, ({ position }) => Number(position) === 43, deadlineMs);
  const pushed = receiver.requests.slice(before);
  const sequences = pushed.map(({ headers }) => Number(headers["tidegate-sequence"]));
  expect(sequences.toSorted((a, b) => a - b)).toEqual([41, 42, 43]);
  expect(await walk(id)).toEqual([]);
});

/**
 * Goal: a reader and an endpoint that comes back close the hole together. Method: an outage leaves
 * retries, an open circuit and much that waits; then the receiver answers, and pages are read beside
 * the pushes. What no page has shown was pushed.
 */
test("of an outage nothing is left out while pushes and pages go on together", async () => {
  const { tenant, receiver, id } = await suite.pushTo(
    { kind: "answer", status: 500 },
    {
      retry_schedule: ["1s", "1h"],
    },
  );
  await append(tenant, 60);
  await suite.client.endpointWhen(id, ({ circuit }) => circuit.state !== "closed", deadlineMs);
  await missedWhen(id, range(1, 60));

  const before = receiver.requests.length;
  receiver.behave({ kind: "answer", afterMs: 20 });
  await suite.client.act(id, "resume");
  const seen: number[] = [];
  let cursor: string | undefined;
  for (;;) {
    const found = await page(id, { limit: "3", ...(cursor !== undefined && { cursor }) });
    seen.push(...found.seen);
    ({ cursor } = found);
    if (!found.more) break;
  }
  expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
  const pushed = () =>
    receiver.requests.slice(before).map(({ headers }) => Number(headers["tidegate-sequence"]));
  const isWhole = () => new Set([...seen, ...pushed()]).size === 60;
  await waitUntil(isWhole, { deadlineMs, what: "that all were read or pushed" });
});
