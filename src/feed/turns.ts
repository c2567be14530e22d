/**
 * Does work for many readers that were woken at once, outside the turn of whoever woke them, and
 * leaves room between its own turns: an append is answered before the thousand readers that it
 * wakes are served, and no other request waits for all of them.
 */

export type Turns<Item> = {
  /** Has `item` worked on soon, once however often it is added until then. */
  add(item: Item): void;
  delete(item: Item): void;
};

/** Longer turns would show in the latency of every other request. */
const turnMaxMs = 8;

/**
 * Calls `work` with what was added, in order. It may add the same item again, and must not throw.
 * `turnMaxItems` bounds turns whose work only begins in `work` and goes on after it.
 */
export function createTurns<Item>(
  work: (item: Item) => void,
  turnMaxItems = Number.POSITIVE_INFINITY,
): Turns<Item> {
  const waiting = new Set<Item>();
  let scheduled = false;

  return { add, delete: (item) => void waiting.delete(item) };

  function add(item: Item): void {
    waiting.add(item);
    schedule();
  }

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  }

  function turn() {
    scheduled = false;
    const end = performance.now() + turnMaxMs;
    let itemsLeft = turnMaxItems;
    for (const item of waiting) {
      if (itemsLeft === 0 || performance.now() >= end) break;
      itemsLeft -= 1;
      waiting.delete(item);
      work(item);
    }
    if (waiting.size > 0) schedule();
  }
}
