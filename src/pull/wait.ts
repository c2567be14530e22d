/**
 * One request that waits for events: woken by the feed, ended by its time, by its client or by the
 * process, whichever comes first. It holds one timer, and after `close` nothing.
 */
import type { ServerResponse } from "node:http";

export type Wait = {
  /** Lets the request look again. */
  wake(): void;
  /** Lets the request find out whether it is still allowed, when it is next woken. */
  doubt(): void;
  /** Whether it has to, once for each doubt. */
  takeDoubt(): boolean;
  /** Lets the request answer with what it has. */
  end(): void;
  isOver(): boolean;
  /** Waits for one of the two; true after a wake-up that no earlier call has told of. */
  next(): Promise<boolean>;
  close(): void;
};

export function createWait(waitMs: number, outgoing: ServerResponse): Wait {
  let woken = false;
  let over = outgoing.destroyed;
  let doubtful = false;
  let resume: (() => void) | undefined;
  const timer = setTimeout(end, waitMs);
  outgoing.once("close", end);

  return { wake, doubt, takeDoubt, end, isOver: () => over, next, close };

  function wake(): void {
    woken = true;
    resume?.();
  }

  function doubt(): void {
    doubtful = true;
  }

  function takeDoubt(): boolean {
    const answer = doubtful;
    doubtful = false;
    return answer;
  }

  function end(): void {
    over = true;
    resume?.();
  }

  async function next(): Promise<boolean> {
    if (!woken && !over) await new Promise<void>((resolve) => (resume = resolve));
    resume = undefined;
    const answer = woken;
    woken = false;
    return answer;
  }

  function close(): void {
    clearTimeout(timer);
    outgoing.off("close", end);
  }
}
