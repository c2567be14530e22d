/**
 * Appends lines without end, and answers each while more arrive. What it holds is bounded: one
 * window of events that gathers, a few whose commits are under way, and results that the client
 * has not taken. When one of these is full it stops reading, and the client has to wait.
 *
 * Whatever is wrong with a line is that line's result. The events of a tenant are appended in the
 * order of their lines. When the client leaves, what was handed in is appended and the rest is not.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { resolveTenant, type Principal } from "../http/auth.ts";
import type { ApiRequest } from "../http/request.ts";
import type { Cursors } from "../log/cursor.ts";
import { Problem } from "../problem.ts";
import { dataMaxBytes, type Item } from "./event.ts";
import { createLineResults } from "./line-results.ts";
import { createLineSplitter, type Line } from "./lines.ts";
import { createPipeline, type PipelineServices } from "./pipeline.ts";
import type { Arrival } from "./tracing.ts";

/** Beside its data an event has few and short members, even with all of them escaped. */
const lineMaxBytes = dataMaxBytes + (64 << 10);

/** What the append commits at once. */
const windowMaxEvents = 1_000;
const windowMaxBytes = 1 << 20;

export type UploadOptions = {
  readonly withCursors: boolean;
  /** Only failures and, at the end, counts. */
  readonly minimal: boolean;
  /** Of all lines, where the query says it. */
  readonly tenant: string | undefined;
  /** Throws the problem of the line. */
  readonly readLine: (bytes: Buffer) => Item;
  readonly arrived: Arrival;
};

type Gathered = { lines: number[]; items: (Item | Problem)[]; bytes: number };

export function createUpload(services: PipelineServices & { readonly cursors: Cursors }) {
  const { cursors, directory } = services;

  return upload;

  /** Ends when all is answered, or the client has gone. */
  async function upload(
    request: ApiRequest,
    principal: Principal,
    options: UploadOptions,
  ): Promise<void> {
    const { tenant } = options;
    // Before the head of the answer, since both may refuse.
    if (tenant !== undefined) await resolveTenant(directory, principal, tenant);
    const chunks = request.bodyChunks(() => pipeline.isBusy());
    const results = createLineResults(request, {
      cursors: options.withCursors ? cursors : undefined,
      minimal: options.minimal,
    });
    const pipeline = createPipeline(services, request, results, options.arrived);
    const splitter = createLineSplitter(lineMaxBytes);
    try {
      await readAll();
      await pipeline.settled();
      results.end();
    } catch (error) {
      await pipeline.settled();
      // The head has gone out: what ends the reading is the result of the line it stopped at.
      if (!(error instanceof Problem)) throw error;
      results.fail(splitter.next(), error);
    } finally {
      void chunks.return();
    }

    async function readAll(): Promise<void> {
      let gathered = nothing();
      let next = chunks.next();
      try {
        for (;;) {
          // What has gathered need not wait for more when nothing is under way.
          const step = gathered.items.length === 0 ? next : Promise.race([next, pipeline.idle()]);
          const chunk = await step;
          if (chunk === undefined) await handIn();
          else if (chunk.done === true) break;
          else {
            for (const line of splitter.push(chunk.value)) {
              gather(line);
              if (!isFull()) continue;
              await handIn();
              // A window that needs no database would be followed by the next at once.
              await nextTurn();
            }
            request.share.hold(gathered.bytes + splitter.keptBytes());
            next = chunks.next();
          }
        }
        const last = splitter.end();
        if (last !== undefined) gather(last);
      } catch (error) {
        if (error instanceof Problem) await handIn();
        throw error;
      }
      await handIn();

      function gather(line: Line): void {
        gathered.lines.push(line.number);
        gathered.items.push(readItem(line, options.readLine));
        gathered.bytes += line.bytes?.length ?? 0;
      }

      function isFull(): boolean {
        return gathered.items.length >= windowMaxEvents || gathered.bytes >= windowMaxBytes;
      }

      async function handIn(): Promise<void> {
        const { lines, items } = gathered;
        gathered = nothing();
        if (items.length > 0) await pipeline.handIn(lines, items);
      }
    }
  }
}

function nothing(): Gathered {
  return { lines: [], items: [], bytes: 0 };
}

function readItem({ number, bytes }: Line, readLine: (bytes: Buffer) => Item): Item | Problem {
  if (bytes === undefined) {
    return new Problem("payload-too-large", `a line may have ${lineMaxBytes} bytes`, {
      members: { limit_bytes: lineMaxBytes },
    });
  }
  try {
    return readLine(bytes);
  } catch (error) {
    if (error instanceof Problem) return atLine(error, number);
    throw error;
  }
}

/** A fault of the JSON says where it is: in this line, which to its parser is the first. */
function atLine(problem: Problem, line: number): Problem {
  if (problem.members["line"] === undefined) return problem;
  const detail = problem.detail?.replace(/^line 1\b/, `line ${line}`);
  return new Problem(problem.slug, detail, { members: { ...problem.members, line } });
}
