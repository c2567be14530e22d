/**
 * Keeps a channel open from the broker for every shard that somebody here subscribes to, and opens
 * it again when it was lost or has fallen silent. It knows nothing of NATS: `open` does that.
 *
 * A shard is wanted while it has subscriptions, and for a while after. `tend` compares what is
 * wanted with what is open and opens what is missing, at its own pace; nothing else opens a channel.
 */

import { backoffMs } from "./keeper.ts";

export type Channel = { close(): void };

export type Signals = {
  /** The channel lives; with the stream sequence it has reached, when that is known. */
  heard(sequence?: number): void;
  /** The channel will bring nothing any more. */
  lost(cause: unknown): void;
};

/** Opens a channel that starts after the given stream sequence, or with what is new. */
export type Open = (shard: number, after: number | undefined, signals: Signals) => Promise<Channel>;

export type Listening = {
  want(shard: number): () => void;
  wants(shard: number): boolean;
  /** Whether a shard is wanted that could not be opened, or not be kept, several times now. */
  isDeaf(): boolean;
  /** Forgets all channels: their connection is gone, or their stream is another (`"new"`). */
  reset(stream: "same" | "new"): void;
  /** Resolves to the errors met since; the shards concerned are tried again after a back-off. */
  tend(): Promise<readonly unknown[]>;
};

/** The broker says at least this often that a channel lives, when it has nothing to bring. */
export const heartbeatMs = 2_000;
/** Two beats missed and some time for a busy process. */
const silentMs = 2.5 * heartbeatMs;
/** Long polls come and go within seconds; opening a channel costs the broker a consumer. */
const lingerMs = 30_000;
/**
 * After an interruption a channel takes up where it was, which saves reading the log. Longer ago
 * than this the readers have long read the log, and the backlog would only be noise.
 */
const resumeWithinMs = 30_000;
/** A consumer that is lost, or not made at once, is an everyday thing: some seconds of it are not. */
const deafAfter = 4;
/** The broker answers some thousands a second; a process with all 256 shards needs 16 rounds. */
const opensAtOnce = 16;

type Ear = {
  readonly shard: number;
  references: number;
  unwantedAt: number;
  channel: Channel | undefined;
  /** Counts openings and losses, so that a late signal of a former channel is ignored. */
  incarnation: number;
  heardAt: number;
  sequence: number | undefined;
  failures: number;
  retryAt: number;
};

export function createListening(open: Open, clock = () => performance.now()): Listening {
  const ears = new Map<number, Ear>();
  const errors: unknown[] = [];
  return { want, wants, isDeaf, reset, tend };

  function want(shard: number): () => void {
    const ear = ears.get(shard) ?? createEar(shard);
    ears.set(shard, ear);
    ear.references += 1;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      ear.references -= 1;
      ear.unwantedAt = clock();
    };
  }

  function wants(shard: number): boolean {
    return (ears.get(shard)?.references ?? 0) > 0;
  }

  function isDeaf(): boolean {
    return [...ears.values()].some((ear) => ear.references > 0 && ear.failures >= deafAfter);
  }

  function reset(stream: "same" | "new"): void {
    for (const ear of ears.values()) {
      hangUp(ear);
      ear.retryAt = 0;
      ear.failures = 0;
      if (stream === "new") ear.sequence = undefined;
    }
  }

  async function tend(): Promise<readonly unknown[]> {
    const now = clock();
    for (const ear of ears.values()) {
      if (ear.references === 0 && now - ear.unwantedAt > lingerMs) {
        hangUp(ear);
        ears.delete(ear.shard);
      } else if (ear.channel !== undefined && now - ear.heardAt > silentMs) {
        errors.push(new Error(`shard ${ear.shard} has fallen silent`));
        fail(ear, now);
      }
    }
    const missing = [...ears.values()].filter((ear) => !ear.channel && now >= ear.retryAt);
    for (let next = 0; next < missing.length; next += opensAtOnce) {
      const batch = missing.slice(next, next + opensAtOnce);
      await Promise.all(batch.map((ear) => openFor(ear).catch((error) => errors.push(error))));
    }
    return errors.splice(0);
  }

  async function openFor(ear: Ear): Promise<void> {
    const incarnation = (ear.incarnation += 1);
    const recent = clock() - ear.heardAt < resumeWithinMs;
    const isCurrent = (): boolean => ear.incarnation === incarnation;
    const signals: Signals = {
      heard(sequence = 0) {
        if (!isCurrent()) return;
        ear.heardAt = clock();
        if (ear.channel !== undefined) ear.failures = 0;
        if (sequence > (ear.sequence ?? 0)) ear.sequence = sequence;
      },
      lost(cause) {
        if (!isCurrent()) return;
        errors.push(cause);
        fail(ear, clock());
      },
    };
    try {
      const channel = await open(ear.shard, recent ? ear.sequence : undefined, signals);
      // It was lost, or all were reset, while it was being opened.
      if (!isCurrent()) return channel.close();
      ear.channel = channel;
      ear.heardAt = clock();
    } catch (error) {
      if (isCurrent()) fail(ear, clock());
      throw error;
    }
  }
}

function createEar(shard: number): Ear {
  return {
    shard,
    references: 0,
    unwantedAt: 0,
    channel: undefined,
    incarnation: 0,
    heardAt: -Infinity,
    sequence: undefined,
    failures: 0,
    retryAt: 0,
  };
}

function hangUp(ear: Ear): void {
  ear.incarnation += 1;
  ear.channel?.close();
  ear.channel = undefined;
}

function fail(ear: Ear, now: number): void {
  hangUp(ear);
  ear.failures += 1;
  ear.retryAt = now + backoffMs(ear.failures, Math.random());
}
