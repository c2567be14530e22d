/**
 * The fan-out of a single process. It gives the port's weak promise only, although today it brings
 * every frame once and in order; the JetStream adapter uses it for its own process's subscriptions.
 */

import type { Logger } from "../telemetry/logger.ts";
import type { Fanout, FanoutStatus, Frame, Receive } from "./fanout.ts";
import { createFaults } from "./faults.ts";

type Subscription = { readonly receive: Receive };

export function createMemoryFanout(options: { log?: Logger } = {}): Fanout {
  const since = Date.now();
  const faults = createFaults(options.log);
  const shards = new Map<number, Set<Subscription>>();
  let carried = 0;
  let stopped = false;
  return { publish, subscribe, status, stop };

  function publish(frames: readonly Frame[]): void {
    if (stopped) return;
    for (const frame of frames) deliver(frame);
    carried += frames.length;
  }

  function deliver(frame: Frame): void {
    const subscriptions = shards.get(frame.shard);
    if (subscriptions === undefined) return;
    // Over a copy, because a receiver may subscribe or unsubscribe, itself or others, meanwhile.
    for (const subscription of [...subscriptions]) {
      if (!subscriptions.has(subscription)) continue;
      try {
        subscription.receive(frame);
      } catch (error) {
        faults.report("threw", error);
      }
    }
  }

  function subscribe(shard: number, receive: Receive): () => void {
    if (stopped) return () => {};
    const subscriptions = shards.get(shard) ?? new Set();
    shards.set(shard, subscriptions);
    const subscription: Subscription = { receive };
    subscriptions.add(subscription);
    return () => {
      subscriptions.delete(subscription);
      // Another set may stand here by now, when this is called a second time.
      if (subscriptions.size === 0 && shards.get(shard) === subscriptions) shards.delete(shard);
    };
  }

  function status(): FanoutStatus {
    const { threw } = faults.counts();
    return {
      state: "up",
      since,
      counts: { carried, dropped: 0, failed: 0, unreadable: 0, threw },
    };
  }

  async function stop(): Promise<void> {
    stopped = true;
    for (const subscriptions of shards.values()) subscriptions.clear();
    shards.clear();
  }
}
