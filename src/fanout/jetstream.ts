/**
 * The fan-out between processes, over NATS JetStream. It gives the port's weak promise: frames are
 * dropped while the broker is away or slow, and repeated or skipped when a consumer starts anew.
 *
 * A process has one session with the broker at a time: a connection, the stream made sure of, and a
 * push consumer for each shard somebody here subscribes to. A lost connection is a new session. The
 * library's own reconnecting is off: it would buffer what is published meanwhile, and the consumers
 * would have to be made anew all the same.
 *
 * Consumers are plain ephemeral ones, without acknowledgement, in the broker's memory, as the
 * library's ordered consumer makes them. That one is not used: it restores an order nobody here
 * asks for, notices a restarted broker by missed heartbeats only, and may give up for good.
 */

import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  AckPolicy,
  type ConsumerConfig,
  createInbox,
  DeliverPolicy,
  headers,
  type JetStreamManager,
  JsHeaders,
  type Msg,
  nanos,
  type NatsConnection,
  type NatsError,
  ReplayPolicy,
} from "nats";
import type { BrokerAccess } from "../config.ts";
import type { Logger } from "../telemetry/logger.ts";
import { dial, readProofs } from "./dial.ts";
import type { Fanout, FanoutStatus, Frame, Receive } from "./fanout.ts";
import { createFaults, type Faults } from "./faults.ts";
import { decodeFrame } from "./frame.ts";
import { inTime, keepSession, type Session } from "./keeper.ts";
import {
  type Channel,
  createListening,
  heartbeatMs,
  type Listening,
  type Signals,
} from "./listening.ts";
import { createMemoryFanout } from "./memory.ts";
import { createSender, type Carrier } from "./sender.ts";
import { parseServers } from "./servers.ts";
import {
  careForStream,
  isSuccessor,
  streamName,
  subjectOf,
  type StreamIdentity,
  type StreamOptions,
} from "./stream.ts";

/** Names the process that published, which ignores its own frames when they come back. */
const originHeader = "Tidegate-Origin";

/** A frame that is acknowledged later has been healed from the log meanwhile. */
const acknowledgeTimeoutMs = 5_000;
/**
 * A cluster loses requests while it elects, so asking again soon is the faster way through. A broker
 * that leaves the look at the stream unanswered for so long is left.
 */
const requestTimeoutMs = 3_000;
/** The gateway starts without the broker, but waits this long so that it usually starts with it. */
const firstConnectMs = 1_000;
const drainMs = 2_000;
/** After this the broker removes a consumer whose process is gone. */
const consumerInactiveMs = 10_000;

/** Left for our headers, of the broker's largest message. */
const headerBytes = 1_024;

export type JetStreamOptions = BrokerAccess &
  StreamOptions & {
    readonly servers: readonly string[];
    readonly shards: number;
    readonly log: Logger;
  };

/** What the process has while it is connected. */
type Broker = Session & Carrier & { connection: NatsConnection; manager: JetStreamManager };

/** What outlives a connection. */
type Shared = {
  readonly options: JetStreamOptions;
  readonly origin: string;
  readonly faults: Faults;
  readonly listening: Listening;
  stream: StreamIdentity | undefined;
  /** Whether all shards that are wanted can be received, and since when it is so. */
  hearing: { isDeaf: boolean; since: number };
  wake(): void;
};

/**
 * Resolves when the broker is reached, or soon without it, then in the state `reconnecting`. Throws
 * only when the servers' URLs are wrong, or a file that is named cannot be used.
 */
export async function connectJetStream(options: JetStreamOptions): Promise<Fanout> {
  const { log, shards } = options;
  const servers = parseServers(options.servers);
  // Later it would be one of the many reasons to try again.
  await readProofs(options);
  const origin = randomUUID();
  const faults = createFaults(log);
  const own = createMemoryFanout({ log });
  const sender = createSender(faults);
  const listening = createListening(listen);
  const wake = (): void => keeper.wake();
  const hearing = { isDeaf: false, since: 0 };
  const shared: Shared = { options, origin, faults, listening, stream: undefined, hearing, wake };
  let broker: Broker | undefined;
  /** The other servers of the cluster, as the last one named them. */
  let gossiped: readonly string[] = [];
  let stopped: Promise<void> | undefined;

  const keeper = keepSession(open, {
    up: ({ connection }) => log.info({ server: connection.getServer() }, "broker connected"),
    failed: (error) => faults.report("unreachable", error),
  });
  await Promise.race([keeper.attempted, delay(firstConnectMs)]);
  return { publish, subscribe, status, stop };

  async function open(): Promise<Broker> {
    const connection = await dial(servers, options, gossiped);
    gossiped = connection.info?.connect_urls ?? [];
    broker = await createBroker(connection, shared);
    return broker;
  }

  async function listen(
    shard: number,
    after: number | undefined,
    signals: Signals,
  ): Promise<Channel> {
    if (broker === undefined) throw new Error("not connected");
    return openConsumer(broker, consumerConfig(shard, after), signals, (message) => {
      if (message.headers?.get(originHeader) === origin || !listening.wants(shard)) return;
      const decoded = decodeFrame(message.data);
      if ("unreadable" in decoded) faults.report("unreadable", decoded.unreadable);
      else if (decoded.frame.shard !== shard) faults.report("unreadable", "of another shard");
      else own.publish([decoded.frame]);
    });
  }

  function publish(frames: readonly Frame[]): void {
    if (stopped !== undefined) return;
    own.publish(frames);
    const current = keeper.current();
    for (const frame of frames) {
      if (current === undefined) faults.report("dropped", "not connected");
      else sender.send(current, frame);
    }
  }

  function subscribe(shard: number, receive: Receive): () => void {
    if (!(shard >= 0 && shard < shards)) throw new RangeError(`no shard ${shard}`);
    const unsubscribe = own.subscribe(shard, receive);
    const release = listening.want(shard);
    wake();
    return () => {
      unsubscribe();
      release();
    };
  }

  function status(): FanoutStatus {
    const { dropped, failed, unreadable } = faults.counts();
    const { threw } = own.status().counts;
    const counts = { carried: sender.carried(), dropped, failed, unreadable, threw };
    const { state, since } = keeper.status();
    if (state !== "up") return { state, since, counts };
    const { isDeaf, since: changedAt } = shared.hearing;
    return { state: isDeaf ? "partial" : "up", since: Math.max(since, changedAt), counts };
  }

  function stop(): Promise<void> {
    return (stopped ??= shutDown());
  }

  async function shutDown(): Promise<void> {
    await own.stop();
    // What is not acknowledged in time is in the log all the same.
    await inTime(sender.settled(), drainMs).catch(() => {});
    await keeper.stop();
  }
}

async function createBroker(connection: NatsConnection, shared: Shared): Promise<Broker> {
  const { options, faults, listening, wake } = shared;
  void connection.closed().then(wake);
  const timeout = requestTimeoutMs;
  const manager = await connection.jetstreamManager({ checkAPI: false, timeout });
  const client = connection.jetstream({ timeout: acknowledgeTimeoutMs });
  const head = headers();
  head.set(originHeader, shared.origin);
  const clustered = connection.info?.cluster !== undefined;
  const care = careForStream(manager, options, { clustered, faults });
  return {
    connection,
    manager,
    bytesMax: (connection.info?.max_payload ?? Infinity) - headerBytes,
    post: (shard, bytes) => client.publish(subjectOf(shard), bytes, { headers: head }),
    async tend() {
      // Looking at the stream proves the connection too. The library's own ping finds a frozen broker
      // after minutes only, and then waits for its last bytes to be written, which never happens.
      const stream = await care.look();
      // Consumers die with their stream, and its successor counts its sequences anew.
      if (isSuccessor(stream, shared.stream)) listening.reset("new");
      shared.stream = stream;
      for (const error of await listening.tend()) faults.report("deaf", error);
      const isDeaf = listening.isDeaf();
      if (isDeaf !== shared.hearing.isDeaf) shared.hearing = { isDeaf, since: Date.now() };
    },
    async close() {
      listening.reset("same");
      // Consumers that are left behind the broker removes when nobody has listened for a while.
      await connection.close();
    },
  };
}

function consumerConfig(shard: number, after: number | undefined): Partial<ConsumerConfig> {
  const start: Partial<ConsumerConfig> =
    after === undefined
      ? { deliver_policy: DeliverPolicy.New }
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: after + 1 };
  return {
    ...start,
    filter_subject: subjectOf(shard),
    ack_policy: AckPolicy.None,
    max_deliver: 1,
    replay_policy: ReplayPolicy.Instant,
    flow_control: true,
    idle_heartbeat: nanos(heartbeatMs),
    inactive_threshold: nanos(consumerInactiveMs),
    mem_storage: true,
    num_replicas: 1,
  };
}

async function openConsumer(
  broker: Broker,
  config: Partial<ConsumerConfig>,
  signals: Signals,
  take: (message: Msg) => void,
): Promise<Channel> {
  const { connection, manager } = broker;
  const inbox = createInbox();
  const subscription = connection.subscribe(inbox, { callback: receive });
  try {
    const added = { ...config, deliver_subject: inbox };
    const { name, delivered } = await manager.consumers.add(streamName, added);
    signals.heard(delivered.stream_seq);
    return {
      close() {
        subscription.unsubscribe();
        // A courtesy: the broker removes it by itself when nobody listens to it.
        manager.consumers.delete(streamName, name).catch(() => {});
      },
    };
  } catch (error) {
    subscription.unsubscribe();
    throw error;
  }

  // Nothing may be thrown in here: the library would silently stop reading from the socket.
  function receive(error: NatsError | null, message: Msg): void {
    if (error !== null) return signals.lost(error);
    const { headers: head, reply = "" } = message;
    const code = head?.code ?? 0;
    if (code === 0) {
      signals.heard(streamSequence(reply));
      return take(message);
    }
    // 100 is a heartbeat, or asks for a sign that we keep up; all others end the consumer.
    if (code !== 100) return signals.lost(new Error(`consumer ended with status ${code}`));
    const answerTo = reply || head?.get(JsHeaders.ConsumerStalledHdr);
    if (answerTo) connection.publish(answerTo);
    signals.heard(Number(head?.get(JsHeaders.LastStreamSeqHdr) ?? 0));
  }
}

/**
 * A delivered message's place in its stream, from its reply subject, which is
 * `$JS.ACK.<stream>.<consumer>.<times>.<sequence>…` or has `<domain>.<account>.` before the stream.
 */
function streamSequence(reply: string): number {
  const parts = reply.split(".");
  const sequence = Number(parts[parts.length === 9 ? 5 : 7]);
  return Number.isSafeInteger(sequence) ? sequence : 0;
}
