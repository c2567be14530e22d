/**
 * What waits to be appended: one queue per tenant, bounded in events and bytes, taken in turns.
 *
 * There are two lines: tenants with little that waits stand in one, those with much in the other.
 * A group is taken from one line, and its tenants are held until they are released; so the groups
 * of the two lines share no tenant and can be appended at the same time. Who appends now and then
 * thus waits for a small group, and whoever floods waits behind others that flood.
 *
 * A request may be cut into several groups. When one of them could not be appended, what the same
 * request has behind it for the same tenant is not either: it would stand before what comes again.
 */
import type { TenantId } from "./event.ts";
import type { AppendResult, NewEvent } from "./new-event.ts";

export type Entry = { readonly event: NewEvent; readonly index: number; readonly request: Request };
export type Group = Entry[];

type Request = {
  results: AppendResult[];
  open: number;
  /** Tenants of which something was not appended, or maybe not, that may come again. */
  readonly broken: Set<TenantId>;
  resolve: (results: AppendResult[]) => void;
};
type TenantQueue = { entries: Entry[]; next: number; bytes: number; held: number };

export type Line = "light" | "heavy";

/** Of one tenant, waiting. About 3 ms of a statement's time, less than the commit itself takes. */
const lightMaxEvents = 50;
const lightMaxBytes = 64 << 10;

/** One statement's share. More rows gain little throughput and lengthen everyone's wait. */
const groupMaxEvents = 1_000;
const groupMaxBytes = 1 << 20;

/** About a second's work of one tenant at full speed. Beyond it the tenant is told to come back. */
const tenantMaxEvents = 20_000;
const tenantMaxBytes = 32 << 20;

/** All tenants together; the memory that a database that went away can cost. */
const totalMaxBytes = 128 << 20;

/** What an entry weighs besides its texts. */
const entryBytes = 300;

export function createQueue() {
  const queues = new Map<TenantId, TenantQueue>();
  /** Tenants with entries that are not held, in the order of their turns. */
  const lines: Record<Line, Map<TenantId, TenantQueue>> = { light: new Map(), heavy: new Map() };
  let totalBytes = 0;
  /** Events in the queues, and those that were turned away since the start. */
  let waiting = 0;
  let turnedAway = 0;

  return {
    ...{ offer, hasMore, take, takeAll, unbroken, answer, hold, release },
    status: () => ({ waiting, turnedAway }),
  };

  /** Takes all of `events` or, when there is no room, none. */
  function offer(events: readonly NewEvent[]): Promise<AppendResult[]> {
    if (events.length === 0) return Promise.resolve([]);
    if (!hasRoom(events)) {
      turnedAway += events.length;
      return Promise.resolve(events.map((): AppendResult => ({ kind: "unavailable" })));
    }
    return new Promise((resolve) => {
      const request: Request = {
        ...{ results: [], open: events.length, resolve },
        broken: new Set(),
      };
      events.forEach((event, index) => enqueue({ event, index, request }));
    });
  }

  function hasRoom(events: readonly NewEvent[]): boolean {
    let bytes = 0;
    for (const event of events) {
      const queue = queues.get(event.tenant);
      if (queue !== undefined) {
        if (queue.entries.length - queue.next + events.length > tenantMaxEvents) return false;
        if (queue.bytes > tenantMaxBytes) return false;
      }
      bytes += weight(event);
    }
    return totalBytes + bytes <= totalMaxBytes;
  }

  function enqueue(entry: Entry) {
    const { tenant } = entry.event;
    const queue = queueOf(tenant);
    const bytes = weight(entry.event);
    queue.entries.push(entry);
    queue.bytes += bytes;
    totalBytes += bytes;
    waiting += 1;
    // Whoever stands in the right line keeps its place there.
    if (queue.held === 0 && !lines[lineOf(queue)].has(tenant)) moveToEnd(tenant, queue);
  }

  function queueOf(tenant: TenantId): TenantQueue {
    let queue = queues.get(tenant);
    if (queue === undefined) {
      queue = { entries: [], next: 0, bytes: 0, held: 0 };
      queues.set(tenant, queue);
    }
    return queue;
  }

  function hasMore(line: Line): boolean {
    return lines[line].size > 0;
  }

  /**
   * The next group of a line: from each tenant in turn an equal share, until the group is full.
   * Its tenants are held.
   */
  function take(line: Line): Group | undefined {
    const group: Group = [];
    const taken = new Set<TenantId>();
    let bytesLeft = groupMaxBytes;
    let waiting = [...lines[line]];
    while (waiting.length > 0 && !isFull()) {
      const events = Math.max(1, Math.floor((groupMaxEvents - group.length) / waiting.length));
      const bytes = bytesLeft / waiting.length;
      for (const [tenant, queue] of waiting) {
        // Whoever got nothing keeps its place in the line and is first in the next group.
        if (isFull()) break;
        const bytesTaken = takeShare(queue, group, events, bytes);
        bytesLeft -= bytesTaken;
        if (bytesTaken > 0) taken.add(tenant);
        moveToEnd(tenant, queue);
      }
      waiting = waiting.filter(([, queue]) => !isEmpty(queue));
    }
    for (const tenant of taken) hold(tenant);
    return group.length > 0 ? group : undefined;

    function isFull() {
      return group.length >= groupMaxEvents || bytesLeft <= 0;
    }
  }

  /** All that waits of these tenants. */
  function takeAll(tenants: readonly TenantId[]): Group {
    const group: Group = [];
    for (const queue of new Set(tenants.map(queueOf))) {
      takeShare(queue, group, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    }
    for (const tenant of tenants) moveToEnd(tenant, queueOf(tenant));
    return group;
  }

  /** Moves up to so many events into the group; the one that reaches the bytes is the last. */
  function takeShare(queue: TenantQueue, group: Group, events: number, bytes: number): number {
    let taken = 0;
    for (let count = 0; count < events && taken < bytes;) {
      const entry = queue.entries[queue.next];
      if (entry === undefined) break;
      const entryWeight = weight(entry.event);
      queue.next += 1;
      queue.bytes -= entryWeight;
      waiting -= 1;
      if (isBroken(entry)) {
        turnedAway += 1;
        answer(entry, { kind: "unavailable" });
        continue;
      }
      taken += entryWeight;
      count += 1;
      group.push(entry);
    }
    return taken;
  }

  /** Those that may be appended; the others are answered. */
  function unbroken(group: Group): Group {
    const broken = group.filter(isBroken);
    for (const entry of broken) answer(entry, { kind: "unavailable" });
    turnedAway += broken.length;
    return group.filter((entry) => !isBroken(entry));
  }

  /** Sends the tenant to the end of its line, or out of both when there is nothing to take. */
  function moveToEnd(tenant: TenantId, queue: TenantQueue) {
    lines.light.delete(tenant);
    lines.heavy.delete(tenant);
    if (queue.held === 0) {
      if (isEmpty(queue)) queues.delete(tenant);
      else lines[lineOf(queue)].set(tenant, queue);
    }
    // At half, so that removing costs little and what was taken is not kept in memory for long.
    if (queue.next * 2 >= queue.entries.length) {
      queue.entries.splice(0, queue.next);
      queue.next = 0;
    }
  }

  function answer({ event, index, request }: Entry, result: AppendResult) {
    totalBytes -= weight(event);
    if (breaksOrder(result)) request.broken.add(event.tenant);
    request.results[index] = result;
    request.open -= 1;
    if (request.open === 0) request.resolve(request.results);
  }

  /** Keeps the tenant's entries back until `release` was called as often. */
  function hold(tenant: TenantId) {
    const queue = queueOf(tenant);
    queue.held += 1;
    lines.light.delete(tenant);
    lines.heavy.delete(tenant);
  }

  function release(tenant: TenantId) {
    const queue = queueOf(tenant);
    queue.held -= 1;
    moveToEnd(tenant, queue);
  }
}

/** Whether it is not there, or maybe not, and may be there when it comes again. */
function breaksOrder({ kind }: AppendResult): boolean {
  return kind === "unavailable" || kind === "in-doubt" || kind === "failed";
}

function isBroken({ event, request }: Entry): boolean {
  return request.broken.has(event.tenant);
}

/** Whether it has no answer yet. */
export function isOpen({ index, request }: Entry): boolean {
  return request.results[index] === undefined;
}

function isEmpty(queue: TenantQueue): boolean {
  return queue.next >= queue.entries.length;
}

function lineOf({ entries, next, bytes }: TenantQueue): Line {
  return entries.length - next <= lightMaxEvents && bytes <= lightMaxBytes ? "light" : "heavy";
}

function weight({ type, subject, key, start, time, middle, content }: NewEvent): number {
  const columns = type.length + (subject?.length ?? 0) + (key?.length ?? 0) + (time?.length ?? 0);
  return columns + start.length + middle.length + content.length + entryBytes;
}
