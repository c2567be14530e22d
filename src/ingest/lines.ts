/**
 * Cuts bytes that arrive piece by piece into lines. Holds at most one line; of one that is too long
 * it keeps nothing and reads on behind its end. Lines of white space are counted and left out.
 */
export type Line = {
  /** From 1. */
  readonly number: number;
  /** Without its line feed; undefined when it is too long. Lent until the next line is asked for. */
  readonly bytes: Buffer | undefined;
};

const lineFeed = 0x0a;

/** Space, tab and carriage return, which JSON ignores. */
const whiteSpace = new Set([0x20, 0x09, 0x0d]);

export function createLineSplitter(maxBytes: number) {
  let number = 1;
  // Copied together, because each piece, however small, can hold on to a larger block of memory.
  let held = Buffer.alloc(0);
  let heldBytes = 0;
  let skipping = false;

  return { push, end, next: () => number, keptBytes: () => held.length };

  /** The lines that end in this piece. */
  function* push(piece: Buffer): Generator<Line, void, undefined> {
    let start = 0;
    for (let at = piece.indexOf(lineFeed); at !== -1; at = piece.indexOf(lineFeed, start)) {
      const line = take(piece.subarray(start, at));
      start = at + 1;
      if (line !== undefined) yield line;
    }
    keep(piece.subarray(start));
  }

  /** The last line, if no line feed came behind it. */
  function end(): Line | undefined {
    return take(Buffer.alloc(0));
  }

  function take(rest: Buffer): Line | undefined {
    const isWhole = heldBytes === 0 && !skipping && rest.length <= maxBytes;
    if (!isWhole) keep(rest);
    const bytes = isWhole ? rest : held.subarray(0, heldBytes);
    const line = { number, bytes: number === 1 ? withoutMark(bytes) : bytes };
    const tooLong = skipping;
    number += 1;
    heldBytes = 0;
    skipping = false;
    if (tooLong) return { ...line, bytes: undefined };
    return isBlank(line.bytes) ? undefined : line;
  }

  function keep(bytes: Buffer): void {
    if (heldBytes + bytes.length > maxBytes) skipping = true;
    if (skipping) {
      held = Buffer.alloc(0);
      heldBytes = 0;
      return;
    }
    const needed = heldBytes + bytes.length;
    if (needed > held.length) {
      const larger = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(needed, held.length * 2)));
      held.copy(larger, 0, 0, heldBytes);
      held = larger;
    }
    bytes.copy(held, heldBytes);
    heldBytes = needed;
  }
}

/** Some editors put it before the first line of a file. */
const byteOrderMark = Buffer.from("\ufeff");

function withoutMark(bytes: Buffer): Buffer {
  const { length } = byteOrderMark;
  return bytes.subarray(0, length).equals(byteOrderMark) ? bytes.subarray(length) : bytes;
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => whiteSpace.has(byte));
}
