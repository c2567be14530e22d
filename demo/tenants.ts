/** Sets a tenant up, with its keys, endpoints and four consumers, and plays it to the end. */
import { setTimeout as delay } from "node:timers/promises";
import { createApi, type Api } from "./api.ts";
import type { Gateway } from "./gateway.ts";
import type { Ledger } from "./ledger.ts";
import { poll } from "./poller.ts";
import { produce } from "./producer.ts";
import { startReceiver } from "./receiver.ts";
import { readStream } from "./stream-reader.ts";

/** The least that an endpoint can have, so that requests without an answer cost little. */
const flakyTimeoutMs = 1_000;

/** Where the machine is busy, what waits with the gateway does not wait for an answer. */
const flakyInFlight = 10;

const lookEveryMs = 200;

type Endpoint = { readonly id: string; readonly secret: string };

type EndpointState = {
  readonly lag: { readonly events: number };
  readonly retrying: number;
  readonly dead: number;
};

export type Stage = {
  readonly gateway: Gateway;
  readonly ledger: Ledger;
  readonly seed: number;
  readonly signal: AbortSignal;
};

export type Tenant = {
  /** Appends everything; ends when every consumer has it and no endpoint owes anything. */
  play(): Promise<void>;
  stop(): Promise<void>;
};

export async function openTenant(stage: Stage, tenant: string): Promise<Tenant> {
  const { gateway, ledger, seed, signal } = stage;
  const operator = createApi(gateway.url, gateway.operatorKey, signal);
  await operator.send("PUT", `/tenants/${tenant}`);
  const producer = await apiOf("append");
  const reader = await apiOf("read");
  const steady = await openReceiver("steady", {});
  const flaky = await openReceiver("flaky", {
    timeout_ms: flakyTimeoutMs,
    max_in_flight: flakyInFlight,
  });

  return {
    play,
    stop: async () => {
      await Promise.all([steady.stop(), flaky.stop()]);
    },
  };

  async function apiOf(scope: string): Promise<Api> {
    const body = { tenant, scopes: [scope] };
    const { key } = await operator.send<{ key: string }>("POST", "/keys", body);
    return createApi(gateway.url, key, signal);
  }

  async function openReceiver(consumer: "steady" | "flaky", settings: object) {
    const receiver = await startReceiver({ consumer, tenant, ledger, seed });
    const body = { tenant, url: receiver.url, ...settings };
    const { id, secret } = await operator.send<Endpoint>("POST", "/endpoints", body);
    receiver.trust(secret);
    return { id, consumer, stop: receiver.stop };
  }

  async function play(): Promise<void> {
    const shared = { tenant, ledger, seed, signal };
    await Promise.all([
      produce({ ...shared, api: producer }),
      poll({ ...shared, api: reader }),
      readStream({ ...shared, api: reader }),
      settled(steady),
      settled(flaky),
    ]);
  }

  /** Everything has arrived, and the gateway agrees that nothing is left to be sent. */
  async function settled(endpoint: { id: string; consumer: "steady" | "flaky" }): Promise<void> {
    const { id, consumer } = endpoint;
    const total = ledger.plan(tenant).length;
    for (;;) {
      await delay(lookEveryMs, undefined, { signal });
      if (ledger.takenOf(consumer, tenant).size < total) continue;
      const state = await operator.send<EndpointState>("GET", `/endpoints/${id}`);
      if (state.dead > 0) throw new Error(`${state.dead} events were given up for ${consumer}`);
      if (state.lag.events === 0 && state.retrying === 0) return;
    }
  }
}
