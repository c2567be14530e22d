/**
 * The time-outs of all attempts under way. Those that are as long as each other end in the order in
 * which they began, so each length has a line and one timer for whoever stands first, and no
 * attempt makes and clears a timer of its own.
 */

export type Deadlines<Item> = {
  /** `expire` is called with it after so long, unless it is removed before. */
  add(item: Item, ms: number): void;
  remove(item: Item, ms: number): void;
  /** All that stand in a line. */
  all(): Item[];
  /** There is nothing to expire any more. */
  stop(): void;
};

type Line<Item> = {
  /** In order, each with when it ends, by `performance.now()`. */
  readonly items: Map<Item, number>;
  timer: NodeJS.Timeout;
};

export function createDeadlines<Item>(expire: (item: Item) => void): Deadlines<Item> {
  /** A line that is empty is let go of when its timer ends. */
  const lines = new Map<number, Line<Item>>();

  return {
    add,
    remove: (item, ms) => void lines.get(ms)?.items.delete(item),
    all: () => [...lines.values()].flatMap(({ items }) => [...items.keys()]),
    stop,
  };

  function add(item: Item, ms: number): void {
    let line = lines.get(ms);
    if (line === undefined) lines.set(ms, (line = { items: new Map(), timer: wait(ms, ms) }));
    line.items.set(item, performance.now() + ms);
  }

  /** What is waited for holds the process by itself. */
  function wait(ms: number, afterMs: number): NodeJS.Timeout {
    return setTimeout(() => look(ms), afterMs).unref();
  }

  function look(ms: number): void {
    const line = lines.get(ms);
    if (line === undefined) return;
    for (const [item, endsAt] of line.items) {
      const leftMs = endsAt - performance.now();
      if (leftMs > 0) {
        line.timer = wait(ms, Math.ceil(leftMs));
        return;
      }
      line.items.delete(item);
      expire(item);
    }
    lines.delete(ms);
  }

  function stop(): void {
    for (const { timer } of lines.values()) clearTimeout(timer);
    lines.clear();
  }
}
