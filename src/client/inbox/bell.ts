/** Waiting that whoever has news can end. */
import { pause } from "../backoff.ts";

/** Longer ones end at once on some runtimes. */
const waitMaxMs = 60_000;

export type Bell = {
  ring(): void;
  /** Until it rings, also if it did while nobody waited, or the time is over. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
};

export function createBell(): Bell {
  let rung = false;
  let wake = new AbortController();

  return {
    ring() {
      rung = true;
      wake.abort();
    },
    async wait(ms, signal) {
      if (!rung && !signal.aborted) {
        const stop = () => wake.abort();
        signal.addEventListener("abort", stop, { once: true });
        await pause(Math.min(Math.max(0, ms), waitMaxMs), wake.signal);
        signal.removeEventListener("abort", stop);
      }
      rung = false;
      wake = new AbortController();
    },
  };
}
