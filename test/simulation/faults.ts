/** Does what a plan says. Each fault is over when its promise settles: it heals what it broke. */
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "nats";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import type { Proxy } from "../support/proxy.ts";
import type { ManagedGateway } from "./gateways.ts";
import type { Fault, FaultKind } from "./plan.ts";
import { operate } from "./operate.ts";
import type { World } from "./world.ts";

export type Injected = Fault & {
  /** By `performance.now()`. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Of the process that is stopped, right before. */
  readonly shardsHeld: number;
};

export type Injector = ReturnType<typeof createInjector>;

const natsTimeoutMs = 2_000;

export function createInjector(world: World) {
  const injected: Injected[] = [];
  /** What is done to one thing is done one after another. */
  const busy = new Map<unknown, Promise<void>>();
  return { inject, run, injected };

  /** Injects all of a plan at their times; resolves when all is healed. */
  async function run(plan: readonly Fault[]): Promise<void> {
    const startedAt = performance.now();
    const underWay: Promise<void>[] = [];
    for (const fault of plan) {
      await delay(Math.max(0, startedAt + fault.atMs - performance.now()));
      world.say(describe(fault));
      underWay.push(inject(fault));
    }
    await Promise.all(underWay);
  }

  function inject(fault: Fault): Promise<void> {
    const target = targetOf(world, fault);
    const before = busy.get(target) ?? Promise.resolve();
    const done = before.then(async () => {
      const { kind } = fault;
      const shardsHeld = kind === "stop" ? await gatewayOf(world, fault.target).shardsHeld() : 0;
      const startedAt = performance.now();
      if (await strike(world, fault)) {
        injected.push({ ...fault, startedAt, endedAt: performance.now(), shardsHeld });
      } else {
        world.say(`did nothing: ${describe(fault)}`);
      }
    });
    busy.set(
      target,
      done.catch(() => {}),
    );
    return done;
  }
}

export function describe({ kind, target, forMs, amount }: Fault): string {
  return `${kind} ${target + 1}, ${forMs} ms, ${amount}`;
}

/** What a fault strikes, so that no two strike the same at once. */
function targetOf(world: World, { kind, target }: Fault): unknown {
  switch (kind) {
    case "kill":
    case "stop":
    case "terminate":
    case "skew-clock":
      return gatewayOf(world, target);
    case "crash-postgres":
      return world.postgres;
    case "kill-nats":
    case "wipe-nats":
      return world.brokers[target];
    case "delete-stream":
      return "stream";
    case "cut-postgres":
    case "delay-postgres":
    case "silence-postgres":
      return gatewayOf(world, target).postgres;
    case "cut-nats":
    case "delay-nats":
    case "silence-nats":
      return gatewayOf(world, target).brokers;
    case "cut-receivers":
    case "delay-receivers":
    case "silence-receivers":
      return world.receiverLinks[target];
    case "rewind":
    case "pause":
      return `${kind} ${target}`;
  }
}

/** False when there was nothing to do it to. */
async function strike(world: World, fault: Fault): Promise<boolean> {
  const { kind, target, amount } = fault;
  if (kind === "delete-stream") return deleteStream(world);
  if (kind === "rewind") return operate(() => rewind(world, target, amount));
  await strikeFor(world, { ...fault, kind });
  return true;
}

type LastingFault = Fault & { kind: Exclude<FaultKind, "delete-stream" | "rewind"> };

async function strikeFor(world: World, fault: LastingFault): Promise<void> {
  const { kind, target, forMs, amount } = fault;
  const gateway = gatewayOf(world, target);
  const link = world.receiverLinks[target];
  switch (kind) {
    case "kill":
      await gateway.kill();
      await delay(forMs);
      return gateway.start();
    case "stop":
      gateway.freeze();
      await delay(forMs);
      return gateway.thaw();
    case "terminate":
      return replace(world, gateway, forMs);
    case "skew-clock":
      await gateway.kill();
      await delay(forMs);
      return gateway.start({ skewSeconds: amount });
    case "crash-postgres":
      await world.postgres.crash();
      await delay(forMs);
      return world.postgres.start();
    case "kill-nats":
      await world.brokers[target]?.kill();
      await delay(forMs);
      return world.brokers[target]?.restart();
    case "wipe-nats":
      await world.brokers[target]?.kill();
      await world.brokers[target]?.wipe();
      await delay(forMs);
      return world.brokers[target]?.restart();
    case "pause":
      return pause(world, target, forMs);
    default:
      return disturb(linksOf(kind, gateway, link), kind, forMs, amount);
  }
}

/** As a deployment does: asks it to end, and starts another in its place. */
async function replace(world: World, gateway: ManagedGateway, forMs: number): Promise<void> {
  const code = await gateway.terminate();
  if (code !== 0) world.violations.report("alive", `${gateway.name} ended with ${code} on SIGTERM`);
  await delay(forMs);
  await gateway.start();
}

function linksOf(kind: FaultKind, gateway: ManagedGateway, link: Proxy | undefined) {
  if (kind.endsWith("-postgres")) return [gateway.postgres];
  if (kind.endsWith("-nats")) return gateway.brokers;
  return link === undefined ? [] : [link];
}

async function disturb(
  links: readonly Proxy[],
  kind: FaultKind,
  forMs: number,
  slowMs: number,
): Promise<void> {
  for (const link of links) {
    if (kind.startsWith("cut")) await link.cut();
    else if (kind.startsWith("delay")) link.slow(slowMs);
    else link.silence();
  }
  await delay(forMs);
  for (const link of links) await link.restore();
}

async function deleteStream(world: World): Promise<boolean> {
  const servers = world.brokers.map(({ port }) => `127.0.0.1:${port}`);
  try {
    const connection = await connect({ servers, timeout: natsTimeoutMs, reconnect: false });
    try {
      const manager = await connection.jetstreamManager({ timeout: natsTimeoutMs });
      return await manager.streams.delete("TIDEGATE");
    } finally {
      await connection.close();
    }
  } catch (error) {
    // The broker is away, or electing: then something else is going wrong with it at this moment.
    world.say(`the stream was not deleted: ${String(error)}`);
    return false;
  }
}

/**
 * Sends the tenant's wary endpoint about so many events back, whose receiver refuses what it knows.
 * What the ledger called delivered before is noted: it has to stay so.
 */
async function rewind(world: World, target: number, events: number): Promise<boolean> {
  const hook = hookOf(world, target, "wary");
  const client = world.client();
  const before = Number((await client.endpoint(hook.id)).position) - events;
  const stream = world.readers.find(
    ({ kind, tenant, types }) => kind === "stream" && tenant === hook.tenant && types === undefined,
  );
  const mark = stream?.marks.findLast(({ sequence }) => sequence < before);
  if (mark === undefined) return false;
  const delivered = await world.sql<{ sequence: number }[]>`
    select sequence from deliveries
    where endpoint = ${endpointUuid(hook.id) ?? ""} and status = 'delivered'
      and sequence > ${mark.sequence}`;
  await client.act(hook.id, "resume", { from: { cursor: mark.cursor } });
  for (const { sequence } of delivered) hook.settled.add(sequence);
  return true;
}

async function pause(world: World, target: number, forMs: number): Promise<void> {
  const hook = hookOf(world, target, "paid");
  await operate(() => world.client().act(hook.id, "pause"));
  await delay(forMs);
  await operate(() => world.client().act(hook.id, "resume"));
}

function hookOf(world: World, target: number, name: string) {
  const hook = world.hooks.find((each) => each.name === `${world.tenants[target]}-${name}`);
  if (hook === undefined) throw new Error("unreachable");
  return hook;
}

function gatewayOf(world: World, target: number): ManagedGateway {
  const gateway = world.gateways[target % world.gateways.length];
  if (gateway === undefined) throw new Error("unreachable");
  return gateway;
}
