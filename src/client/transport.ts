/**
 * Decides between the stream and long polls. The stream is the quicker and the cheaper one, but
 * what stands between may not let it through; then polls bring the same events, and the stream is
 * tried again later.
 */
import type { StreamEnd } from "./feed-stream.ts";

export type Transport = "auto" | "stream" | "poll";

/** A stream that lived this long is worth having, however it ended. */
export const worthwhileMs = 60_000;

/** One stream is cut by any restart of a process; so many in a row by something that does it. */
const cutsMax = 3;

/** Until the stream is tried again: longer each time that it fails. */
const pollFirstMs = 5 * 60_000;
const pollMaxMs = 60 * 60_000;

export type TransportChoice = {
  wantsStream(nowMs: number): boolean;
  /** Notes how a stream ended. Tells why it is polled from now on, if it is. */
  note(end: StreamEnd, nowMs: number): string | undefined;
};

export function createTransport(transport: Transport, firstMs = pollFirstMs): TransportChoice {
  let cuts = 0;
  let pollUntilMs = -Infinity;
  let nextPollMs = firstMs;

  return { wantsStream, note };

  function wantsStream(nowMs: number): boolean {
    return transport === "stream" || (transport === "auto" && nowMs >= pollUntilMs);
  }

  function note({ kind, error, livedMs, wasSlow }: StreamEnd, nowMs: number) {
    if (transport !== "auto") return undefined;
    // By a gateway that is there, and says when to come back.
    if (kind === "refused") return undefined;
    if (kind !== "blocked" && (livedMs >= worthwhileMs || wasSlow)) {
      cuts = 0;
      nextPollMs = firstMs;
      return undefined;
    }
    cuts += 1;
    if (kind !== "blocked" && cuts < cutsMax) return undefined;
    cuts = 0;
    pollUntilMs = nowMs + nextPollMs;
    nextPollMs = Math.min(nextPollMs * 2, pollMaxMs);
    const reason = error?.message ?? `it ended after ${livedMs} ms`;
    return kind === "blocked" ? `no stream gets through: ${reason}` : `streams are cut: ${reason}`;
  }
}
