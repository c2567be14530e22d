/**
 * Brings one event to the consumer's `handle`, once: what both orders, pushes and pulls share. What
 * goes wrong is told to `onError` and returned as an outcome; nothing is thrown.
 */
import type { TidegateEvent } from "../event.ts";
import type { Entry, InboxStore, OnceResult, Position } from "./store.ts";

/** How an event came to be handled. */
export type Arrival = {
  readonly by: "push" | "pull";
  /** Of the push, from 1. */
  readonly attempt?: number;
  /** Of a deliberate replay that is handled although the event was. */
  readonly replay?: string;
};

export type Handle<Transaction> = (
  event: TidegateEvent,
  transaction: Transaction,
  arrival: Arrival,
) => void | Promise<void>;

/** What the inbox was doing when something went wrong, with the event if it was about one. */
export type ErrorContext = {
  readonly during: "push" | "handle" | "store" | "pull" | "receipt";
  readonly event?: TidegateEvent;
};

export type OnError = (error: unknown, context: ErrorContext) => void;

/** Since this inbox was created. */
export type InboxCounts = {
  /** Events that `handle` was called for with success, by how they came. */
  pushed: number;
  pulled: number;
  replayed: number;
  /** Pushes of what was handled already. */
  duplicates: number;
  /** Pushes that are to come again, because `handle` threw or something before them is missing. */
  postponed: number;
  /** Pushes that were not believed. */
  refused: number;
  /** Requests that told the gateway what is handled. */
  receipts: number;
};

export type Handling = {
  /** The name in the store. */
  readonly name: string;
  readonly counts: InboxCounts;
  once(event: TidegateEvent, entry: Entry, arrival: Arrival): Promise<OnceResult | Failed>;
  report: OnError;
  /** Resolves when nothing is being handled. */
  idle(): Promise<void>;
};

export type Failed = { readonly kind: "failed" };

/** Another event has this sequence: the log was replaced, and positions mean nothing any more. */
export class InboxConflictError extends Error {
  constructor(event: TidegateEvent) {
    super(
      `the sequence of ${event.id} was handled as another event: the gateway's database was restored ` +
        "or the tenant made again; give the inbox another `name` to begin anew",
    );
    this.name = "InboxConflictError";
  }
}

export function createHandling<Transaction>(options: {
  readonly name: string;
  readonly store: InboxStore<Transaction>;
  readonly handle: Handle<Transaction>;
  readonly onError: OnError;
}): Handling {
  const { name, store, handle, onError } = options;
  const underWay = new Set<Promise<unknown>>();
  const counts: InboxCounts = {
    ...{ pushed: 0, pulled: 0, replayed: 0, duplicates: 0, postponed: 0, refused: 0, receipts: 0 },
  };
  return { name, counts, once, report, idle };

  async function once(event: TidegateEvent, entry: Entry, arrival: Arrival) {
    const handling = tryOnce(event, entry, arrival);
    underWay.add(handling);
    try {
      return await handling;
    } finally {
      underWay.delete(handling);
    }
  }

  async function tryOnce(
    event: TidegateEvent,
    entry: Entry,
    arrival: Arrival,
  ): Promise<OnceResult | Failed> {
    let handlerThrew = false;
    try {
      const result = await store.once(name, entry, async (transaction) => {
        try {
          await handle(event, transaction, arrival);
        } catch (error) {
          handlerThrew = true;
          throw error;
        }
      });
      if (result.kind === "handled") count(arrival);
      if (result.kind === "conflict") {
        report(new InboxConflictError(event), { during: "store", event });
      }
      return result;
    } catch (error) {
      report(error, { during: handlerThrew ? "handle" : "store", event });
      return { kind: "failed" };
    }
  }

  function count({ by, replay }: Arrival): void {
    if (replay !== undefined) counts.replayed += 1;
    else if (by === "push") counts.pushed += 1;
    else counts.pulled += 1;
  }

  function report(error: unknown, context: ErrorContext): void {
    try {
      onError(error, context);
    } catch {
      // Whoever is told of errors has none that this could be told of.
    }
  }

  async function idle(): Promise<void> {
    while (underWay.size > 0) await Promise.allSettled(underWay);
  }
}

/** What an engine answers a push with. */
export type Verdict = "handled" | "duplicate" | "failed" | "later";

/** The later of two, with a cursor if either has one. */
export function furthest(one: Position, other: Position): Position {
  const [early, late] = one.sequence <= other.sequence ? [one, other] : [other, one];
  return { sequence: late.sequence, cursor: late.cursor ?? early.cursor };
}

/** Whether there is anything to move from `position` to `end` for. */
export function isFurther(end: Position, position: Position): boolean {
  if (end.sequence !== position.sequence) return end.sequence > position.sequence;
  return end.cursor !== undefined && end.cursor !== position.cursor;
}
