/**
 * What operators see of the process: JSON lines on stderr, one wide line per unit of work. What each
 * has is told in docs/logs.md. Authorization headers and secrets never reach them, wherever in a line
 * they stand, and neither do the values of a statement that failed.
 *
 * The level can be changed at any time, and everybody who holds a logger follows at once. pino's own
 * children would not: each keeps the level that its parent had when it was made. So children here
 * are no more than what they add to each line.
 */

import { pino } from "pino";

type Members = Readonly<Record<string, unknown>>;

/** A change of `level` of any of them is one of all. */
export type Logger = pino.BaseLogger & {
  /** Adds these members to each of its lines. */
  child(members: Members): Logger;
  isLevelEnabled(level: string): boolean;
};

const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** Members whose values are replaced, at the top of a line and up to two levels down. */
const secretMembers: ReadonlySet<string> = new Set([
  ...["authorization", "cookie", "password", "secret", "secrets", "operatorKey"],
]);
const redactedDepth = 2;

/** Of errors that caused each other: more explain nothing, and one may be its own cause. */
const causesMax = 5;

export function createLogger(options: {
  level: string;
  destination?: pino.DestinationStream;
}): Logger {
  const root = pino(
    {
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      // Numbers such as 30 mean "info" only to readers who know this library.
      serializers: { err: describeError },
      // pino's own redaction of so many places takes 45 µs a line, this takes 1.
      formatters: {
        level: (label) => ({ level: label }),
        log: (line) => redact(line, redactedDepth),
      },
    },
    options.destination ?? pino.destination(2),
  );
  return createFamily(root);
}

/** What comes after a level on the way round: more is told each time, and then as configured. */
export function nextLevel(configured: string, current: string): string {
  const steps = [configured, ...["debug", "trace"].filter((level) => tellsMore(level, configured))];
  return steps[(steps.indexOf(current) + 1) % steps.length] ?? configured;
}

function tellsMore(level: string, than: string): boolean {
  const { values } = pino.levels;
  return (values[level] ?? Infinity) < (values[than] ?? Infinity);
}

/** There may be one for each of 100,000 lanes, so they share all but what they add. */
function createFamily(root: pino.Logger): Logger {
  type Member = Logger & { readonly members: Members | undefined };
  const writes = levels.map((level) => {
    const tell = (...line: unknown[]) => void Reflect.apply(root[level], root, line);
    function write(this: Member, first: unknown, ...rest: unknown[]): void {
      if (!root.isLevelEnabled(level)) return;
      const own = this.members;
      if (own === undefined) tell(first, ...rest);
      else if (first instanceof Error) tell({ ...own, err: first }, ...rest);
      else if (typeof first === "object") tell({ ...own, ...first }, ...rest);
      else tell(own, first, ...rest);
    }
    return [level, write] as const;
  });
  const shared = {
    ...Object.fromEntries(writes),
    get level() {
      return root.level;
    },
    set level(level: string) {
      root.level = level;
    },
    silent: () => {},
    isLevelEnabled: (level: string) => root.isLevelEnabled(level),
    child(this: Member, members: Members): Logger {
      return createMember({ ...this.members, ...members });
    },
  };
  return createMember(undefined);

  function createMember(members: Members | undefined): Logger {
    return Object.create(shared, { members: { value: members } }) as Logger;
  }
}

/** The same object unless there is something to hide in it. */
function redact(value: Record<string, unknown>, depth: number): Record<string, unknown> {
  let shown = value;
  for (const [name, member] of Object.entries(value)) {
    const told = secretMembers.has(name) ? "[redacted]" : redactMember(member, depth);
    if (told === member) continue;
    if (shown === value) shown = { ...value };
    shown[name] = told;
  }
  return shown;
}

function redactMember(member: unknown, depth: number): unknown {
  if (depth === 0 || typeof member !== "object" || member === null) return member;
  if (Array.isArray(member)) return member.map((each) => redactMember(each, depth - 1));
  // What is told of an error is chosen below.
  return member instanceof Error ? member : redact(member as Record<string, unknown>, depth - 1);
}

/**
 * The database's errors quote whole statements with their values: only what caused them is told.
 * Extra members of errors stay out for the same reason.
 */
function describeError(error: unknown): object | null {
  if (error === null || error === undefined) return null;
  if (!(error instanceof Error)) {
    return { message: typeof error === "string" ? error : `thrown ${typeof error}` };
  }
  const chain = causesOf(error);
  const [first = error] = chain;
  return {
    type: first.constructor.name,
    message: chain.map(messageOf).join(": "),
    stack: chain.map(stackOf).join("\ncaused by: "),
    code: (first as { code?: unknown }).code ?? null,
  };
}

/** Without those that quote a statement: their cause says what was wrong with it. */
function causesOf(error: Error): Error[] {
  const chain: Error[] = [];
  let next: unknown = error;
  while (next instanceof Error && chain.length < causesMax) {
    const isQuote = "query" in next && "params" in next && next.cause instanceof Error;
    if (!isQuote) chain.push(next);
    next = next.cause;
  }
  return chain;
}

/** Parsers of JSON and of the database quote what they could not read, which may be anybody's data. */
function messageOf(error: Error): string {
  const { name, message } = error;
  const code = "code" in error ? String(error.code) : "";
  const quotes = name === "SyntaxError" || (name === "PostgresError" && code.startsWith("22"));
  return quotes ? message.replaceAll(/".*"/gs, '"…"') : message;
}

function stackOf(error: Error): string {
  const { stack = "", name } = error;
  const frames = stack.indexOf("\n    at ");
  return `${name}: ${messageOf(error)}${frames === -1 ? "" : stack.slice(frames)}`;
}
