/**
 * The stage of a test in test/failures: a whole gateway, and tenants with one endpoint each, whose
 * receiver goes wrong in the way that the test says.
 */
import { afterAll, beforeAll } from "vitest";
import { createClient, type Client, type Json, type ShownEndpoint } from "./client.ts";
import { measure, type AppendedEvent, type Measured } from "./failure-report.ts";
import { startTestGateway } from "./gateway.ts";
import { startReceiver, type Behave, type Behaviour, type Receiver } from "./receiver.ts";

type Running = { readonly url: string; readonly operatorKey: string; readonly databaseUrl: string };

export type Target = {
  readonly tenant: string;
  readonly endpoint: ShownEndpoint;
  append(data?: unknown): Promise<AppendedEvent>;
  appendMany(count: number): Promise<AppendedEvent[]>;
  /** Waits until the endpoint is as wanted. */
  until(
    isWanted: (endpoint: ShownEndpoint) => boolean,
    deadlineMs?: number,
  ): Promise<ShownEndpoint>;
  /** Waits until every event of the tenant is delivered, dead or passed over, and none retried. */
  settled(events: readonly AppendedEvent[], deadlineMs?: number): Promise<ShownEndpoint>;
  /** What became of these events. */
  measure(events: readonly AppendedEvent[], ...receivers: Receiver[]): Promise<Measured>;
};

/** As many as one request may carry. */
const batchMaxEvents = 1_000;

let tenants = 0;

/** Registers the hooks that start the gateway and close what tests open. */
export function failureStage(
  start: (opened: AsyncDisposableStack) => Promise<Running> = inProcess,
) {
  /** Closed after the last test and not after each: tests of a file may run side by side. */
  const opened = new AsyncDisposableStack();
  let gateway: Running;
  let client: Client;

  beforeAll(async () => {
    gateway = await start(opened);
    client = createClient(gateway.url, gateway.operatorKey);
  });
  afterAll(() => opened.disposeAsync());

  return { receiverThat, targetAt, pushTo, open, client: () => client };

  /** Closed when the file's tests are over. */
  function open<Resource extends AsyncDisposable>(resource: Resource): Resource {
    return opened.use(resource);
  }

  async function receiverThat(
    behaviour?: Behaviour | Behave,
    options?: Parameters<typeof startReceiver>[1],
  ): Promise<Receiver> {
    return open(await startReceiver(behaviour, options));
  }

  /** A tenant whose one endpoint is at this URL. */
  async function targetAt(url: string, settings: Json = {}): Promise<Target> {
    tenants += 1;
    const tenant = `tenant_${tenants}`;
    await client.tenant(tenant);
    const endpoint = await client.createEndpoint(tenant, { url, ...settings });
    return targetOf(tenant, endpoint);
  }

  async function pushTo(
    behaviour: Behaviour | Behave,
    settings: Json = {},
  ): Promise<Target & { readonly receiver: Receiver }> {
    const receiver = await receiverThat(behaviour);
    return { ...(await targetAt(receiver.url, settings)), receiver };
  }

  function targetOf(tenant: string, endpoint: ShownEndpoint): Target {
    const until: Target["until"] = (isWanted, deadlineMs) =>
      client.endpointWhen(endpoint.id, isWanted, deadlineMs);
    return {
      ...{ tenant, endpoint, until },
      append: (data = {}) => client.append(tenant, data),
      appendMany: (count) => appendMany(tenant, count),
      settled(events, deadlineMs) {
        const last = events.reduce((most, { sequence }) => Math.max(most, Number(sequence)), 0);
        return until(
          ({ position, retrying }) => Number(position) >= last && retrying === 0,
          deadlineMs,
        );
      },
      measure: (events, ...receivers) =>
        measure({ client, databaseUrl: gateway.databaseUrl }, endpoint.id, events, receivers),
    };
  }

  async function appendMany(tenant: string, count: number): Promise<AppendedEvent[]> {
    const appended: AppendedEvent[] = [];
    while (appended.length < count) {
      const size = Math.min(count - appended.length, batchMaxEvents);
      const events = Array.from({ length: size }, (_, n) => ({ tenant, type: "a", data: { n } }));
      const { results } = await client.expectOk("POST", "/events", { events });
      appended.push(...(results as AppendedEvent[]));
    }
    return appended;
  }
}

async function inProcess(opened: AsyncDisposableStack): Promise<Running> {
  return opened.use(await startTestGateway());
}
