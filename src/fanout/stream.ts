/**
 * The stream in the broker that frames go through. Each look makes it when it is missing, puts right
 * what somebody changed of it so that frames would not flow any more, and says whether it is still
 * the one that was there before.
 *
 * A cluster that cannot place all replicas now, because a server is down, is given a stream with
 * fewer, and asked for the others again and again. Nothing waits for that and nothing fails by it.
 */

import { isDeepStrictEqual } from "node:util";
import {
  DiscardPolicy,
  type JetStreamManager,
  nanos,
  NatsError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "nats";
import type { Faults } from "./faults.ts";

export const streamName = "TIDEGATE";

/** Readers that were away longer than minutes read the log anyway. */
const streamMaxAgeMs = 10 * 60_000;
/** The broker sets this aside on its disk; at 1,000 events/s of 1 kB it holds four minutes. */
const streamBytesDefault = 256 * 1024 * 1024;
/** Frames carry no message id, so the broker need not remember any. */
const streamDuplicateWindowMs = 1_000;

/** Where there are servers enough: the stream outlives one of them. */
const replicasDefault = 3;
/** Two replicas are worse than one: the stream stands still when either server is down. */
const replicasFewer: Readonly<Record<number, number>> = { 5: 3, 3: 1 };
/** A server that comes back has to find its cluster first, and asking costs next to nothing. */
const raiseEveryMs = 5_000;

/**
 * Kept in the broker, since whoever raises the stream need not be who made it; and only what we
 * made too small ourselves is raised without being asked to.
 */
const description = "Events on their way between the processes of Tidegate";
const descriptionSmall = `${description}; to be raised to ${replicasDefault} replicas`;

export type StreamOptions = {
  /** Undefined: 3 for a new stream where there are servers enough, and an existing one keeps its. */
  readonly replicas?: number | undefined;
  /** Undefined: 256 MiB for a new stream, and an existing one keeps its. */
  readonly maxBytes?: number | undefined;
};

/** Tells a stream from another of the same name. */
export type StreamIdentity = {
  /** When it was created, as the broker writes it. */
  readonly created: string;
  readonly lastSequence: number;
};

export type StreamCare = {
  /** Throws when the broker does not answer, or when there is no stream that frames can use. */
  look(): Promise<StreamIdentity>;
};

export function subjectOf(shard: number | "*"): string {
  return `tidegate.feed.${shard}`;
}

/**
 * A server that was wiped may bring the stream back empty with the date of its former self, as the
 * cluster remembers it; then its sequences begin anew.
 */
export function isSuccessor(next: StreamIdentity, former: StreamIdentity | undefined): boolean {
  if (former === undefined) return false;
  return next.created !== former.created || next.lastSequence < former.lastSequence;
}

/** Of one session with the broker. */
export function careForStream(
  manager: JetStreamManager,
  options: StreamOptions,
  context: { readonly clustered: boolean; readonly faults: Faults },
): StreamCare {
  const { clustered, faults } = context;
  const vital = vitalSettings();
  const wanted = { ...vital, ...settings(options) };
  /** The stream, by its creation, whose settings are up to date, and the one whose replicas are. */
  let configured: string | undefined;
  let placed: string | undefined;
  let raisedAt = -Infinity;
  return { look };

  async function look(): Promise<StreamIdentity> {
    const found = (await find(manager)) ?? (await make());
    if (configured !== found.created) {
      // Once only: two versions of us side by side would fight over them.
      if (differ(found.config, wanted)) await manager.streams.update(streamName, wanted);
      configured = found.created;
    } else if (differ(found.config, vital)) {
      faults.report("mended", "its settings kept frames from flowing");
      await manager.streams.update(streamName, vital);
    }
    if (placed !== found.created && performance.now() - raisedAt > raiseEveryMs) void place(found);
    return { created: found.created, lastSequence: found.state.last_seq };
  }

  async function make(): Promise<StreamInfo> {
    const full = options.replicas ?? replicasDefault;
    for (let replicas = full; ; replicas = replicasFewer[replicas] ?? 1) {
      try {
        return await manager.streams.add({
          name: streamName,
          description: replicas < full && clustered ? descriptionSmall : description,
          storage: StorageType.File,
          max_bytes: streamBytesDefault,
          num_replicas: replicas,
          ...wanted,
        });
      } catch (error) {
        // An answer that did not come may still have made it: the next look tells.
        if (!isRefusal(error)) throw error;
        // Another process may have made it, smaller or larger than was tried here.
        const made = await find(manager);
        if (made !== undefined) return made;
        if (replicas === 1) throw error;
        // A server that stands alone is not short of anything, unless more was asked for.
        if (clustered || options.replicas !== undefined) faults.report("small", error);
      }
    }
  }

  /** Brings the number of replicas to what it should be. Never rejects. */
  async function place(found: StreamInfo): Promise<void> {
    raisedAt = performance.now();
    const { config, created } = found;
    const isSmall = config.description === descriptionSmall;
    const replicas = options.replicas ?? (isSmall ? replicasDefault : config.num_replicas);
    // A server that stands alone would take any number and keep one.
    const change = {
      ...(clustered && { num_replicas: replicas }),
      ...(isSmall && { description }),
    };
    if (!clustered || !differ(config, change)) {
      placed = created;
      return;
    }
    try {
      await manager.streams.update(streamName, change);
      placed = created;
    } catch (error) {
      faults.report("small", error);
    }
  }
}

/** Without these no frame gets through, whoever set them otherwise. */
function vitalSettings() {
  return {
    subjects: [subjectOf("*")],
    discard: DiscardPolicy.Old,
    max_msg_size: -1,
    no_ack: false,
  } satisfies Partial<StreamConfig>;
}

function settings({ maxBytes }: StreamOptions) {
  return {
    retention: RetentionPolicy.Limits,
    max_age: nanos(streamMaxAgeMs),
    duplicate_window: nanos(streamDuplicateWindowMs),
    ...(maxBytes === undefined ? {} : { max_bytes: maxBytes }),
  } satisfies Partial<StreamConfig>;
}

function differ(config: StreamConfig, wanted: Partial<StreamConfig>): boolean {
  // The one of them that the broker leaves out where it is false.
  const told = { no_ack: false, ...config };
  return !isDeepStrictEqual({ ...told, ...wanted }, told);
}

/** The API's own error number; its code is the 404 that other errors share. */
const streamNotFound = 10059;

async function find(manager: JetStreamManager): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(streamName);
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === streamNotFound)
      return undefined;
    throw error;
  }
}

/** The broker has answered and said no. */
function isRefusal(error: unknown): boolean {
  return error instanceof NatsError && error.api_error !== undefined;
}
