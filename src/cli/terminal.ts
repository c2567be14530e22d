/**
 * Where a command writes and how it is interrupted. What was asked for goes to stdout, all talk to
 * stderr, so that a pipe carries nothing but results. Colours only where a person looks on: never
 * into a pipe or a file, and not with NO_COLOR.
 */
import { once } from "node:events";
import { styleText } from "node:util";
import { exitCodes } from "./failure.ts";

export type Style = Parameters<typeof styleText>[0];

export type Terminal = {
  /** Writes a line to stdout; resolves when there is room for the next one. */
  print(line: string): Promise<void>;
  /** Writes a line to stderr. */
  note(line: string): void;
  /** For stdout. */
  paint(style: Style, text: string): string;
  /** For stderr. */
  paintNote(style: Style, text: string): string;
  /** Replaces the last line of stderr, where that is a screen; undefined removes it. */
  progress(line: string | undefined): void;
  /** Whether somebody watches stderr. */
  readonly watched: boolean;
  /** Aborted by the first Ctrl-C or SIGTERM; the second one ends the process. */
  readonly interrupt: AbortSignal;
  close(): void;
};

/** npm and shells hand a signal on that has come already; nobody types Ctrl-C as fast. */
const repeatMs = 200;

export function openTerminal(): Terminal {
  const { stdout, stderr } = process;
  const interruption = new AbortController();
  const colours = { stdout: isColoured(stdout), stderr: isColoured(stderr) };
  const watched = stderr.isTTY;
  let shown = false;
  let interruptedAt: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
  // A reader such as `head` has enough when it goes: that is no error to tell of.
  stdout.on("error", endQuietly);
  stderr.on("error", endQuietly);

  return {
    async print(line) {
      progress(undefined);
      if (!stdout.write(`${line}\n`)) await once(stdout, "drain");
    },
    note(line) {
      progress(undefined);
      stderr.write(`${line}\n`);
    },
    paint: (style, text) => (colours.stdout ? forced(style, text) : text),
    paintNote: (style, text) => (colours.stderr ? forced(style, text) : text),
    ...{ progress, watched, interrupt: interruption.signal },
    close() {
      progress(undefined);
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupt);
    },
  };

  function interrupt(): void {
    const now = performance.now();
    if (interruptedAt === undefined) {
      interruptedAt = now;
      interruption.abort();
    } else if (now - interruptedAt > repeatMs) {
      process.exit(exitCodes.interrupted);
    }
  }

  function progress(line: string | undefined): void {
    if (!watched || (line === undefined && !shown)) return;
    stderr.write(`\r\u001B[K${line ?? ""}`);
    shown = line !== undefined;
  }
}

/** The decision is made for each stream above, not by the library for stdout alone. */
function forced(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}

function isColoured(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR = "", TERM } = process.env;
  return stream.isTTY && NO_COLOR === "" && TERM !== "dumb";
}

function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(exitCodes.brokenPipe);
  throw error;
}
