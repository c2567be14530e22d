/** Frames to send, and ways to see them arrive in spite of a promise that permits losing them. */

import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { EventsFrame, Fanout, Frame } from "../../src/fanout/fanout.ts";
import type { TenantId } from "../../src/log/event.ts";

/** A broker is noticed to be gone within seconds; a cluster on a busy machine elects for longer. */
export const recoveryMs = 40_000;

export function newTenant(): TenantId {
  return randomUUID() as TenantId;
}

export function eventsFrame(
  tenant: TenantId,
  shard: number,
  first: number,
  envelopes: readonly string[],
): EventsFrame {
  const events = envelopes.map((envelope, index) => {
    const common = { sequence: first + index, day: "2026-11-23", type: "order.paid" };
    return { ...common, subject: index === 0 ? null : "order/π", appendedAt: 1_790, envelope };
  });
  return { kind: "events", tenant, shard, first, last: first + events.length - 1, events };
}

/** A broker may be shared with other tests, so only one tenant's frames are collected. */
export function collect(
  fanout: Fanout,
  shard: number,
  tenant: TenantId,
): { frames: Frame[]; unsubscribe(): void } {
  const frames: Frame[] = [];
  const unsubscribe = fanout.subscribe(shard, (frame) => {
    if (frame.tenant === tenant) frames.push(frame);
  });
  return { frames, unsubscribe };
}

/** Returns when something published from now on `here` has arrived `there`. */
export async function framesFlow(here: Fanout, there: Fanout, shard: number): Promise<void> {
  const tenant = newTenant();
  const arrived = collect(there, shard, tenant);
  await expect
    .poll(
      () => {
        here.publish([{ kind: "changed", shard, tenant, what: "keys" }]);
        return arrived.frames.length > 0;
      },
      { timeout: recoveryMs },
    )
    .toBe(true);
  arrived.unsubscribe();
}

export async function isUp(...fanouts: readonly Fanout[]): Promise<void> {
  for (const fanout of fanouts) {
    await expect.poll(() => fanout.status().state, { timeout: recoveryMs }).toBe("up");
  }
}
