/**
 * The count at the end: the log as it is in the database and as it is read back, against what
 * everybody wrote down during the run. It only reports; nothing is repaired or left out here.
 */
import { crc32 } from "node:zlib";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import type { Injected } from "./faults.ts";
import type { SentEvent } from "./producers.ts";
import type { Hook } from "./receivers.ts";
import type { Reader } from "./readers.ts";
import type { World } from "./world.ts";

/** A tenant's log; everything by sequence, from 1. */
type StoredLog = {
  readonly head: number;
  readonly fingerprints: readonly number[];
  readonly types: readonly string[];
  readonly subjects: readonly string[];
  readonly checksums: readonly number[];
  /** Where each event is, by its producer and number. */
  readonly places: ReadonlyMap<string, readonly number[]>;
};

/** What became of the pushes to all endpoints together. */
export type Accounts = Record<"accepted" | "dead" | "retrying" | "waiting" | "lost", number>;

const pageRows = 5_000;

/** Nothing is made to fail any more. */
const failuresMax = 5;

export async function countEverything(world: World): Promise<Accounts> {
  const accounts: Accounts = { accepted: 0, dead: 0, retrying: 0, waiting: 0, lost: 0 };
  for (const tenant of world.tenants) {
    const log = await readLog(world, tenant);
    await compareWithPages(world, tenant, log);
    checkProducers(world, tenant, log);
    for (const reader of world.readers) {
      if (reader.tenant === tenant) checkReader(world, reader, log);
    }
    for (const hook of world.hooks) {
      if (hook.tenant === tenant) await checkHook(world, hook, log, accounts);
    }
  }
  await checkLeases(world);
  return accounts;
}

async function readLog(world: World, tenant: string): Promise<StoredLog> {
  const log = {
    ...{ head: 0, fingerprints: [] as number[], types: [] as string[] },
    ...{ subjects: [] as string[], checksums: [] as number[], places: new Map<string, number[]>() },
  };
  for (;;) {
    const rows = await world.sql<
      { sequence: number; type: string; subject: string; envelope: string }[]
    >`
      select e.sequence, e.type, e.subject, e.envelope
      from events e join tenants t on t.id = e.tenant
      where t.name = ${tenant} and e.sequence > ${log.head}
      order by e.sequence limit ${pageRows}`;
    for (const { sequence, type, subject, envelope } of rows) {
      const expected = log.head + 1;
      if (sequence !== expected) {
        world.violations.report("dense", `${tenant}: ${sequence} in place of ${expected}`);
      }
      log.head = sequence;
      const event = JSON.parse(envelope) as { id: string; data: { producer: string; n: number } };
      log.fingerprints[sequence] = fingerprintOf(event.id);
      log.types[sequence] = type;
      log.subjects[sequence] = subject;
      log.checksums[sequence] = crc32(envelope);
      const key = `${event.data.producer}:${event.data.n}`;
      const places = log.places.get(key);
      if (places === undefined) log.places.set(key, [sequence]);
      else places.push(sequence);
    }
    if (rows.length < pageRows) return log;
  }
}

function fingerprintOf(id: string): number {
  return Number.parseInt(id.slice(-8), 16);
}

/** What can be read is what is stored, all of it. */
async function compareWithPages(world: World, tenant: string, log: StoredLog): Promise<void> {
  const caller = world.apis.caller();
  let read = 0;
  let from = "from=earliest";
  for (let failures = 0; failures < failuresMax;) {
    try {
      const path = `/events?tenant=${tenant}&limit=1000&${from}`;
      const { status, text } = await caller.ask("GET", path);
      if (status !== 200) throw new Error(`${status} ${text}`);
      const page = JSON.parse(text) as {
        events: { id: string; sequence: string }[];
        cursor: string;
        has_more: boolean;
      };
      for (const { id, sequence } of page.events) {
        read += 1;
        if (Number(sequence) === read && fingerprintOf(id) === log.fingerprints[read]) continue;
        world.violations.report("acknowledged", `${tenant}: read ${id} as ${read}`);
      }
      if (!page.has_more) break;
      from = `cursor=${page.cursor}`;
    } catch (error) {
      failures += 1;
      world.say(`reading ${tenant}: ${String(error)}`);
      await caller.next();
    }
  }
  if (read !== log.head) {
    world.violations.report("acknowledged", `${tenant}: ${read} of ${log.head} can be read`);
  }
}

function checkProducers(world: World, tenant: string, log: StoredLog): void {
  const { violations } = world;
  const known = new Set<string>();
  for (const { name, keyed, sent, tenant: its } of world.producers) {
    if (its !== tenant) continue;
    for (const event of sent) {
      const key = `${name}:${event.n}`;
      known.add(key);
      const places = log.places.get(key) ?? [];
      const fault = faultOf(event, places, log);
      if (fault !== undefined) violations.report("acknowledged", `${key}: ${fault}`);
      if (event.fate === "refused" && places.length > 0) violations.report("refused", key);
      if (places.length > 1) violations.report("once", `${key} is there ${places.length} times`);
      if (keyed && event.fate !== "acknowledged") violations.report("answered", `${key} never was`);
    }
  }
  for (const key of log.places.keys()) {
    if (!known.has(key)) violations.report("once", `${key} was never sent`);
  }
}

function faultOf(
  { fate, sequence, id }: SentEvent,
  places: readonly number[],
  log: StoredLog,
): string | undefined {
  if (fate !== "acknowledged") return undefined;
  if (places.length === 0) return "is not there";
  if (!places.includes(sequence)) return `is at ${places.join(", ")}, not at ${sequence}`;
  if (log.fingerprints[sequence] !== fingerprintOf(id)) return `has another id than ${id}`;
  return undefined;
}

function checkReader({ violations }: World, reader: Reader, log: StoredLog): void {
  const expected = matchingOf(log, reader.types);
  const { name, sequences, fingerprints } = reader;
  const got = new Set(sequences);
  for (const sequence of expected) {
    if (!got.has(sequence)) violations.report("readers", `${name} did not get ${sequence}`);
  }
  for (const [index, sequence] of sequences.entries()) {
    if (log.fingerprints[sequence] !== fingerprints[index]) {
      violations.report("readers", `${name} got another event as ${sequence}`);
    }
  }
  if (got.size > expected.length) {
    violations.report("readers", `${name} got ${got.size} events, of ${expected.length}`);
  }
}

function matchingOf({ head, types }: StoredLog, wanted: string | undefined): number[] {
  const matching: number[] = [];
  for (let sequence = 1; sequence <= head; sequence += 1) {
    if (wanted === undefined || types[sequence] === wanted) matching.push(sequence);
  }
  return matching;
}

async function checkHook(world: World, hook: Hook, log: StoredLog, accounts: Accounts) {
  const { violations } = world;
  const { name, accepted, settled } = hook;
  const ledger = await readLedger(world, hook);
  const matching = matchingOf(log, hook.types);
  checkAsked(world, hook, new Set(matching));
  let previous = 0;
  for (const sequence of matching) {
    const status = ledger.statusOf(sequence, log.subjects[sequence] ?? "");
    const isAccepted = (accepted[sequence] ?? 0) > 0;
    if (isAccepted) accounts.accepted += 1;
    else if (status === "dead" || status === "retrying" || status === "waiting") {
      accounts[status] += 1;
    } else {
      accounts.lost += 1;
      violations.report("delivered", `${name}: ${sequence} was never accepted, and is ${status}`);
    }
    if (status === "dead" && !isAccepted && !hook.isHasty) {
      violations.report("delivered", `${name}: ${sequence} is dead, though no fault is that long`);
    }
    if (status === "unknown") violations.report("accounted", `${name}: ${sequence}`);
    if (status === "delivered" && !isAccepted) violations.report("claimed", `${name}: ${sequence}`);
    if (settled.has(sequence) && status !== "delivered") {
      violations.report("settled", `${name}: ${sequence} was delivered and is ${status}`);
    }
    checkPush(world, hook, log, sequence, previous);
    previous = sequence;
  }
}

function checkAsked({ violations }: World, hook: Hook, matching: ReadonlySet<number>): void {
  // Of what never came there is no element.
  hook.checksums.forEach((_, sequence) => {
    if (!matching.has(sequence)) violations.report("asked", `${hook.name}: ${sequence}`);
  });
}

function checkPush(
  { violations }: World,
  { name, previous, checksums }: Hook,
  log: StoredLog,
  sequence: number,
  before: number,
): void {
  if (checksums[sequence] === undefined) return;
  if (checksums[sequence] !== log.checksums[sequence]) {
    violations.report("bytes", `${name}: ${sequence} is not what the log has`);
  }
  if (previous[sequence] !== before) {
    violations.report("previous", `${name}: ${sequence}: ${previous[sequence]}, not ${before}`);
  }
}

async function readLedger({ sql }: World, hook: Hook) {
  const endpoint = endpointUuid(hook.id) ?? "";
  const settled = await sql<{ sequence: number; status: string }[]>`
    select sequence, status from deliveries where endpoint = ${endpoint}`;
  const retries = await sql<{ sequence: number }[]>`
    select sequence from retries where endpoint = ${endpoint}`;
  const blocked = await sql<{ subject: string; sequence: number }[]>`
    select subject, sequence from blocked_subjects where endpoint = ${endpoint}`;
  const [position] = await sql<{ sequence: number }[]>`
    select sequence from positions where consumer = ${endpoint}`;
  const statuses = new Map(settled.map(({ sequence, status }) => [sequence, status]));
  const retrying = new Set(retries.map(({ sequence }) => sequence));
  const behind = new Map(blocked.map(({ subject, sequence }) => [subject, sequence]));
  return { statusOf };

  function statusOf(sequence: number, subject: string): string {
    const status = statuses.get(sequence);
    if (status !== undefined) return status;
    if (retrying.has(sequence)) return "retrying";
    const isBehind = sequence > (behind.get(subject) ?? Infinity);
    return isBehind || sequence > (position?.sequence ?? 0) ? "waiting" : "unknown";
  }
}

async function checkLeases({ sql, gateways, violations }: World): Promise<void> {
  const owners = await sql<{ owner: string | null; shards: number }[]>`
    select owner, count(*)::int as shards from shard_leases
    where expires_at > clock_timestamp() group by owner`;
  const held = owners.map(({ shards }) => shards);
  const processes = gateways.filter(({ roles }) => roles !== "api").length;
  const [most, least] = [Math.max(...held), Math.min(...held)];
  const total = held.reduce((sum, shards) => sum + shards, 0);
  const [all] = await sql<{ shards: number }[]>`select shards from log_settings`;
  if (total !== all?.shards || owners.length !== processes || most - least > 1) {
    violations.report("leases", `${processes} processes hold ${held.join(", ")} of ${all?.shards}`);
  }
}

/**
 * How many duplicates the faults explain, at most: what was in flight then, and what was accepted
 * and could not be recorded before somebody else took over. `reach` is the part of all endpoints
 * that a fault can concern.
 */
export function duplicatesExplained(
  faults: readonly Injected[],
  options: { windows: number; pushesPerSecond: number; reach: (fault: Injected) => number },
): number {
  const { windows, pushesPerSecond, reach } = options;
  // The processes share the shards for the first time while pushes are under way.
  return faults.reduce((sum, fault) => {
    const unrecordedMs = unrecordedMsOf(fault.kind, fault.forMs);
    return unrecordedMs === undefined
      ? sum
      : sum + reach(fault) * (windows + (pushesPerSecond * unrecordedMs) / 1e3);
  }, windows);
}

/** A batch of outcomes on its way, on a machine that is busy. */
const batchMs = 500;

/** From then on a process that cannot renew its leases starts nothing. */
const leaseMs = 4_000;

function unrecordedMsOf(kind: Injected["kind"], forMs: number): number | undefined {
  switch (kind) {
    case "kill":
    case "stop":
    case "terminate":
    case "skew-clock":
    case "cut-receivers":
    case "delay-receivers":
    case "silence-receivers":
      return batchMs;
    case "crash-postgres":
    case "cut-postgres":
    case "delay-postgres":
    case "silence-postgres":
      return batchMs + Math.min(forMs, leaseMs);
    case "pause":
      return 0;
    default:
      return undefined;
  }
}
