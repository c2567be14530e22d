/**
 * The events of one tenant on their way to the gateway, in order. One request is under way at a
 * time and is answered before the next one goes; what has to come again stays in front. An event
 * is settled exactly once: appended, refused, or given up.
 */
import { backoffMs, pause, retryDelayMs } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { ConnectionError, isTemporary, ProblemError, toProblemError } from "./errors.ts";

export type Appended = {
  readonly id: string;
  /** 20 digits, dense per tenant. */
  readonly sequence: string;
  /** Continues right after the event; with `cursors: true`. */
  readonly cursor?: string;
  /** It was there already, maybe by an earlier try of the same append. */
  readonly duplicate: boolean;
};

export type Entry = {
  /** Its JSON text. */
  readonly text: string;
  readonly since: number;
  /** Answers that said that the gateway itself failed at it. */
  faults: number;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
};

export type LaneOptions = {
  readonly connection: Connection;
  /** Runs a request when others have room for it. */
  readonly inTurn: <Value>(request: () => Promise<Value>) => Promise<Value>;
  readonly cursors: boolean;
  readonly giveUpAfterMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onRetry: ((error: ProblemError | ConnectionError, delayMs: number) => void) | undefined;
  /** Nothing is left, and nothing may be added any more. */
  readonly onEnd: () => void;
};

export type Lane = { add(entry: Entry): void };

/** What the gateway takes at once. */
const batchMaxEvents = 1_000;

/** The gateway commits so much together; one commit cannot come apart. A larger event goes alone. */
const batchMaxCharacters = 512 << 10;

/** An event at which the gateway fails again and again must not hold up those behind it. */
const faultsMax = 3;

export function startLane(options: LaneOptions, first: Entry): Lane {
  const { connection, inTurn, cursors, giveUpAfterMs, signal, onRetry, onEnd } = options;
  let entries = [first];
  let maxEvents = batchMaxEvents;
  let failures = 0;

  void run();
  return { add: (entry) => void entries.push(entry) };

  /** Never rejects: what a callback throws is told to those whose events it was about. */
  async function run(): Promise<void> {
    // What is appended in the same turn goes together.
    await Promise.resolve();
    while (entries.length > 0) {
      try {
        const delayMs = await sendBatch();
        if (delayMs > 0) await pause(delayMs, signal);
        if (signal?.aborted === true) rejectAll(entries.splice(0), signal.reason);
      } catch (error) {
        rejectAll(entries.splice(0), error);
      }
    }
    // In the same turn as the last look: an event added in between would never be sent.
    onEnd();
  }

  /** Gives the pause before the next one. */
  async function sendBatch(): Promise<number> {
    const batch = entries.slice(0, batchEnd(entries, maxEvents));
    let results: Result[];
    try {
      results = await inTurn(() => send(batch));
    } catch (error) {
      return signal?.aborted === true ? 0 : takeFailure(batch, error);
    }
    maxEvents = Math.min(maxEvents * 2, batchMaxEvents);
    return takeResults(batch, results);
  }

  async function send(batch: readonly Entry[]): Promise<Result[]> {
    const answer = await connection.call({
      method: "POST",
      path: "/events",
      query: { cursors: cursors || undefined },
      body: `{"events":[${batch.map(({ text }) => text).join(",")}]}`,
      signal,
    });
    return readResults(answer, batch.length);
  }

  function takeResults(batch: readonly Entry[], results: readonly Result[]): number {
    const again: Entry[] = [];
    let last: ProblemError | undefined;
    for (const [at, entry] of batch.entries()) {
      const result = results[at];
      if (result === undefined) continue;
      if (!(result instanceof ProblemError)) {
        entry.resolve(result);
      } else if (isTemporary(result) && !isPoison(entry, result)) {
        again.push(entry);
        last = result;
      } else {
        entry.reject(result);
      }
    }
    entries = [...again, ...entries.slice(batch.length)];
    if (last !== undefined) return retryLater(again, last);
    failures = 0;
    return 0;
  }

  /** Nobody knows what became of the batch, or nothing of it was taken. */
  function takeFailure(batch: readonly Entry[], error: unknown): number {
    const isTheirs = error instanceof ProblemError && [400, 413, 422, 500].includes(error.status);
    if (isTheirs && batch.length > 1) {
      // Any of them may be the cause, or all together: the others must not fail for it.
      maxEvents = Math.ceil(batch.length / 2);
      return error.status === 500 ? backoffMs(1, Math.random()) : 0;
    }
    const [first] = batch;
    if (isTemporary(error) && !(first !== undefined && isTheirs && isPoison(first, error))) {
      return retryLater(batch, error);
    }
    rejectAll(entries.splice(0, batch.length), error);
    return 0;
  }

  function retryLater(again: readonly Entry[], error: ProblemError | ConnectionError): number {
    const tooOld = Date.now() - giveUpAfterMs;
    const given = new Set(again.filter(({ since }) => since < tooOld));
    rejectAll(given, error);
    if (given.size > 0) entries = entries.filter((entry) => !given.has(entry));
    if (given.size === again.length) return 0;
    failures += 1;
    const asked = error instanceof ProblemError ? error.retryAfterMs : undefined;
    const delayMs = retryDelayMs(failures, asked, Math.random());
    onRetry?.(error, delayMs);
    return delayMs;
  }
}

function isPoison(entry: Entry, error: unknown): boolean {
  if (!(error instanceof ProblemError) || error.status !== 500) return false;
  entry.faults += 1;
  return entry.faults >= faultsMax;
}

function rejectAll(rejected: Iterable<Entry>, error: unknown): void {
  for (const { reject } of rejected) reject(error);
}

/** How many of the first may go together, at least one. */
function batchEnd(entries: readonly Entry[], maxEvents: number): number {
  let characters = 0;
  for (const [at, { text }] of entries.entries()) {
    characters += text.length;
    if (at >= maxEvents || (at > 0 && characters > batchMaxCharacters)) return at;
  }
  return entries.length;
}

type Result = Appended | ProblemError;

/** One for each event. An answer that has not that form is none. */
function readResults(answer: unknown, count: number): Result[] {
  const { results } = (answer ?? {}) as { results?: unknown };
  if (!Array.isArray(results) || results.length !== count) {
    throw new ConnectionError("the answer has no result for each event: is there a proxy between?");
  }
  return results.map(readResult);
}

function readResult(value: unknown): Result {
  const { status, id, sequence, cursor, problem } = (value ?? {}) as Record<string, unknown>;
  if (typeof id === "string" && typeof sequence === "string") {
    const at = typeof cursor === "string" && { cursor };
    return { id, sequence, ...at, duplicate: status === 200 };
  }
  const refusal = { status: typeof status === "number" ? status : 500, title: "Refused" };
  return toProblemError(problem, refusal);
}
