/**
 * Keeps one session with something remote. It opens a session, tends it every second, ends it when
 * tending fails, and then opens another after a back-off, until it is stopped. So there is one way
 * to become whole again, whatever broke.
 */

import type { FanoutStatus } from "./fanout.ts";

export type Session = {
  /** Proves that the session works and repairs it; throws when it is of no use any more. */
  tend(): Promise<void>;
  /** Must end whatever state the session is in. */
  close(): Promise<void>;
};

export type Keeper<S extends Session> = {
  /** The session, when it was tended with success at least once. */
  current(): S | undefined;
  /** Tends now instead of at the next second. Does not shorten a back-off. */
  wake(): void;
  status(): Pick<FanoutStatus, "state" | "since">;
  /** Resolves when the first session is up, or could not be had at once. */
  attempted: Promise<void>;
  stop(): Promise<void>;
};

const tendEveryMs = 1_000;
const backoffBaseMs = 250;
const backoffMaxMs = 5_000;
/** A close that hangs is left behind. */
const closeTimeoutMs = 2_000;

/** Full jitter over an exponential bound, so that processes do not come back in step. */
export function backoffMs(failures: number, chance: number): number {
  const bound = Math.min(backoffMaxMs, backoffBaseMs * 2 ** failures);
  return backoffBaseMs + chance * (bound - backoffBaseMs);
}

export function keepSession<S extends Session>(
  open: () => Promise<S>,
  tell: { up(session: S): void; failed(error: unknown): void },
): Keeper<S> {
  const attempted = Promise.withResolvers<void>();
  let session: S | undefined;
  let up = false;
  let since = Date.now();
  let stopping = false;
  let failures = 0;
  let woken = false;
  let endPause = (): void => {};
  void keep();
  return {
    current: () => (up ? session : undefined),
    wake,
    status: () => ({ state: up ? "up" : "reconnecting", since }),
    attempted: attempted.promise,
    stop,
  };

  async function keep(): Promise<void> {
    while (!stopping) {
      woken = false;
      try {
        session ??= await open();
        // Stopped meanwhile: it is closed below without having been up.
        if (stopping) break;
        await session.tend();
        failures = 0;
        if (!up && !stopping) {
          turn(true);
          tell.up(session);
        }
      } catch (error) {
        if (!stopping) tell.failed(error);
        failures += 1;
        await end();
      }
      attempted.resolve();
      await pause();
    }
    await end();
  }

  function wake(): void {
    woken = true;
    if (failures === 0) endPause();
  }

  async function pause(): Promise<void> {
    if (stopping || (woken && failures === 0)) return;
    const ms = failures === 0 ? tendEveryMs : backoffMs(failures, Math.random());
    const pausing = Promise.withResolvers<void>();
    const timer = setTimeout(pausing.resolve, ms);
    endPause = pausing.resolve;
    await pausing.promise;
    clearTimeout(timer);
  }

  async function end(): Promise<void> {
    const ended = session;
    session = undefined;
    turn(false);
    // A session that does not close has lost its connection: there is nothing left to close.
    if (ended !== undefined) await inTime(ended.close(), closeTimeoutMs).catch(() => {});
  }

  function turn(next: boolean): void {
    if (up === next) return;
    up = next;
    since = Date.now();
  }

  async function stop(): Promise<void> {
    stopping = true;
    endPause();
    await end();
  }
}

/** Settles like `work`, but not later than `ms`. */
export function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms);
  work.then(resolve, reject);
  return promise.finally(() => clearTimeout(timer));
}
