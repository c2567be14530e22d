/**
 * Between the cursors that readers hold and the log: finds the place where a reader asks to start,
 * mints the cursor of the place it has come to, and says why it cannot read on.
 *
 * A cursor is checked twice, here against its signature, tenant and filter, and in the log against
 * the event at its place, with the first read. Only that first read can find that the log was
 * restored, so it never comes out of a tail.
 */
import type { Selection } from "../http/selection.ts";
import type { Cursors } from "../log/cursor.ts";
import { eventFingerprint, type LogEvent, type Position, type TenantId } from "../log/event.ts";
import { compileFilter, type CompiledFilter, type Filter } from "../log/filter.ts";
import type { Log, Read } from "../log/log.ts";
import { Problem } from "../problem.ts";
import { createShared } from "./shared.ts";

/** A position and the fingerprint of the event there (0: none): all that a cursor says of a log. */
export type Mark = Position & { readonly fingerprint: number };

/** Where a reader starts, and what it wants. */
export type Started = { readonly mark: Mark; readonly filter: CompiledFilter };

/** Why a read gave no events. */
export type Refused = Exclude<Read, { kind: "events" }>;

export type Marks = ReturnType<typeof createMarks>;

export function createMarks(options: { log: Log; cursors: Cursors }) {
  const { log, cursors } = options;
  const heads = createShared<Position>();
  const marks = createShared<Mark>();
  const reads = createShared<Read>();

  return { start, isOfReader, at: markAt, firstRead, cursorAt, refusal };

  /** Throws 400 for a cursor that this tenant was not given, or not for this filter. */
  async function start(tenant: TenantId, selection: Selection): Promise<Started> {
    const filter = compileFilter(selection.filter);
    const from = selection.start;
    switch (from.kind) {
      case "cursor":
        return { mark: markOfCursor(tenant, from.cursor, filter, selection.rebase), filter };
      case "earliest":
        return { mark: { ...(await log.floor(tenant)), fingerprint: 0 }, filter };
      case "latest":
        return { mark: await latest(tenant), filter };
      case "position":
        // Kept in the same database as the log: both were restored if one was.
        return { mark: { ...from.position, fingerprint: 0 }, filter };
      case "time": {
        // Nothing is older than 1970, and Postgres knows no year 0.
        const time = new Date(Math.max(from.at, 0));
        return { mark: await markAt(tenant, await log.positionBefore(tenant, time)), filter };
      }
    }
  }

  function markOfCursor(
    tenant: TenantId,
    cursor: string,
    filter: CompiledFilter,
    rebase: boolean,
  ): Mark {
    const content = cursors.read(cursor, tenant);
    if (content === undefined) {
      throw new Problem("cursor-invalid", "this is not a cursor that this tenant was given");
    }
    if (!rebase && content.filter !== "any" && !filter.fingerprint.equals(content.filter)) {
      const detail = "repeat the filter it was made with, or add rebase=true";
      throw new Problem("cursor-filter-mismatch", detail);
    }
    return { ...content.position, fingerprint: content.fingerprint };
  }

  /** Whether a reader with this filter was given the cursor, and not the receiver of a push. */
  function isOfReader(tenant: TenantId, cursor: string, filter: Filter): boolean {
    const content = cursors.read(cursor, tenant);
    if (content === undefined || content.filter === "any") return false;
    return compileFilter(filter).fingerprint.equals(content.filter);
  }

  async function latest(tenant: TenantId): Promise<Mark> {
    const head = await heads(tenant, () => log.head(tenant));
    return await marks(`${tenant} ${head.sequence}`, () => markAt(tenant, head));
  }

  /** A place whose event nobody has at hand. */
  async function markAt(tenant: TenantId, position: Position): Promise<Mark> {
    const event = position.sequence === 0 ? undefined : await log.event(tenant, position);
    return { ...position, fingerprint: event === undefined ? 0 : eventFingerprint(event) };
  }

  /**
   * Reads for `scan`, whose first one starts at `mark`: out of the log, so that a reader always
   * sees what was committed before it asked, and with the fingerprint compared.
   */
  function firstRead(tenant: TenantId, mark: Mark) {
    return (after: Position, limit: number, maxBytes: number): Promise<Read> => {
      const fingerprint = after === mark ? mark.fingerprint : 0;
      const { sequence, day } = after;
      // The day is the cursor's word, so it is compared too.
      const key = `${tenant} ${sequence} ${day} ${fingerprint} ${limit} ${maxBytes}`;
      return reads(key, () => log.read(tenant, after, limit, { fingerprint, maxBytes }));
    };
  }

  /** Continues right after `mark`, for readers with this filter. */
  function cursorAt(
    tenant: TenantId,
    { sequence, day, fingerprint }: Mark,
    filter: Uint8Array | "any",
  ) {
    return cursors.mint({ tenant, position: { sequence, day }, fingerprint, filter });
  }

  /** The 410 for a reader that cannot read on, with the places it can go on from instead. */
  async function refusal(
    tenant: TenantId,
    filter: CompiledFilter,
    refused: Refused,
  ): Promise<Problem> {
    const [floor, end] = await Promise.all([log.floor(tenant), log.head(tenant)]);
    const oldest = { ...floor, fingerprint: 0 };
    const latest = await markAt(tenant, end);
    const members = {
      oldest_cursor: cursorAt(tenant, oldest, filter.fingerprint),
      latest_cursor: cursorAt(tenant, latest, filter.fingerprint),
    };
    switch (refused.kind) {
      case "expired": {
        const detail = `${refused.lost} events after the cursor have expired`;
        return new Problem("cursor-expired", detail, {
          members: { lost: refused.lost, ...members },
        });
      }
      case "ahead":
        return new Problem("cursor-ahead", "the feed ends before this cursor", { members });
      case "reset": {
        const detail = "the feed was restored to a state from before this cursor";
        return new Problem("feed-reset", detail, { members });
      }
    }
  }
}

export function markOf(event: LogEvent): Mark {
  return { sequence: event.sequence, day: event.day, fingerprint: eventFingerprint(event) };
}
