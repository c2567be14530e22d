/**
 * The requests of this process that wait for events. They are woken a few at a time, look again
 * whether they are still allowed when keys have changed, and answer with what they have when the
 * process stops.
 */
import type { ServerResponse } from "node:http";
import { createTurns } from "../feed/turns.ts";
import { createWait, type Wait } from "./wait.ts";

/** Requests resumed in one turn: each goes on to read and to answer. */
const resumedPerTurn = 32;

export type Waits = ReturnType<typeof createWaits>;

export function createWaits() {
  const waiting = new Set<Wait>();
  const woken = createTurns<Wait>((wait) => wait.wake(), resumedPerTurn);
  let stopped = false;

  return { open, wake, close, recheck, stop, size: () => waiting.size, isStopped: () => stopped };

  /** Undefined for a request that does not wait: it may not be asked to, or nothing does any more. */
  function open(waitMs: number, outgoing: ServerResponse): Wait | undefined {
    if (waitMs === 0 || stopped) return undefined;
    const wait = createWait(waitMs, outgoing);
    waiting.add(wait);
    return wait;
  }

  /** Lets the request look again, soon. */
  function wake(wait: Wait): void {
    if (waiting.has(wait)) woken.add(wait);
  }

  function close(wait: Wait): void {
    woken.delete(wait);
    waiting.delete(wait);
    wait.close();
  }

  /** Refuses whatever waits and would not be let in any more. */
  function recheck(): void {
    for (const wait of waiting) {
      wait.doubt();
      woken.add(wait);
    }
  }

  /** Lets all that waits answer with what it has; nothing waits any more afterwards. */
  function stop(): void {
    stopped = true;
    for (const wait of waiting) wait.end();
  }
}
