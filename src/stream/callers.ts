/**
 * Whose streams are open. A stream outlives the check of its request, so every caller is checked
 * again and again, once for all of its streams, and loses them when the key was revoked or has
 * expired, or the tenant is gone. Should nobody be able to tell, they stay.
 */
import { reauthorize, type Directory, type Tenant } from "../http/auth.ts";
import { Problem } from "../problem.ts";
import type { Logger } from "../telemetry.ts";
import type { Caller, Stream } from "./stream.ts";

/** Look-ups under way at once: they come from memory, but when they do not, they share statements. */
const checksAtOnce = 100;

export function createCallers(options: {
  directory: Directory;
  /** Ends a stream whose caller may not have it any more. */
  refuse: (stream: Stream, problem: Problem) => void;
  logger: Logger;
}) {
  const { directory, refuse, logger } = options;
  const callers = new Map<string, Caller>();
  let checking = false;
  let stale = false;

  return { of, release, check, recheck, checkThese };

  function of(authorization: string | undefined, tenant: Tenant): Caller {
    const key = keyOf(authorization, tenant);
    let caller = callers.get(key);
    if (caller === undefined) {
      caller = { authorization, tenant, streams: new Set() };
      callers.set(key, caller);
    }
    return caller;
  }

  function release(stream: Stream): void {
    const { caller } = stream;
    caller.streams.delete(stream);
    const key = keyOf(caller.authorization, caller.tenant);
    if (caller.streams.size === 0 && callers.get(key) === caller) callers.delete(key);
  }

  /** Checks all callers, unless the last check is still at it. */
  async function check(): Promise<void> {
    if (checking) return;
    checking = true;
    do {
      stale = false;
      await checkThese([...callers.values()]);
    } while (stale);
    checking = false;
  }

  /** Checks all callers, also those whom a check that is at it has found in order. */
  async function recheck(): Promise<void> {
    stale = true;
    await check();
  }

  async function checkThese(some: readonly Caller[]): Promise<void> {
    for (let start = 0; start < some.length; start += checksAtOnce) {
      await Promise.all(some.slice(start, start + checksAtOnce).map(checkOne));
    }
  }

  async function checkOne(caller: Caller): Promise<void> {
    try {
      await reauthorize(directory, caller, "read");
    } catch (error) {
      if (!(error instanceof Problem)) {
        logger.warn({ err: error }, "streams keep running: their caller could not be checked");
        return;
      }
      for (const stream of [...caller.streams]) refuse(stream, error);
    }
  }
}

function keyOf(authorization: string | undefined, tenant: Tenant): string {
  return `${tenant.id} ${authorization}`;
}
