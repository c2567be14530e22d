/**
 * Keeps the state of endpoints' circuits, so that it is seen and survives a restart, and gives dead
 * letters of an outage back to the retries. Positions are written here under the same fences as by
 * ledger.ts; of a state that was superseded before it could be written nothing is told.
 */
import { arrayText, classifyFailure, type Sql } from "../db/database.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Fence } from "./ledger.ts";

/** Times in milliseconds since 1970. */
export type CircuitState = {
  readonly state: "closed" | "open" | "half_open";
  readonly since: number;
  /** When the next probe is due. */
  readonly probeAt: number | null;
  /** That have failed since it opened. */
  readonly probes: number;
  /** When the first attempt began that belongs to the outage. */
  readonly outageSince: number | null;
};

export type ProbeFailure = { readonly at: number; readonly error: string };

export type Circuits = ReturnType<typeof createCircuits>;

/** One statement's share. */
const batchMax = 1_000;

/** Moved by one statement, and looked at: a few milliseconds with the position locked. */
const requeueMax = 500;
const requeueLooks = 2_000;

/** Dead letters are looked for among the events of so many days before the outage. */
const scheduleMaxDays = 31;

const retryPauseMs = 500;

/** Of a step through the deliveries that failed, in the order of their events. */
type Stop = { readonly last_day: string | null; readonly last_sequence: number };
type Step = Stop & { readonly moved: number };

type Entry = {
  readonly state: CircuitState;
  readonly failure: ProbeFailure | undefined;
  readonly written: readonly (() => void)[];
};

export function createCircuits(options: { sql: Sql; log: Logger; process: string }) {
  const { sql, log, process } = options;
  let waiting = new Map<Fence, Entry>();
  /** Changes of state since the start, by what was changed to. */
  const changes = { open: 0, half_open: 0, closed: 0 };
  let writing = false;
  let closed = false;

  return { tell, changed, changes: () => changes, requeue, close };

  /** Counts a change, which `tell` writes. */
  function changed(to: CircuitState["state"]): void {
    changes[to] += 1;
  }

  /**
   * Writes it soon. `failure` is what the endpoint shows as its last one. `written` is called once this
   * state, or one that has superseded it, is in the database.
   */
  function tell(
    fence: Fence,
    state: CircuitState,
    { failure, written }: { failure?: ProbeFailure | undefined; written?: () => void } = {},
  ): void {
    const before = waiting.get(fence);
    waiting.set(fence, {
      state,
      failure: failure ?? before?.failure,
      written: [...(before?.written ?? []), ...(written ? [written] : [])],
    });
    if (!writing) void write();
  }

  async function write(): Promise<void> {
    writing = true;
    while (waiting.size > 0 && !closed) {
      const batch = [...waiting].slice(0, batchMax);
      for (const [fence] of batch) waiting.delete(fence);
      try {
        const taken = await send(batch);
        for (const [fence, { written }] of batch) {
          if (taken.has(fence.endpoint)) for (const tellWritten of written) tellWritten();
        }
      } catch (error) {
        log.warn({ circuits: batch.length, err: error }, "circuits not written");
        // What the database refuses it will refuse again; the next change of each is tried anew.
        if (classifyFailure(error) === "data") continue;
        waiting = new Map([...batch, ...withThose(batch)]);
        await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
      }
    }
    writing = false;
  }

  /** What waits, with what still has to be told of the states that it supersedes. */
  function withThose(batch: readonly (readonly [Fence, Entry])[]): Map<Fence, Entry> {
    const newer = new Map(waiting);
    for (const [fence, { written }] of batch) {
      const entry = newer.get(fence);
      if (entry) newer.set(fence, { ...entry, written: [...written, ...entry.written] });
    }
    return newer;
  }

  /** Returns the endpoints of which it was taken. */
  async function send(batch: readonly (readonly [Fence, Entry])[]): Promise<ReadonlySet<string>> {
    const column = (value: (fence: Fence, entry: Entry) => string | number | null) =>
      arrayText(batch.map(([fence, entry]) => value(fence, entry)));
    const taken = await sql<{ endpoint: string }[]>`
      select endpoint from record_circuits(${process},
        ${column((f) => f.tenant)}::uuid[], ${column((f) => f.endpoint)}::uuid[],
        ${column((f) => f.shard)}::int[], ${column((f) => f.epoch)}::bigint[],
        ${column((f) => f.generation)}::int[],
        ${column((_, { state }) => state.state)}::text[],
        ${column((_, { state }) => Math.round(state.since))}::bigint[],
        ${column((_, { state }) => round(state.probeAt))}::bigint[],
        ${column((_, { state }) => state.probes)}::int[],
        ${column((_, { state }) => round(state.outageSince))}::bigint[],
        ${column((_, { failure }) => round(failure?.at ?? null))}::bigint[],
        ${column((_, { failure }) => failure?.error ?? null)}::text[])`;
    return new Set(taken.map(({ endpoint }) => endpoint));
  }

  /**
   * Makes retries, due at once, of dead letters whose last attempt came after `outageSince` and
   * failed of the outage; each only once. Returns how many, at most `limit`. `moved` is called after
   * each step that found some.
   */
  async function requeue(
    fence: Fence,
    outageSince: number,
    { limit = Infinity, moved = () => {} }: { limit?: number; moved?: () => void } = {},
  ): Promise<number> {
    let count = 0;
    let after: Stop | undefined = {
      last_day: new Date(outageSince - scheduleMaxDays * 86_400_000).toISOString().slice(0, 10),
      last_sequence: 0,
    };
    while (after !== undefined && count < limit && !closed) {
      const step: Step = await requeueSome(fence, outageSince, after, limit - count);
      count += step.moved;
      if (step.moved > 0) moved();
      after = step.last_day === null ? undefined : step;
    }
    return count;
  }

  async function requeueSome(
    { tenant, endpoint, shard, epoch, generation }: Fence,
    outageSince: number,
    after: Stop,
    limit: number,
  ): Promise<Step> {
    const [step] = await sql<Step[]>`
      select moved, last_day, last_sequence from requeue_dead_letters(${process}, ${tenant},
        ${endpoint}, ${shard}, ${epoch}, ${generation}, ${new Date(outageSince).toISOString()},
        ${after.last_day}, ${after.last_sequence}, ${Math.min(requeueMax, limit)}, ${requeueLooks})`;
    if (step === undefined) throw new Error("a step without an answer");
    return step;
  }

  function close(): void {
    closed = true;
  }
}

function round(time: number | null): number | null {
  return time === null ? null : Math.round(time);
}
