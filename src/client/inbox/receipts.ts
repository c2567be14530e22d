/**
 * Tells the gateway what is handled, so that what came by pull is not pushed as well, and what it
 * waits for a receipt of is settled. Best effort: nothing is lost when a receipt is; it is sent
 * again, or a later one covers it, and at worst events come twice and are refused as duplicates.
 */
import { retryDelayMs } from "../backoff.ts";
import type { Connection } from "../connection.ts";
import { isTemporary, ProblemError } from "../errors.ts";
import type { Handling } from "./handling.ts";

export type Receipts = {
  /** All up to here is handled; `isNews` when the gateway cannot know it from its pushes. */
  through(sequence: number, cursor: string, isNews: boolean): void;
  /** An event out of a page, that stands above the position. */
  handled(id: string, sequence: number): void;
  /** Sends what is to be sent, once. */
  stop(): Promise<void>;
};

/** What was pulled is pushed as soon as the gateway can: it should know before. */
const newsAfterMs = 200;

/** What was pushed and answered is settled, unless the endpoint asks for receipts. */
const knownAfterMs = 5_000;

const idsPerRequest = 500;

/** Those beyond are covered by the position when it comes past them. */
const idsMax = 10_000;

const timeoutMs = 10_000;
const stopTimeoutMs = 2_000;
const backoff = { baseMs: 1_000, capMs: 60_000 };

/** What will not pass by itself is tried again all the same: the gateway may be older, or mended. */
const refusedAfterMs = 60_000;

export function createReceipts(options: {
  readonly connection: Connection;
  readonly endpoint: string;
  readonly handling: Pick<Handling, "counts" | "report">;
}): Receipts {
  const { connection, endpoint, handling } = options;
  let through: { sequence: number; cursor: string } | undefined;
  const ids = new Map<string, number>();
  let timer: { handle: ReturnType<typeof setTimeout>; at: number } | undefined;
  let failures = 0;
  let notBefore = 0;
  let sending: Promise<void> | undefined;
  let hasNews = false;
  let isStopped = false;

  return {
    through(sequence, cursor, isNews) {
      through = { sequence, cursor };
      for (const [id, each] of ids) if (each <= sequence) ids.delete(id);
      plan(isNews);
    },
    handled(id, sequence) {
      if (ids.size < idsMax) ids.set(id, sequence);
      plan(true);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer?.handle);
      await sending;
      if (hasNews) await send(stopTimeoutMs);
    },
  };

  function plan(isNews: boolean): void {
    hasNews ||= isNews;
    if (isStopped || sending !== undefined) return;
    if (through === undefined && ids.size === 0) return;
    const now = Date.now();
    const at = Math.max(notBefore, now + (hasNews ? newsAfterMs : knownAfterMs));
    if (timer !== undefined && timer.at <= at) return;
    clearTimeout(timer?.handle);
    const handle = setTimeout(() => {
      timer = undefined;
      sending = send(timeoutMs).finally(() => {
        sending = undefined;
        plan(false);
      });
    }, at - now);
    timer = { handle, at };
  }

  async function send(withinMs: number): Promise<void> {
    hasNews = false;
    try {
      const upTo = through;
      if (upTo !== undefined) {
        await post({ through: upTo.cursor }, withinMs);
        if (through === upTo) through = undefined;
      }
      while (ids.size > 0) {
        const some = [...ids.keys()].slice(0, idsPerRequest);
        await post({ events: some }, withinMs);
        for (const id of some) ids.delete(id);
      }
      failures = 0;
    } catch (error) {
      hasNews = true;
      failures += 1;
      const asked = error instanceof ProblemError ? error.retryAfterMs : undefined;
      const delayMs = isTemporary(error)
        ? retryDelayMs(failures, asked, Math.random(), backoff)
        : refusedAfterMs;
      notBefore = Date.now() + delayMs;
      handling.report(error, { during: "receipt" });
    }
  }

  async function post(what: object, withinMs: number): Promise<void> {
    const body = { endpoint, ...what, status: "processed" };
    await connection.call({ method: "POST", path: "/receipts", body, timeoutMs: withinMs });
    handling.counts.receipts += 1;
  }
}
