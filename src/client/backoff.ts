/** How long to wait before the next try. Chance and time are arguments, so a test is a table. */

export type Backoff = { readonly baseMs: number; readonly capMs: number };

/** A first retry comes soon; one every half a minute at most is no load, and no long gap. */
export const defaultBackoff: Backoff = { baseMs: 500, capMs: 30_000 };

/** A slip in a header must not stop a consumer for a day. */
const retryAfterMaxMs = 3_600_000;

/** Of what a header asks for: clients told the same must not all come at the same moment. */
const retryAfterSpread = 0.1;

/** Before the try after `failures` in a row: full jitter, so that what failed together parts. */
export function backoffMs(failures: number, chance: number, backoff = defaultBackoff): number {
  const { baseMs, capMs } = backoff;
  return chance * Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30));
}

/** What the server asked for, never less; otherwise the backoff. */
export function retryDelayMs(
  failures: number,
  retryAfterMs: number | undefined,
  chance: number,
  backoff = defaultBackoff,
): number {
  if (retryAfterMs === undefined) return backoffMs(failures, chance, backoff);
  return retryAfterMs + chance * Math.max(backoff.baseMs, retryAfterMs * retryAfterSpread);
}

/** `Retry-After` in seconds or as a date. */
export function parseRetryAfter(text: string | null, nowMs: number): number | undefined {
  if (text === null) return undefined;
  const value = text.trim();
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), retryAfterMaxMs);
}

/** Ends early, without an error, when the signal does. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end, { once: true });
    function end(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    }
  });
}
