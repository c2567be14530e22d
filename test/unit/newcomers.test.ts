/** Who is looked up when logs move, and how often. The database is a set of tenants here. */
import { expect, test } from "vitest";
import type { TenantId } from "../../src/log/event.ts";
import type { InForce } from "../../src/push/endpoints.ts";
import { createNewcomers } from "../../src/push/newcomers.ts";
import { createLogger } from "../../src/telemetry/logger.ts";

const shard = 7;
const acme = "acme" as TenantId;
const other = "other" as TenantId;
const third = "third" as TenantId;
const anEndpoint = {} as InForce;

function open() {
  const having = new Set<TenantId>();
  const looks: TenantId[][] = [];
  const found: TenantId[] = [];
  let failures = 0;
  const newcomers = createNewcomers({
    log: createLogger({ level: "silent" }),
    found: (tenant) => void found.push(tenant),
    async inForce(tenants) {
      looks.push([...tenants]);
      const answer = new Map(tenants.filter((id) => having.has(id)).map((id) => [id, anEndpoint]));
      await settled();
      if (failures > 0) {
        failures -= 1;
        throw new Error("no database");
      }
      return answer;
    },
  });
  return { newcomers, having, looks, found, failNext: () => (failures += 1) };
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await settled();
}

test("those that come while one look is under way are looked up together", async () => {
  const { newcomers, having, looks, found } = open();
  having.add(other);
  for (const tenant of [acme, other, third, other]) newcomers.moved(tenant, shard);
  await settle();
  expect(looks).toEqual([[acme], [other, third]]);
  expect(found).toEqual([other]);
});

test("a tenant without endpoints is not looked up with each of its events", async () => {
  const { newcomers, having, looks, found } = open();
  newcomers.moved(acme, shard);
  await settle();
  for (let n = 0; n < 5; n += 1) newcomers.moved(acme, shard);
  await settle();
  expect(looks).toEqual([[acme]]);
  having.add(acme); // and nobody tells of it
  newcomers.lookAgain();
  await settle();
  expect(looks).toEqual([[acme], [acme]]);
  expect(found).toEqual([acme]);
});

test("who has not moved since is not looked up again", async () => {
  const { newcomers, looks } = open();
  newcomers.moved(acme, shard);
  await settle();
  newcomers.lookAgain();
  await settle();
  expect(looks).toEqual([[acme]]);
  newcomers.moved(acme, shard);
  await settle();
  expect(looks).toEqual([[acme], [acme]]);
});

test("an endpoint that is told of while its tenant is looked up is found", async () => {
  const { newcomers, having, looks, found } = open();
  newcomers.moved(acme, shard);
  having.add(acme); // read before
  newcomers.changed(acme, shard);
  await settle();
  expect(looks).toEqual([[acme], [acme]]);
  expect(found).toEqual([acme]);
});

test("a look that fails is made again", async () => {
  const { newcomers, having, found, failNext } = open();
  having.add(acme);
  failNext();
  newcomers.moved(acme, shard);
  await expect.poll(() => found).toEqual([acme]);
});
