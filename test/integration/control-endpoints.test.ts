/** Endpoints, through their routes on a real Postgres. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { endpointUuid, openHeaders, openSecrets } from "../../src/deliveries/endpoint.ts";
import { disable } from "../../src/deliveries/positions.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { listed, operator, startControl, type TestControl } from "../support/control.ts";
import { claimEndpoint } from "../support/leases.ts";

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

describe("creating", () => {
  test("an endpoint with nothing but a URL gets the defaults and a secret", async () => {
    const { status, json, headers } = await control.call("POST", "/endpoints", key, { url });
    expect(status).toBe(201);
    const { secret, ...shown } = json ?? {};
    expect(shown).toEqual({
      id: expect.stringMatching(/^ep_[0-9a-f]{32}$/),
      tenant: tenant.name,
      url,
      types: null,
      subjects: null,
      description: null,
      metadata: {},
      header_names: [],
      timeout_ms: 5000,
      max_in_flight: 50,
      rate_per_second: null,
      retry_schedule: null,
      give_up_after: null,
      drain_dead_letters: true,
      require_receipt: false,
      receipt_timeout_ms: 300_000,
      ordering: "parallel",
      signature: "v1",
      format: "json",
      status: "active",
      status_reason: null,
      circuit: { state: "closed", since: null, next_probe_at: null },
      position: "0".repeat(20),
      lag: { events: 0, seconds: 0 },
      in_flight: 0,
      retrying: 0,
      dead: 0,
      last_success_at: null,
      last_failure: null,
      created_at: expect.stringMatching(/\.\d{3}Z$/),
      updated_at: expect.stringMatching(/\.\d{3}Z$/),
    });
    expect(headers.get("location")).toBe(`/endpoints/${String(shown["id"])}`);
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
    expect((await control.call("GET", `/endpoints/${String(shown["id"])}`, key)).json).toEqual(
      shown,
    );
    const again = await control.call("GET", `/endpoints/${String(shown["id"])}/secret`, key);
    expect(again.json).toEqual({ secret, previous_expires_at: null });
    const change = { what: "endpoints", tenant: tenant.id, shard: tenant.shard };
    expect(control.changes).toEqual([change]);
  });

  test("all that is set is kept and shown, except for what headers say", async () => {
    const settings = {
      url: `${url}?a=b`,
      types: ["order.*", "invoice.paid"],
      subjects: ['quo"te', "a,b", "{c}", "NULL", " ", "ü", "back\\slash"],
      description: "two\nlines",
      metadata: { team: "billing", "with space": "" },
      timeout_ms: 30_000,
      max_in_flight: 1,
      rate_per_second: 0.25,
      retry_schedule: ["5s", "90s", "60m", "1500ms", "24h"],
      give_up_after: "36h",
      drain_dead_letters: false,
      require_receipt: true,
      receipt_timeout_ms: 60_000,
      ordering: "subject",
      format: "cloudevents",
    };
    const headers = { Authorization: "Bearer s3cret", "x-b": "1" };
    const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
    const body = { ...settings, headers, secret, tenant: tenant.name };
    const { status, json } = await control.call("POST", "/endpoints", operator, body);
    expect(status).toBe(201);
    expect(json).toMatchObject({
      ...settings,
      retry_schedule: ["5s", "90s", "1h", "1500ms", "24h"],
      header_names: ["authorization", "x-b"],
      secret,
    });
    expect(JSON.stringify(json)).not.toContain("s3cret");

    const uuid = endpointUuid(String(json?.["id"])) ?? "";
    const [row] = await control.database.sql<{ headers: Buffer; secrets: Buffer; row: string }[]>`
      select headers, secrets, e::text as row from endpoints e where id = ${uuid}`;
    if (row === undefined) throw new Error("not stored");
    expect(openHeaders(control.ring, uuid, row.headers)).toEqual({
      authorization: "Bearer s3cret",
      "x-b": "1",
    });
    expect(openSecrets(control.ring, uuid, row.secrets)).toEqual([{ secret, expiresAt: null }]);
    expect(row.row).not.toContain(Buffer.from("s3cret").toString("hex"));
  });

  test.each([
    [{}, "/url"],
    [{ url: "ftp://example.com" }, "/url"],
    [{ url, types: [] }, "/types"],
    [{ url, types: ["*"] }, "/types/0"],
    [{ url, types: ["a.*.b"] }, "/types/0"],
    [{ url, subjects: ["a\u0000"] }, "/subjects/0"],
    [{ url, subjects: ["\ud800"] }, "/subjects/0"],
    [{ url, metadata: { a: 1 } }, "/metadata/a"],
    [
      { url, metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [i, ""])) },
      "/metadata",
    ],
    [{ url, headers: { Host: "x" } }, "/headers/Host"],
    [{ url, headers: { "Webhook-Id": "x" } }, "/headers/Webhook-Id"],
    [{ url, headers: { "x-a": "b\r\nx-c: d" } }, "/headers/x-a"],
    [{ url, headers: { "x-a": "1", "X-A": "2" } }, "/headers/X-A"],
    [{ url, secret: "whsec_short" }, "/secret"],
    [{ url, timeout_ms: 999 }, "/timeout_ms"],
    [{ url, timeout_ms: 30_001 }, "/timeout_ms"],
    [{ url, max_in_flight: 0 }, "/max_in_flight"],
    [{ url, retry_schedule: ["999ms"] }, "/retry_schedule/0"],
    [{ url, retry_schedule: ["25h"] }, "/retry_schedule/0"],
    [{ url, retry_schedule: ["soon"] }, "/retry_schedule/0"],
    [{ url, format: "xml" }, "/format"],
    [{ url, start: "now" }, "/start"],
    [{ url, start: { time: "yesterday" } }, "/start/time"],
    [{ url, rate_per_second: 0 }, "/rate_per_second"],
    [{ url, rate_per_second: 10_001 }, "/rate_per_second"],
    [{ url, give_up_after: "2d" }, "/give_up_after"],
    [{ url, give_up_after: "697h" }, "/give_up_after"],
    [{ url, ordering: "lifo" }, "/ordering"],
    [{ url, signature: "v2" }, "/signature"],
    [{ url, signature: "v1a", secret: `whsec_${"A".repeat(32)}` }, "/secret"],
    [{ url, secret: `whsk_${Buffer.alloc(32, 7).toString("base64")}` }, "/secret"],
    [{ url, require_receipt: "yes" }, "/require_receipt"],
    [{ url, receipt_timeout_ms: 999 }, "/receipt_timeout_ms"],
    [{ url, receipt_timeout_ms: 86_400_001 }, "/receipt_timeout_ms"],
  ])("%j is refused at %s", async (body, pointer) => {
    const answer = await control.call("POST", "/endpoints", key, body);
    expect([answer.status, answer.slug]).toEqual([422, "invalid"]);
    expect(answer.json?.["errors"]).toMatchObject([{ pointer }]);
    expect((await control.call("GET", "/endpoints", key)).json?.["endpoints"]).toEqual([]);
  });

  test("one that signs v1a shows the public key and nothing of the private one", async () => {
    const secret = `whsk_${Buffer.alloc(32, 7).toString("base64")}`;
    const given = { url, signature: "v1a", secret };
    const { status, json } = await control.call("POST", "/endpoints", key, given);
    expect(status).toBe(201);
    expect(json).toMatchObject({ signature: "v1a", secret: expect.stringMatching(/^whpk_/) });
    const id = String(json?.["id"]);
    const shown = await control.call("GET", `/endpoints/${id}/secret`, key);
    expect(shown.json).toEqual({ secret: json?.["secret"], previous_expires_at: null });
    const generated = await control.call("POST", "/endpoints", key, { url, signature: "v1a" });
    expect(generated.json?.["secret"]).toMatch(/^whpk_[\w+/]{43}=$/);
    expect(generated.json?.["secret"]).not.toBe(json?.["secret"]);
  });

  test("a schedule may not outlast retention", async () => {
    const retry_schedule = Array.from({ length: 22 }, () => "24h");
    expect((await control.call("POST", "/endpoints", key, { url, retry_schedule })).status).toBe(
      201,
    );
    const short = await control.another({ retentionDays: 22 });
    const answer = await short.api.call("POST", "/endpoints", key, { url, retry_schedule });
    expect(answer.json?.["errors"]).toMatchObject([{ pointer: "/retry_schedule" }]);
  });

  test("an address that delivery would refuse is refused", async () => {
    const answer = await control.call("POST", "/endpoints", key, { url: "http://10.0.0.1/" });
    expect([answer.status, answer.slug]).toEqual([422, "address-not-allowed"]);
  });

  test("operators have to name the tenant", async () => {
    const answer = await control.call("POST", "/endpoints", operator, { url });
    expect([answer.status, answer.slug]).toEqual([400, "tenant-required"]);
  });
});

describe("changing", () => {
  test("a merge-patch changes what it names, member by member", async () => {
    const { id } = await create({ headers: { "x-a": "1", "x-b": "2" }, metadata: { a: "1" } });
    const body = {
      types: ["order.*"],
      headers: { "X-A": null, "x-c": "3" },
      metadata: { b: "2" },
      timeout_ms: 1000,
    };
    const changed = await control.call("PATCH", `/endpoints/${id}`, key, body);
    expect(changed.json).toMatchObject({
      types: ["order.*"],
      header_names: ["x-b", "x-c"],
      metadata: { a: "1", b: "2" },
      timeout_ms: 1000,
    });
    const reset = { types: null, headers: null, metadata: null, timeout_ms: null };
    const defaults = await control.call("PATCH", `/endpoints/${id}`, key, reset);
    expect(defaults.json).toMatchObject({
      types: null,
      header_names: [],
      metadata: {},
      timeout_ms: 5000,
    });
  });

  test("only a change that matters to delivery voids work in flight", async () => {
    const { id } = await create({ headers: { "x-a": "1" } });
    const patch = (body: unknown) => control.call("PATCH", `/endpoints/${id}`, key, body);
    await patch({ description: "x", metadata: { a: "1" } });
    await patch({ url, headers: { "x-a": "1" }, types: null });
    expect(await generationOf(id)).toBe(1);
    const bodies = [{ url: `${url}2` }, { headers: { "x-a": "2" } }, { types: ["a"] }];
    bodies.push(...([{ max_in_flight: 9 }, { retry_schedule: [] }] as never[]));
    bodies.push(...([{ rate_per_second: 9 }, { ordering: "fifo" }] as never[]));
    for (const body of bodies) await patch(body);
    expect(await generationOf(id)).toBe(8);
  });

  test("a change that matters to delivery has an open circuit probed, and disabling leaves it", async () => {
    const { id, uuid } = await create({});
    const { sql } = control.database;
    await sql`update positions set circuit = 'open', circuit_since = '2026-01-02T03:04:05.678Z',
      circuit_probe_at = '2026-01-02T03:05:05.678Z', circuit_probes = 3, in_flight = 2,
      failing_since = now(), outage_since = now() where consumer = ${uuid}`;
    const { process, fence } = await claimEndpoint(sql, tenant, uuid);
    expect(await disable(sql, { ...fence, process, reason: "410 Gone" })).toBe(true);
    const disabled = await control.call("GET", `/endpoints/${id}`, key);
    expect(disabled.json).toMatchObject({
      in_flight: 0,
      circuit: {
        state: "open",
        since: "2026-01-02T03:04:05.678Z",
        next_probe_at: "2026-01-02T03:05:05.678Z",
      },
    });
    const path = `/endpoints/${id}`;
    const noted = await control.call("PATCH", path, key, { description: "x" });
    expect(noted.json?.["circuit"]).toMatchObject({ state: "open" });
    // No secret ends an outage, though it voids what is under way.
    expect((await control.call("POST", `${path}/rotate-secret`, key)).status).toBe(200);
    expect(await generationOf(id)).toBe(3);
    const rotated = await control.call("GET", path, key);
    expect(rotated.json?.["circuit"]).toMatchObject({ state: "open" });
    const changed = await control.call("PATCH", path, key, { timeout_ms: 9_000 });
    const circuit = changed.json?.["circuit"] as Record<string, string>;
    expect(circuit).toMatchObject({ state: "open", since: "2026-01-02T03:04:05.678Z" });
    expect(Math.abs(Date.parse(circuit["next_probe_at"] ?? "") - Date.now())).toBeLessThan(60_000);
    const [row] = await sql`select failing_since, circuit_probes, outage_since is null as over
      from positions where consumer = ${uuid}`;
    expect(row).toEqual({ failing_since: null, circuit_probes: 0, over: false });
  });

  test("of patches at once none is lost", async () => {
    const { id } = await create({});
    const names = Array.from({ length: 8 }, (_, index) => `x-${index}`);
    await Promise.all(
      names.map((name) =>
        control.call("PATCH", `/endpoints/${id}`, key, { headers: { [name]: "1" } }),
      ),
    );
    const { json } = await control.call("GET", `/endpoints/${id}`, key);
    expect(json?.["header_names"]).toEqual(names);
    expect(await generationOf(id)).toBe(9);
  });

  test("what a new endpoint may not have, a changed one may not either", async () => {
    const { id } = await create({});
    for (const [body, slug] of [
      [{ url: "http://10.0.0.1" }, "address-not-allowed"],
      [{ url: null }, "invalid"],
      [{ headers: { host: "a" } }, "invalid"],
      [{ secret: "whsec_" }, "invalid"],
      [{ start: "latest" }, "invalid"],
      [{ signature: "v1a" }, "invalid"],
      [{ give_up_after: "697h" }, "invalid"],
    ] as const) {
      const answer = await control.call("PATCH", `/endpoints/${id}`, key, body);
      expect([answer.status, answer.slug]).toEqual([422, slug]);
    }
    expect(await generationOf(id)).toBe(1);
  });
});

describe("removing", () => {
  test("an endpoint goes with its position and its retries", async () => {
    const { id, uuid } = await create({});
    await addRetry(uuid);
    expect((await control.call("DELETE", `/endpoints/${id}`, key)).status).toBe(204);
    const left = await control.database.sql`
      select id from endpoints where id = ${uuid}
      union all select consumer from positions where consumer = ${uuid}
      union all select endpoint from retries where endpoint = ${uuid}`;
    expect(left).toEqual([]);
    expect((await control.call("GET", `/endpoints/${id}`, key)).status).toBe(404);
    expect((await control.call("DELETE", `/endpoints/${id}`, key)).status).toBe(404);
    expect(control.changes).toHaveLength(2);
  });
});

describe("seeing", () => {
  test("another tenant's endpoint is as unknown as one that is not there", async () => {
    const { id } = await create({});
    const stranger = await control.tenant(`stranger-${count}`);
    const strange = await control.key(stranger.name);
    for (const method of ["GET", "PATCH", "DELETE"]) {
      const body = method === "PATCH" ? {} : undefined;
      const ask = (of: string) => control.call(method, `/endpoints/${of}`, strange, body);
      const foreign = await ask(id);
      expect(foreign.status).toBe(404);
      for (const absent of [`ep_${"0".repeat(32)}`, "ep_1", "whatever", id.toUpperCase()]) {
        expect((await ask(absent)).json).toEqual(foreign.json);
      }
    }
    expect((await control.call("GET", `/endpoints/${id}/secret`, strange)).status).toBe(404);
    const named = `/endpoints/${id}?tenant=${stranger.name}`;
    expect((await control.call("GET", named, operator)).status).toBe(404);
    expect((await control.call("GET", `/endpoints/${id}`, operator)).status).toBe(200);
  });

  test("keys without manage see nothing", async () => {
    const { id } = await create({});
    const receiver = await control.key(tenant.name, ["receive", "append"]);
    for (const path of ["/endpoints", `/endpoints/${id}`, `/endpoints/${id}/secret`]) {
      const answer = await control.call("GET", path, receiver);
      expect([answer.status, answer.slug]).toEqual([403, "scope-missing"]);
    }
  });

  test("the list pages through a tenant's endpoints, the oldest first", async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push((await create({})).id);
    const first = await control.call("GET", "/endpoints?limit=3", key);
    const cursor = String(first.json?.["cursor"]);
    const second = await control.call("GET", `/endpoints?limit=3&cursor=${cursor}`, key);
    expect([first.json?.["has_more"], second.json?.["has_more"]]).toEqual([true, false]);
    const shown = [first, second].flatMap((page) => listed(page, "endpoints"));
    expect(shown).toHaveLength(5);
    expect(new Set(shown.map(({ id }) => id))).toEqual(new Set(ids));
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
