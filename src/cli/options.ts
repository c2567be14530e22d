/** Values of options and how they are read; what cannot be read is wrong usage (exit code 2). */
import { InvalidArgumentError } from "commander";

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export function whole(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const range =
      most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

export function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("It must be a number above 0.");
}

/** `30s`, `5m`, `2h`. */
export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError("It must be a time span like 500ms, 30s, 5m, 2h or 7d.");
}

/** A time, or how long ago: `2026-11-23T12:00:00Z`, `2h`. Given out as RFC 3339. */
export function instant(text: string): string {
  const ago = parseDuration(text);
  if (ago !== undefined) return new Date(Date.now() - ago).toISOString();
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new InvalidArgumentError("It must be a time like 2026-11-23T12:00:00Z, or 2h for 2 h ago.");
}

/** A time, or how far ahead: `2026-11-23T12:00:00Z`, `90d`. */
export function instantAhead(text: string): string {
  const ahead = parseDuration(text);
  return ahead === undefined ? instant(text) : new Date(Date.now() + ahead).toISOString();
}

/** Where a reader starts. */
export function startPlace(text: string): string {
  return text === "earliest" || text === "latest" ? text : instant(text);
}

/** May be given as `a,b` and several times. */
export function list(text: string, before: readonly string[] | undefined): readonly string[] {
  const items = text.split(",").map((item) => item.trim());
  return [...(before ?? []), ...items.filter((item) => item !== "")];
}

/** A subject may hold a comma, so each has an option of its own. */
export function repeated(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** The JSON object of an option's value. */
export function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Told below.
  }
  throw new InvalidArgumentError(`It must be a JSON object like '{"max_in_flight":10}'.`);
}

function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(amount) * unitMs[unit as keyof typeof unitMs];
}
