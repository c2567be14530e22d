/**
 * What a file about pushes stands on: a gateway, and for each test receivers of its own, which are
 * stopped after it.
 */
import { afterAll, afterEach, beforeAll } from "vitest";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { createClient, type Client, type Json, type ShownEndpoint } from "./client.ts";
import { startTestGateway, type Environment, type TestGateway } from "./gateway.ts";
import { startReceiver, type Behave, type Behaviour, type Receiver } from "./receiver.ts";

export type PushedTo = { tenant: string; receiver: Receiver; endpoint: ShownEndpoint; id: string };

export type PushSuite = ReturnType<typeof openPushSuite>;

/** To be called once, outside of the tests. Its members are there when a test runs. */
export function openPushSuite(environment: Environment = {}) {
  const all = new AsyncDisposableStack();
  let started: { gateway: TestGateway; client: Client; sql: Sql } | undefined;
  let opened = new AsyncDisposableStack();
  let tenants = 0;

  beforeAll(async () => {
    const gateway = all.use(await startTestGateway(environment));
    const client = createClient(gateway.url, gateway.operatorKey);
    const { sql, stop } = openDatabase(gateway.databaseUrl, { connections: 2, name: "test" });
    all.defer(stop);
    started = { gateway, client, sql };
  });

  afterEach(async () => {
    await opened.disposeAsync();
    opened = new AsyncDisposableStack();
  });

  afterAll(() => all.disposeAsync());

  return {
    get gateway() {
      return running().gateway;
    },
    get client() {
      return running().client;
    },
    /** The gateway's database. */
    get sql() {
      return running().sql;
    },
    newTenant,
    receiverThat,
    pushTo,
  };

  function running() {
    if (started === undefined) throw new Error("the gateway is started before the first test");
    return started;
  }

  async function newTenant(): Promise<string> {
    const name = `tenant_${(tenants += 1)}`;
    await running().client.tenant(name);
    return name;
  }

  async function receiverThat(behaviour?: Behaviour | Behave): Promise<Receiver> {
    return opened.use(await startReceiver(behaviour));
  }

  /** A tenant with one endpoint, whose receiver behaves like this. */
  async function pushTo(behaviour?: Behaviour | Behave, settings: Json = {}): Promise<PushedTo> {
    const tenant = await newTenant();
    const receiver = await receiverThat(behaviour);
    const url = { url: receiver.url };
    const endpoint = await running().client.createEndpoint(tenant, { ...url, ...settings });
    return { tenant, receiver, endpoint, id: endpoint.id };
  }
}
