/**
 * What all replay jobs of a process may do together, so that those who are pushed to live do not
 * notice them: so many attempts begun in a moment and so many under way. Beyond it a lane waits and
 * is told when it may ask again.
 */
export type ReplayPace = ReturnType<typeof createReplayPace>;

/** Of the process's slots. */
const slotsShare = 1 / 8;

/**
 * Two every 2 ms, which makes 1,000 a second: a core sends several times as many, and what is begun
 * in bunches would stand before live events in the event loop.
 */
const startsMax = 2;
const tickMs = 2;

export function createReplayPace({ slots }: { slots: number }) {
  const inFlightMax = Math.max(1, Math.floor(slots * slotsShare));
  let inFlight = 0;
  let begun = 0;
  let startsLeft = startsMax;
  let timer: NodeJS.Timeout | undefined;
  /** In the order of their turns. */
  const waiting = new Set<() => void>();
  return { admits, begin, end, inFlight: () => inFlight, begun: () => begun };

  /** `ready` is called when it may have changed. */
  function admits(ready: () => void): boolean {
    if (startsLeft > 0 && inFlight < inFlightMax) return true;
    waiting.add(ready);
    timer ??= setTimeout(tick, tickMs);
    return false;
  }

  function begin(): void {
    inFlight += 1;
    begun += 1;
    startsLeft -= 1;
    timer ??= setTimeout(tick, tickMs);
  }

  function end(): void {
    inFlight -= 1;
  }

  function tick(): void {
    timer = undefined;
    startsLeft = startsMax;
    wake();
    // Some of those that were told may have nothing to begin with.
    if (waiting.size > 0) timer ??= setTimeout(tick, tickMs);
  }

  /** As many as can begin. */
  function wake(): void {
    let told = 0;
    for (const ready of waiting) {
      if (told >= startsLeft || inFlight >= inFlightMax) return;
      told += 1;
      waiting.delete(ready);
      ready();
    }
  }
}
