/**
 * Sends frames to the broker without waiting for its acknowledgements, up to a bound. Beyond the
 * bound frames are dropped: the log heals that, and memory does not grow with a slow broker.
 */

import type { Frame } from "./fanout.ts";
import type { Faults } from "./faults.ts";
import { encodeFrame, frameBytesMax } from "./frame.ts";

/** Sent and not yet acknowledged: some ten appended groups, milliseconds of the broker's work. */
const bytesUnderWayMax = 8 * 1024 * 1024;
const framesUnderWayMax = 4_096;

/** About what a frame's header says of one event. */
const headerBytes = 100;

export type Carrier = {
  /** The largest message the broker takes, in bytes. */
  readonly bytesMax: number;
  /** Resolves when the broker has acknowledged. */
  post(shard: number, bytes: Uint8Array): Promise<unknown>;
};

export type Sender = {
  send(carrier: Carrier, frame: Frame): void;
  /** Resolves when nothing is unacknowledged. */
  settled(): Promise<unknown>;
  carried(): number;
};

export function createSender(faults: Faults): Sender {
  const underWay = new Set<Promise<void>>();
  let bytesUnderWay = 0;
  let carried = 0;
  return { send, settled: () => Promise.allSettled(underWay), carried: () => carried };

  function send(carrier: Carrier, frame: Frame): void {
    const bytesMax = Math.min(frameBytesMax, carrier.bytesMax);
    for (const piece of cut(frame, bytesMax)) sendPiece(carrier, piece, bytesMax);
  }

  function sendPiece(carrier: Carrier, frame: Frame, bytesMax: number): void {
    if (underWay.size >= framesUnderWayMax || bytesUnderWay >= bytesUnderWayMax) {
      faults.report("dropped", "too much under way");
      return;
    }
    const bytes = encodeFrame(frame, bytesMax);
    bytesUnderWay += bytes.length;
    const sending = post(carrier, frame.shard, bytes).finally(() => {
      underWay.delete(sending);
      bytesUnderWay -= bytes.length;
    });
    underWay.add(sending);
  }

  /** Never rejects. */
  async function post(carrier: Carrier, shard: number, bytes: Uint8Array): Promise<void> {
    try {
      await carrier.post(shard, bytes);
      carried += 1;
    } catch (error) {
      faults.report("failed", error);
    }
  }
}

/** Halves a run of events until each piece fits: a large group is no reason to read the log. */
function cut(frame: Frame, bytesMax: number): Frame[] {
  if (frame.kind !== "events" || frame.events === null || frame.events.length < 2) return [frame];
  const { first, last, events } = frame;
  const characters = events.reduce((sum, { envelope }) => sum + envelope.length + headerBytes, 0);
  if (characters <= bytesMax) return [frame];
  const half = events.length >> 1;
  const earlier = { ...frame, last: first + half - 1, events: events.slice(0, half) };
  const later = { ...frame, first: first + half, last, events: events.slice(half) };
  return [...cut(earlier, bytesMax), ...cut(later, bytesMax)];
}
