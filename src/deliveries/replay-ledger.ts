/**
 * Replay jobs for whoever drives their endpoint: which are to be done, and what has become of what
 * was sent. Counts and position of a job go with the outcomes that they rest on, in one statement
 * (`record_replay`) under the fences of the ledger, so a job that is interrupted anywhere goes on
 * with what it had recorded: what was under way is sent again, and counted once.
 */
import { arrayText, type Sql } from "../db/database.ts";
import type { Day, Position, Sequence } from "../log/event.ts";
import type { DeliveryRecord, Fence } from "./ledger.ts";
import type { ReplayKind, ReplayStatus } from "./replays.ts";

/** How far a job is. */
export type ReplayProgress = {
  /** All up to here has been sent, or was not to be. */
  readonly position: Position;
  readonly sent: number;
  readonly failed: number;
};

export type ReplayJob = {
  readonly id: string;
  readonly kind: ReplayKind;
  readonly types: readonly string[] | null;
  readonly through: Sequence;
  /** Of one event. */
  readonly isSingle: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly progress: ReplayProgress;
};

/** Of a job, what was sent since, and where that leaves it. */
export type ReplayTelling = {
  readonly job: string;
  /** As it was written last. */
  readonly known: ReplayProgress;
  readonly now: ReplayProgress;
  readonly isDone: boolean;
  readonly records: readonly DeliveryRecord[];
};

export type ReplayLedger = ReturnType<typeof createReplayLedger>;

/**
 * Jobs of an endpoint that are done at the same time: those of one event in any case, so that none
 * waits for one of a million, and of the others the oldest.
 */
const singlesMax = 20;

export type ReplayStanding = {
  readonly status: ReplayStatus;
  readonly progress: ReplayProgress;
};

type JobRow = Omit<ReplayJob, "progress"> & ProgressRow;

type ProgressRow = { sequence: Sequence; day: Day; sent: number; failed: number };

/** `reads` and `writes` as the push side has them. */
export function createReplayLedger(options: { reads: Sql; writes: Sql; process: string }) {
  const { reads, writes, process } = options;
  return { load, record };

  async function load({ tenant, endpoint }: Fence): Promise<ReplayJob[]> {
    const running = reads`
      select id, kind, types, through, through - after = 1 as "isSingle", sequence, day::text, sent,
        failed, (extract(epoch from created_at) * 1000)::bigint as "createdAt"
      from replays
      where tenant = ${tenant} and endpoint = ${endpoint} and status = 'running'`;
    const rows = await reads<JobRow[]>`
      (${running} and through - after = 1 order by created_at limit ${singlesMax})
      union all
      (${running} and through - after <> 1 order by created_at limit 1)`;
    return rows.map((row) => ({
      ...{ id: row.id, kind: row.kind, types: row.types, through: row.through },
      ...{ isSingle: row.isSingle, createdAt: row.createdAt, progress: toProgress(row) },
    }));
  }

  /** How the job stands then; undefined when the fence holds no longer, or the job is gone. */
  async function record(
    fence: Fence,
    { job, known, now, isDone, records }: ReplayTelling,
  ): Promise<ReplayStanding | undefined> {
    const { tenant, endpoint, shard, epoch, generation } = fence;
    const [row] = await writes<(ProgressRow & { status: ReplayStatus })[]>`
      select status, sequence, day, sent, failed from record_replay(${process}, ${tenant},
        ${endpoint}, ${shard}, ${epoch}, ${generation}, ${job},
        ${known.position.sequence}, ${known.sent}, ${known.failed},
        ${now.position.sequence}, ${now.position.day}, ${now.sent}, ${now.failed}, ${isDone},
        ${column((r) => String(r.kind === "delivered"))}::boolean[],
        ${column((r) => r.day)}::date[], ${column((r) => r.sequence)}::bigint[],
        ${column((r) => r.previous)}::bigint[], ${column((r) => r.attempts)}::int[],
        ${column((r) => r.at)}::bigint[], ${column((r) => r.queueMs)}::int[],
        ${column((r) => r.latencyMs)}::int[], ${column((r) => r.statusCode)}::int[],
        ${column((r) => r.error)}::text[], ${column((r) => r.detail?.url ?? null)}::text[],
        ${column((r) => r.detail?.errorClass ?? null)}::text[],
        ${column((r) => r.detail?.responseHeaders ?? null)}::text[],
        ${column((r) => r.detail?.responseBody ?? null)}::text[],
        ${column((r) => String(r.detail?.truncated ?? false))}::boolean[])`;
    return row && { status: row.status, progress: toProgress(row) };

    function column(value: (record: DeliveryRecord) => string | number | null): string {
      return arrayText(records.map(value));
    }
  }
}

function toProgress({ sequence, day, sent, failed }: ProgressRow): ReplayProgress {
  return { position: { sequence, day }, sent, failed };
}
