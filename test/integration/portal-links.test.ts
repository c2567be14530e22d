/** Portal links: a key of one tenant for a while, which dies with the key that made it. */
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPortalLinkChore } from "../../src/control/portal-links/links.ts";
import { openDatabase, type Database } from "../../src/db/database.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { openSse } from "../support/sse.ts";
import { waitUntil } from "../support/wait.ts";

const deadlineMs = 20_000;

let gateway: TestGateway;
/** Another process of the same installation, which hears nothing of the first. */
let second: TestGateway;
let database: Database;
let log = "";

beforeAll(async () => {
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  gateway = await startTestGateway({ TIDEGATE_ROLES: "api", LOG_LEVEL: "trace" }, destination);
  second = await startTestGateway({
    ...gateway.environment,
    LOG_LEVEL: "error",
    TIDEGATE_PUBLIC_URL: "https://feeds.example.com/tidegate//",
  });
  database = openDatabase(gateway.databaseUrl, { connections: 2, name: "test" });
});

afterAll(async () => {
  await database?.stop();
  await second?.stop();
  await gateway?.stop();
});

async function tenantWithKey(name: string, more: object = {}) {
  await gateway.createTenant(name);
  const body = { tenant: name, scopes: ["manage"], ...more };
  const { id, key } = await succeed(gateway.call("POST", "/keys", { body }));
  return { id: String(id), key: String(key) };
}

async function makeLink(key: string, body: object = {}, at = gateway) {
  const made = await at.call("POST", "/portal-links", { key, body });
  expect(made.status).toBe(201);
  const { url, expires_at: expiresAt } = made.json as { url: string; expires_at: string };
  const token = new URLSearchParams(new URL(url).hash.slice(1)).get("token") ?? "";
  expect(token).toMatch(/^tg_pl_[\w-]{32}$/);
  return { url: url.replace(token, "…"), token, inMs: Date.parse(expiresAt) - Date.now(), made };
}

async function statusWith(key: string, at = gateway): Promise<number> {
  return (await at.call("GET", "/endpoints", { key })).status;
}

describe("a portal link", () => {
  test("leads to the tenant's page, with a key for all of the tenant and nothing else", async () => {
    const { key } = await tenantWithKey("acme");
    await gateway.createTenant("globex");
    const { url, token, inMs, made } = await makeLink(key);
    expect(Object.keys(made.json ?? {})).toEqual(["url", "expires_at"]);
    expect(url).toBe(`${gateway.url}/portal/tenants/acme#token=…`);
    expect(Math.abs(inMs - 3_600_000)).toBeLessThan(120_000);

    for (const at of [gateway, second]) {
      expect(await statusWith(token, at)).toBe(200);
      expect((await at.call("GET", "/endpoints?tenant=acme", { key: token })).status).toBe(200);
      const other = await at.call("GET", "/endpoints?tenant=globex", { key: token });
      expect([other.status, other.slug]).toEqual([404, "unknown-tenant"]);
      expect((await at.call("GET", "/tenants", { key: token })).slug).toBe("scope-missing");
    }
    const ticket = await gateway.call("POST", "/tickets", { key: token });
    expect(ticket.status).toBe(201);
  });

  test("stands under the public URL, where there is one", async () => {
    const { key } = await tenantWithKey("public");
    const { url } = await makeLink(key, {}, second);
    expect(url).toBe("https://feeds.example.com/tidegate/portal/tenants/public#token=…");
  });

  test("is made by whoever may manage the tenant, or names it as an operator", async () => {
    const { key } = await tenantWithKey("who");
    for (const scope of ["append", "read", "receive"]) {
      const weak = await gateway.createKey("who", [scope]);
      const refused = await gateway.call("POST", "/portal-links", { key: weak });
      expect([scope, refused.slug]).toEqual([scope, "scope-missing"]);
    }
    const body = { tenant: "who" };
    const { token } = await makeLink(gateway.operatorKey, body);
    expect((await gateway.call("GET", "/tenants", { key: token })).slug).toBe("scope-missing");
    expect(await statusWith(token)).toBe(200);
    expect((await gateway.call("POST", "/portal-links", { body: {} })).slug).toBe(
      "tenant-required",
    );
    await gateway.createTenant("not-its-own");
    const foreign = await gateway.call("POST", "/portal-links", {
      key,
      body: { tenant: "not-its-own" },
    });
    expect([foreign.status, foreign.slug]).toEqual([404, "unknown-tenant"]);
  });

  test("lives from a second to a day", async () => {
    const { key } = await tenantWithKey("bounds");
    for (const ttl_seconds of [0, 86_401, 1.5, "60"]) {
      const refused = await gateway.call("POST", "/portal-links", { key, body: { ttl_seconds } });
      expect([ttl_seconds, refused.status]).toEqual([ttl_seconds, 422]);
    }
    const { inMs } = await makeLink(key, { ttl_seconds: 86_400 });
    expect(Math.abs(inMs - 86_400_000)).toBeLessThan(120_000);
  });

  test("expires with its time, and its stream ends", async () => {
    const { key } = await tenantWithKey("brief");
    const { token } = await makeLink(key, { ttl_seconds: 2 });
    const stream = openSse(Number(new URL(gateway.url).port), "/events/stream", token);
    await stream.waitFor((blocks) => blocks.length > 0);
    await waitUntil(stream.isEnded, { deadlineMs, what: "the end of the stream" });
    expect(stream.blocks().at(-1)?.data).toContain('/unauthorized"');
    expect([await statusWith(token), await statusWith(token, second)]).toEqual([401, 401]);
  });

  test("ends no later than the key that made it, nor than the link it was made with", async () => {
    const expires_at = new Date(Date.now() + 600_000).toISOString();
    const { key } = await tenantWithKey("inherits", { expires_at });
    const first = await makeLink(key);
    expect(first.made.json?.["expires_at"]).toBe(expires_at);
    const shorter = await makeLink(key, { ttl_seconds: 60 });
    const next = await makeLink(shorter.token, { ttl_seconds: 86_400 });
    expect(next.made.json?.["expires_at"]).toBe(shorter.made.json?.["expires_at"]);
  });

  test("dies with the key that made it, and so does what was made with it", async () => {
    const { id, key } = await tenantWithKey("revoked");
    const kept = await makeLink(gateway.operatorKey, { tenant: "revoked" });
    const link = await makeLink(key);
    const next = await makeLink(link.token);
    const tokens = [link.token, next.token];
    for (const token of tokens) expect(await statusWith(token, second)).toBe(200);
    await succeed(gateway.call("DELETE", `/keys/${id}`));
    for (const token of tokens) {
      expect(await statusWith(token)).toBe(401);
      const isRefused = async () => (await statusWith(token, second)) === 401;
      await waitUntil(isRefused, { deadlineMs: 5_000, what: "the refusal in the other process" });
      const again = await gateway.call("POST", "/portal-links", { key: token });
      expect(again.status).toBe(401);
    }
    expect(await statusWith(kept.token)).toBe(200);
  });

  test("ends with the operator key that is configured no more, and with its tenant", async () => {
    const own = await startTestGateway({ TIDEGATE_ROLES: "api" });
    await own.createTenant("acme");
    const { token } = await makeLink(own.operatorKey, { tenant: "acme" }, own);
    const TIDEGATE_OPERATOR_KEY = `${own.operatorKey}-changed`;
    const changed = await startTestGateway({ ...own.environment, TIDEGATE_OPERATOR_KEY });
    expect(await statusWith(token, changed)).toBe(401);
    const { token: next } = await makeLink(changed.operatorKey, { tenant: "acme" }, changed);
    await succeed(changed.call("DELETE", "/tenants/acme"));
    expect(await statusWith(next, changed)).toBe(401);
    const rows = await database.sql`select from keys where maker is null and tenant is null`;
    expect(rows).toHaveLength(1);
    await changed.stop();
    await own.stop();
  });

  test("is no key to whoever lists, finds or revokes keys", async () => {
    const { id, key } = await tenantWithKey("hidden");
    const { token } = await makeLink(key);
    const [link] = await database.sql<{ id: string }[]>`
      select id from keys where maker is not null
        and tenant = (select id from tenants where name = 'hidden')`;
    const listed = await succeed(gateway.call("GET", "/keys", { key }));
    expect((listed["keys"] as { id: string }[]).map((each) => each.id)).toEqual([id]);
    for (const as of [key, token, gateway.operatorKey]) {
      const refused = await gateway.call("DELETE", `/keys/${link?.id}`, { key: as });
      expect([refused.status, refused.slug]).toEqual([404, "not-found"]);
    }
    const found = await succeed(gateway.call("GET", `/search?q=${link?.id}`));
    expect(JSON.stringify(found)).not.toContain("hidden");
    expect(await statusWith(token)).toBe(200);
  });

  test("is one of as many as a tenant may have, and is taken away when it is over", async () => {
    const { id, key } = await tenantWithKey("many");
    const { token } = await makeLink(key);
    const { count } = await database.sql`
      insert into keys (id, hash, tenant, scopes, maker, expires_at)
      select 'filler_' || n, sha256(n::text::bytea), tenant, scopes, maker, expires_at
      from keys, generate_series(1, 9999) n
      where maker is not null and tenant = (select id from tenants where name = 'many')`;
    expect(count).toBe(9_999);
    const refused = await gateway.call("POST", "/portal-links", { key });
    expect([refused.status, refused.json]).toMatchObject([
      429,
      { limit: "portal_links", value: 10_000 },
    ]);
    await database.sql`update keys set expires_at = now() where id = 'filler_1'`;
    await makeLink(key);

    await database.sql`update keys set expires_at = now() where id like 'filler_%'`;
    const chore = createPortalLinkChore(database);
    const isDone = async () => (await chore.run({ isHeld: () => true })) === "done";
    await waitUntil(isDone, { deadlineMs, what: "the end of those that are over" });
    const left = await database.sql<{ id: string }[]>`
      select id from keys where tenant = (select id from tenants where name = 'many')`;
    expect(left).toHaveLength(3);
    expect(left.map((row) => row.id)).toContain(id);
    expect(await statusWith(token)).toBe(200);
  });

  test("is in no log and in no table", async () => {
    const { key } = await tenantWithKey("secret");
    const { token } = await makeLink(key);
    await statusWith(token);
    await statusWith(`${token}x`);
    const isLogged = () => log.includes("createPortalLink") && log.includes('"tenant":"secret"');
    await waitUntil(isLogged, { deadlineMs, what: "the requests in the log" });
    expect(log).not.toContain("tg_pl_");
    const rows = await database.sql<{ text: string }[]>`select k::text as text from keys k`;
    expect(JSON.stringify(rows)).not.toContain("tg_pl_");
  });
});
