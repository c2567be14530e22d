/**
 * Tells whoever listens, here and in other processes, what was just committed. A subscription may
 * get frames repeated, skipped and out of order: this only makes readers move sooner. Whoever needs
 * every event in order reads through `feed/`, which repairs all three from the log.
 */

import type { Day, LogEvent, Sequence, TenantId } from "../log/event.ts";

export type EventsFrame = {
  readonly kind: "events";
  readonly tenant: TenantId;
  readonly shard: number;
  readonly first: Sequence;
  readonly last: Sequence;
  /** The events `first` … `last`; null when they are too large to carry: the log has them. */
  readonly events: readonly LogEvent[] | null;
};

export const changeable = ["endpoints", "keys", "tenants", "event-types"] as const;

export type ChangedFrame = {
  readonly kind: "changed";
  readonly shard: number;
  readonly tenant: TenantId | null;
  readonly what: (typeof changeable)[number];
};

/** A consumer has said of events what changes which of them an endpoint is to be sent. */
export type ReceiptFrame = {
  readonly kind: "receipt";
  readonly shard: number;
  readonly tenant: TenantId;
  /** The endpoint's uuid. */
  readonly endpoint: string;
  /** How many such receipts its endpoint has had, with this one. */
  readonly version: number;
  /** All up to here is settled; 0 when the receipt named events. */
  readonly through: Sequence;
  /** When the endpoint's position was moved there: its day, and the last event there that matched. */
  readonly moved: { readonly day: Day; readonly matched: Sequence } | null;
  /** The events that it named; null when they are too many to carry. */
  readonly sequences: readonly Sequence[] | null;
  /** They are to be tried again: otherwise they are settled. */
  readonly failed: boolean;
};

export type Frame = EventsFrame | ChangedFrame | ReceiptFrame;

export type Receive = (frame: Frame) => void;

/** Frames since the start, for the metrics. What is counted as a fault costs latency, no event. */
export type FanoutCounts = {
  /** Acknowledged by the broker (in process: handed to the subscriptions). */
  readonly carried: number;
  /** Not sent: no connection, or too much under way. */
  readonly dropped: number;
  /** Sent, but refused or not acknowledged in time. */
  readonly failed: number;
  /** Received, but nothing this version can read. */
  readonly unreadable: number;
  /** A receiver threw; the other receivers got the frame all the same. */
  readonly threw: number;
};

export type FanoutStatus = {
  /** `partial`: frames of some shard do not arrive here, although the connection is good. */
  readonly state: "up" | "partial" | "reconnecting";
  /** When it came into this state, milliseconds since 1970. */
  readonly since: number;
  readonly counts: FanoutCounts;
};

export type Fanout = {
  /**
   * Hands the frames to this process's own subscriptions before it returns, then carries them to
   * other processes. Never waits and never throws; what cannot be carried is logged and counted.
   */
  publish(frames: readonly Frame[]): void;
  /** Receives the shard's frames until the returned function is called. */
  subscribe(shard: number, receive: Receive): () => void;
  status(): FanoutStatus;
  /** Ends all subscriptions; publishing afterwards does nothing. May be called again. */
  stop(): Promise<void>;
};
