/**
 * Reads server-sent events as the HTML standard has them, from pieces of text that may end
 * anywhere. Gives whole blocks only: what a cut connection leaves behind is no block, so a cursor
 * is never taken without the event before it.
 */

export type Block = {
  /** `message` where the block names none. */
  readonly event: string;
  /** Undefined in a block that only says `retry`, or only an id. */
  readonly data: string | undefined;
  readonly id: string | undefined;
  readonly retryMs: number | undefined;
};

/** Several of the largest events; a sender of endless lines must not fill the memory. */
const blockMaxCharacters = 8 << 20;

/** Call it with each piece; it gives the blocks that have become whole. Throws for endless ones. */
export function createSseParser(): (text: string) => Block[] {
  /** The line that has not ended yet, in the pieces in which it came. */
  let pieces: string[] = [];
  /** Of the block that has not ended yet. */
  let characters = 0;
  let afterReturn = false;
  let isFirst = true;
  let fields = emptyFields();

  return (text) => {
    const blocks: Block[] = [];
    let rest = isFirst && text.startsWith("\uFEFF") ? text.slice(1) : text;
    if (text !== "") isFirst = false;
    // A line may end with both, and the piece between the two.
    if (afterReturn && rest.startsWith("\n")) rest = rest.slice(1);
    if (rest !== "") afterReturn = false;
    const lineEnd = /\r\n|\r|\n/g;
    let start = 0;
    for (let end = lineEnd.exec(rest); end !== null; end = lineEnd.exec(rest)) {
      takeLine(pieces.join("") + rest.slice(start, end.index), blocks);
      pieces = [];
      start = lineEnd.lastIndex;
      afterReturn = end[0] === "\r" && start === rest.length;
    }
    if (start < rest.length) pieces.push(rest.slice(start));
    characters += rest.length - start;
    if (characters > blockMaxCharacters) throw new Error("a block of the stream has no end");
    return blocks;
  };

  function takeLine(line: string, blocks: Block[]): void {
    characters += line.length;
    if (line !== "") return takeField(fields, line);
    const block = toBlock(fields);
    if (block !== undefined) blocks.push(block);
    fields = emptyFields();
    characters = 0;
  }
}

type Fields = { event: string; data: string[]; id: string | undefined; retry: string | undefined };

function emptyFields(): Fields {
  return { event: "", data: [], id: undefined, retry: undefined };
}

function takeField(fields: Fields, line: string): void {
  const colon = line.indexOf(":");
  const name = colon === -1 ? line : line.slice(0, colon);
  const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
  switch (name) {
    case "event":
      fields.event = value;
      break;
    case "data":
      fields.data.push(value);
      break;
    case "id":
      if (!value.includes("\0")) fields.id = value;
      break;
    case "retry":
      if (/^\d+$/.test(value)) fields.retry = value;
      break;
    default: // A comment, or a field that means nothing.
  }
}

function toBlock({ event, data, id, retry }: Fields): Block | undefined {
  if (data.length === 0 && id === undefined && retry === undefined) return undefined;
  return {
    event: event === "" ? "message" : event,
    data: data.length === 0 ? undefined : data.join("\n"),
    id,
    retryMs: retry === undefined ? undefined : Number(retry),
  };
}
