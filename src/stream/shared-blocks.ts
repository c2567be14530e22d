/**
 * The bytes of events and cursors, made once for all streams that show them: minting a cursor
 * costs as much as several writes. What is recent is kept, up to a bound for the whole process.
 */
import { LRUCache } from "lru-cache";
import { markOf, type Mark, type Marks } from "../feed/marks.ts";
import type { LogEvent } from "../log/event.ts";
import { cursorBlock, eventBlock } from "./blocks.ts";
import { chunkOf, type Chunk } from "./chunk.ts";
import type { Channel } from "./stream.ts";

/** Some seconds of a busy process; ten thousand clients that come back at once ask for the same. */
const keptMaxBytes = 32 << 20;

/** What an entry weighs besides its bytes. */
const entryBytes = 300;

export type Blocks = ReturnType<typeof createSharedBlocks>;

export function createSharedBlocks(marks: Marks) {
  const kept = new LRUCache<string, Buffer>({
    maxSize: keptMaxBytes,
    sizeCalculation: (block) => block.length + entryBytes,
  });

  return { ofEvents, ofCursor };

  /** The blocks of these events, of which there has to be one. */
  function ofEvents(channel: Channel, events: readonly LogEvent[]): Chunk {
    return chunkOf(events.map((event) => ofEvent(channel, event)));
  }

  function ofEvent(channel: Channel, event: LogEvent): Buffer {
    const mark = markOf(event);
    return keep(`e ${keyOf(channel, mark)}`, () =>
      eventBlock(event.envelope, cursorOf(channel, mark)),
    );
  }

  function ofCursor(channel: Channel, mark: Mark): Chunk {
    const key = `c ${keyOf(channel, mark)}`;
    return chunkOf([keep(key, () => cursorBlock(cursorOf(channel, mark)))]);
  }

  function cursorOf({ tenant, filter }: Channel, mark: Mark): string {
    return marks.cursorAt(tenant.id, mark, filter.fingerprint);
  }

  function keep(key: string, make: () => string): Buffer {
    let block = kept.get(key);
    if (block === undefined) {
      block = Buffer.from(make());
      kept.set(key, block);
    }
    return block;
  }
}

/** The fingerprint too: after a restore the same sequence is another event. */
function keyOf(channel: Channel, { sequence, fingerprint }: Mark): string {
  return `${channel.key} ${sequence} ${fingerprint}`;
}
