/**
 * Reads one day of a tenant's log, which is one partition: planned on it alone a page costs one
 * index descent, where a range over days depends on the statistics of partitions that have none.
 *
 * A page of 1,000 large events could be a gigabyte. So the plain statement gives envelopes up to a
 * size of which a whole page is bearable, and leaves out larger ones; only from the first of those
 * on are events weighed one by one, which makes the statement half as dear again.
 */
import type { Sql } from "../db/database.ts";
import {
  eventFingerprint,
  type Day,
  type LogEvent,
  type Position,
  type Sequence,
  type TenantId,
} from "./event.ts";

/** What a page is asked to hold at most; the event that reaches the bytes is its last. */
export type PageLimits = { readonly events: number; readonly bytes: number };

/** A full page, as it is handed out. */
export type FullPage = {
  /** The envelopes in order, with commas between them. */
  readonly text: string;
  readonly end: VerifiedPosition;
};

/** A position and the fingerprint of the event there. */
type VerifiedPosition = Position & { readonly fingerprint: number };

type EventRow = {
  sequence: Sequence;
  type: string;
  subject: string | null;
  at: number;
  /** Null where it was left out. */
  envelope: string | null;
};

/** No page is larger, whatever it is asked to hold. */
export const pageMaxBytes = 4 << 20;

/** Most events are smaller than this, which is also what a row holds before it is stored apart. */
const plainBytes = 4_096;

export function createDayReader(sql: Sql) {
  return { read, fullPage };

  /** The events after a sequence; with `own` also the one at it, which counts for no limit. */
  async function read(
    tenant: TenantId,
    day: Day,
    after: Sequence,
    limits: PageLimits,
    own = false,
  ): Promise<LogEvent[]> {
    const rows = await readPlain(tenant, day, after, limits, own);
    const large = rows.findIndex((row) => row.envelope === null);
    const events = toEvents(large === -1 ? rows : rows.slice(0, large), day);
    if (large === -1) return events;
    const counted = own ? events.slice(1) : events;
    const bytes = counted.reduce((sum, event) => sum + Buffer.byteLength(event.envelope), 0);
    const left = { events: limits.events - counted.length, bytes: limits.bytes - bytes };
    if (left.bytes <= 0) return events;
    const from = events.at(-1)?.sequence ?? after;
    return [...events, ...toEvents(await readWeighed(tenant, day, from, left), day)];
  }

  function readPlain(
    tenant: TenantId,
    day: Day,
    after: Sequence,
    limits: PageLimits,
    own: boolean,
  ) {
    const ownEvents = own ? 1 : 0;
    const share = Math.max(
      Math.floor(limits.bytes / limits.events),
      Math.min(plainBytes, Math.floor(pageMaxBytes / limits.events)),
    );
    return sql<EventRow[]>`
      select sequence, type, subject, (extract(epoch from appended_at) * 1000)::bigint as at,
        case when octet_length(envelope) <= ${share} or sequence <= ${after} then envelope end
          as envelope
      from events
      where tenant = ${tenant} and day = ${day} and sequence >= ${after + 1 - ownEvents}
        and day >= (select oldest_day from log_settings)
      order by sequence limit ${limits.events + ownEvents}`;
  }

  /** `octet_length` does not fetch what Postgres keeps apart from the row. */
  function readWeighed(tenant: TenantId, day: Day, after: Sequence, limits: PageLimits) {
    return sql<EventRow[]>`
      select sequence, type, subject, envelope,
        (extract(epoch from appended_at) * 1000)::bigint as at
      from (
        select *, sum(octet_length(envelope)) over (order by sequence rows unbounded preceding)
          - octet_length(envelope) as bytes_before
        from (
          select sequence, type, subject, envelope, appended_at from events
          where tenant = ${tenant} and day = ${day} and sequence > ${after}
            and day >= (select oldest_day from log_settings)
          order by sequence limit ${limits.events}
        ) as found
      ) as weighed
      where bytes_before < ${limits.bytes}
      order by sequence`;
  }

  /**
   * For readers in bulk who want everything, with two columns instead of five: the page after a
   * reader's own event, if that is still the same one and the rest of its day fills the page with
   * events that are small enough. Undefined in all other cases, which `Log.read` tells apart.
   */
  async function fullPage(
    tenant: TenantId,
    own: VerifiedPosition,
    limits: PageLimits,
  ): Promise<FullPage | undefined> {
    const { sequence, day } = own;
    const share = Math.floor(limits.bytes / limits.events);
    const rows = await sql<Pick<EventRow, "sequence" | "envelope">[]>`
      select sequence,
        case when octet_length(envelope) <= ${share} or sequence = ${sequence} then envelope end
          as envelope
      from events
      where tenant = ${tenant} and day = ${day} and sequence >= ${sequence}
        and day >= (select oldest_day from log_settings)
      order by sequence limit ${limits.events + 1}`;
    const envelopes: string[] = [];
    for (const { envelope } of rows) {
      if (envelope === null) return undefined;
      envelopes.push(envelope);
    }
    const [first] = rows;
    const [ownEnvelope] = envelopes.splice(0, 1);
    const last = envelopes.at(-1);
    if (ownEnvelope === undefined || last === undefined) return undefined;
    if (first?.sequence !== sequence || envelopes.length < limits.events) return undefined;
    if (eventFingerprint({ envelope: ownEnvelope }) !== own.fingerprint) return undefined;
    const fingerprint = eventFingerprint({ envelope: last });
    const end = { sequence: sequence + limits.events, day, fingerprint };
    return { text: envelopes.join(","), end };
  }
}

function toEvents(rows: readonly EventRow[], day: Day): LogEvent[] {
  return rows.map(({ sequence, type, subject, at, envelope }) => {
    if (envelope === null) throw new Error("an event was read without its envelope");
    return { sequence, day, type, subject, appendedAt: at, envelope };
  });
}
