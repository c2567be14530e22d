/** kill -9 in the middle of an erasure: what is told of it stays exact, and another goes on. */
import { expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { createClient } from "../support/client.ts";
import { fillTenant, rowsOf, tablesWith } from "../support/full-tenant.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { createDirectory, productionEnvironment, startGatewayProcess } from "../support/process.ts";
import { waitUntil } from "../support/wait.ts";

/** Twenty batches of events and more of the rest. */
const eventsPerDay = 20_000;
const events = 5 * eventsPerDay;

/** Until the dead process's lease has run out, and then for the rest. */
const deadlineMs = 60_000;

type Shown = { erasure: { events: { total: number; erased: number }; rows_erased: number } };

test("an erasure outlives the process that was at it", { timeout: 180_000 }, async () => {
  await using database = await createTestDatabase();
  await using directory = await createDirectory();
  const env = productionEnvironment(database.url);
  await using first = await startGatewayProcess({ directory: directory.path, env });
  const before = createClient(first.url, first.operatorKey);
  await before.tenant("acme");
  await before.tenant("globex");
  const { sql, stop } = openDatabase(database.url, { connections: 2, name: "test" });
  try {
    const acme = await fillTenant(sql, "acme", eventsPerDay);
    const globex = await fillTenant(sql, "globex", 100);
    const beside = await rowsOf(sql, globex);
    const all = await countsOf(acme);

    await before.expectOk("DELETE", "/tenants/acme");
    await waitUntil(async () => {
      const { json } = await before.call("GET", "/tenants/acme");
      return ((json as Shown).erasure.events.erased ?? 0) > events / 4;
    });
    await first.kill();
    const told = await toldOf(acme);
    expect(told.events).toBeGreaterThan(events / 4);
    expect(told.events).toBeLessThan(events);
    const left = await countsOf(acme);
    expect(told).toEqual({ events: all.events - left.events, rows: all.others - left.others });

    await using second = await startGatewayProcess({ directory: directory.path, env });
    const after = createClient(second.url, second.operatorKey);
    const { json } = await after.call("GET", "/tenants/acme");
    expect((json as Shown).erasure.events.erased).toBeGreaterThanOrEqual(told.events);
    await waitUntil(async () => (await after.call("GET", "/tenants/acme")).status === 404, {
      deadlineMs,
      what: "the end of the erasure",
    });
    expect(await tablesWith(sql, acme)).toEqual([]);
    expect(await rowsOf(sql, globex)).toEqual(beside);
  } finally {
    await stop();
  }

  async function toldOf(tenant: string) {
    const [row] = await sql<[{ events: number; rows: number }]>`
      select events_erased as events, rows_erased as rows from erasures where tenant = ${tenant}`;
    return row;
  }

  /** Of what an erasure counts: the head is what the log is known by, and the erasure its own. */
  async function countsOf(tenant: string) {
    const { heads: _, erasures: __, events: stored, ...others } = await rowsOf(sql, tenant);
    const sum = Object.values(others).reduce((total, { rows }) => total + rows, 0);
    return { events: stored?.rows ?? 0, others: sum };
  }
});
