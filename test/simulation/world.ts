/**
 * All that a simulation runs on, opened and closed as one: a Postgres, a broker or a cluster of
 * three, gateway processes, tenants with endpoints of every ordering and readers of both kinds,
 * consumers that send receipts where they are wanted, and producers that append for them. All of it is
 * real; nothing in here knows what goes wrong.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { createClient, type Client } from "../support/client.ts";
import { startNats, startNatsCluster, type NatsServer } from "../support/nats.ts";
import { startOwnPostgres, type OwnPostgres } from "../support/own-postgres.ts";
import { productionEnvironment } from "../support/process.ts";
import { startProxy, type Proxy } from "../support/proxy.ts";
import { createApis, type Apis } from "./apis.ts";
import { createConfirmer, type Confirmer } from "./confirmers.ts";
import { createNamedConsumer, type NamedConsumer } from "./consumers.ts";
import { openGateway, type ManagedGateway } from "./gateways.ts";
import { operate } from "./operate.ts";
import { createProducer, types, type Producer } from "./producers.ts";
import { createReader, type Reader } from "./readers.ts";
import {
  createHook,
  startHooks,
  type Behaviour,
  type Confirming,
  type Hook,
  type Ordering,
} from "./receivers.ts";
import { createViolations, type Check, type Phase, type Violations } from "./records.ts";

export type World = {
  readonly postgres: OwnPostgres;
  /** Around the proxies. */
  readonly sql: Sql;
  readonly brokers: readonly NatsServer[];
  /** The api processes first. */
  readonly gateways: readonly ManagedGateway[];
  /** Between the push processes and the receivers of each tenant. */
  readonly receiverLinks: readonly Proxy[];
  readonly tenants: readonly string[];
  readonly producers: readonly Producer[];
  readonly readers: readonly Reader[];
  readonly hooks: readonly Hook[];
  readonly confirmers: readonly Confirmer[];
  readonly consumers: readonly NamedConsumer[];
  readonly apis: Apis;
  readonly violations: Violations;
  /** An operator of the first process that answers. */
  readonly client: () => Client;
  phase: Phase;
  /** Nothing has been wrong for a while. */
  isCalm: boolean;
  /** Forgets all times so far: what came before was not typical. */
  restartRecords(): void;
  say(progress: string): void;
};

export type WorldOptions = {
  readonly brokers: 1 | 3;
  readonly apiProcesses: number;
  readonly pushProcesses: number;
  /** Events a second, of all producers together. */
  readonly rate: number;
  /** Three, of which each has the endpoints below, unless there is more to see with others. */
  readonly tenants?: readonly string[];
  readonly endpoints?: readonly EndpointPlan[];
  /** Also consumers that send receipts, and named ones. */
  readonly hybrid?: boolean;
  /** The folder of the version that the processes run at first. */
  readonly source?: string | undefined;
  readonly say: (progress: string) => void;
  readonly broken?: (check: Check, what: string) => void;
};

const threeTenants = ["acme", "globex", "initech"];

/** Requests of each producer. */
const requestEveryMs = 100;

const maxInFlight = 20;

/** Short, so that what fails is over within the run; with 90 s of it nothing dies of a fault. */
const patientSchedule = ["1s", "1s", "2s", "3s", ...Array<string>(16).fill("5s")];
const hastySchedule = ["1s", "1s", "1s"];

export type EndpointPlan = {
  name: string;
  ordering: Ordering;
  behaviour: Behaviour;
  types?: string;
  schedule?: string[];
  /** A consumer sends receipts; for `each`, the endpoint requires them. */
  confirming?: Confirming;
};

const everyKind: readonly EndpointPlan[] = [
  { name: "all", ordering: "parallel", behaviour: "steady" },
  { name: "paid", ordering: "parallel", behaviour: "steady", types: types[1] },
  { name: "fifo", ordering: "fifo", behaviour: "steady", types: types[1] },
  { name: "subject", ordering: "subject", behaviour: "flaky" },
  { name: "flaky", ordering: "parallel", behaviour: "flaky", schedule: hastySchedule },
  { name: "wary", ordering: "parallel", behaviour: "wary", schedule: hastySchedule },
];

const receiptTimeoutMs = 3_000;

const lossy = { behaviour: "lossy", types: types[1], schedule: hastySchedule } as const;

const hybridKinds: readonly EndpointPlan[] = [
  {
    ...{ name: "confirmed", ordering: "parallel", behaviour: "steady", types: types[1] },
    confirming: "each",
  },
  { name: "hybrid", ordering: "parallel", ...lossy, confirming: "walk" },
  { name: "hybrid-subject", ordering: "subject", ...lossy, confirming: "walk" },
];

export async function openWorld(
  options: WorldOptions,
  opening: AsyncDisposableStack,
): Promise<World> {
  const { say, apiProcesses, pushProcesses, source, tenants = threeTenants } = options;
  const directory = await mkdtemp(join(tmpdir(), "tidegate-simulation-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  say("starting Postgres, the broker and the gateways");
  const postgres = opening.use(await startOwnPostgres());
  const { sql, stop } = openDatabase(postgres.url, { connections: 2, name: "simulation" });
  opening.defer(stop);
  const brokers = await startBrokers(options.brokers, opening);
  const violations = createViolations(options.broken);
  const production = productionEnvironment(postgres.url);
  const environment = {
    ...production,
    TIDEGATE_RETENTION_DAYS: "5",
    TIDEGATE_SHUTDOWN_SECONDS: "5",
    LOG_LEVEL: "warn",
  };
  const key = production.TIDEGATE_OPERATOR_KEY;
  const shared = {
    directory,
    source,
    postgresUrl: postgres.url,
    natsUrls: brokers.map((b) => b.url),
  };
  const names = [
    ...Array.from({ length: apiProcesses }, (_, n) => ({
      name: `api-${n + 1}`,
      roles: "api" as const,
    })),
    ...Array.from({ length: pushProcesses }, (_, n) => ({
      name: `push-${n + 1}`,
      roles: "push" as const,
    })),
  ];
  const gateways = await Promise.all(
    names.map((each) => openGateway({ ...each, ...shared, environment, violations }, opening)),
  );
  const urls = gateways.slice(0, apiProcesses).map(({ url }) => url);
  const apis = createApis(urls, key);
  opening.defer(() => apis.stop());
  const client = () => {
    const answering = gateways.find((gateway) => gateway.isRunning() && gateway.roles !== "push");
    return createClient(answering?.url ?? urls[0] ?? "", key);
  };
  const world: World = {
    ...{ postgres, sql, brokers, gateways, apis, client, say, tenants },
    ...{ receiverLinks: [], producers: [], readers: [], hooks: [], confirmers: [], consumers: [] },
    violations,
    phase: "before",
    isCalm: false,
    restartRecords() {
      const { producers, readers, consumers, hooks } = world;
      for (const { pulse, latencies } of [...producers, ...readers, ...consumers, ...hooks]) {
        pulse.restart();
        for (const each of Object.values(latencies)) each.restart();
      }
    },
  };
  return Object.assign(world, await populate(world, options, opening));
}

async function startBrokers(count: 1 | 3, opening: AsyncDisposableStack): Promise<NatsServer[]> {
  // Not advertised: the servers' own addresses would lead around the proxies.
  const brokers =
    count === 1 ? [await startNats()] : await startNatsCluster({ args: ["--no_advertise"] });
  for (const broker of brokers) opening.defer(() => broker.stop());
  return brokers;
}

/** Tenants, and for each producers, readers and endpoints whose receivers write down what comes. */
async function populate(
  world: World,
  {
    rate,
    hybrid = false,
    endpoints = hybrid ? [...everyKind, ...hybridKinds] : everyKind,
  }: WorldOptions,
  opening: AsyncDisposableStack,
) {
  const { apis, violations, tenants } = world;
  const client = world.client();
  const phase = () => world.phase;
  const told = { apis, phase, violations };
  const batch = Math.max(1, Math.round((rate * requestEveryMs) / 1_000 / (tenants.length * 2)));
  const everyMs = (batch * tenants.length * 2 * 1_000) / rate;
  const producers = tenants.flatMap((tenant) =>
    [true, false].map((keyed) => {
      const name = `${tenant}-${keyed ? "keyed" : "bare"}`;
      return createProducer({ name, tenant, keyed, batch, everyMs, ...told });
    }),
  );
  const readers = tenants.flatMap((tenant) =>
    (["poll", "stream"] as const).flatMap((kind) =>
      [undefined, types[1]].map((only) => createReader({ kind, tenant, types: only, ...told })),
    ),
  );
  const hooks = tenants.flatMap((tenant) =>
    endpoints.map((plan) => {
      const { ordering, behaviour, confirming, types: only } = plan;
      const name = `${tenant}-${plan.name}`;
      const isHasty = plan.schedule === hastySchedule;
      const told = { phase, isCalm: () => world.isCalm, violations };
      return createHook({
        ...{ name, tenant, types: only, ordering, behaviour, isHasty, confirming },
        ...told,
      });
    }),
  );
  const confirmers = hooks.flatMap((hook) => {
    const { confirming } = hook;
    return confirming === undefined
      ? []
      : [createConfirmer({ hook, confirming, apis, violations })];
  });
  const consumers = (hybrid ? tenants : []).flatMap((tenant) =>
    [undefined, types[1]].map((only) => createNamedConsumer({ tenant, types: only, ...told })),
  );
  const receiverUrl = await startHooks(hooks, opening);
  const receiverLinks: Proxy[] = [];
  for (const tenant of tenants) {
    const link = opening.use(await startProxy(receiverUrl));
    receiverLinks.push(link);
    await operate(() => client.tenant(tenant));
    for (const [index, plan] of endpoints.entries()) {
      const hook = hooks[tenants.indexOf(tenant) * endpoints.length + index];
      if (hook === undefined) throw new Error("unreachable");
      const settings = {
        url: `${new URL(link.url).origin}/${hook.name}`,
        ...(plan.types !== undefined && { types: [plan.types] }),
        ordering: plan.ordering,
        max_in_flight: maxInFlight,
        timeout_ms: plan.behaviour === "flaky" ? 2_000 : 5_000,
        retry_schedule: plan.schedule ?? patientSchedule,
        ...(plan.confirming === "each" && {
          require_receipt: true,
          receipt_timeout_ms: receiptTimeoutMs,
        }),
      };
      const made = await operate(() => client.createEndpoint(tenant, settings));
      hook.id = made.id;
      hook.verifyWith(made.secret);
    }
  }
  return { producers, readers, hooks, confirmers, consumers, receiverLinks };
}

/** What all endpoints may have in flight together. */
export function windowsOf({ hooks }: World): number {
  return hooks.length * maxInFlight;
}
