/**
 * Serves the streams that are live. Those of one tenant with one filter share a channel: it reads
 * once, builds the bytes once and gives the same bytes to each, so a stream costs a write per run
 * of events and nothing else. Between its turns it leaves room for other requests.
 *
 * A channel stands at a mark, and so does every live stream of it, but for those that were ahead
 * when they came. A stream that stops draining, or that a run does not continue, leaves the
 * channel and catches up by itself.
 */
import type { Feed } from "../feed/feed.ts";
import { markOf, type Mark, type Refused } from "../feed/marks.ts";
import { createTurns } from "../feed/turns.ts";
import type { Tenant } from "../http/auth.ts";
import type { CompiledFilter } from "../log/filter.ts";
import type { Read } from "../log/log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Blocks } from "./shared-blocks.ts";
import { send, type Channel, type Run, type Stream } from "./stream.ts";

/** Events read at a time for a channel. */
const runMaxEvents = 1_000;

/** Streams given their bytes between two looks at the clock. */
const streamsPerLook = 64;

export function createChannels(options: {
  feed: Feed;
  blocks: Blocks;
  logger: Logger;
  /** Takes a stream that the channel cannot serve any more. */
  fallBehind: (stream: Stream) => void;
  /** Takes the streams whose log was restored or expired under them. */
  refuse: (streams: readonly Stream[], channel: Channel, refused: Refused) => void;
}) {
  const { feed, blocks, logger, fallBehind, refuse } = options;
  const channels = new Map<string, Channel>();
  const failed = new Set<Channel>();
  const woken = createTurns<Channel>(serve);

  return { enter, leave, join, retry };

  /** The channel for this tenant and filter, held open until `leave`. */
  function enter(tenant: Tenant, filter: CompiledFilter, mark: Mark): Channel {
    const key = `${tenant.id} ${filter.fingerprint.toString("hex")}`;
    const known = channels.get(key);
    const channel = known ?? openChannel(key, tenant, filter, mark);
    channel.members += 1;
    return channel;
  }

  function openChannel(key: string, tenant: Tenant, filter: CompiledFilter, mark: Mark): Channel {
    const channel: Channel = {
      tenant,
      filter,
      key,
      mark,
      live: new Set(),
      members: 0,
      wakes: 0,
      reading: false,
      run: undefined,
      unfollow: feed.follow(tenant.id, tenant.shard, () => {
        channel.wakes += 1;
        woken.add(channel);
      }),
    };
    channels.set(key, channel);
    return channel;
  }

  function leave(channel: Channel): void {
    channel.members -= 1;
    if (channel.members > 0) return;
    channels.delete(channel.key);
    woken.delete(channel);
    failed.delete(channel);
    channel.unfollow();
  }

  /**
   * Takes a stream that has read to the end of the log. `wakes` is what the channel had counted
   * when that read began: what came in since may be news to the stream.
   */
  function join(stream: Stream, wakes: number): void {
    const { channel } = stream;
    if (channel.live.size === 0 && channel.run === undefined && !channel.reading) {
      channel.mark = stream.mark;
    }
    if (stream.mark.sequence < channel.mark.sequence) return fallBehind(stream);
    channel.live.add(stream);
    if (channel.wakes !== wakes) woken.add(channel);
  }

  /** Tries again what the database could not answer. */
  function retry(): void {
    for (const channel of failed) woken.add(channel);
    failed.clear();
  }

  /** One turn: reads a run when none is under way, and gives it to as many streams as time allows. */
  function serve(channel: Channel): void {
    if (channel.run === undefined) {
      if (channel.reading || channel.live.size === 0) return;
      const { wakes } = channel;
      const answer = feed.read(channel.tenant.id, channel.mark, runMaxEvents);
      if (answer instanceof Promise) {
        void readOn(channel, answer, wakes);
        return;
      }
      begin(channel, answer, wakes);
    }
    proceed(channel);
  }

  async function readOn(channel: Channel, answer: Promise<Read>, wakes: number): Promise<void> {
    channel.reading = true;
    try {
      begin(channel, await answer, wakes);
      if (channel.run !== undefined || channel.wakes !== wakes) woken.add(channel);
    } catch (error) {
      logger.warn({ err: error, tenant: channel.tenant.name }, "live streams wait for the log");
      failed.add(channel);
    } finally {
      channel.reading = false;
    }
  }

  function begin(channel: Channel, answer: Read, wakes: number): void {
    const { live, filter, mark: from } = channel;
    if (answer.kind !== "events") {
      const streams = [...live];
      live.clear();
      return refuse(streams, channel, answer);
    }
    const last = answer.events.at(-1);
    if (last === undefined && answer.atHead && channel.wakes === wakes) return;
    const matched = answer.events.filter((event) => filter.matches(event));
    channel.mark = last === undefined ? from : markOf(last);
    channel.run = {
      from: from.sequence,
      to: channel.mark,
      chunk: matched.length === 0 ? undefined : blocks.ofEvents(channel, matched),
      told: matched.at(-1)?.sequence ?? 0,
      events: matched.length,
      streams: live.values(),
      more: !answer.atHead,
      wakes,
    };
  }

  function proceed(channel: Channel): void {
    const { run } = channel;
    if (run === undefined) return;
    for (let given = 0; given < streamsPerLook; given += 1) {
      const next = run.streams.next();
      if (next.done === true) {
        channel.run = undefined;
        if (run.more || channel.wakes !== run.wakes) woken.add(channel);
        return;
      }
      give(next.value, run);
    }
    woken.add(channel);
  }

  function give(stream: Stream, run: Run): void {
    const { live } = stream.channel;
    if (stream.mark.sequence === run.from) {
      stream.mark = run.to;
      if (run.chunk === undefined) return;
      stream.told = run.told;
      stream.events += run.events;
      send(stream, run.chunk);
    } else if (stream.mark.sequence < run.to.sequence) {
      live.delete(stream);
      fallBehind(stream);
    }
  }
}
