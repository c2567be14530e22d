/**
 * Goal: whatever comes between, a replay gives out every event, counts each once, and its position
 * never passes one whose outcome is not written. Method: a job in memory is taken from and settled in
 * random order, with faults, refusals and probes that fail; its buffer is dropped, its circuit opens
 * and closes, its lane is closed in good order or it ends as in a crash, and another run goes on
 * from what was written.
 */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { DeliveryRecord, Fence } from "../../src/deliveries/ledger.ts";
import type { ReplayProgress, ReplayTelling } from "../../src/deliveries/replay-ledger.ts";
import { createBufferBudget } from "../../src/push/budget.ts";
import type { ReplayItem, ReplayPage } from "../../src/push/replay-pages.ts";
import { createReplayRun } from "../../src/push/replay-run.ts";
import { createLogger } from "../../src/telemetry/logger.ts";

const day = "2026-11-23";
const pageEvents = 7;
/** Of the events of the log every third is not to be sent. */
const isWanted = (sequence: number) => sequence % 3 !== 0;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Job = {
  readonly through: number;
  progress: ReplayProgress;
  done: boolean;
  readonly recorded: Set<number>;
  readonly refused: Set<number>;
};

function openRun(job: Job, alive: () => boolean) {
  const budget = createBufferBudget(1_500);
  const run = createReplayRun({
    job: {
      ...{
        id: "job",
        kind: "all",
        types: null,
        through: job.through,
        isSingle: false,
        createdAt: 0,
      },
      progress: job.progress,
    },
    fence: {} as Fence,
    ledger: { record: async (_fence, telling) => (alive() ? record(job, telling) : undefined) },
    read: async (_job, from) => pageAfter(from.sequence, job),
    ...{ budget, log: createLogger({ level: "silent" }) },
    ...{ ready: () => {}, ended: () => {} },
  });
  run.fill();
  return { run, budget };
}

/** Without what the job has told of already, as `replay-pages.ts` has it. */
function pageAfter(after: number, { through, recorded }: Job): ReplayPage {
  const last = Math.min(through, after + pageEvents);
  const items = Array.from({ length: last - after }, (_, index) => after + index + 1)
    .filter((sequence) => isWanted(sequence) && !recorded.has(sequence))
    .map((sequence): ReplayItem => {
      const event = { sequence, day, type: "a", subject: null, appendedAt: 0 };
      return { event: { ...event, envelope: "x".repeat(100) }, previous: 0, attempt: 1 };
    });
  return { items, position: { sequence: last, day }, isEnd: last >= through, matched: undefined };
}

/** As `record_replay` does, and what it must never be told. */
function record(job: Job, { known, now, isDone, records }: ReplayTelling) {
  for (const { sequence } of records) job.recorded.add(sequence);
  if (known.position.sequence === job.progress.position.sequence) {
    for (let sequence = 1; sequence <= now.position.sequence; sequence += 1) {
      if (isWanted(sequence)) expect(job.recorded).toContain(sequence);
    }
    job.progress = now;
    job.done ||= isDone;
  }
  return {
    status: job.done ? ("completed" as const) : ("running" as const),
    progress: job.progress,
  };
}

function outcomeOf(item: ReplayItem, kind: DeliveryRecord["kind"]): DeliveryRecord {
  const { sequence } = item.event;
  const at = Date.now();
  const told = { day, sequence, previous: 0, attempts: 1, retried: false, requeued: false };
  const times = { firstAt: at, at, queueMs: 0, latencyMs: 0, dueAt: null };
  return { ...told, ...times, kind, statusCode: null, error: null, detail: null };
}

test("every event is given out and counted once, whatever comes between", async () => {
  const acts = [
    ...["take", "take", "take", "accept", "accept", "accept", "refuse", "fault", "giveBack"],
    ...["wait", "squeeze", "open", "close", "crash", "reopen"],
  ];
  const step = fc.record({ act: fc.constantFrom(...acts), which: fc.nat(50) });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.array(step, { maxLength: 150, size: "max" }),
      async (through, steps) => {
        const start = { position: { sequence: 0, day }, sent: 0, failed: 0 };
        const sets = { recorded: new Set<number>(), refused: new Set<number>() };
        const job: Job = { through, progress: start, done: false, ...sets };
        const given = new Set<number>();
        let life = { over: false };
        let { run, budget } = openRun(job, isAlive(life));
        let out: ReplayItem[] = [];
        for (const { act, which } of steps) await play(act, which);
        run.resume();
        for (let rounds = 0; !job.done && rounds < 500; rounds += 1) {
          take();
          await play("accept", 0);
          await play("wait", 0);
        }

        const wanted = Array.from({ length: through }, (_, n) => n + 1).filter(isWanted);
        expect(job.done).toBe(true);
        expect(job.progress.sent + job.progress.failed).toBe(wanted.length);
        expect([...given].toSorted((a, b) => a - b)).toEqual(wanted);
        expect(job.progress.failed).toBeLessThanOrEqual(job.refused.size);

        function take() {
          const item = run.take(() => true, false);
          if (item === undefined) return;
          given.add(item.event.sequence);
          out.push(item);
        }

        async function play(act: string, which: number): Promise<void> {
          const [item] =
            out.length > 0 && /accept|refuse|fault|giveBack/.test(act)
              ? out.splice(which % out.length, 1)
              : [];
          switch (act) {
            case "take":
              return take();
            case "accept":
              return settle(item, "delivered", false);
            case "refuse":
              return settle(item, "dead", false);
            case "fault":
              return settle(item, "dead", true);
            case "giveBack":
              if (item !== undefined) run.giveBack(item);
              return;
            case "wait":
              return void (await vi.advanceTimersByTimeAsync(150));
            case "squeeze":
              return budget.change({ drop: () => {} }, 10_000);
            case "open":
              return run.letGo();
            case "close":
              return run.resume();
            case "crash":
              life.over = true;
              return begin();
            case "reopen":
              run.stop();
              // What was under way then is cut short, or still ends.
              for (const [index, each] of out.splice(0).entries()) {
                if ((index + which) % 2 === 0) run.giveBack(each);
                else settle(each, "delivered", false);
              }
              await vi.advanceTimersByTimeAsync(150);
              return begin();
          }
        }

        function begin() {
          out = [];
          life = { over: false };
          ({ run, budget } = openRun(job, isAlive(life)));
        }

        function settle(
          item: ReplayItem | undefined,
          kind: "delivered" | "dead",
          isFault: boolean,
        ) {
          if (item === undefined) return;
          if (kind === "dead") job.refused.add(item.event.sequence);
          run.settle(item, outcomeOf(item, kind), { isFault, note: () => {} });
        }
      },
    ),
    { numRuns: 100 },
  );
});

function isAlive(life: { over: boolean }) {
  return () => !life.over;
}
