/**
 * The replay jobs of one endpoint, as a source of its lane: they share its window, its rate and its
 * circuit with what is live and come after it. At most a quarter of the window is theirs, so a live
 * event finds room at once; and of what all jobs of the process may do together, see replay-pace.ts.
 *
 * Jobs take turns: those of one event each, and of the larger ones the oldest.
 */
import type { DeliveryRecord, Fence } from "../deliveries/ledger.ts";
import type { ReplayLedger } from "../deliveries/replay-ledger.ts";
import type { LogEvent } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { BufferBudget } from "./budget.ts";
import type { Endpoint } from "./endpoints.ts";
import type { ReplayPace } from "./replay-pace.ts";
import type { ReadReplayPage, ReplayItem } from "./replay-pages.ts";
import { createReplayRun, type ReplayRun } from "./replay-run.ts";

/** What the jobs of all lanes of a process share. */
export type ReplayContext = {
  readonly ledger: ReplayLedger;
  readonly pages: (endpoint: Endpoint) => ReadReplayPage;
  readonly pace: ReplayPace;
};

/** What a replay comes from. */
export type Replayed = { readonly run: ReplayRun; readonly item: ReplayItem };

/** Of the window. */
const windowShare = 1 / 4;

/** Live deliveries in one run, before a replay has its turn: it comes last, and it comes. */
const passedMax = 20;

/** Pause after jobs could not be loaded. */
const pauseMs = 500;

export function createReplays(options: {
  endpoint: Endpoint;
  fence: Fence;
  context: ReplayContext;
  budget: BufferBudget;
  log: Logger;
  /** Attempts that the endpoint may have under way. */
  window: () => number;
  /** `take` may have something to give. */
  ready: () => void;
}) {
  const { endpoint, fence, context, budget, log, window, ready } = options;
  const { ledger, pace } = context;
  const read = context.pages(endpoint);
  /** In the order of their turns. */
  const runs = new Map<string, ReplayRun>();
  let looking = false;
  let lookAgain = false;
  /** Those that ended while the jobs are being loaded, which may tell of them as they were. */
  const endedMeanwhile = new Set<string>();
  let away = false;
  /** Live deliveries since the last replay, while there was one to make. */
  let passed = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  return {
    tell,
    take,
    settle,
    giveBack,
    answered: (at: number) => runs.forEach((run) => run.answered(at)),
    letGo,
    resume,
    isFull,
    areLate: () => passed >= passedMax,
    passOver,
    isEmpty: () => runs.size === 0 && !looking,
    isWritten: () => [...runs.values()].every((run) => run.isWritten()),
    close,
  };

  /** Whether there are jobs that are running, as of now. */
  function tell(areRunning: boolean): void {
    if (areRunning || runs.size > 0) look();
  }

  /** Begins jobs that are new, and ends those that run no more. */
  function look(): void {
    if (closed) return;
    lookAgain = looking;
    if (looking) return;
    looking = true;
    clearTimeout(timer);
    ledger
      .load(fence)
      .then(
        (jobs) => {
          if (closed) return;
          const running = new Set(jobs.map(({ id }) => id));
          for (const run of runs.values()) if (!running.has(run.id)) run.stop();
          for (const job of jobs) {
            if (!runs.has(job.id) && !endedMeanwhile.has(job.id)) begin(job);
          }
        },
        (error: unknown) => {
          log.warn({ err: error }, "replays not loaded, trying again");
          timer = setTimeout(look, pauseMs);
        },
      )
      .finally(() => {
        looking = false;
        endedMeanwhile.clear();
        if (lookAgain) look();
        // What waited for a job to have something may look elsewhere.
        else ready();
      });
  }

  function begin(job: Parameters<typeof createReplayRun>[0]["job"]): void {
    const run = createReplayRun({
      ...{ job, fence, ledger, read, budget, log, ready },
      ended: () => {
        runs.delete(job.id);
        if (looking) endedMeanwhile.add(job.id);
        // Another may have waited for it.
        look();
        ready();
      },
    });
    runs.set(job.id, run);
    if (away) run.letGo();
    else run.fill();
    // A circuit that is open may be probed with it.
    ready();
  }

  /** Of the job whose turn it is. A probe may go in any case. */
  function take(mayGo: (event: LogEvent) => boolean, isProbe: boolean): Replayed | undefined {
    if (!isProbe && (runs.size === 0 || isFull() || !pace.admits(ready))) return undefined;
    for (const [id, run] of runs) {
      const item = run.take(mayGo, isProbe);
      if (item === undefined) continue;
      runs.delete(id);
      runs.set(id, run);
      passed = 0;
      pace.begin();
      return { run, item };
    }
    return undefined;
  }

  /** Something live went first. */
  function passOver(): void {
    if (passed >= passedMax || runs.size === 0) return;
    for (const run of runs.values()) {
      if (!run.hasItems()) continue;
      passed += 1;
      return;
    }
  }

  function isFull(): boolean {
    let inFlight = 0;
    for (const run of runs.values()) inFlight += run.inFlight();
    return inFlight >= Math.max(1, Math.floor(window() * windowShare));
  }

  function settle(
    { run, item }: Replayed,
    record: DeliveryRecord,
    how: { isFault: boolean; note: () => void },
  ): void {
    pace.end();
    run.settle(item, record, how);
  }

  function giveBack({ run, item }: Replayed): void {
    pace.end();
    run.giveBack(item);
  }

  function letGo(): void {
    away = true;
    for (const run of runs.values()) run.letGo();
  }

  function resume(): void {
    away = false;
    for (const run of runs.values()) run.resume();
  }

  function close(): void {
    closed = true;
    clearTimeout(timer);
    for (const run of runs.values()) run.stop();
  }
}
