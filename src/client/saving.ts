/**
 * Saves how far a consumer has come: never before what it says was consumed, and not for every
 * event. The first save after a pause is waited for, so a consumer that takes a second for an event
 * repeats at most that one after a crash; what follows at once is saved together, a second later
 * at the most. One save is under way at a time, so they arrive in order.
 */

/** Where a feed's position is kept. `load` gives undefined when nothing was saved yet. */
export type CursorStore = {
  load(): Promise<string | undefined>;
  save(cursor: string): Promise<void>;
};

/** What a crash may repeat, against what a store may be asked to bear. */
const saveEveryMs = 1_000;

export type Saving = {
  /** All before this cursor was consumed. Throws when an earlier save failed. */
  consumed(cursor: string): Promise<void>;
  /** Saves what is left. */
  finish(): Promise<void>;
};

export function createSaving(store: Pick<CursorStore, "save"> | undefined): Saving {
  let unsaved: string | undefined;
  let savedAt = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Never rejects. */
  let saving: Promise<void> = Promise.resolve();
  let failure: { readonly error: unknown } | undefined;

  return { consumed, finish };

  async function consumed(cursor: string): Promise<void> {
    if (store === undefined) return;
    throwFailure();
    unsaved = cursor;
    if (timer !== undefined) return;
    const leftMs = savedAt + saveEveryMs - Date.now();
    if (leftMs > 0) {
      timer = setTimeout(() => void save(), leftMs);
      return;
    }
    await save();
    throwFailure();
  }

  async function finish(): Promise<void> {
    await save();
    throwFailure();
  }

  function save(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    saving = saving.then(async () => {
      const cursor = unsaved;
      if (cursor === undefined || store === undefined) return;
      unsaved = undefined;
      try {
        await store.save(cursor);
      } catch (error) {
        failure ??= { error };
      }
      savedAt = Date.now();
    });
    return saving;
  }

  function throwFailure(): void {
    if (failure === undefined) return;
    const { error } = failure;
    failure = undefined;
    throw error;
  }
}
