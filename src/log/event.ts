/**
 * The vocabulary of the log: what an event is, and how its numbers are written.
 *
 * An event is stored as `envelope`, the final CloudEvents JSON text. Push, pull and stream send
 * these same characters for ever; nothing after the append parses or builds them.
 */

declare const brand: unique symbol;

/** A tenant's internal id (uuid text). A tenant that is created again under its name has another. */
export type TenantId = string & { readonly [brand]: "TenantId" };

/** An event's number in its tenant's log: 1, 2, 3 … without holes. 0 stands before the first. */
export type Sequence = number;

/** The UTC day of the append, `2026-11-23`. It never decreases along a tenant's sequence. */
export type Day = string;

/** Where a reader stands: the last event it has scanned. */
export type Position = { readonly sequence: Sequence; readonly day: Day };

export type LogEvent = {
  readonly sequence: Sequence;
  readonly day: Day;
  readonly type: string;
  readonly subject: string | null;
  /** Milliseconds since 1970, never decreasing along the sequence. */
  readonly appendedAt: number;
  readonly envelope: string;
};

/** Before the first event of any log. */
export const beginning: Position = { sequence: 0, day: "1970-01-01" };

/** The form on the wire: 20 digits, so that text order is number order. */
export function sequenceText(sequence: Sequence): string {
  const digits = String(sequence);
  return `${zeros[digits.length] ?? ""}${digits}`;
}

/** To stand before so many digits: `padStart` makes them anew each time, and takes thrice as long. */
const zeros = Array.from({ length: 20 }, (_, digits) => "0".repeat(20 - digits));

const envelopeStart = '{"specversion":"1.0","id":"';

/** The event's id, cut from the fixed start of its envelope. */
export function eventId(event: Pick<LogEvent, "envelope">): string {
  const { envelope } = event;
  return envelope.slice(envelopeStart.length, envelope.indexOf('"', envelopeStart.length));
}

/**
 * The four random bytes at the end of the event's id, as a number. A cursor carries them, so a
 * database restored to an earlier state, where the same sequence names another event, is noticed.
 */
export function eventFingerprint(event: Pick<LogEvent, "envelope">): number {
  return Number.parseInt(eventId(event).slice(-8), 16);
}

/** What a generated id says of its event. It may name none: only the log knows. */
export type EventName = {
  /** The first half of the tenant's internal id, see `tenantPrefix`. */
  readonly tenantPrefix: string;
  readonly position: Position;
};

/** `evt_`, the day of the append, `_`, then in hex: the tenant's prefix, sequence, random bytes. */
const eventIdForm = /^evt_(\d{4}-\d{2}-\d{2})_([0-9a-f]{16})([1-9a-f][0-9a-f]{0,13})[0-9a-f]{8}$/;

/** Reads an id that somebody sent; undefined for what cannot be one. */
export function parseEventId(id: string): EventName | undefined {
  const [, day = "", prefix = "", digits = ""] = eventIdForm.exec(id) ?? [];
  const sequence = Number.parseInt(digits, 16);
  if (!Number.isSafeInteger(sequence) || !isDay(day)) return undefined;
  return { tenantPrefix: prefix, position: { sequence, day } };
}

/**
 * The first half of a tenant's uuid, as event ids and cursors carry it: 8 bytes are enough to keep
 * apart the tenants of one installation.
 */
export function tenantPrefix(tenant: TenantId): string {
  return tenant.replaceAll("-", "").slice(0, 16);
}

/** Counted from 1970-01-01: two bytes hold it until 2149. */
export function dayNumber(day: Day): number {
  return Date.parse(day) / dayMs;
}

export function dayNumbered(number: number): Day {
  return new Date(number * dayMs).toISOString().slice(0, "2026-11-23".length);
}

const dayMs = 86_400_000;

/** A day of the calendar, which 2026-02-30 is not. */
function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
