/**
 * What an inbox remembers, and where. A store has three methods; it keeps for each inbox, by its
 * name, a position and the records of events.
 *
 * The position says: every event of this inbox up to `sequence` is handled, and `cursor` reads on
 * after it, or from somewhere before it (so what is read may have been handled, and nothing that
 * was not is left out). A record says that one event is handled. Records at or below the position
 * only help to notice that a log was replaced, so they may be forgotten; those above are what keeps
 * an event from being handled twice.
 *
 * The promise rests on `once`: the record is made in the transaction in which the event is handled,
 * so both are there or neither is. A store without transactions can only make the record right
 * after, and promises no more than that. `tidegate/client/conformance` tests a store.
 */

export type Position = {
  readonly sequence: number;
  /** Undefined before the first page or push: reading begins where the inbox was told to begin. */
  readonly cursor: string | undefined;
};

export type HandledEvent = {
  readonly id: string;
  readonly sequence: number;
  /**
   * Nothing of this inbox lies between this sequence and that of the event. It is lower, but in
   * records of replays, where both are the same; they say nothing of the position.
   */
  readonly previous: number;
  /** Reads on after this event, where one is known. */
  readonly cursor: string | undefined;
};

export type Entry = HandledEvent & {
  /**
   * - `next`: only if the position has come to `previous`; it moves to this event, in the same
   *   transaction. While one such transaction of an inbox is open, others wait for its end.
   * - `any`: wherever the position is below the event. It does not move.
   * - `again`: a replay, wherever the position is. Only a record with this id, which is made of the
   *   event's and the replay's, tells that it was handled.
   */
  readonly as: "next" | "any" | "again";
  /**
   * A further id under which this handling is recorded, as that of a replay is: `replaysKept` above
   * the event, with the same `previous`. What is a duplicate changes no record of it.
   */
  readonly also?: string | undefined;
};

export type OnceResult = {
  /**
   * `hole`: not `next`, because the position has not come to `previous`. `conflict`: the position
   * is past this sequence, and the record there is another event's: the log is another one.
   */
  readonly kind: "handled" | "duplicate" | "hole" | "conflict";
  /** Where it is now, or was a moment ago. */
  readonly position: Position;
};

export type InboxState = {
  readonly position: Position;
  /** Records of events above the position, by sequence; the first thousand if there are more. */
  readonly handled: readonly HandledEvent[];
};

export type InboxStore<Transaction = unknown> = {
  /**
   * The state of this inbox. One that is not there yet is created at `first`, and only one of
   * several that try at once does so; without `first` it is undefined.
   */
  open(inbox: string, first?: Position): Promise<InboxState | undefined>;
  /**
   * Handles one event unless it is handled: opens a transaction, looks, makes the record, calls
   * `work` and commits. When `work` throws, all of it is rolled back and the error is thrown on.
   * Two calls with one id never both call `work`, unless the first one's threw.
   */
  once(
    inbox: string,
    entry: Entry,
    work: (transaction: Transaction) => Promise<void>,
  ): Promise<OnceResult>;
  /**
   * Moves the position on, never back: to a lower sequence nothing happens. A position without a
   * cursor keeps the one there is. Records up to `forget` may go.
   */
  settle(inbox: string, position: Position, forget: number): Promise<void>;
};

/**
 * Where the record of a replay stands, above the position that it was handled at. It is forgotten
 * as late as that says: an answer may be lost, and then the replay comes again.
 */
export const replaysKept = 100_000;

/** As many records as a state shows: what is read at once stays small whatever the hole. */
export const recordsShown = 1_000;

/** What becomes of an entry that has no record of its own, by the position alone. */
export function verdictAt(entry: Entry, position: Position): "open" | "passed" | "hole" {
  if (entry.as === "again") return "open";
  if (entry.sequence <= position.sequence) return "passed";
  return entry.as === "next" && position.sequence < entry.previous ? "hole" : "open";
}

/**
 * The position after all records that follow it without a hole; and `missing`, if a record is above
 * it that does not follow: the sequence up to which something is missing.
 */
export function contiguous({ position, handled }: InboxState): {
  readonly position: Position;
  readonly missing: number | undefined;
} {
  let { sequence, cursor } = position;
  for (const { previous, ...record } of handled) {
    if (record.sequence <= sequence) continue;
    if (previous > sequence) return { position: { sequence, cursor }, missing: previous };
    sequence = record.sequence;
    cursor = record.cursor ?? cursor;
  }
  return { position: { sequence, cursor }, missing: undefined };
}
