/** Where endpoints start in the log, and how they are seen to stand there. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { skipOwed } from "../../src/deliveries/owed.ts";
import {
  bumpGeneration,
  movePosition,
  serve,
  serveMoved,
  stopServing,
  viewPositions,
  type Consumer,
  type Moved,
} from "../../src/deliveries/positions.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { beginning, eventFingerprint } from "../../src/log/event.ts";
import { createLog } from "../../src/log/log.ts";
import { startControl, type TestControl } from "../support/control.ts";
import { changeOwner, claimEndpoint, raiseEpoch, raiseGeneration } from "../support/leases.ts";

const url = "https://example.com/hooks";

let control: TestControl;
let tenant: Tenant;
let key: string;
let count = 0;

beforeAll(async () => {
  control = await startControl();
});

afterAll(() => control.stop());

beforeEach(async () => {
  tenant = await control.tenant(`tenant-${(count += 1)}`);
  key = await control.key(tenant.name);
  control.changes.length = 0;
});

describe("where it starts", () => {
  const positionOf = async (start: unknown) => {
    const { status, json } = await control.call("POST", "/endpoints", key, { url, start });
    return status === 201 ? Number(json?.["position"]) : [status, json];
  };

  test("latest is after all that was acknowledged before the call", async () => {
    await control.appendTo(tenant.id, 3);
    expect(await positionOf("latest")).toBe(3);
    expect(await positionOf(undefined)).toBe(3);
  });

  test("latest neither loses nor adds an event while others append", async () => {
    let acknowledged = 0;
    let going = true;
    const appending = (async () => {
      while (going) acknowledged += (await control.appendTo(tenant.id, 1)).length;
    })();
    for (let round = 0; round < 20; round += 1) {
      const before = acknowledged;
      const position = await positionOf("latest");
      expect(position).toBeGreaterThanOrEqual(before);
      // One append may have been committed and not yet been counted here.
      expect(position).toBeLessThanOrEqual(acknowledged + 1);
    }
    going = false;
    await appending;
  });

  test("earliest and a time are found in the log", async () => {
    await control.appendTo(tenant.id, 2);
    const log = createLog(control.database.sql);
    const second = await log.read(tenant.id, beginning, 2);
    if (second.kind !== "events") throw new Error("no events");
    await control.appendTo(tenant.id, 1);
    expect(await positionOf("earliest")).toBe(0);
    expect(await positionOf({ time: "2020-01-01T00:00:00Z" })).toBe(0);
    expect(await positionOf({ time: "0000-01-01T00:00:00Z" })).toBe(0);
    const after = new Date((second.events.at(-1)?.appendedAt ?? 0) + 1).toISOString();
    expect(await positionOf({ time: after })).toSatisfy((at: number) => at === 2 || at === 3);
    expect(await positionOf({ time: "2099-01-01T00:00:00+02:00" })).toBe(3);
  });

  test("what follows the position of an earliest start can be read", async () => {
    await control.appendTo(tenant.id, 2);
    const { uuid } = await create({ start: "earliest" });
    const { sql } = control.database;
    const view = (await viewPositions(sql, tenant.id, [uuid])).get(uuid);
    const read = await createLog(sql).read(tenant.id, view?.position ?? beginning, 10);
    expect(read).toMatchObject({ kind: "events", events: [{ sequence: 1 }, { sequence: 2 }] });
  });

  test("a cursor is continued, whatever its filter", async () => {
    await control.appendTo(tenant.id, 4);
    const cursor = await cursorAt(2, Buffer.alloc(7, 1));
    expect(await positionOf({ cursor })).toBe(2);
  });

  test("a cursor that no reader could continue from is refused", async () => {
    await control.appendTo(tenant.id, 2);
    const invalid = await control.call("POST", "/endpoints", key, { url, start: { cursor: "x" } });
    expect([invalid.status, invalid.slug]).toEqual([400, "cursor-invalid"]);
    const position = { sequence: 9, day: new Date().toISOString().slice(0, 10) };
    const content = { tenant: tenant.id, position, fingerprint: 1, filter: "any" as const };
    const start = { cursor: control.cursors.mint(content) };
    const ahead = await control.call("POST", "/endpoints", key, { url, start });
    expect([ahead.status, ahead.slug]).toEqual([410, "cursor-ahead"]);
    expect(ahead.json?.["latest_cursor"]).toBe(await cursorAt(2, Buffer.alloc(7)));
    expect(await positionOf({ cursor: ahead.json?.["oldest_cursor"] })).toBe(0);
  });

  async function cursorAt(sequence: number, filter: Buffer | "any"): Promise<string> {
    const log = createLog(control.database.sql);
    const read = await log.read(tenant.id, beginning, sequence);
    const event = read.kind === "events" ? read.events.at(-1) : undefined;
    if (event === undefined) throw new Error("no event");
    const fingerprint = eventFingerprint(event);
    return control.cursors.mint({ tenant: tenant.id, position: event, fingerprint, filter });
  }
});

describe("how it stands", () => {
  test("lag, retries and dead letters are counted", async () => {
    await control.appendTo(tenant.id, 3);
    const { id, uuid } = await create({ start: "earliest" });
    await control.database.sql`update positions set sequence = 1, day = current_date,
      last_failure_at = '2026-01-02T03:04:05.678Z', last_failure = '503' where consumer = ${uuid}`;
    await addRetry(uuid);
    await addDelivery(uuid, 2, "dead");
    await addDelivery(uuid, 3, "delivered");
    const { json } = await control.call("GET", `/endpoints/${id}`, key);
    expect(json).toMatchObject({
      position: "00000000000000000001",
      lag: { events: 2, seconds: expect.any(Number) },
      retrying: 1,
      dead: 1,
      last_success_at: null,
      last_failure: { at: "2026-01-02T03:04:05.678Z", error: "503" },
    });
    const view = (await viewPositions(control.database.sql, tenant.id, [uuid])).get(uuid);
    expect(view?.lag.seconds).toBeGreaterThan(0);
    expect(view?.lag.seconds).toBeLessThan(60);
  });

  test("lag is told across days, and from the floor where retention overtook", async () => {
    const { sql } = control.database;
    await sql`select create_partitions(current_date - 3, current_date)`;
    // Two events three days ago, one the day before yesterday, one today.
    await control.appendTo(tenant.id, 4);
    await sql`update events set day = current_date - 3, appended_at = now() - interval '3 days'
      where tenant = ${tenant.id} and sequence <= 2`;
    await sql`update events set day = current_date - 2, appended_at = now() - interval '2 days'
      where tenant = ${tenant.id} and sequence = 3`;
    await sql`delete from log_days where tenant = ${tenant.id}`;
    await sql`insert into log_days (tenant, day, first_sequence, first_at) values
      (${tenant.id}, current_date - 3, 1, now()), (${tenant.id}, current_date - 2, 3, now()),
      (${tenant.id}, current_date, 4, now())`;
    const { uuid } = await create({ start: "earliest" });
    const days = [];
    for (const sequence of [0, 1, 2, 3, 4]) {
      await sql`update positions set sequence = ${sequence} where consumer = ${uuid}`;
      const view = (await viewPositions(sql, tenant.id, [uuid])).get(uuid);
      days.push([view?.lag.events, Math.round((view?.lag.seconds ?? -1) / 86_400)]);
    }
    expect(days).toEqual([
      [4, 3],
      [3, 3],
      [2, 2],
      [1, 0],
      [0, 0],
    ]);
    await sql`update positions set sequence = 0 where consumer = ${uuid}`;
    await sql`update log_settings set oldest_day = current_date - 2`;
    const view = (await viewPositions(sql, tenant.id, [uuid])).get(uuid);
    expect(Math.round((view?.lag.seconds ?? 0) / 86_400)).toBe(2);
  });
});

describe("a move", () => {
  const retriesOf = async (uuid: string) =>
    (await control.database.sql`select from retries where endpoint = ${uuid}`).length;

  /** Moved, and not served yet. */
  async function moved(): Promise<{ uuid: string; of: Consumer; move: Moved }> {
    await control.appendTo(tenant.id, 1);
    const { uuid } = await create({});
    await addRetry(uuid);
    const of = { tenant: tenant.id, consumer: uuid };
    const to = { sequence: 1, day: new Date().toISOString().slice(0, 10) };
    const move = await movePosition(control.database.orm, { ...of, to, lastMatched: 1 });
    if (move === undefined) throw new Error("not moved");
    return { uuid, of, move };
  }

  test("clears away what was owed and is served, also when settings change meanwhile", async () => {
    const { orm } = control.database;
    const { uuid, of, move } = await moved();
    await bumpGeneration(orm, of);
    await skipOwed(orm, move);
    await serveMoved(orm, move);
    expect(await retriesOf(uuid)).toBe(0);
    expect(await statusOf(uuid)).toEqual(["active", null]);
  });

  test.each<[string, (of: Consumer) => Promise<unknown>, string]>([
    ["pause", (of) => stopServing(control.database.orm, pausing(of)), "paused"],
    ["resume", (of) => serve(control.database.orm, of), "active"],
    ["move", (of) => movePosition(control.database.orm, moving(of)), "paused"],
  ])("ends with a %s that comes after it", async (_, act, status) => {
    const { orm } = control.database;
    const { uuid, of, move } = await moved();
    await act(of);
    const [, reason] = await statusOf(uuid);
    await skipOwed(orm, move);
    await serveMoved(orm, move);
    expect(await retriesOf(uuid)).toBe(1);
    expect(await statusOf(uuid)).toEqual([status, reason]);
  });

  const pausing = (of: Consumer) => ({ ...of, status: "paused", reason: "mine" }) as const;
  const moving = (of: Consumer) => ({
    ...of,
    to: { sequence: 0, day: "1970-01-01" },
    lastMatched: 0,
  });

  async function statusOf(uuid: string) {
    const view = (await viewPositions(control.database.sql, tenant.id, [uuid])).get(uuid);
    return [view?.status, view?.statusReason];
  }
});

describe("disabling", () => {
  test("is done once, under the fence that the answer belongs to, and told", async () => {
    const { id, uuid } = await create({});
    const { process, fence } = await claimEndpoint(control.database.sql, tenant, uuid);
    const { disableEndpoint } = control.control;
    control.changes.length = 0;
    expect(await disableEndpoint(process, { ...fence, generation: 2 }, "410 Gone")).toBe(false);
    expect(await disableEndpoint(process, fence, "410 Gone")).toBe(true);
    expect(await disableEndpoint(process, fence, "again")).toBe(false);
    const { json } = await control.call("GET", `/endpoints/${id}`, key);
    expect(json).toMatchObject({ status: "disabled", status_reason: "410 Gone" });
    expect(await generationOf(id)).toBe(2);
    expect(control.changes).toHaveLength(1);
  });

  test.each([
    { what: "another epoch of the lease", outdate: raiseEpoch },
    { what: "another process", outdate: changeOwner },
    { what: "another generation", outdate: raiseGeneration },
  ])("is left to whoever drives it now: $what", async ({ outdate }) => {
    const { id, uuid } = await create({});
    const { sql } = control.database;
    const { process, fence } = await claimEndpoint(sql, tenant, uuid);
    await outdate(sql, fence);
    const before = await generationOf(id);
    control.changes.length = 0;
    expect(await control.control.disableEndpoint(process, fence, "410 Gone")).toBe(false);
    const { json } = await control.call("GET", `/endpoints/${id}`, key);
    expect(json).toMatchObject({ status: "active", status_reason: null });
    expect(await generationOf(id)).toBe(before);
    expect(control.changes).toEqual([]);
  });
});

async function create(body: object): Promise<{ id: string; uuid: string }> {
  const { status, json } = await control.call("POST", "/endpoints", key, { url, ...body });
  expect(status).toBe(201);
  const id = String(json?.["id"]);
  return { id, uuid: endpointUuid(id) ?? "" };
}

async function generationOf(id: string): Promise<number | undefined> {
  const [row] = await control.database.sql<{ generation: number }[]>`
    select generation from positions where consumer = ${endpointUuid(id) ?? null}`;
  return row?.generation;
}

async function addRetry(endpoint: string): Promise<void> {
  await control.database.sql`
    insert into retries (tenant, endpoint, sequence, day, attempts, previous, due_at,
      first_attempt_at, last_attempt_at)
    values (${tenant.id}, ${endpoint}, 1, current_date, 1, 0, now(), now(), now())`;
}

async function addDelivery(endpoint: string, sequence: number, status: string): Promise<void> {
  await control.database.sql`
    insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms)
    values (${tenant.id}, ${endpoint}, current_date, ${sequence}, ${status}, 1, 0, now(), now(),
      0, 0)`;
}
