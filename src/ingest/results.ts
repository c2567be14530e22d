/** What is answered for each event, in a batch and line by line. */
import type { Cursors } from "../log/cursor.ts";
import { sequenceText, type TenantId } from "../log/event.ts";
import type { Appended, AppendResult } from "../log/new-event.ts";
import { Problem, problemBody, type ProblemBody } from "../problem.ts";

export type ItemResult =
  | { status: 201 | 200; id: string; sequence: string; cursor?: string }
  | { status: number; problem: ProblemBody };

/** When to come back after an overload, seconds. */
const retryAfterSeconds = 1;

/** `cursors` only where the result is to carry one. */
export function toResult(
  tenant: TenantId,
  result: AppendResult,
  cursors: Cursors | undefined,
): ItemResult {
  switch (result.kind) {
    case "appended":
    case "duplicate":
      return {
        status: result.kind === "appended" ? 201 : 200,
        id: result.id,
        sequence: sequenceText(result.sequence),
        ...(cursors !== undefined && { cursor: mintCursor(cursors, tenant, result) }),
      };
    default:
      return failure(problemOf(result));
  }
}

export function failure(problem: Problem): ItemResult {
  return { status: problem.status, problem: problemBody(problem) };
}

/** Continues right after the event, under any filter. */
export function mintCursor(cursors: Cursors, tenant: TenantId, appended: Appended): string {
  const { sequence, day, id } = appended;
  const fingerprint = Number.parseInt(id.slice(-8), 16);
  return cursors.mint({ tenant, position: { sequence, day }, fingerprint, filter: "any" });
}

export function appendedOrProblem(result: AppendResult): Appended {
  if (result.kind === "appended" || result.kind === "duplicate") return result;
  // A fault of ours: answered with the request's id, under which the log has it.
  if (result.kind === "failed") throw new Error("the append failed");
  throw problemOf(result);
}

export function unavailable(): Problem {
  return new Problem("unavailable", "the event was not appended; try again shortly", retryLater());
}

function problemOf(result: Exclude<AppendResult, Appended>): Problem {
  switch (result.kind) {
    case "conflict":
      return new Problem("idempotency-conflict", "the key was used with other content");
    case "gone":
      return new Problem("unknown-tenant", "the tenant no longer exists");
    case "refused":
      return new Problem("invalid", "the database cannot store this event");
    case "unavailable":
      return unavailable();
    case "in-doubt":
      return new Problem(
        "unavailable",
        "the event may or may not have been appended; repeating it with a key is safe",
        retryLater(),
      );
    case "failed":
      return new Problem("internal-error", "internal error");
  }
}

function retryLater() {
  return { headers: { "retry-after": String(retryAfterSeconds) } };
}
