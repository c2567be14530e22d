/** The events that `tidegate send` is told to append, read one by one from where they come. */
import { open, type FileHandle } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { NewEvent } from "../client/producer.ts";
import { memberText } from "./exact-data.ts";
import { usageFailure } from "./failure.ts";

export type DraftOptions = {
  readonly type?: string;
  readonly data?: string;
  readonly subject?: string;
  readonly idempotencyKey?: string;
  readonly source?: string;
  readonly time?: string;
  readonly repeat?: number;
};

/** An event without its data, which goes as the text that it is; or why a line is none. */
export type Draft = { readonly line: number } & (
  | { readonly event: Omit<NewEvent, "data">; readonly dataText: string }
  | { readonly fault: string }
);

/** Throws for what is wrong with the options, before anything is sent. */
export function readDrafts(file: string | undefined, options: DraftOptions): AsyncIterable<Draft> {
  const { data, type, idempotencyKey, repeat } = options;
  if (data !== undefined) {
    if (file !== undefined) throw usageFailure("--data is one event, and a file has others");
    if (type === undefined) throw usageFailure("Name the event's type: --type order.created");
    if (!isJson(data)) {
      const hint = `In a shell it stands in single quotes: --data '{"amount":4200}'`;
      throw usageFailure("--data must be JSON", hint);
    }
    return repeated({ event: memberOptions(options), dataText: data.trim() }, repeat ?? 1);
  }
  if (idempotencyKey !== undefined || repeat !== undefined) {
    throw usageFailure("--idempotency-key and --repeat are for one event, with --data");
  }
  if (file === undefined && process.stdin.isTTY) {
    throw usageFailure(
      "Send what? Give one event, a file, or a pipe",
      `npx tidegate send --type order.created --data '{"amount":4200}'`,
    );
  }
  return lines(file === undefined || file === "-" ? undefined : file, options);
}

async function* repeated(
  draft: { event: Omit<NewEvent, "data">; dataText: string },
  count: number,
): AsyncGenerator<Draft> {
  for (let line = 1; line <= count; line += 1) yield { ...draft, line };
}

async function* lines(file: string | undefined, options: DraftOptions): AsyncGenerator<Draft> {
  const input = file === undefined ? process.stdin : (await openFile(file)).createReadStream();
  let line = 0;
  // Reading a line at a time is what holds the pipe back.
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() !== "") yield { line, ...readLine(text, options) };
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usageFailure(`${path} cannot be read (${code})`);
  }
}

function readLine(text: string, options: DraftOptions) {
  if (!isJson(text)) return { fault: "it is not JSON: each line must be a whole JSON value" };
  if (options.type !== undefined) return { event: memberOptions(options), dataText: text.trim() };
  const event = JSON.parse(text) as Record<string, unknown> | null;
  const dataText = memberText(text, "data");
  const hasForm =
    typeof event === "object" && event !== null && !Array.isArray(event) && dataText !== undefined;
  if (!hasForm) {
    return { fault: `it must be an event like {"type":"order.created","data":{}}, or give --type` };
  }
  if (typeof event["specversion"] === "string") return { event: ofCloudEvent(event), dataText };
  const { data: _, ...others } = event;
  return { event: { ...memberOptions(options), ...others } as Omit<NewEvent, "data">, dataText };
}

/** As `tail --json` prints them: appended again they get a place, an id and a tenant of their own. */
function ofCloudEvent(event: Record<string, unknown>): Omit<NewEvent, "data"> {
  const { id, type, subject, time, dataversion } = event as Record<string, string>;
  return {
    key: id,
    type,
    ...(subject !== undefined && { subject }),
    ...(time !== undefined && { time }),
    ...(dataversion !== undefined && { dataversion }),
  } as Omit<NewEvent, "data">;
}

function memberOptions(options: DraftOptions): Omit<NewEvent, "data"> {
  const { type, subject, source, time, idempotencyKey: key } = options;
  return {
    ...(type !== undefined && { type }),
    ...(subject !== undefined && { subject }),
    ...(source !== undefined && { source }),
    ...(time !== undefined && { time }),
    ...(key !== undefined && { key }),
  } as Omit<NewEvent, "data">;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
