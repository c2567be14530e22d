/**
 * Endpoints that accept and never answer, beside 10 customers whose endpoints are well and get 50
 * events a second each, an open loop. Those that hang get an event every few seconds, so that they
 * keep wanting slots; they are made anew for each turn, so none is known to be slow and no circuit
 * is open yet.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Worker } from "../worker.ts";
import type { HookOperations } from "../workers/hooks.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import type { Client } from "./client.ts";
import { createEndpoint, forEach, removeEndpoint, until, type MadeEndpoint } from "./endpoints.ts";
import { openHealthy, type HealthyTurn } from "./healthy.ts";
import type { Stage } from "./stage.ts";
import { count } from "./trial.ts";

/** Endpoints that hang, and which tenants they belong to. */
export type Crowd = {
  readonly name: string;
  readonly tenants: readonly string[];
  readonly size: number;
};

export type Hanging = {
  createTenants(crowds: readonly Crowd[]): Promise<void>;
  /** The healthy ones while nothing hangs; the same events are appended for those that would. */
  without(crowd: Crowd, seconds: number): Promise<HealthyTurn>;
  /** The same beside the crowd, which is made for it; what there is room for hangs then. */
  beside(crowd: Crowd, seconds: number, begin?: () => Promise<void>): Promise<Beside>;
};

export type Beside = {
  readonly turn: HealthyTurn;
  /** At those that hang, meanwhile. */
  readonly attempts: number;
  /** Takes the crowd away. */
  remove(): Promise<void>;
};

const healthyTenants = Array.from({ length: 10 }, (_, index) => `healthy-${index}`);

/** Of all of them. */
export const healthyPerSecond = 500;

/** Events of one append, where each endpoint that hangs has a tenant of its own. */
const trickleBatch = 50;

/** So many must hang before a turn, or nothing would be shown: fewer than have room. */
const hungMin = 100;
const patienceSeconds = 60;

export function crowdOfOne(size: number): Crowd {
  return { name: `${count(size)} of one tenant`, tenants: ["hung"], size };
}

export function crowdOfMany(size: number): Crowd {
  const tenants = Array.from({ length: size }, (_, index) => `hung-${index}`);
  return { name: `${count(size)} of as many tenants`, tenants, size };
}

export async function openHanging(
  place: Pick<Stage, "startWorker" | "key">,
  given: {
    gatewayUrl: string;
    client: Client;
    /** Every so often each endpoint that hangs gets an event. */
    trickleSeconds: number;
    /** Of their attempts; then what was under way has ended. */
    timeoutMs: number;
  },
): Promise<Hanging> {
  const { gatewayUrl, client, trickleSeconds, timeoutMs } = given;
  const healthy = await openHealthy(place, {
    ...{ gatewayUrl, client, tenants: healthyTenants, perSecond: healthyPerSecond },
  });
  const hooks: Worker<HookOperations> = place.startWorker("hooks");
  const producers: Worker<ProducerOperations> = place.startWorker("producers");
  const url = `${await hooks.call("open")}/hung`;
  await hooks.call("behave", { path: "/hung", behaviour: { kind: "hang" } });
  return { createTenants, without, beside };

  async function createTenants(crowds: readonly Crowd[]): Promise<void> {
    const names = new Set(crowds.flatMap(({ tenants }) => tenants));
    await forEach([...names], (tenant) => client.expect("PUT", `/tenants/${tenant}`, "{}"));
  }

  async function without({ tenants }: Crowd, seconds: number): Promise<HealthyTurn> {
    const [measured] = await Promise.all([healthy.turn(seconds), trickle(tenants, seconds)]);
    return measured;
  }

  async function beside(crowd: Crowd, seconds: number, begin?: () => Promise<void>) {
    const { tenants, size } = crowd;
    const endpoints: MadeEndpoint[] = [];
    const owners = Array.from({ length: size }, (_, at) => tenants[at % tenants.length] ?? "");
    await forEach(owners, async (tenant) => {
      endpoints.push(await createEndpoint(client, { tenant, url, timeout_ms: timeoutMs }));
    });
    await hooks.call("take");
    // What there is room for hangs when the turn begins, so that it shows the time with them and not
    // how they were made: that many changes of one tenant's endpoints take a while to be taken in.
    await trickle(tenants, trickleSeconds);
    await until("some hung", patienceSeconds, async () => {
      return (await hooks.call("count", {})) >= Math.min(size, hungMin);
    });
    await trickle(tenants, trickleSeconds);
    await hooks.call("take");
    await begin?.();
    const turn = await without(crowd, seconds);
    const attempts = await hooks.call("count", {});
    return { turn, attempts, remove };

    async function remove(): Promise<void> {
      await forEach(endpoints, (endpoint) => removeEndpoint(client, endpoint));
      await delay(timeoutMs);
    }
  }

  async function trickle(tenants: readonly string[], seconds: number): Promise<void> {
    const batch = Math.min(trickleBatch, tenants.length);
    const perSecond = tenants.length / trickleSeconds / batch;
    const { refused } = await producers.call("spray", {
      ...{ url: gatewayUrl, key: place.key, tenants, batch, perSecond, seconds },
    });
    if (refused > 0) throw new Error(`${refused} appends were refused`);
  }
}
