/**
 * How a lane keeps up with the receipts that its endpoint gets while it is driven. Each that changes
 * what is to be sent has a number, counted in the position's row. They are told over the fan-out,
 * which may lose, repeat and swap them; the ledger and the comparison with the database tell how many
 * there are, so what was lost is noticed all the same.
 *
 * One that follows on what the lane knows is applied to what it holds. Where one is missing, or says
 * more than can be applied, the lane is out of date and has to be opened anew, once.
 */
import type { ReceiptFrame } from "../fanout/fanout.ts";

export type Receipt = Pick<ReceiptFrame, "version" | "through" | "moved" | "sequences" | "failed">;

export type Receipts = ReturnType<typeof createReceipts>;

/** What is told by the ledger first, or by another process out of turn, follows by then. */
const graceMs = 300;

/** Waiting for one before them. */
const waitingMax = 100;

export function createReceipts(options: {
  /** Those that the lane was opened with. */
  version: number;
  /** Applies it to what the lane holds; false when that cannot be done. */
  apply: (receipt: Receipt) => boolean;
  outdated: () => void;
}) {
  const { apply, outdated } = options;
  const waiting = new Map<number, Receipt>();
  let { version } = options;
  let newest = version;
  /** What the timer was set for: those behind it have a time of their own. */
  let awaited = version;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  return { hear, learn, close, areAny: () => newest > 0 };

  function hear(receipt: Receipt): void {
    if (ended || receipt.version <= version) return;
    newest = Math.max(newest, receipt.version);
    waiting.set(receipt.version, receipt);
    if (waiting.size > waitingMax) return end();
    for (;;) {
      const next = waiting.get(version + 1);
      if (next === undefined) break;
      waiting.delete(next.version);
      if (!apply(next)) return end();
      version = next.version;
    }
    learn(receipt.version);
  }

  /** There are so many by now. */
  function learn(current: number): void {
    newest = Math.max(newest, current);
    if (newest <= version || ended || timer !== undefined) return;
    awaited = newest;
    timer = setTimeout(expire, graceMs);
  }

  function expire(): void {
    timer = undefined;
    if (awaited > version) end();
    else learn(newest);
  }

  function end(): void {
    if (ended) return;
    close();
    outdated();
  }

  function close(): void {
    ended = true;
    clearTimeout(timer);
    waiting.clear();
  }
}
