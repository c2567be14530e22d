/**
 * The count at the end: the log as it is in the database and as it is read back, against what
 * everybody wrote down during the run. It only reports; nothing is repaired or left out here.
 */
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { checkConfirmer, checkMissed } from "./check-confirmed.ts";
import { checkReplays } from "./check-replays.ts";
import { checkUndelivered } from "./check-undelivered.ts";
import type { Injected } from "./faults.ts";
import type { NamedConsumer } from "./consumers.ts";
import type { SentEvent } from "./producers.ts";
import type { Asked } from "./replayers.ts";
import type { Hook } from "./receivers.ts";
import type { Reader } from "./readers.ts";
import { fingerprintOf, matchingOf, readLog, type StoredLog } from "./stored-log.ts";
import type { World } from "./world.ts";

/** What became of the pushes to all endpoints together. */
export type Accounts = Record<(typeof fates)[number], number>;

/** `settled`: its consumer had it otherwise, and said so. */
export const fates = [
  ...["accepted", "settled", "dead", "retrying", "awaiting", "waiting", "lost"],
] as const;

/** Nothing is made to fail any more. */
const failuresMax = 5;

export async function countEverything(world: World, asked: readonly Asked[]): Promise<Accounts> {
  const accounts = Object.fromEntries(fates.map((fate) => [fate, 0])) as Accounts;
  for (const tenant of world.tenants) {
    const log = await readLog(world, tenant);
    await compareWithPages(world, tenant, log);
    checkProducers(world, tenant, log);
    for (const reader of [...world.readers, ...world.consumers]) {
      if (reader.tenant === tenant) checkReader(world, reader, log);
    }
    for (const hook of world.hooks) {
      if (hook.tenant === tenant) await checkHook(world, hook, log, accounts);
    }
    await checkReplays(world, tenant, log, asked);
  }
  await checkUndelivered(world);
  await checkLeases(world);
  return accounts;
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

function checkReader({ violations }: World, reader: Reader | NamedConsumer, log: StoredLog): void {
  const check = "kind" in reader ? "readers" : "consumers";
  const expected = matchingOf(log, reader.types);
  const { name, sequences, fingerprints } = reader;
  const got = new Set(sequences);
  for (const sequence of expected) {
    if (!got.has(sequence)) violations.report(check, `${name} did not get ${sequence}`);
  }
  for (const [index, sequence] of sequences.entries()) {
    if (log.fingerprints[sequence] !== fingerprints[index]) {
      violations.report(check, `${name} got another event as ${sequence}`);
    }
  }
  if (got.size > expected.length) {
    violations.report(check, `${name} got ${got.size} events, of ${expected.length}`);
  }
}

async function checkHook(world: World, hook: Hook, log: StoredLog, accounts: Accounts) {
  const { violations } = world;
  const { name, accepted, settled } = hook;
  const confirmer = world.confirmers.find((each) => each.hook === hook);
  const ledger = await readLedger(world, hook);
  const matching = matchingOf(log, hook.types);
  checkAsked(world, hook, new Set(matching));
  let previous = 0;
  const statuses = new Map<number, string>();
  for (const sequence of matching) {
    const status = ledger.statusOf(sequence, log.subjects[sequence] ?? "");
    statuses.set(sequence, status);
    const isAccepted = (accepted[sequence] ?? 0) > 0;
    if (isAccepted) accounts.accepted += 1;
    else if (status === "settled" && hook.handled.has(sequence)) accounts.settled += 1;
    else if (isOpen(status)) accounts[status] += 1;
    else {
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
  await checkMissed(world, hook, statuses);
  if (confirmer !== undefined) await checkConfirmer(world, confirmer, statuses);
}

function isOpen(status: string): status is "dead" | "retrying" | "awaiting" | "waiting" {
  return ["dead", "retrying", "awaiting", "waiting"].includes(status);
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
  const retries = await sql<{ sequence: number; awaiting: boolean }[]>`
    select sequence, awaiting and due_at > now() as awaiting
    from retries where endpoint = ${endpoint}`;
  const ranges = await sql<{ after: number; through: number }[]>`
    select after, through from receipt_ranges where endpoint = ${endpoint}`;
  const blocked = await sql<{ subject: string; sequence: number }[]>`
    select subject, sequence from blocked_subjects where endpoint = ${endpoint}`;
  const [position] = await sql<{ sequence: number }[]>`
    select sequence from positions where consumer = ${endpoint}`;
  const statuses = new Map(settled.map(({ sequence, status }) => [sequence, status]));
  const retrying = new Map(retries.map(({ sequence, awaiting }) => [sequence, awaiting]));
  const behind = new Map(blocked.map(({ subject, sequence }) => [subject, sequence]));
  return { statusOf };

  function statusOf(sequence: number, subject: string): string {
    const status = statuses.get(sequence);
    if (status !== undefined) return status;
    const isAwaiting = retrying.get(sequence);
    if (isAwaiting !== undefined) return isAwaiting ? "awaiting" : "retrying";
    if (ranges.some(({ after, through }) => sequence > after && sequence <= through)) {
      return "settled";
    }
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
