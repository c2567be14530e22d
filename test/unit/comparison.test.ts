/** When each tenant is compared. The database is a function here, and a roster what it was told. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TenantId } from "../../src/log/event.ts";
import { startComparison } from "../../src/push/comparison.ts";
import type { InForce } from "../../src/push/endpoints.ts";
import type { Roster } from "../../src/push/roster.ts";
import { createLogger } from "../../src/telemetry/logger.ts";

const nothing: InForce = {
  ...{ pushesPerSecond: null, generations: new Map(), receipts: new Map(), replaying: new Set() },
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open() {
  const rosters = new Map<TenantId, Roster>();
  /** One for each statement: whom it asked for, and when. */
  const looks: { at: number; tenants: readonly TenantId[] }[] = [];
  const checkpoints: TenantId[] = [];
  const reloads: TenantId[] = [];
  const comparison = startComparison({
    rosters,
    log: createLogger({ level: "silent" }),
    limit: () => undefined,
    async inForce(tenants) {
      looks.push({ at: Date.now(), tenants });
      return new Map(tenants.map((tenant) => [tenant, nothing]));
    },
  });
  return { rosters, looks, checkpoints, reloads, comparison, add };

  function add(tenant: TenantId, isCurrent = true): void {
    const roster: Partial<Roster> = {
      isCurrent: () => isCurrent,
      checkpoint: () => void checkpoints.push(tenant),
      reload: () => void reloads.push(tenant),
      tellReplays: () => undefined,
      learn: () => undefined,
    };
    rosters.set(tenant, roster as Roster);
  }
}

const tenantOf = (n: number) => `tenant-${n}` as TenantId;

test("of thousands of tenants each is compared once in five seconds, a few at a time", async () => {
  const { looks, checkpoints, comparison, add } = open();
  for (let n = 0; n < 2_000; n += 1) add(tenantOf(n));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(looks.flatMap(({ tenants }) => tenants)).toEqual(
    Array.from({ length: 2_000 }, (_, n) => tenantOf(n)),
  );
  expect(checkpoints).toHaveLength(2_000);
  expect(Math.max(...looks.map(({ tenants }) => tenants.length))).toBeLessThanOrEqual(80);
  comparison.stop();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(checkpoints).toHaveLength(2_000);
});

test("a few tenants cost a statement each in five seconds, and none costs nothing", async () => {
  const { looks, comparison, add } = open();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(looks).toEqual([]);
  for (let n = 0; n < 3; n += 1) add(tenantOf(n));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looks.map(({ tenants }) => tenants)).toEqual([0, 1, 2, 0, 1, 2].map((n) => [tenantOf(n)]));
  comparison.stop();
});

test("those that come while others are compared wait no longer than those", async () => {
  const { looks, comparison, add } = open();
  for (let n = 0; n < 500; n += 1) add(tenantOf(n));
  await vi.advanceTimersByTimeAsync(2_000);
  const cameAt = Date.now();
  for (let n = 500; n < 1_000; n += 1) add(tenantOf(n));
  await vi.advanceTimersByTimeAsync(5_000);
  const firstOf = (n: number) => looks.find(({ tenants }) => tenants.includes(tenantOf(n)));
  for (let n = 500; n < 1_000; n += 1) {
    expect((firstOf(n)?.at ?? Infinity) - cameAt).toBeLessThanOrEqual(5_000);
  }
  comparison.stop();
});

test("a tenant whose endpoints are others by now is read anew", async () => {
  const { reloads, comparison, add } = open();
  add(tenantOf(1));
  add(tenantOf(2), false);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(reloads).toEqual([tenantOf(2)]);
  comparison.stop();
});
