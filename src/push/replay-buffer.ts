/**
 * What a replay job has read ahead and not given out, in the order of the log. All of it can be let go
 * of at any moment; then it is read again.
 */
import type { LogEvent, Position } from "../log/event.ts";
import type { BufferBudget } from "./budget.ts";
import type { ReplayItem, ReplayPage } from "./replay-pages.ts";

export function createReplayBuffer(budget: BufferBudget, from: Position) {
  const self = { drop };
  let items: ReplayItem[] = [];
  let bytes = 0;
  let scanned = from;
  let exhausted = false;
  /** Changes when what is being read is out of place. */
  let epoch = 0;

  return {
    ...{ add, take, putBack, goBack, drop, begin },
    first: () => items[0]?.event,
    size: () => items.length,
    /** All up to here was read. */
    scanned: () => scanned,
    /** There is no more to read. */
    isExhausted: () => exhausted,
    epoch: () => epoch,
  };

  function add({ items: found, position, isEnd }: ReplayPage): void {
    for (const item of found) {
      items.push(item);
      weigh(item.event.envelope.length);
    }
    scanned = position;
    exhausted = isEnd;
  }

  /** The first that may go now. */
  function take(mayGo: (event: LogEvent) => boolean): ReplayItem | undefined {
    const index = items.findIndex(({ event }) => mayGo(event));
    const [item] = index === -1 ? [] : items.splice(index, 1);
    if (item !== undefined) weigh(-item.event.envelope.length);
    budget.touch(self);
    return item;
  }

  /** To its place. */
  function putBack(item: ReplayItem): void {
    const { sequence } = item.event;
    // What lies before it was let go of meanwhile: it is read again, behind that.
    if (sequence > scanned.sequence) return;
    const index = items.findIndex(({ event }) => event.sequence > sequence);
    items.splice(index === -1 ? items.length : index, 0, item);
    weigh(item.event.envelope.length);
  }

  function drop(): void {
    epoch += 1;
    const [first] = items;
    if (first === undefined) return;
    items = [];
    weigh(-bytes);
    goBack(first.event);
  }

  /** All from this event on is read again, if it is not to be read anyway. */
  function goBack(event: Position): void {
    if (event.sequence > scanned.sequence) return;
    scanned = before(event);
    exhausted = false;
  }

  /** Anew from here. */
  function begin(position: Position): void {
    drop();
    scanned = position;
    exhausted = false;
  }

  function weigh(difference: number): void {
    bytes += difference;
    budget.change(self, difference);
  }
}

/** Right before an event; the day may be later than that of what lies there. */
export function before({ sequence, day }: Position): Position {
  return { sequence: sequence - 1, day };
}
