/**
 * Bounds what all lanes of a process have read ahead. When it is too much, those lanes that have
 * not taken from their buffers for the longest let go of them: the log has the events.
 */
export type BufferBudget = {
  /** So much more (or less) is held for `owner` now. */
  change(owner: Buffered, bytes: number): void;
  /** The owner has used its buffer: others are slower. */
  touch(owner: Buffered): void;
};

export type Buffered = {
  /** Lets go of everything, and says so by `change`. */
  drop(): void;
};

export function createBufferBudget(maxBytes: number): BufferBudget {
  /** Those that hold something, the longest untouched first. */
  const held = new Map<Buffered, number>();
  let total = 0;

  return { change, touch };

  function change(owner: Buffered, bytes: number): void {
    const left = (held.get(owner) ?? 0) + bytes;
    total += bytes;
    if (left > 0) held.set(owner, left);
    else held.delete(owner);
    if (bytes > 0 && total > maxBytes) shrink(owner);
  }

  function touch(owner: Buffered): void {
    const bytes = held.get(owner);
    if (bytes === undefined) return;
    held.delete(owner);
    held.set(owner, bytes);
  }

  /** The last comer keeps what it has just read, or everybody would read in vain. */
  function shrink(newest: Buffered): void {
    for (const owner of [...held.keys()]) {
      if (total <= maxBytes) return;
      if (owner !== newest) owner.drop();
    }
  }
}
