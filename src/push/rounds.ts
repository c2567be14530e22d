/**
 * Deficit round robin: whoever waits takes turns, a turn is worth one slot, and who took more than
 * one lets as many turns pass. A key that leaves the line is forgotten, and its debt with it.
 */
export type Rounds<Key> = {
  /** At the end of the line, unless it stands there already. */
  add(key: Key): void;
  delete(key: Key): void;
  /** The first whose turn it is and that may take it; it keeps its place until it is charged. */
  next(mayTake?: (key: Key) => boolean): Key | undefined;
  /** Took so many slots in its turn, and goes to the end of the line. */
  charge(key: Key, slots: number): void;
  all(): Key[];
};

export function createRounds<Key>(): Rounds<Key> {
  /** In the order of their turns, each with the turns that it has to let pass. */
  const waiting = new Map<Key, number>();

  return {
    add(key) {
      if (!waiting.has(key)) waiting.set(key, 0);
    },
    delete: (key) => void waiting.delete(key),
    next,
    charge,
    all: () => [...waiting.keys()],
  };

  function next(mayTake: (key: Key) => boolean = () => true): Key | undefined {
    // Who is sent to the end is met again; each time it owes less, so this ends.
    for (const key of waiting.keys()) {
      if (!mayTake(key)) continue;
      const debt = waiting.get(key) ?? 0;
      if (debt < 1) return key;
      waiting.delete(key);
      waiting.set(key, debt - 1);
    }
    return undefined;
  }

  function charge(key: Key, slots: number): void {
    const debt = (waiting.get(key) ?? 0) + slots - 1;
    // Who waits alone stands at the end.
    if (waiting.size > 1) waiting.delete(key);
    waiting.set(key, debt);
  }
}
