/**
 * Whose streams are open. A stream outlives the check of its request, so every caller is checked
 * again and again, once for all of its streams, and loses them when the key or the ticket was
 * revoked or has expired, or the tenant is gone. Should nobody be able to tell, they stay.
 */
import { authenticate, authenticated, authorizeAgain } from "../http/auth.ts";
import type { Directory, Principal, Tenant, Ticket } from "../http/auth.ts";
import { Problem } from "../problem.ts";
import type { Logger } from "../telemetry/logger.ts";
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

  return { withKey, withTicket, release, check, recheck, checkThese };

  function withKey(authorization: string | undefined, tenant: Tenant): Caller {
    return of(`${tenant.id} key ${authorization}`, tenant, () =>
      authenticate(directory, authorization),
    );
  }

  function withTicket(ticket: Ticket, tenant: Tenant): Caller {
    return of(`${tenant.id} ticket ${ticket.id}`, tenant, async () =>
      authenticated(await ticket.authenticate(), "the ticket"),
    );
  }

  function of(name: string, tenant: Tenant, whoNow: () => Promise<Principal>): Caller {
    let caller = callers.get(name);
    if (caller === undefined) {
      caller = { name, tenant, authenticate: whoNow, streams: new Set() };
      callers.set(name, caller);
    }
    return caller;
  }

  function release(stream: Stream): void {
    const { caller } = stream;
    caller.streams.delete(stream);
    const isKnown = callers.get(caller.name) === caller;
    if (caller.streams.size === 0 && isKnown) callers.delete(caller.name);
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
      await authorizeAgain(directory, await caller.authenticate(), caller.tenant, "read");
    } catch (error) {
      if (!(error instanceof Problem)) {
        logger.warn({ err: error }, "streams keep running: their caller could not be checked");
        return;
      }
      for (const stream of [...caller.streams]) refuse(stream, error);
    }
  }
}
