/**
 * Finds the first place at which a text stops being JSON, and what should have stood there.
 * Runs only on text that `JSON.parse` has refused; iterative, so depth is no danger to it.
 */

export type Fault = {
  /** In UTF-16 code units from the start of the text. */
  readonly offset: number;
  readonly expected: string;
};

type State = "value" | "first value" | "key" | "first key" | "colon" | "next" | "done";

const expectations: Record<State, string> = {
  value: "a value",
  "first value": 'a value or "]"',
  key: "a member name in double quotes",
  "first key": 'a member name in double quotes or "}"',
  colon: '":"',
  next: '"," or the end of the array or object',
  done: "the end of the text",
};

/** A token by its first character; all that is no string or punctuation begins like a scalar. */
type Kind = "[" | "]" | "{" | "}" | "," | ":" | '"' | "scalar" | "end";

export function findFault(text: string): Fault {
  const open: Kind[] = [];
  let state: State = "value";
  let at = 0;
  for (;;) {
    at = skipSpace(text, at);
    const kind = kindAt(text, at);
    const next = advance(state, kind, open);
    const end = next === undefined ? undefined : tokenEnd(kind, text, at);
    if (next === undefined || end === undefined) {
      return { offset: at, expected: expectations[state] };
    }
    if (typeof end !== "number") return end;
    state = next;
    at = end;
  }
}

/** The state after a token, or undefined when the token may not stand there. */
function advance(state: State, kind: Kind, open: Kind[]): State | undefined {
  const mayClose = state === "next" || state === "first value" || state === "first key";
  if (mayClose && kind === (open.at(-1) === "[" ? "]" : "}")) {
    open.pop();
    return afterValue(open);
  }
  switch (state) {
    case "value":
    case "first value":
      if (kind === '"' || kind === "scalar") return afterValue(open);
      if (kind !== "[" && kind !== "{") return undefined;
      open.push(kind);
      return kind === "[" ? "first value" : "first key";
    case "key":
    case "first key":
      return kind === '"' ? "colon" : undefined;
    case "colon":
      return kind === ":" ? "value" : undefined;
    case "next":
      if (kind !== ",") return undefined;
      return open.at(-1) === "[" ? "value" : "key";
    case "done":
      return undefined;
  }
}

function afterValue(open: readonly Kind[]): State {
  return open.length === 0 ? "done" : "next";
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (" \t\r\n".includes(text[at] ?? "end")) at += 1;
  return at;
}

function kindAt(text: string, at: number): Kind {
  const character = text[at];
  switch (character) {
    case undefined:
      return "end";
    case "[":
    case "]":
    case "{":
    case "}":
    case ",":
    case ":":
    case '"':
      return character;
    default:
      return "scalar";
  }
}

const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** The offset behind a token, what is wrong inside it, or undefined when it is none. */
function tokenEnd(kind: Kind, text: string, at: number): number | Fault | undefined {
  if (kind === "scalar") return matchEnd(scalar, text, at);
  return kind === '"' ? stringEnd(text, at) : at + 1;
}

/** The offset behind the closing quote, or what is wrong inside the string. */
function stringEnd(text: string, opening: number): number | Fault {
  for (let at = opening + 1; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) return { offset: at, expected: "control characters to be escaped" };
    if (code !== 0x5c) at += 1;
    else {
      const end = matchEnd(escape, text, at);
      if (end === undefined) return { offset: at, expected: "a valid escape sequence" };
      at = end;
    }
  }
  return { offset: text.length, expected: "a closing quote" };
}

function matchEnd(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
