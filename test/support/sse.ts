/** A client that reads server-sent events as bytes, and can stop reading or be cut anywhere. */
import { connect } from "node:net";
import { waitUntil } from "./wait.ts";

export type Block = {
  event?: string;
  data?: string;
  id?: string;
  retry?: string;
  comment?: string;
};

export type SseClient = ReturnType<typeof openSse>;

/** Opens a stream with a key. Nothing is read while it is paused. */
export function openSse(
  port: number,
  target: string,
  key: string,
  { lastEventId, paused = false }: { lastEventId?: string | undefined; paused?: boolean } = {},
) {
  const socket = connect({ port, host: "127.0.0.1" });
  // In pieces: streams of many megabytes are read, and looked at every few milliseconds.
  const received = { head: "", pieces: [] as string[], ended: false };
  const whole: Block[] = [];
  let unparsed = "";
  let unread = Buffer.alloc(0);
  let closed = false;
  socket.on("data", (bytes) => {
    unread = Buffer.concat([unread, bytes]);
    takeHead();
    takeChunks();
  });
  socket.on("error", () => {}); // being cut is one of the things that are tested
  socket.on("close", () => (closed = true));
  if (paused) socket.pause();
  const last = lastEventId === undefined ? "" : `last-event-id: ${lastEventId}\r\n`;
  socket.write(`GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n${last}\r\n`);

  return {
    socket,
    status: () => Number(/^http\/1\.1 (\d+)/.exec(received.head)?.[1] ?? 0),
    head: () => received.head,
    body: () => received.pieces.join(""),
    /** Of an answer that does not come in chunks. */
    plainBody: () => (isChunked() ? "" : unread.toString()),
    blocks,
    /** Blocks that are events, as their parsed data. */
    events: () => eventsOf(blocks()),
    isClosed: () => closed,
    /** The response ended as it should, instead of being cut. */
    isEnded: () => received.ended,
    waitFor: (condition: (blocks: Block[]) => boolean, deadlineMs = 5_000) =>
      waitUntil(() => condition(blocks()), { deadlineMs, what: String(condition) }),
    cut: () => socket.destroy(),
  };

  function isChunked(): boolean {
    return received.head === "" || received.head.includes("transfer-encoding: chunked");
  }

  function takeHead(): void {
    const end = unread.indexOf("\r\n\r\n");
    if (received.head !== "" || end === -1) return;
    received.head = unread.toString("latin1", 0, end + 2).toLowerCase();
    unread = unread.subarray(end + 4);
  }

  /** Frees the body of the chunks that it comes in. */
  function takeChunks(): void {
    while (received.head !== "" && isChunked() && !received.ended) {
      const lineEnd = unread.indexOf("\r\n");
      const size = Number.parseInt(unread.toString("latin1", 0, lineEnd), 16);
      const end = lineEnd + 2 + size + 2;
      if (lineEnd === -1 || unread.length < end) return;
      const text = unread.toString("utf8", lineEnd + 2, end - 2);
      received.pieces.push(text);
      unparsed += text;
      received.ended = size === 0;
      unread = unread.subarray(end);
    }
  }

  function blocks(): Block[] {
    const end = unparsed.lastIndexOf("\n\n") + 2;
    if (end >= 2) {
      whole.push(...parseBlocks(unparsed.slice(0, end)));
      unparsed = unparsed.slice(end);
    }
    return whole;
  }
}

/** Whole blocks only, as a client that follows the standard sees them. */
export function parseBlocks(text: string): Block[] {
  return text
    .split(/(?<=\n)\n/)
    .slice(0, -1)
    .map((lines) => {
      const block: Block = {};
      for (const line of lines.split("\n").slice(0, -1)) {
        const [, name = "", value = ""] = /^([a-z]*): ?([^\r]*)$/.exec(line) ?? [];
        const field = (name === "" ? "comment" : name) as keyof Block;
        block[field] = block[field] === undefined ? value : `${block[field]}\n${value}`;
      }
      return block;
    });
}

export function eventsOf(blocks: readonly Block[]): { sequence: string; type: string }[] {
  return blocks
    .filter((block) => block.event === undefined && block.data !== undefined)
    .map((block) => JSON.parse(block.data ?? "") as { sequence: string; type: string });
}
