/** Holds the text of an event stream to its grammar, piece by piece as it arrives. */

export type BlockRules = {
  /** Throw for a value that is no event, and no problem. */
  event(value: unknown): void;
  problem(value: unknown): void;
};

type Fields = { event?: string; data?: string; id?: string; retry?: string };

/** No dot: to it U+2028 and U+2029 end lines, which to a stream they do not. */
const fieldForm = /^(event|data|id|retry): ([^\r]*)$/;

/** The first block says how long to wait before connecting again; `id` ends the block it is in. */
export function createBlockCheck(rules: BlockRules): (text: string) => void {
  let rest = "";
  let blocks = 0;

  return (text) => {
    const pieces = (rest + text).split("\n\n");
    rest = pieces.pop() ?? "";
    for (const piece of pieces) {
      blocks += 1;
      checkBlock(piece, blocks === 1);
    }
  };

  function checkBlock(block: string, isFirst: boolean): void {
    const fields = readFields(block);
    if (isFirst !== (fields.retry !== undefined)) {
      throw new Error(isFirst ? "the first block has no retry" : "a later block has a retry");
    }
    if (fields.retry !== undefined && !/^\d+$/.test(fields.retry)) {
      throw new Error(`retry is no number: ${fields.retry}`);
    }
    if (fields.data === undefined) {
      if (fields.event ?? fields.id) throw new Error(`a block without data: ${block}`);
      return;
    }
    checkData(fields, JSON.parse(fields.data));
  }

  function checkData({ event, id }: Fields, value: unknown): void {
    switch (event) {
      case undefined:
        if (id === undefined) throw new Error("an event without its cursor");
        return rules.event(value);
      case "cursor":
        if (id === undefined || JSON.stringify(value) !== JSON.stringify({ cursor: id })) {
          throw new Error(`a cursor block does not say its cursor: ${JSON.stringify(value)}`);
        }
        return;
      case "problem":
        if (id !== undefined) throw new Error("a problem does not move the reader");
        return rules.problem(value);
      default:
        throw new Error(`blocks are not called "${event}"`);
    }
  }
}

function readFields(block: string): Fields {
  const fields: Fields = {};
  for (const line of block.split("\n")) {
    if (line.startsWith(":")) continue;
    const [, name, value] = fieldForm.exec(line) ?? [];
    if (name === undefined) throw new Error(`no field of a stream: ${JSON.stringify(line)}`);
    if (fields.id !== undefined) throw new Error("id is not the last field of its block");
    if (name in fields) throw new Error(`a block gives ${name} twice`);
    fields[name as keyof Fields] = value ?? "";
  }
  return fields;
}
